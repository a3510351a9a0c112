# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Memory resources stacked on others: they count, limit, refuse, or fail when told to.

counting = CountingMemory(LimitedMemory(device.memory('device'), budget_bytes=500_000_000))
"""

from __future__ import annotations

from jetson_infer.cuda.memory import Buffer, MemoryKind, MemoryResource, bytes_text, check_size
from jetson_infer.errors import DeviceMemoryError, InternalError

__all__ = ['CountingMemory', 'FailingMemory', 'LimitedMemory', 'MemoryAdaptor', 'RefusingMemory']


class MemoryAdaptor(MemoryResource):
    """Passes on what another resource gives.

    :param upstream: the resource below.
    """

    def __init__(self, upstream: MemoryResource) -> None:
        self._upstream = upstream

    @property
    def kind(self) -> MemoryKind:
        """What kind of memory the resource below gives."""
        return self._upstream.kind

    def allocate(self, nbytes: int) -> Buffer:
        """Allocate; see :meth:`MemoryResource.allocate`."""
        check_size(nbytes)
        self._before(nbytes)
        below = self._upstream.allocate(nbytes)

        def release() -> None:
            # The array of this buffer's own is gone by now; the one below is the last.
            below.close()
            self._released(nbytes)

        self._allocated(nbytes)
        return Buffer(below.address, nbytes, below.kind, below.host, release)

    def _before(self, nbytes: int) -> None:
        """Refuse an allocation, by raising."""

    def _allocated(self, nbytes: int) -> None:
        """Note an allocation."""

    def _released(self, nbytes: int) -> None:
        """Note a release."""


class CountingMemory(MemoryAdaptor):
    """Counts what is allocated and what is alive."""

    def __init__(self, upstream: MemoryResource) -> None:
        super().__init__(upstream)
        self.allocations = 0
        """How many allocations there ever were."""
        self.live = 0
        """How many buffers are not closed."""
        self.live_bytes = 0
        """How many bytes they have."""
        self.peak_bytes = 0
        """The most bytes that were ever alive at once."""

    def _allocated(self, nbytes: int) -> None:
        self.allocations += 1
        self.live += 1
        self.live_bytes += nbytes
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)

    def _released(self, nbytes: int) -> None:
        self.live -= 1
        self.live_bytes -= nbytes


class LimitedMemory(MemoryAdaptor):
    """Gives no more than a budget.

    :param budget_bytes: how many bytes may be alive at once.
    """

    def __init__(self, upstream: MemoryResource, budget_bytes: int) -> None:
        super().__init__(upstream)
        self._budget = budget_bytes
        self._used = 0

    def _before(self, nbytes: int) -> None:
        left = self._budget - self._used
        if nbytes > left:
            raise DeviceMemoryError(
                f'no {bytes_text(nbytes)} of {self.kind} memory: {bytes_text(left)} are left of a '
                f'budget of {bytes_text(self._budget)}; raise the budget or use a smaller variant'
            )

    def _allocated(self, nbytes: int) -> None:
        self._used += nbytes

    def _released(self, nbytes: int) -> None:
        self._used -= nbytes


class RefusingMemory(MemoryAdaptor):
    """Gives nothing any more once it is sealed: what is to run without allocating shows it."""

    def __init__(self, upstream: MemoryResource) -> None:
        super().__init__(upstream)
        self._sealed = False

    def seal(self) -> None:
        """Refuse from now on."""
        self._sealed = True

    def _before(self, nbytes: int) -> None:
        if self._sealed:
            raise InternalError(
                f'{nbytes} bytes of {self.kind} memory were asked for after activation; everything '
                'is to be allocated at configure'
            )


class FailingMemory(MemoryAdaptor):
    """Fails once when it was armed, as a device does that is out of memory."""

    def __init__(self, upstream: MemoryResource) -> None:
        super().__init__(upstream)
        self._until: int | None = None

    def arm(self, after: int = 0) -> None:
        """Let so many allocations succeed, and the next one fail."""
        self._until = after

    def _before(self, nbytes: int) -> None:
        if self._until is None:
            return
        if self._until == 0:
            self._until = None
            raise DeviceMemoryError(
                f'no {bytes_text(nbytes)} of {self.kind} memory: it was told to fail'
            )
        self._until -= 1
