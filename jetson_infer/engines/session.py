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
from types import TracebackType

import numpy as np

from jetson_infer.core.tensors import TensorSpec

__all__ = ['Binding', 'Session']


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


class Session(ABC):
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

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
