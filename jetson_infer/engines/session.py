# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The seam between the pipeline and an inference engine.

A *session* is a loaded network.  A *binding* is one set of its inputs and outputs at fixed shapes,
allocated once, when the node is configured; running it allocates nothing that grows with the
image.  Several bindings of one session let one frame be prepared while another one runs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from jetson_infer.core.closing import Closing
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.cuda.device import Device
from jetson_infer.cuda.memory import Buffer
from jetson_infer.cuda.stream import Stream

__all__ = ['Binding', 'DeviceBinding', 'DeviceSession', 'Session']


class Binding(ABC):
    """Preallocated inputs and outputs of a session at fixed shapes."""

    @property
    @abstractmethod
    def inputs(self) -> Mapping[str, np.ndarray]:
        """Writable host arrays by input name; fill them in place, then call :meth:`run`."""

    @property
    @abstractmethod
    def outputs(self) -> Mapping[str, np.ndarray]:
        """Host arrays by output name; valid from the end of one :meth:`run` to the next."""

    @abstractmethod
    def run(self) -> Mapping[str, np.ndarray]:
        """Infer once and return :attr:`outputs`.

        :raises SessionError: if the engine fails; the binding may be run again.
        """


class DeviceBinding(Binding):
    """A binding whose inputs and outputs lie on a device, for work that stays there.

    Fill :attr:`device_inputs` by work on a stream, :meth:`enqueue` on that stream, and let what
    reads :attr:`device_outputs` follow there.  Addresses stay the same until the binding is closed.
    """

    @property
    @abstractmethod
    def device_inputs(self) -> Mapping[str, Buffer]:
        """Inputs on the device by name, C-contiguous; as large as the largest shape needs."""

    @property
    @abstractmethod
    def device_outputs(self) -> Mapping[str, Buffer]:
        """Outputs on the device by name, C-contiguous; as large as the largest shape needs."""

    @property
    @abstractmethod
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The current shape of every input and output."""

    @property
    @abstractmethod
    def why_no_graph(self) -> str:
        """Why an inference is not queued in one call; empty where it is."""

    @abstractmethod
    def enqueue(self, stream: Stream) -> None:
        """Queue one inference on a stream; nothing is allocated and nothing waited for.

        :raises SessionError: if the engine refuses; the binding may be used again.
        :raises DeviceError: if the device is lost.
        """

    @abstractmethod
    def reshape(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Take other shapes from now on, within what was allocated; addresses stay.

        Call it when no inference of this binding is in flight. The outputs' contents are lost.

        :param shapes: as for :meth:`Session.bind`.
        :raises SessionError: if a shape does not fit; the shapes before stay in force.
        :raises DeviceError: if the device is lost.
        """


class Session(Closing):
    """A loaded network that can be bound and run; closed once, by its owner.

    Not safe for use from several threads at once: the pipeline's worker owns it.
    """

    @property
    @abstractmethod
    def engine(self) -> str:
        """What runs the network, for a person: ``'onnxruntime 1.23.2 (CPU, 2 threads)'``."""

    @property
    @abstractmethod
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The network's inputs, in its own order."""

    @property
    @abstractmethod
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The network's outputs, in its own order."""

    @abstractmethod
    def bind(self, shapes: Mapping[str, tuple[int, ...]]) -> Binding:
        """Allocate inputs and outputs.

        :param shapes: the concrete shape of every input that has a dynamic dimension; static
            inputs may be left out.
        :raises SessionError: if a shape is missing or does not fit its :class:`TensorSpec`.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the network and every binding; may be called twice."""


class DeviceSession(Session):
    """A session whose bindings lie on a device; used on the thread where that is current."""

    @property
    @abstractmethod
    def device(self) -> Device:
        """The device, current on the thread that uses the session."""

    @abstractmethod
    def bind(
        self, shapes: Mapping[str, tuple[int, ...]], host: bool = True, graphs: bool = True
    ) -> DeviceBinding:
        """Allocate inputs and outputs on the device.

        :param shapes: see :meth:`Session.bind`.
        :param host: whether to have host arrays for :meth:`Binding.run`; without, the binding runs
            by :meth:`DeviceBinding.enqueue` alone and takes no page-locked memory.
        :param graphs: whether inferences are queued in one call, where the engine and the machine
            can; without, kernel by kernel.
        :raises SessionError: see :meth:`Session.bind`.
        :raises DeviceMemoryError: if there is not enough memory; what was taken is given back.
        :raises DeviceError: if the device is lost.
        """
