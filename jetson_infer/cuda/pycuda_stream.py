# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Streams and events through PyCUDA alone: no priorities and no graphs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any

from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.failures import CudaFailures
from jetson_infer.cuda.memory import Buffer
from jetson_infer.cuda.pycuda_module import PycudaFunction
from jetson_infer.cuda.resources import LiveResources
from jetson_infer.cuda.stream import (
    ON_HOST,
    Capture,
    Event,
    Function,
    Graph,
    Stream,
    check_copy,
    check_fill,
)
from jetson_infer.dependencies import pip_install
from jetson_infer.errors import InternalError, SessionError

__all__ = ['PycudaEvent', 'PycudaStream']

NON_BLOCKING = 1
"""``CU_STREAM_NON_BLOCKING``: does not wait for the default stream; PyCUDA has no name for it."""

NO_GRAPHS = (
    'CUDA graphs need the Python module cuda.bindings; install it '
    f'({pip_install("cuda-bindings")}), or go on without: only speed is lost'
)


class PycudaEvent(Event):
    """An event of PyCUDA."""

    def __init__(
        self, driver: ModuleType, failures: CudaFailures, live: LiveResources, timing: bool
    ) -> None:
        self._failures = failures
        self._live = live
        self._timing = timing
        flags = 0 if timing else int(driver.event_flags.DISABLE_TIMING)
        try:
            self.event: Any = driver.Event(flags)
        except failures.error as error:
            raise failures.from_pycuda('making an event', error) from error
        live.add('event', self)

    @property
    def done(self) -> bool:
        """Whether the work before it has ended."""
        try:
            return bool(self.event.query())
        except self._failures.error as error:
            raise self._failures.from_pycuda('asking an event', error) from error

    def synchronize(self) -> None:
        """Wait until the work before it has ended."""
        try:
            self.event.synchronize()
        except self._failures.error as error:
            raise self._failures.from_pycuda('waiting for an event', error) from error

    def elapsed_ms(self, since: Event) -> float:
        """Return the milliseconds between two events."""
        if not isinstance(since, PycudaEvent):
            raise InternalError(f'{since!r} is no event of this device')
        try:
            return float(self.event.time_since(since.event))
        except self._failures.error as error:
            raise self._failures.from_pycuda('asking for the time between events', error) from error

    def close(self) -> None:
        """Release it."""
        self._failures.abandon(self.event)
        self.event = None
        self._live.discard(self)


class PycudaStream(Stream):
    """A stream of PyCUDA."""

    def __init__(self, driver: ModuleType, failures: CudaFailures, live: LiveResources) -> None:
        self._driver = driver
        self._failures = failures
        self._error = failures.error
        self._live = live
        try:
            self._stream: Any = driver.Stream(NON_BLOCKING)
        except self._error as error:
            raise failures.from_pycuda('making a stream', error) from error
        self._handle = int(self._stream.handle)
        live.add('stream', self)

    @property
    def handle(self) -> int:
        """The CUDA stream."""
        return self._handle

    @property
    def priority(self) -> int:
        """0: PyCUDA has no priorities."""
        return 0

    @property
    def can_capture(self) -> bool:
        """False: PyCUDA has no graphs."""
        return False

    def copy(
        self,
        target: Buffer,
        source: Buffer,
        nbytes: int,
        target_offset: int = 0,
        source_offset: int = 0,
    ) -> None:
        """Copy bytes; see :meth:`Stream.copy`."""
        check_copy(target, source, nbytes, target_offset, source_offset)
        try:
            if target.kind in ON_HOST:
                self._driver.memcpy_dtoh_async(
                    target.host[target_offset : target_offset + nbytes],  # type: ignore[index]
                    source.address + source_offset,
                    self._stream,
                )
            elif source.kind in ON_HOST:
                self._driver.memcpy_htod_async(
                    target.address + target_offset,
                    source.host[source_offset : source_offset + nbytes],  # type: ignore[index]
                    self._stream,
                )
            else:
                self._driver.memcpy_dtod_async(
                    target.address + target_offset,
                    source.address + source_offset,
                    nbytes,
                    self._stream,
                )
        except self._error as error:
            raise self._failures.from_pycuda('copying', error) from error

    def fill(self, buffer: Buffer, byte: int, nbytes: int | None = None, offset: int = 0) -> None:
        """Set bytes; see :meth:`Stream.fill`."""
        count = check_fill(buffer, byte, nbytes, offset)
        try:
            self._driver.memset_d8_async(buffer.address + offset, byte, count, self._stream)
        except self._error as error:
            raise self._failures.from_pycuda('filling', error) from error

    def launch(
        self,
        function: Function,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        arguments: KernelArguments,
        shared_bytes: int = 0,
    ) -> None:
        """Launch a kernel; see :meth:`Stream.launch`."""
        if not isinstance(function, PycudaFunction) or function.function is None:
            raise InternalError(f'{function!r} is no kernel of this device, or it is unloaded')
        try:
            # What PyCUDA's own prepared_async_call ends in, after packing the arguments each time.
            function.function._launch_kernel(
                grid, block, arguments.packed, shared_bytes, self._stream
            )
        except self._error as error:
            raise self._failures.from_pycuda(f'launching {function.name}', error) from error

    def record(self, event: Event) -> None:
        """Let an event happen here."""
        if not isinstance(event, PycudaEvent):
            raise InternalError(f'{event!r} is no event of this device')
        try:
            event.event.record(self._stream)
        except self._error as error:
            raise self._failures.from_pycuda('recording an event', error) from error

    def wait(self, event: Event) -> None:
        """Let what follows wait for an event."""
        if not isinstance(event, PycudaEvent):
            raise InternalError(f'{event!r} is no event of this device')
        try:
            self._stream.wait_for_event(event.event)
        except self._error as error:
            raise self._failures.from_pycuda('waiting for an event', error) from error

    def synchronize(self) -> None:
        """Wait until everything has ended."""
        try:
            self._stream.synchronize()
        except self._error as error:
            raise self._failures.from_pycuda('waiting for a stream', error) from error

    def capture(self) -> AbstractContextManager[Capture]:
        """Refuse: PyCUDA has no graphs."""
        raise SessionError(NO_GRAPHS)

    def replay(self, graph: Graph) -> None:
        """Refuse: PyCUDA has no graphs."""
        raise SessionError(NO_GRAPHS)

    def close(self) -> None:
        """Release it."""
        self._failures.abandon(self._stream)
        self._stream = None
        self._live.discard(self)
