# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A CUDA device through PyCUDA, and through ``cuda.bindings`` where that is installed.

PyCUDA gives the context and all memory. Streams, events and kernels come from
``cuda.bindings.driver`` where it is there, which adds priorities and graphs, and from PyCUDA where
it is not.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from jetson_infer.cuda.device import Device, Module
from jetson_infer.cuda.driver_library import DriverLibrary, version_text
from jetson_infer.cuda.driver_module import DriverModule
from jetson_infer.cuda.driver_stream import DriverEvent, DriverStream
from jetson_infer.cuda.failures import CudaFailures
from jetson_infer.cuda.memory import HostMemory, MemoryKind, MemoryResource
from jetson_infer.cuda.primary_context import PrimaryContext, acquire_context, refusal
from jetson_infer.cuda.pycuda_memory import DeviceMemory, PageLockedMemory
from jetson_infer.cuda.pycuda_module import PycudaModule
from jetson_infer.cuda.pycuda_stream import PycudaEvent, PycudaStream
from jetson_infer.cuda.resources import LiveResources
from jetson_infer.cuda.stream import Event, Stream
from jetson_infer.dependencies import require
from jetson_infer.errors import DeviceError, InternalError, MissingDependencyError

__all__ = ['PycudaDevice', 'driver_bindings']

_LOGGER = logging.getLogger(__name__)


def driver_bindings() -> ModuleType | None:
    """Return the module ``cuda.bindings.driver``; None where it is missing or does not work."""
    try:
        bindings = require('cuda.bindings.driver', 'Capturing CUDA graphs')
        result, _version = bindings.cuDriverGetVersion()
    except (MissingDependencyError, RuntimeError) as error:
        # The bindings raise RuntimeError for a driver that lacks what they call.
        _LOGGER.info('no CUDA graphs and no stream priorities: %s', error)
        return None
    return None if int(result) else bindings


class PycudaDevice(Device):
    """A CUDA device with its primary context, which CUDA's runtime and TensorRT use too.

    Open and close it on one thread.  Several may be open there at once, and be entered, left and
    closed in any order.

    :param index: which one, as CUDA counts them.
    :param bindings: ``auto`` uses ``cuda.bindings`` where they are installed; ``never`` does not.
    :raises MissingDependencyError: if PyCUDA is not installed.
    :raises DeviceError: if there is no such device, or it cannot be used; it says why, and where
        the device was lost in this process before, that a new one is needed.
    """

    def __init__(self, index: int = 0, bindings: str = 'auto') -> None:
        self._driver = require('pycuda.driver', 'Using the GPU')
        self._library = DriverLibrary()
        self._library.initialize()
        self._index = index
        self._owner = threading.get_ident()
        self._lock = threading.Lock()
        self._entered = 0
        self._live = LiveResources()
        cuda = self._driver
        try:
            cuda.init()
            found = cuda.Device.count()
            if not 0 <= index < found:
                raise DeviceError(f'there is no GPU {index}: CUDA counts {found}, from 0')
            device = cuda.Device(index)
            self._name = str(device.name())
            self._compute_capability = tuple(device.compute_capability())
            self._total_bytes = int(device.total_memory())
            attribute = cuda.device_attribute
            self._integrated = bool(device.get_attribute(attribute.INTEGRATED))
            self._can_map = bool(device.get_attribute(attribute.CAN_MAP_HOST_MEMORY))
            self._identity = self._library.device_uuid(index) or str(device.pci_bus_id())
            held = acquire_context(cuda, self._library, index)
        except cuda.Error as error:
            raise refusal(self._library, index, str(error)) from error
        self._context: PrimaryContext | None = held
        self._failures = CudaFailures(cuda, self._library, self._name, lambda: held.outlived)
        self._bindings = driver_bindings() if bindings == 'auto' else None
        self._memory: dict[MemoryKind, MemoryResource] = {
            'host': HostMemory(),
            'device': DeviceMemory(cuda, self._failures, self._live),
            'pinned': PageLockedMemory(cuda, self._failures, self._live, 'pinned'),
        }
        if self._can_map:
            self._memory['mapped'] = PageLockedMemory(cuda, self._failures, self._live, 'mapped')

    @property
    def name(self) -> str:
        """What its maker calls it."""
        return self._name

    @property
    def compute_capability(self) -> tuple[int, int]:
        """Major and minor."""
        major, minor = self._compute_capability
        return int(major), int(minor)

    @property
    def integrated(self) -> bool:
        """Whether it shares the host's memory."""
        return self._integrated

    @property
    def can_map_host_memory(self) -> bool:
        """Whether ``mapped`` memory works."""
        return self._can_map

    @property
    def total_bytes(self) -> int:
        """The size of its memory."""
        return self._total_bytes

    def free_bytes(self) -> int:
        """Return how much of its memory is free now."""
        try:
            free, _total = self._driver.mem_get_info()
        except self._failures.error as error:
            raise self._failures.from_pycuda('asking for free memory', error) from error
        return int(free)

    @property
    def driver_version(self) -> str:
        """The newest CUDA that the driver supports."""
        return version_text(self._driver.get_driver_version())

    @property
    def identity(self) -> str:
        """Its UUID, or its place on the bus."""
        return self._identity

    @property
    def runs_twins(self) -> bool:
        """False."""
        return False

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make it current on this thread."""
        if self._context is None:
            raise DeviceError(f'{self._name} is closed')
        try:
            self._context.context.push()
        except self._failures.error as error:
            raise DeviceError(f'{self._name} cannot be made current: {error}') from error
        with self._lock:
            self._entered += 1
        try:
            yield
        finally:
            with self._lock:
                self._entered -= 1
            self._driver.Context.pop()

    def memory(self, kind: MemoryKind) -> MemoryResource:
        """Return the resource of a kind."""
        if kind not in self._memory:
            raise DeviceError(f'{self._name} cannot map host memory; use pinned memory and copies')
        return self._memory[kind]

    def stream(self, priority: int = 0) -> Stream:
        """Make a stream."""
        self._check_usable('making a stream')
        if self._bindings is None:
            return PycudaStream(self._driver, self._failures, self._live)
        return DriverStream(self._bindings, self._failures, self._live, priority)

    def event(self, timing: bool = False) -> Event:
        """Make an event."""
        self._check_usable('making an event')
        if self._bindings is None:
            return PycudaEvent(self._driver, self._failures, self._live, timing)
        return DriverEvent(self._bindings, self._failures, self._live, timing)

    def load_module(self, image: bytes) -> Module:
        """Load compiled kernels."""
        self._check_usable('loading kernels')
        if self._bindings is None:
            return PycudaModule(self._driver, self._failures, self._live, image)
        return DriverModule(self._bindings, self._failures, self._live, image)

    def live(self) -> dict[str, int]:
        """Count what is not closed."""
        return self._live.count()

    def close(self) -> None:
        """Close what is left on it, and let go of the context."""
        if self._context is None:
            return
        if self._entered:
            raise InternalError(f'{self._name} is closed while it is current')
        if threading.get_ident() != self._owner:
            raise InternalError(f'{self._name} is closed on another thread than opened it')
        with self.current():
            self._live.close(self._name)
        context, self._context = self._context, None
        context.release(self._failures.lost)

    def _check_usable(self, what: str) -> None:
        if self._failures.lost:
            raise DeviceError(self._failures.lost_text())
        if self._context is None:
            raise DeviceError(f'{what}: {self._name} is closed')
        if self._driver.Context.get_current() is None:
            raise InternalError(f'{what}: {self._name} is not current on this thread')
