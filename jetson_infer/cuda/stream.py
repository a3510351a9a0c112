# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Work for a device, in order: streams, events and graphs as the rest of the package sees them.

Everything put into a stream runs after what was put there before, beside the processor; two
streams run beside each other unless one waits for an event of the other.  All of it belongs to the
thread on which the device is current (:meth:`~jetson_infer.cuda.device.Device.current`).

An error of the device may show up at any later call.  One that took the context along is a
:class:`~jetson_infer.errors.DeviceError`; after any other, a
:class:`~jetson_infer.errors.SessionError`, the stream may be used again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any

from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.memory import Buffer
from jetson_infer.errors import InternalError

__all__ = [
    'ON_HOST',
    'Capture',
    'Event',
    'Function',
    'Graph',
    'Resource',
    'Stream',
    'check_copy',
    'check_fill',
]

ON_HOST = ('host', 'pinned')
"""The kinds of memory that a device reaches by copies alone."""


class Resource(ABC):
    """Something of a device that is closed once, by whoever asked for it."""

    @abstractmethod
    def close(self) -> None:
        """Release it; may be called twice. What is in flight still ends."""


class Function:
    """A kernel of a loaded module; it lives as long as the module.

    :param name: its name in the module.
    :param function: what whoever loaded it launches it by; None once the module is closed.
    """

    def __init__(self, name: str, function: Any) -> None:
        self.name = name
        self.function = function


class Event(Resource):
    """A point in a stream's work."""

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether the work before it has ended; True if it was never recorded.

        :raises DeviceError: if the device is lost.
        """

    @abstractmethod
    def synchronize(self) -> None:
        """Wait, without holding the interpreter, until the work before it has ended.

        :raises DeviceError: if the device is lost.
        """

    @abstractmethod
    def elapsed_ms(self, since: Event) -> float:
        """Return the milliseconds of the device's clock between two events that are done.

        Both were made with ``timing=True`` and recorded.

        :raises SessionError: if one of them cannot tell.
        """


class Graph(Resource):
    """Work that was captured from a stream, to be replayed in one call."""


class Capture:
    """What a capture gives: the graph, once the block has ended."""

    def __init__(self) -> None:
        self._graph: Graph | None = None

    @property
    def graph(self) -> Graph:
        """The captured graph; whoever captured it closes it.

        :raises InternalError: as long as the capture lasts, and after one that failed.
        """
        if self._graph is None:
            raise InternalError('the capture has not ended, or it failed: there is no graph')
        return self._graph

    def finish(self, graph: Graph) -> None:
        """Set the graph; for the stream alone."""
        self._graph = graph


class Stream(Resource):
    """A sequence of work on a device."""

    @property
    @abstractmethod
    def handle(self) -> int:
        """The CUDA stream as an integer, as TensorRT takes it; 0 on the host twin."""

    @property
    @abstractmethod
    def priority(self) -> int:
        """What it got of the priority asked for; 0 is the default, and lower is more urgent."""

    @property
    @abstractmethod
    def can_capture(self) -> bool:
        """Whether :meth:`capture` and :meth:`replay` work here."""

    @abstractmethod
    def copy(
        self,
        target: Buffer,
        source: Buffer,
        nbytes: int,
        target_offset: int = 0,
        source_offset: int = 0,
    ) -> None:
        """Copy bytes; at least one of both buffers is ``device`` or ``mapped``.

        Neither may change or be closed before the copy has ended.  From or to ``host`` memory, the
        call itself may take as long as the copy.

        :raises ValueError: if the bytes do not lie within the buffers, or both are on the host.
        :raises DeviceError: if the device is lost.
        """

    @abstractmethod
    def fill(self, buffer: Buffer, byte: int, nbytes: int | None = None, offset: int = 0) -> None:
        """Set bytes of a ``device`` or ``mapped`` buffer to one value.

        :param byte: 0 to 255.
        :param nbytes: how many; None: to the buffer's end.
        :raises ValueError: if they do not lie within the buffer, or it is on the host.
        :raises DeviceError: if the device is lost.
        """

    @abstractmethod
    def launch(
        self,
        function: Function,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        arguments: KernelArguments,
        shared_bytes: int = 0,
    ) -> None:
        """Launch a kernel.

        :param grid: the number of blocks in x, y, z.
        :param block: the number of threads of a block in x, y, z.
        :param arguments: its arguments; their values are taken now and may change afterwards.
        :param shared_bytes: the dynamic shared memory of a block.
        :raises SessionError: if it cannot be launched so.
        :raises DeviceError: if the device is lost.
        """

    @abstractmethod
    def record(self, event: Event) -> None:
        """Let an event happen here; recording it again moves it."""

    @abstractmethod
    def wait(self, event: Event) -> None:
        """Let what follows wait, on the device, for the event as it was recorded last."""

    @abstractmethod
    def synchronize(self) -> None:
        """Wait, without holding the interpreter, until everything put in so far has ended.

        :raises DeviceError: if the device is lost.
        """

    @abstractmethod
    def capture(self) -> AbstractContextManager[Capture]:
        """Take what this thread puts into the stream within the block as a graph; run none of it.

        Run the same work once before, so that everything it sets up at first use is there: within
        the block nothing may be allocated, and nothing may be waited for on the host.  Kernel
        arguments and addresses are captured as they are; the contents of buffers are not.  Whatever
        is raised, the capture ends with the block, and the stream may be used again.

        :raises SessionError: if the device cannot capture (:attr:`can_capture`), or not this work.
        :raises DeviceError: if the device is lost.
        """

    @abstractmethod
    def replay(self, graph: Graph) -> None:
        """Put the work of a graph into the stream.

        :raises DeviceError: if the device is lost.
        """


def check_copy(
    target: Buffer, source: Buffer, nbytes: int, target_offset: int, source_offset: int
) -> None:
    """Refuse a copy that would leave its buffers, or that no device has a part in.

    :raises ValueError: if it would, or has none, naming both.
    :raises InternalError: if a buffer is closed.
    """
    if (
        0 < nbytes <= target.nbytes - target_offset
        and nbytes <= source.nbytes - source_offset
        and target_offset >= 0 <= source_offset
        and target.address
        and source.address
    ):
        if target.kind in ON_HOST and source.kind in ON_HOST:
            raise ValueError(f'both are on the host: {source!r}, {target!r}')
        return
    if target.closed or source.closed:
        raise InternalError(f'a copy to {target!r} from {source!r}, of which one is closed')
    raise ValueError(
        f'cannot copy {nbytes} bytes from offset {source_offset} of {source!r} '
        f'to offset {target_offset} of {target!r}'
    )


def check_fill(buffer: Buffer, byte: int, nbytes: int | None, offset: int) -> int:
    """Refuse a fill that would leave its buffer, and return its size in bytes.

    :raises ValueError: if it would, or the buffer is out of the device's reach.
    :raises InternalError: if the buffer is closed.
    """
    count = buffer.nbytes - offset if nbytes is None else nbytes
    if not buffer.address:
        raise InternalError(f'a fill of {buffer!r}')
    if buffer.kind not in ('device', 'mapped'):
        raise ValueError(f'cannot fill {buffer!r} on the device')
    if not (0 <= byte <= 255 and offset >= 0 and 0 < count <= buffer.nbytes - offset):
        raise ValueError(f'cannot set {count} bytes at offset {offset} of {buffer!r} to {byte}')
    return count
