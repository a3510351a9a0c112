# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What lives on a device, so that nothing is lost and leaks have a name."""

from __future__ import annotations

import logging
from typing import Protocol

__all__ = ['LiveResources']

_LOGGER = logging.getLogger(__name__)


class Closable(Protocol):
    """Whatever is closed once."""

    def close(self) -> None:
        """Release it; may be called twice."""


class LiveResources:
    """Everything that was made on a device and is not closed, in the order it was made.

    It holds what it lists: a resource that nobody closes does not vanish by chance, on whatever
    thread the last reference is dropped, where its device may not be current; it stays, is counted,
    and is closed with the device.
    """

    def __init__(self) -> None:
        self._resources: dict[int, tuple[str, Closable]] = {}

    def add(self, what: str, resource: Closable) -> None:
        """Note a resource under what it is, as a noun: ``'stream'``."""
        self._resources[id(resource)] = (what, resource)

    def discard(self, resource: Closable) -> None:
        """Forget a resource that is closed."""
        self._resources.pop(id(resource), None)

    def count(self) -> dict[str, int]:
        """Count them by what they are."""
        counts: dict[str, int] = {}
        for what, _resource in self._resources.values():
            counts[what] = counts.get(what, 0) + 1
        return counts

    def close(self, owner: str) -> None:
        """Close what is left, newest first, and name it in the log."""
        counts = self.count()
        if not counts:
            return
        found = ', '.join(f'{number} x {what}' for what, number in counts.items())
        _LOGGER.warning('%s was closed with %s still open; closing them too', owner, found)
        for _what, resource in reversed(list(self._resources.values())):
            resource.close()
        self._resources.clear()
