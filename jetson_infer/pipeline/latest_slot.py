# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The place where the newest frame waits for the worker."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

__all__ = ['LatestSlot']

T = TypeVar('T')


class LatestSlot(Generic[T]):
    """Holds at most one item; a newer one replaces it.

    A queue would make a slow consumer see an ever older world; a slot lets it see the newest.
    Any number of threads may put and take.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self._woken = False

    def put(self, item: T) -> T | None:
        """Leave an item, without waiting.

        :return: the item that has no place any more: the one that was replaced, or the given one
            itself when the slot is closed; None when nothing was displaced.
        """
        with self._condition:
            if self._closed:
                return item
            displaced, self._item = self._item, item
            self._condition.notify()
            return displaced

    def take(self, timeout_s: float | None = None) -> T | None:
        """Wait for an item and take it.

        :param timeout_s: how long to wait; None for ever, 0 not at all.
        :return: the item; None when none came in time, when :meth:`wake` was called, or once the
            slot is closed and empty.
        """
        with self._condition:
            if timeout_s != 0:
                self._condition.wait_for(self._worth_waking, timeout_s)
            self._woken = False
            item, self._item = self._item, None
            return item

    def wake(self) -> None:
        """Let whoever waits for an item, or the next one who does, come back without one."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    @property
    def closed(self) -> bool:
        """Whether nothing is accepted any more."""
        with self._condition:
            return self._closed

    def close(self) -> T | None:
        """Accept nothing more, wake every waiting taker, and return the item that was left."""
        with self._condition:
            self._closed = True
            item, self._item = self._item, None
            self._condition.notify_all()
            return item

    def _worth_waking(self) -> bool:
        return self._item is not None or self._closed or self._woken
