# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A CUDA driver and PyCUDA's module for it, for machines without a GPU, strict about contexts.

Each thread has CUDA's own stack of contexts, and PyCUDA's stack of context objects beside it, which
keeps at most its topmost entry on CUDA's (the behaviour of PyCUDA's ``context`` class).  What needs
a context fails without one.  Addresses are given out again as soon as they are free, lowest first.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections import Counter
from types import SimpleNamespace

from jetson_infer.cuda import driver_library

INVALID_CONTEXT = 201
INVALID_VALUE = 1
ILLEGAL_ADDRESS = 700
TEXTS = {
    1: ('CUDA_ERROR_INVALID_VALUE', 'invalid argument'),
    201: ('CUDA_ERROR_INVALID_CONTEXT', 'invalid device context'),
    700: ('CUDA_ERROR_ILLEGAL_ADDRESS', 'an illegal memory access was encountered'),
}
GRAIN = 0x1000
HANDLE = 0xC0DE


class Error(RuntimeError):
    """As pycuda.driver.Error."""


class LogicError(Error):
    """As pycuda.driver.LogicError."""


class OutOfMemoryError(Error):
    """As pycuda.driver.MemoryError."""


class Driver:
    """What the driver knows of one GPU, and CUDA's stack of contexts of each thread."""

    def __init__(self) -> None:
        self.retained = 0
        self.broken = False
        self.for_good = False
        """Whether what is broken stays so in this process, as on a GPU after an illegal address."""
        self.resets = 0
        self.memory: dict[int, int] = {}
        """Where what was allocated lies, and how large it is."""
        self.freed_in_vain: list[int] = []
        self._threads = threading.local()

    @property
    def stack(self) -> list[int]:
        """CUDA's stack of contexts on this thread."""
        return self._threads.__dict__.setdefault('stack', [])

    def need_context(self, what: str) -> None:
        if not self.stack or not self.retained:
            raise LogicError(f'{what} failed: invalid device context')
        if self.broken:
            raise LogicError(f'{what} failed: an illegal memory access was encountered')

    def allocate(self, nbytes: int) -> int:
        self.need_context('cuMemAlloc')
        address = next(a for a in range(GRAIN, 1 << 40, GRAIN) if a not in self.memory)
        self.memory[address] = nbytes
        return address

    def free(self, address: int) -> None:
        self.need_context('cuMemFree')
        if address not in self.memory:
            self.freed_in_vain.append(address)
            raise LogicError('cuMemFree failed: invalid argument')
        del self.memory[address]

    def release(self) -> None:
        self.retained -= 1
        if not self.retained:
            self.memory.clear()
            self.broken = self.for_good

    def reset(self) -> None:
        self.resets += 1
        self.memory.clear()
        self.broken = self.for_good


class Library:
    """The functions of ``libcuda.so.1`` that DriverLibrary calls, with ctypes' arguments."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def cuInit(self, flags):  # noqa: N802
        return 0

    def cuDeviceGet(self, device, index):  # noqa: N802
        device._obj.value = index.value
        return 0

    def cuGetErrorName(self, code, text):  # noqa: N802
        return self._text(code, text, 0)

    def cuGetErrorString(self, code, text):  # noqa: N802
        return self._text(code, text, 1)

    def cuCtxGetCurrent(self, context):  # noqa: N802
        stack = self._driver.stack
        context._obj.value = stack[-1] if stack else None
        return 0

    def cuCtxPushCurrent_v2(self, context):  # noqa: N802
        self._driver.stack.append(context.value)
        return 0

    def cuCtxPopCurrent_v2(self, context):  # noqa: N802
        if not self._driver.stack:
            return INVALID_CONTEXT
        context._obj.value = self._driver.stack.pop()
        return 0

    def cuCtxSynchronize(self):  # noqa: N802
        if not self._driver.stack:
            return INVALID_CONTEXT
        return ILLEGAL_ADDRESS if self._driver.broken else 0

    def cuMemGetInfo_v2(self, free, total):  # noqa: N802
        return self.cuCtxSynchronize()

    def cuDevicePrimaryCtxRetain(self, context, device):  # noqa: N802
        if self._driver.for_good:
            return ILLEGAL_ADDRESS
        self._driver.retained += 1
        context._obj.value = HANDLE
        return 0

    def cuDevicePrimaryCtxRelease_v2(self, device):  # noqa: N802
        self._driver.release()
        return 0

    def cuDevicePrimaryCtxReset_v2(self, device):  # noqa: N802
        self._driver.reset()
        return 0

    def _text(self, code, text, which):
        if code.value not in TEXTS:
            return INVALID_VALUE
        text._obj.value = TEXTS[code.value][which].encode()
        return 0


def pycuda_driver(driver: Driver) -> SimpleNamespace:  # noqa: C901 - many parts, all small
    """Return a stand-in for the module ``pycuda.driver``."""
    threads = threading.local()

    def objects() -> list[Context]:
        return threads.__dict__.setdefault('objects', [])

    def activate() -> None:
        if objects():
            driver.stack.append(HANDLE)

    def deactivate() -> None:
        if objects():
            if not driver.stack:
                raise LogicError('cuCtxPopCurrent failed: invalid device context')
            driver.stack.pop()

    class Context:
        def __init__(self) -> None:
            driver.retained += 1
            self._valid = True
            self._thread = threading.get_ident()

        def push(self) -> None:
            deactivate()
            objects().append(self)
            activate()

        @staticmethod
        def pop() -> None:
            deactivate()
            if not objects():
                raise LogicError('context::pop failed: cannot pop non-current context')
            objects().pop()
            while objects() and not objects()[-1]._valid:
                objects().pop()
            activate()

        @staticmethod
        def get_current() -> Context | None:
            return next((it for it in reversed(objects()) if it._valid), None)

        def detach(self) -> None:
            if not self._valid:
                raise LogicError('context::detach failed: invalid device context')
            assert self._thread == threading.get_ident(), 'PyCUDA would leak it'
            was_current = Context.get_current() is self
            if not was_current:
                driver.stack.append(HANDLE)  # and nothing takes it off again
            driver.release()
            self._valid = False
            if was_current:
                driver.stack.pop()
                activate()

    class Device:
        def __init__(self, index: int) -> None:
            self._index = index

        @staticmethod
        def count() -> int:
            return 1

        def name(self) -> str:
            return 'Orin'

        def compute_capability(self) -> tuple[int, int]:
            return (8, 7)

        def total_memory(self) -> int:
            return 8 << 30

        def get_attribute(self, attribute: int) -> int:
            return 1

        def pci_bus_id(self) -> str:
            return '0000:00:00.0'

        def retain_primary_context(self) -> Context:
            if driver.for_good:
                raise LogicError(
                    'cuDevicePrimaryCtxRetain failed: an illegal memory access was encountered'
                )
            return Context()

    class DeviceAllocation:
        def __init__(self, nbytes: int) -> None:
            self._address: int | None = driver.allocate(nbytes)

        def __int__(self) -> int:
            return self._address

        def free(self) -> None:
            address, self._address = self._address, None
            driver.free(address)

    class Stream:
        def __init__(self, flags: int = 0) -> None:
            driver.need_context('cuStreamCreate')
            self.handle = 7

        def synchronize(self) -> None:
            driver.need_context('cuStreamSynchronize')

    def mem_get_info() -> tuple[int, int]:
        driver.need_context('cuMemGetInfo')
        return (8 << 30) - sum(driver.memory.values()), 8 << 30

    return SimpleNamespace(
        Error=Error, LogicError=LogicError, MemoryError=OutOfMemoryError,
        Context=Context, Device=Device, Stream=Stream,
        device_attribute=SimpleNamespace(INTEGRATED=18, CAN_MAP_HOST_MEMORY=19),
        host_alloc_flags=SimpleNamespace(DEVICEMAP=2),
        init=lambda: None, get_driver_version=lambda: 12060, mem_get_info=mem_get_info,
        mem_alloc=DeviceAllocation,
    )  # fmt: skip


def install(monkeypatch) -> Driver:
    """Put a GPU into this machine for one test."""
    driver, cdll = Driver(), ctypes.CDLL
    monkeypatch.setattr(driver_library, '_RESETS', Counter())

    def load(name, *arguments, **options):
        if name == 'libcuda.so.1':
            return Library(driver)
        return cdll(name, *arguments, **options)

    monkeypatch.setattr(ctypes, 'CDLL', load)
    monkeypatch.setitem(sys.modules, 'pycuda', SimpleNamespace())
    monkeypatch.setitem(sys.modules, 'pycuda.driver', pycuda_driver(driver))
    return driver
