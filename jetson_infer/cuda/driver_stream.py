# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Streams with priorities, their events, and graphs, through ``cuda.bindings.driver``.

PyCUDA and these bindings share the context that is current, and handles as plain integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.driver_module import DriverFunction
from jetson_infer.cuda.failures import CudaFailures
from jetson_infer.cuda.memory import Buffer
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
from jetson_infer.errors import InternalError

__all__ = ['DriverEvent', 'DriverGraph', 'DriverStream']

NON_BLOCKING = 1
DISABLE_TIMING = 2
"""``CU_STREAM_NON_BLOCKING`` and ``CU_EVENT_DISABLE_TIMING``."""


class DriverEvent(Event):
    """An event of the CUDA driver."""

    def __init__(
        self, bindings: ModuleType, failures: CudaFailures, live: LiveResources, timing: bool
    ) -> None:
        self._bindings = bindings
        self._failures = failures
        self._live = live
        result, self.event = bindings.cuEventCreate(0 if timing else DISABLE_TIMING)
        failures.check('making an event', result)
        live.add('event', self)

    @property
    def done(self) -> bool:
        """Whether the work before it has ended."""
        (result,) = self._bindings.cuEventQuery(self.event)
        if result == self._bindings.CUresult.CUDA_ERROR_NOT_READY:
            return False
        self._failures.check('asking an event', result)
        return True

    def synchronize(self) -> None:
        """Wait until the work before it has ended."""
        (result,) = self._bindings.cuEventSynchronize(self.event)
        self._failures.check('waiting for an event', result)

    def elapsed_ms(self, since: Event) -> float:
        """Return the milliseconds between two events."""
        if not isinstance(since, DriverEvent):
            raise InternalError(f'{since!r} is no event of this device')
        result, milliseconds = self._bindings.cuEventElapsedTime(since.event, self.event)
        self._failures.check('asking for the time between events', result)
        return float(milliseconds)

    def close(self) -> None:
        """Release it."""
        event, self.event = self.event, None
        if event is not None:
            self._live.discard(self)
            if not self._failures.abandon(event):
                self._failures.note('releasing an event', self._bindings.cuEventDestroy(event)[0])


class DriverGraph(Graph):
    """A graph that can be launched."""

    def __init__(
        self, bindings: ModuleType, failures: CudaFailures, live: LiveResources, executable: Any
    ) -> None:
        self._bindings = bindings
        self._failures = failures
        self._live = live
        self.executable = executable
        live.add('graph', self)

    def close(self) -> None:
        """Release it."""
        executable, self.executable = self.executable, None
        if executable is not None:
            self._live.discard(self)
            if not self._failures.abandon(executable):
                (result,) = self._bindings.cuGraphExecDestroy(executable)
                self._failures.note('releasing a graph', result)


class DriverStream(Stream):
    """A stream of the CUDA driver.

    :param priority: 0 is the default, and lower is more urgent; clamped to the device's range.
    """

    def __init__(
        self, bindings: ModuleType, failures: CudaFailures, live: LiveResources, priority: int
    ) -> None:
        self._bindings = bindings
        self._failures = failures
        self._live = live
        self._to_device = bindings.cuMemcpyHtoDAsync
        self._to_host = bindings.cuMemcpyDtoHAsync
        self._within = bindings.cuMemcpyDtoDAsync
        self._launch = bindings.cuLaunchKernel
        self._launch_graph = bindings.cuGraphLaunch
        result, least, greatest = bindings.cuCtxGetStreamPriorityRange()
        failures.check("asking for the streams' priorities", result)
        self._priority = max(greatest, min(least, priority))
        result, self._stream = bindings.cuStreamCreateWithPriority(NON_BLOCKING, self._priority)
        failures.check('making a stream', result)
        self._handle = int(self._stream)
        live.add('stream', self)

    @property
    def handle(self) -> int:
        """The CUDA stream."""
        return self._handle

    @property
    def priority(self) -> int:
        """What it got of the priority asked for."""
        return self._priority

    @property
    def can_capture(self) -> bool:
        """True."""
        return True

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
        if target.kind in ON_HOST:
            copy = self._to_host
        else:
            copy = self._to_device if source.kind in ON_HOST else self._within
        (result,) = copy(
            target.address + target_offset, source.address + source_offset, nbytes, self._stream
        )
        if result:
            raise self._failures.from_code('copying', int(result))

    def fill(self, buffer: Buffer, byte: int, nbytes: int | None = None, offset: int = 0) -> None:
        """Set bytes; see :meth:`Stream.fill`."""
        count = check_fill(buffer, byte, nbytes, offset)
        (result,) = self._bindings.cuMemsetD8Async(
            buffer.address + offset, byte, count, self._stream
        )
        if result:
            raise self._failures.from_code('filling', int(result))

    def launch(
        self,
        function: Function,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        arguments: KernelArguments,
        shared_bytes: int = 0,
    ) -> None:
        """Launch a kernel; see :meth:`Stream.launch`."""
        if not isinstance(function, DriverFunction) or function.function is None:
            raise InternalError(f'{function!r} is no kernel of this device, or it is unloaded')
        (result,) = self._launch(
            function.function, *grid, *block, shared_bytes, self._stream, 0, arguments.extra
        )
        if result:
            raise self._failures.from_code(f'launching {function.name}', int(result))

    def record(self, event: Event) -> None:
        """Let an event happen here."""
        if not isinstance(event, DriverEvent):
            raise InternalError(f'{event!r} is no event of this device')
        (result,) = self._bindings.cuEventRecord(event.event, self._stream)
        if result:
            raise self._failures.from_code('recording an event', int(result))

    def wait(self, event: Event) -> None:
        """Let what follows wait for an event."""
        if not isinstance(event, DriverEvent):
            raise InternalError(f'{event!r} is no event of this device')
        (result,) = self._bindings.cuStreamWaitEvent(self._stream, event.event, 0)
        if result:
            raise self._failures.from_code('waiting for an event', int(result))

    def synchronize(self) -> None:
        """Wait until everything has ended."""
        (result,) = self._bindings.cuStreamSynchronize(self._stream)
        if result:
            raise self._failures.from_code('waiting for a stream', int(result))

    @contextmanager
    def capture(self) -> Iterator[Capture]:
        """Take work as a graph; see :meth:`Stream.capture`.

        The mode is thread-local: what another thread does meanwhile, such as a second node's
        allocations, neither disturbs the capture nor is disturbed by it.
        """
        cuda = self._bindings
        mode = cuda.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        self._failures.check(
            'beginning a capture', cuda.cuStreamBeginCapture(self._stream, mode)[0]
        )
        capture = Capture()
        try:
            yield capture
        except BaseException:
            # The stream stays unusable until the capture is ended; what it gives is of no use.
            _result, graph = cuda.cuStreamEndCapture(self._stream)
            if graph is not None and int(graph):
                cuda.cuGraphDestroy(graph)
            raise
        result, graph = cuda.cuStreamEndCapture(self._stream)
        self._failures.check('capturing a graph', result)
        try:
            result, executable = cuda.cuGraphInstantiate(graph, 0)
            self._failures.check('preparing a captured graph', result)
        finally:
            cuda.cuGraphDestroy(graph)
        prepared = DriverGraph(cuda, self._failures, self._live, executable)
        try:
            # What the first launch would do besides launching is done now.
            result = cuda.cuGraphUpload(executable, self._stream)[0]
            self._failures.check('uploading a captured graph', result)
        except BaseException:
            prepared.close()
            raise
        capture.finish(prepared)

    def replay(self, graph: Graph) -> None:
        """Put the work of a graph into the stream."""
        if not isinstance(graph, DriverGraph) or graph.executable is None:
            raise InternalError(f'{graph!r} is no graph of this device, or it is closed')
        (result,) = self._launch_graph(graph.executable, self._stream)
        if result:
            raise self._failures.from_code('replaying a graph', int(result))

    def close(self) -> None:
        """Release it."""
        stream, self._stream = self._stream, None
        if stream is not None:
            self._live.discard(self)
            if not self._failures.abandon(stream):
                result = self._bindings.cuStreamDestroy(stream)[0]
                self._failures.note('releasing a stream', result)
