# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Device, pinned and mapped memory from PyCUDA."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import numpy.typing as npt

from jetson_infer.cuda.failures import CudaFailures
from jetson_infer.cuda.memory import (
    Buffer,
    MemoryKind,
    MemoryResource,
    check_size,
    warn_of_views,
)
from jetson_infer.cuda.resources import LiveResources

__all__ = ['DeviceMemory', 'PageLockedMemory']


class DeviceMemory(MemoryResource):
    """The device's own memory (``cuMemAlloc``)."""

    def __init__(self, driver: ModuleType, failures: CudaFailures, live: LiveResources) -> None:
        self._driver = driver
        self._failures = failures
        self._live = live

    @property
    def kind(self) -> MemoryKind:
        """``device``."""
        return 'device'

    def allocate(self, nbytes: int) -> Buffer:
        """Allocate; see :meth:`MemoryResource.allocate`."""
        check_size(nbytes)
        self._failures.check_alive()
        try:
            allocation = self._driver.mem_alloc(nbytes)
        except self._failures.error as error:
            raise self._failures.memory('device', nbytes, error) from error

        def release() -> None:
            self._live.discard(buffer)
            if not self._failures.abandon(allocation):
                allocation.free()

        buffer = Buffer(int(allocation), nbytes, 'device', None, release)
        self._live.add('device buffer', buffer)
        return buffer


class PageLockedMemory(MemoryResource):
    """Page-locked memory of the host (``cuMemHostAlloc``).

    :param kind: ``pinned``, or ``mapped`` for memory that the device reads and writes itself.
    """

    def __init__(
        self,
        driver: ModuleType,
        failures: CudaFailures,
        live: LiveResources,
        kind: MemoryKind,
    ) -> None:
        self._driver = driver
        self._failures = failures
        self._live = live
        self._kind = kind
        self._flags = int(driver.host_alloc_flags.DEVICEMAP) if kind == 'mapped' else 0

    @property
    def kind(self) -> MemoryKind:
        """``pinned`` or ``mapped``."""
        return self._kind

    def allocate(self, nbytes: int) -> Buffer:
        """Allocate; see :meth:`MemoryResource.allocate`."""
        check_size(nbytes)
        self._failures.check_alive()
        host: list[npt.NDArray[np.uint8]] = []
        try:
            host.append(self._driver.pagelocked_empty(nbytes, np.uint8, mem_flags=self._flags))
            if self._kind == 'mapped':
                address = int(host[0].base.get_device_pointer())  # type: ignore[union-attr]
            else:
                address = int(host[0].ctypes.data)
        except self._failures.error as error:
            raise self._failures.memory(self._kind, nbytes, error) from error

        def release() -> None:
            self._live.discard(buffer)
            if not self._failures.abandon(host):
                _free(host, self._kind)

        buffer = Buffer(address, nbytes, self._kind, host[0], release)
        self._live.add(f'{self._kind} buffer', buffer)
        return buffer


def _free(holder: list[npt.NDArray[np.uint8]], kind: MemoryKind) -> None:
    """Free page-locked memory, unless that would pull it from under arrays that still view it.

    Reading such an array would end the process; the memory is freed with the last of them.
    """
    host = holder.pop()
    viewers = sys.getrefcount(host) - 2  # but for this name and the argument of getrefcount
    if viewers > 0:
        warn_of_views(host.nbytes, kind, viewers)
    else:
        host.base.free()  # type: ignore[union-attr]
