# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a device is, for CUDA and for its twin on the host.

A device belongs to one thread, which enters :meth:`Device.current` for as long as it uses
anything of it.  Close what was made on it, leave :meth:`Device.current`, then close the device::

    with open_device() as device, device.current():
        with device.memory('device').allocate(1024) as buffer: ...
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager

from jetson_infer.core.closing import Closing
from jetson_infer.cuda.memory import MemoryKind, MemoryResource
from jetson_infer.cuda.stream import Event, Function, Resource, Stream

__all__ = ['Device', 'Module']


class Module(Resource):
    """Compiled kernels, loaded."""

    @abstractmethod
    def function(self, name: str) -> Function:
        """Return a kernel by its name.

        :raises KernelError: if the module has none of that name.
        """


class Device(Closing):
    """A device, or its host twin; closed once, by its owner."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What its maker calls it: ``'Orin'``, ``'NVIDIA H200'``."""

    @property
    @abstractmethod
    def compute_capability(self) -> tuple[int, int]:
        """Major and minor: ``(8, 7)`` on Orin."""

    @property
    @abstractmethod
    def integrated(self) -> bool:
        """Whether it shares the host's memory, as every Jetson does."""

    @property
    @abstractmethod
    def can_map_host_memory(self) -> bool:
        """Whether ``mapped`` memory works."""

    @property
    @abstractmethod
    def total_bytes(self) -> int:
        """The size of its memory; on an integrated device, of the host's."""

    @abstractmethod
    def free_bytes(self) -> int:
        """Return how much of its memory is free now.

        :raises DeviceError: if the device is lost.
        """

    @property
    @abstractmethod
    def driver_version(self) -> str:
        """The newest CUDA that the driver supports: ``'12.6'``."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """What tells it from every other device: its UUID, or where its driver has none the bus."""

    @property
    @abstractmethod
    def runs_twins(self) -> bool:
        """Whether kernels run here as Python functions (the host twin) and not as compiled code."""

    @abstractmethod
    def current(self) -> AbstractContextManager[None]:
        """Make the device current on this thread within the block; may be nested.

        :raises DeviceError: if the device is lost or closed.
        """

    @abstractmethod
    def memory(self, kind: MemoryKind) -> MemoryResource:
        """Return the resource that gives memory of a kind; always the same one.

        :raises DeviceError: for ``mapped``, if the device cannot map host memory.
        """

    @abstractmethod
    def stream(self, priority: int = 0) -> Stream:
        """Make a stream that does not wait for the default stream.

        :param priority: 0 is the default, and lower is more urgent; clamped to what the device
            has. :attr:`Stream.priority` tells what became of it.
        :raises DeviceError: if the device is lost.
        """

    @abstractmethod
    def event(self, timing: bool = False) -> Event:
        """Make an event.

        :param timing: whether it notes the time; one that does not is cheaper.
        :raises DeviceError: if the device is lost.
        """

    @abstractmethod
    def load_module(self, image: bytes) -> Module:
        """Load compiled kernels.

        :param image: a cubin, a fat binary or PTX.
        :raises KernelError: if the image does not fit this device, with the compiler's log.
        :raises DeviceError: if the device is lost.
        """

    @abstractmethod
    def live(self) -> dict[str, int]:
        """Count what was made on this device and is not closed, by what it is; empty: nothing."""

    @abstractmethod
    def close(self) -> None:
        """Close the device, and what is left on it with a warning; may be called twice.

        :raises InternalError: on a thread where it is still current.
        """
