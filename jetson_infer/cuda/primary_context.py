# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A GPU's primary context on one thread, shared by every device that is opened there.

PyCUDA keeps a stack of context objects for each thread, and each retaining of the primary context
makes another object.  Were each device to have its own, leaving an older device while a younger one
is in use (as a switch of variants does: the new one is opened before the old one is closed) would
take the younger one's entry off that stack, and CUDA's own stack would be left empty.  With one
object for all of them every entry is the same one, and they may be left in any order.
"""

from __future__ import annotations

import threading
from types import ModuleType
from typing import Any

from jetson_infer.cuda.driver_library import LOST_CODES, DriverLibrary
from jetson_infer.errors import DeviceError

__all__ = ['PrimaryContext', 'acquire_context', 'refusal']


class PrimaryContext:
    """One thread's hold on a GPU's primary context; see :func:`acquire_context`."""

    def __init__(self, driver: ModuleType, library: DriverLibrary, index: int) -> None:
        self._library = library
        self._index = index
        self._users = 0
        self._resets = library.resets(index)
        self._lost = False
        self.context: Any = driver.Device(index).retain_primary_context()
        """PyCUDA's object, not current by itself."""

    @property
    def outlived(self) -> bool:
        """Whether the GPU was reset since, and nothing that was made here exists any more."""
        return self._library.resets(self._index) != self._resets

    def use(self) -> PrimaryContext:
        """Count one more device."""
        self._users += 1
        return self

    def release(self, lost: bool) -> None:
        """Count one device less; with the last one the context is let go of.

        Call it on the thread that acquired it, where no device of this GPU is current then.

        :param lost: whether the device failed for good; the context is then reset at the end.
        """
        self._users -= 1
        self._lost = self._lost or lost
        if self._users:
            return
        del _contexts()[self._index]
        with self._library.holding(self._index):
            self.context.detach()
            # To release it, PyCUDA makes the context current, and releasing does not undo that. It
            # is taken off the thread again while it is still alive.
            self._library.pop_context()
        if self._lost:
            self._library.heal(self._index)


_THREAD = threading.local()


def acquire_context(driver: ModuleType, library: DriverLibrary, index: int) -> PrimaryContext:
    """Return this thread's hold on a GPU's primary context; each is released once.

    :raises pycuda.driver.Error: if CUDA has none to give.
    :raises DeviceError: if the GPU failed in this process before, and does not work again.
    """
    held = _contexts()
    if index not in held:
        if library.resets(index) and (reason := library.why_broken(index)):
            raise refusal(library, index, reason)
        held[index] = PrimaryContext(driver, library, index)
    return held[index].use()


def refusal(library: DriverLibrary, index: int, reason: str) -> DeviceError:
    """Return the exception for a GPU that cannot be opened.

    After some faults, such as an illegal address, CUDA does nothing any more for the process in
    which they happened ("the process must be terminated and relaunched", documentation of
    ``CUresult``), whatever is released or reset.  Then that is what there is to do.

    :param reason: what CUDA says.
    """
    lost = any(text in reason for text in library.explanations(LOST_CODES))
    if lost and library.resets(index):
        return DeviceError(
            f'GPU {index} was lost by a fault in this process, and CUDA gives it back to a new '
            f'process alone ({reason}); end this process and start it again'
        )
    return DeviceError(f'GPU {index} cannot be used: {reason}')


def _contexts() -> dict[int, PrimaryContext]:
    """Return those that this thread holds, by the GPU's number."""
    found: dict[int, PrimaryContext] = _THREAD.__dict__.setdefault('contexts', {})
    return found
