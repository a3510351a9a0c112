# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The host twin's streams, events and graphs."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.memory import Buffer
from jetson_infer.cuda.stream import (
    Capture,
    Event,
    Function,
    Graph,
    Stream,
    check_copy,
    check_fill,
)
from jetson_infer.errors import DeviceError, InternalError, SessionError

__all__ = ['HostEvent', 'HostFunction', 'HostGraph', 'HostStream']

Operation = Callable[[], None]


class Owner(Protocol):
    """What streams, events and graphs ask of the host twin they were made on."""

    graphs: bool
    capturing: int

    @property
    def lost(self) -> bool:
        """Whether it failed."""

    def check(self, what: str, enqueues: bool = False) -> None:
        """Count an operation, and raise if it cannot be done here and now."""

    def copy_view(
        self, buffer: Buffer, nbytes: int, offset: int
    ) -> Callable[[], npt.NDArray[np.uint8]]:
        """Return what finds the bytes of a buffer when a copy comes to them."""

    def reach(self, address: int, nbytes: int) -> npt.NDArray[np.uint8]:
        """View memory as a kernel may."""

    def lose(self, error: DeviceError) -> None:
        """Have every later operation fail."""

    def keep(self, what: str, resource: Any) -> None:
        """Note something that was made."""

    def forget(self, resource: Any) -> None:
        """Forget something that is closed."""


class HostFunction(Function):
    """A kernel of the host twin: a Python function.

    It is called with ``reach`` and the kernel's arguments as NumPy scalars; ``reach(address,
    nbytes)`` views the twin's memory as uint8 ``(nbytes,)``.
    """


class HostEvent(Event):
    """A point in a host stream's work."""

    def __init__(self, device: Owner, timing: bool) -> None:
        self._device = device
        self._timing = timing
        self._stream: HostStream | None = None
        self.asked = 0
        self.reached = 0
        self.time_ns = 0

    def record_in(self, stream: HostStream) -> Operation:
        """Note that a stream will reach the event, and return the work that does so."""
        self._stream = stream
        self.asked += 1
        ticket = self.asked

        def reach() -> None:
            self.reached = ticket
            self.stamp()

        return reach

    def stamp(self) -> None:
        """Note the time."""
        self.time_ns = time.perf_counter_ns()

    def wait_for(self, ticket: int) -> None:
        """Have the event's stream run until it reaches one of its records."""
        if self._stream is not None:
            self._stream.run_until(lambda: self.reached >= ticket)

    @property
    def done(self) -> bool:
        """Whether the work before it has ended."""
        self._device.check('asking an event')
        return self.reached >= self.asked

    def synchronize(self) -> None:
        """Wait until the work before it has ended."""
        self._device.check('waiting for an event')
        self.wait_for(self.asked)

    def elapsed_ms(self, since: Event) -> float:
        """Return the milliseconds between two events."""
        if not isinstance(since, HostEvent):
            raise SessionError('the time between events of two devices is not known')
        for event in (self, since):
            if not event._timing or not event.asked or event.reached < event.asked:
                raise SessionError(
                    'an event tells its time only when it was made with timing=True, recorded, '
                    'and waited for'
                )
        return (self.time_ns - since.time_ns) * 1e-6

    def close(self) -> None:
        """Release it."""
        self._device.forget(self)


class HostGraph(Graph):
    """Captured work of a host stream."""

    def __init__(self, device: Owner, operations: list[Operation]) -> None:
        self._device = device
        self.operations: list[Operation] | None = operations

    def run(self) -> None:
        """Do the work once."""
        for operation in self.operations or ():
            operation()

    def close(self) -> None:
        """Release it."""
        self.operations = None
        self._device.forget(self)


class HostStream(Stream):
    """A stream of the host twin.

    :param lazy: whether work waits until someone waits for it, so that a missing wait shows; if
        not, it is done at once.
    """

    def __init__(self, device: Owner, priority: int, lazy: bool) -> None:
        self._device = device
        self._priority = priority
        self._lazy = lazy
        self._queue: deque[Operation] = deque()
        self._captured: list[Operation] | None = None

    @property
    def handle(self) -> int:
        """0: it is no CUDA stream."""
        return 0

    @property
    def priority(self) -> int:
        """What it got of the priority asked for."""
        return self._priority

    @property
    def can_capture(self) -> bool:
        """Whether the twin was made with graphs."""
        return self._device.graphs

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
        view = self._device.copy_view
        write = view(target, nbytes, target_offset)
        read = view(source, nbytes, source_offset)
        if source.kind == 'host' and self._captured is None:
            # CUDA too takes pageable memory as it is at the time of the call.
            content = read().copy()
            self._put('copying', lambda: write().__setitem__(slice(None), content))
        else:
            self._put('copying', lambda: write().__setitem__(slice(None), read()))

    def fill(self, buffer: Buffer, byte: int, nbytes: int | None = None, offset: int = 0) -> None:
        """Set bytes; see :meth:`Stream.fill`."""
        count = check_fill(buffer, byte, nbytes, offset)
        write = self._device.copy_view(buffer, count, offset)
        self._put('filling', lambda: write().fill(byte))

    def launch(
        self,
        function: Function,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        arguments: KernelArguments,
        shared_bytes: int = 0,
    ) -> None:
        """Run a twin kernel; it does without `grid` and `block`, but they have to be possible."""
        if not isinstance(function, HostFunction):
            raise InternalError(f'{function!r} is no kernel of the host twin')
        if min(grid) < 1 or min(block) < 1 or block[0] * block[1] * block[2] > 1024:
            raise SessionError(f'a kernel cannot be launched with grid {grid} and block {block}')
        twin, values, reach = function.function, arguments.values(), self._device.reach
        self._put(f'launching {function.name}', lambda: twin(reach, *values))

    def record(self, event: Event) -> None:
        """Let an event happen here."""
        if not isinstance(event, HostEvent):
            raise InternalError(f'{event!r} is no event of the host twin')
        self._device.check('recording an event', enqueues=True)
        self._do(event.record_in(self) if self._captured is None else event.stamp)

    def wait(self, event: Event) -> None:
        """Let what follows wait for an event."""
        if not isinstance(event, HostEvent):
            raise InternalError(f'{event!r} is no event of the host twin')
        ticket = event.asked
        self._put('waiting for an event', lambda: event.wait_for(ticket))

    def synchronize(self) -> None:
        """Do what is left to be done."""
        self._device.check('waiting for a stream')
        self.run_until(lambda: False)

    def run_until(self, reached: Callable[[], bool]) -> None:
        """Do queued work, in order, until a condition holds or nothing is left."""
        while self._queue and not reached():
            self._run(self._queue.popleft())

    @contextmanager
    def capture(self) -> Iterator[Capture]:
        """Take work as a graph; see :meth:`Stream.capture`."""
        if not self.can_capture:
            raise SessionError('this host twin was made without graphs')
        self._device.check('beginning a capture')
        capture = Capture()
        operations: list[Operation] = []
        self._captured = operations
        self._device.capturing += 1
        try:
            yield capture
        finally:
            self._captured = None
            self._device.capturing -= 1
        graph = HostGraph(self._device, operations)
        self._device.keep('graph', graph)
        capture.finish(graph)

    def replay(self, graph: Graph) -> None:
        """Put the work of a graph into the stream."""
        if not isinstance(graph, HostGraph) or graph.operations is None:
            raise InternalError(f'{graph!r} is no graph of the host twin, or it is closed')
        self._put('replaying a graph', graph.run)

    def close(self) -> None:
        """Release it, after what is in flight."""
        if not self._device.lost:
            self.run_until(lambda: False)
        self._queue.clear()
        self._device.forget(self)

    def _put(self, what: str, operation: Operation) -> None:
        self._device.check(what, enqueues=True)
        self._do(operation)

    def _do(self, operation: Operation) -> None:
        if self._captured is not None:
            self._captured.append(operation)
        elif self._lazy:
            self._queue.append(operation)
        else:
            self._run(operation)

    def _run(self, operation: Operation) -> None:
        try:
            operation()
        except DeviceError as error:
            self._queue.clear()
            self._device.lose(error)
            raise
