# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The host twin: a device made of NumPy, for machines without a GPU and for faults on demand.

It is stricter than a GPU where a GPU would let a mistake pass: what is called off its thread or
after its loss raises, memory is never zero by chance, and device memory cannot be read around a
copy.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from jetson_infer.cuda.device import Device, Module
from jetson_infer.cuda.host_memory import HostBlocks, HostTwinMemory
from jetson_infer.cuda.host_stream import HostEvent, HostFunction, HostStream
from jetson_infer.cuda.memory import Buffer, HostMemory, MemoryKind, MemoryResource
from jetson_infer.cuda.resources import Closable, LiveResources
from jetson_infer.cuda.stream import Event, Function, Stream
from jetson_infer.errors import DeviceError, InternalError, KernelError, SessionError

__all__ = ['HostDevice']

GREATEST_PRIORITY = -2
"""The most urgent priority of a stream that the twin gives."""


class HostModule(Module):
    """Twin kernels by name."""

    def __init__(self, device: HostDevice, twins: Mapping[str, Callable[..., None]]) -> None:
        self._device = device
        self._functions = {name: HostFunction(name, twin) for name, twin in twins.items()}

    def function(self, name: str) -> Function:
        """Return a twin kernel by its name."""
        if name not in self._functions:
            raise KernelError(f"no kernel '{name}' among {', '.join(self._functions) or 'none'}")
        return self._functions[name]

    def close(self) -> None:
        """Release it."""
        self._device.forget(self)


class HostDevice(Device):
    """A device made of NumPy.

    :param integrated: whether it shares the host's memory, as a Jetson does.
    :param can_map_host_memory: whether it gives ``mapped`` memory.
    :param total_bytes: how much memory it has; it refuses to give more.
    :param lazy: whether its streams leave work undone until someone waits for it.
    :param graphs: whether its streams can capture.
    """

    def __init__(
        self,
        *,
        integrated: bool = False,
        can_map_host_memory: bool = True,
        total_bytes: int = 8 << 30,
        lazy: bool = False,
        graphs: bool = True,
    ) -> None:
        self.graphs = graphs
        self.capturing = 0
        """How many of its streams capture now."""
        self.operations = 0
        """How many operations it was asked for; see :meth:`fail_after`."""
        self._integrated = integrated
        self._can_map = can_map_host_memory
        self._lazy = lazy
        self._fail_at: int | None = None
        self._lost: str = ''
        self._closed = False
        self._depth = threading.local()
        self._owner = threading.get_ident()
        self._live = LiveResources()
        self._blocks = HostBlocks(total_bytes, integrated)
        self._memory: dict[MemoryKind, MemoryResource] = {'host': HostMemory()}
        kinds: tuple[MemoryKind, ...] = ('pinned', 'mapped', 'device')
        for kind in kinds:
            self._memory[kind] = HostTwinMemory(
                kind, self._blocks, self.check, self._keep_buffer, self._release_buffer
            )

    # --- what it is -----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """``host twin``."""
        return 'host twin'

    @property
    def compute_capability(self) -> tuple[int, int]:
        """``(0, 0)``: it runs no compiled code."""
        return (0, 0)

    @property
    def integrated(self) -> bool:
        """Whether it was made so."""
        return self._integrated

    @property
    def can_map_host_memory(self) -> bool:
        """Whether it was made so."""
        return self._can_map

    @property
    def total_bytes(self) -> int:
        """How much memory it has."""
        return self._blocks.total_bytes

    def free_bytes(self) -> int:
        """Return how much of it is free."""
        self.check('asking for free memory')
        return self._blocks.total_bytes - self._blocks.used_bytes

    @property
    def driver_version(self) -> str:
        """``none``."""
        return 'none'

    @property
    def identity(self) -> str:
        """``host-twin``."""
        return 'host-twin'

    @property
    def runs_twins(self) -> bool:
        """True."""
        return True

    @property
    def lost(self) -> bool:
        """Whether it failed."""
        return bool(self._lost)

    # --- what it gives --------------------------------------------------------------------------

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make it current on this thread."""
        if self._closed:
            raise DeviceError('the host twin is closed')
        self._depth.value = self._current_depth() + 1
        try:
            yield
        finally:
            self._depth.value -= 1

    def memory(self, kind: MemoryKind) -> MemoryResource:
        """Return the resource of a kind."""
        if kind == 'mapped' and not self._can_map:
            raise DeviceError('this host twin was made without mapped memory; use pinned memory')
        return self._memory[kind]

    def stream(self, priority: int = 0) -> Stream:
        """Make a stream."""
        self.check('making a stream')
        stream = HostStream(self, max(GREATEST_PRIORITY, min(0, priority)), self._lazy)
        self.keep('stream', stream)
        return stream

    def event(self, timing: bool = False) -> Event:
        """Make an event."""
        self.check('making an event')
        event = HostEvent(self, timing)
        self.keep('event', event)
        return event

    def load_module(self, image: bytes) -> Module:
        """Refuse: it runs no compiled kernels."""
        raise KernelError(
            f'the host twin cannot run {len(image)} bytes of compiled kernels; use load_twins'
        )

    def load_twins(self, twins: Mapping[str, Callable[..., None]]) -> Module:
        """Load Python functions in the place of compiled kernels; see :class:`HostFunction`."""
        self.check('loading kernels')
        module = HostModule(self, twins)
        self.keep('module', module)
        return module

    # --- what tests look at ---------------------------------------------------------------------

    def fail_after(self, operations: int) -> None:
        """Have it lost at an operation: after so many more, the next one and all later ones fail.

        Everything that goes to the driver on a GPU is an operation, save closing.
        """
        self._fail_at = self.operations + operations

    def reach(self, address: int, nbytes: int) -> npt.NDArray[np.uint8]:
        """View memory as a kernel may: uint8 ``(nbytes,)``, within one live allocation.

        :raises DeviceError: if the bytes do not lie within one, or are ``pinned`` only.
        """
        return self._blocks.view(int(address), int(nbytes), 'device')

    def host_view(self, buffer: Buffer) -> npt.NDArray[np.uint8]:
        """View a buffer's memory, also where :attr:`Buffer.host` is None."""
        return self._blocks.view(buffer.address, buffer.nbytes, 'copy')

    def live(self) -> dict[str, int]:
        """Count what is not closed."""
        return self._live.count()

    def close(self) -> None:
        """Close it, and what is left on it."""
        if self._current_depth():
            raise InternalError('the host twin is closed while it is current on this thread')
        if not self._closed:
            self._owner = threading.get_ident()
            self._live.close(self.name)
            self._closed = True

    # --- for its streams and memory -------------------------------------------------------------

    def check(self, what: str, enqueues: bool = False) -> None:
        """Count an operation, and raise if it cannot be done here and now.

        :param enqueues: whether it may be part of a capture.
        """
        self.operations += 1
        if not self._lost and self._fail_at is not None and self.operations > self._fail_at:
            self._lost = f'injected fault at operation {self.operations}, {what}'
        if self._lost:
            raise DeviceError(f'the host twin is lost: {self._lost}')
        if self._closed or not self._current_depth():
            raise InternalError(f'{what}: the host twin is not current on this thread')
        if self.capturing and not enqueues:
            raise SessionError(f'{what} is not possible while a stream captures')

    def copy_view(
        self, buffer: Buffer, nbytes: int, offset: int
    ) -> Callable[[], npt.NDArray[np.uint8]]:
        """Return what finds the bytes of a buffer when a copy comes to them."""
        if buffer.kind == 'host' and buffer.host is not None:
            part = buffer.host[offset : offset + nbytes]
            return lambda: part
        address = buffer.address + offset
        return lambda: self._blocks.view(address, nbytes, 'copy')

    def lose(self, error: DeviceError) -> None:
        """Have every later operation fail."""
        self._lost = self._lost or str(error)

    def keep(self, what: str, resource: Closable) -> None:
        """Note something that was made."""
        self._live.add(what, resource)

    def forget(self, resource: Closable) -> None:
        """Forget something that is closed.

        :raises InternalError: on a thread where a GPU could not have released it.
        """
        if threading.get_ident() != self._owner and not self._current_depth():
            raise InternalError('closed on a thread where the host twin is not current')
        self._live.discard(resource)

    def _keep_buffer(self, buffer: Buffer) -> None:
        self.keep(f'{buffer.kind} buffer', buffer)

    def _release_buffer(self, buffer: Buffer) -> None:
        self.forget(buffer)

    def _current_depth(self) -> int:
        return getattr(self._depth, 'value', 0)
