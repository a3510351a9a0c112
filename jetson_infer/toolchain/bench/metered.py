# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A session that notes what its runs cost, so that what lies outside of them is known."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from jetson_infer.core.tensors import TensorSpec
from jetson_infer.engines.session import Binding, Session

__all__ = ['MeteredBinding', 'MeteredSession']


class MeteredBinding(Binding):
    """A binding whose last run's cost is known.

    CPU time is that of the whole process: an engine on the CPU works in threads of its own.

    :param binding: what runs.
    """

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self.wall_ms = 0.0
        """How long the last run took."""
        self.cpu_ms = 0.0
        """How much CPU time the last run took."""

    @property
    def inputs(self) -> Mapping[str, np.ndarray]:
        """See :attr:`Binding.inputs`."""
        return self._binding.inputs

    @property
    def outputs(self) -> Mapping[str, np.ndarray]:
        """See :attr:`Binding.outputs`."""
        return self._binding.outputs

    def run(self) -> Mapping[str, np.ndarray]:
        """See :meth:`Binding.run`."""
        cpu_ns, wall_ns = time.process_time_ns(), time.perf_counter_ns()
        outputs = self._binding.run()
        self.wall_ms = (time.perf_counter_ns() - wall_ns) * 1e-6
        self.cpu_ms = (time.process_time_ns() - cpu_ns) * 1e-6
        return outputs


class MeteredSession(Session):
    """Hands out metered bindings of a session.

    :param session: what runs; closed with this one.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.bindings: list[MeteredBinding] = []
        """Every binding made so far, in order."""

    @property
    def engine(self) -> str:
        """See :attr:`Session.engine`."""
        return self._session.engine

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """See :attr:`Session.inputs`."""
        return self._session.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """See :attr:`Session.outputs`."""
        return self._session.outputs

    def bind(self, shapes: Mapping[str, tuple[int, ...]]) -> MeteredBinding:
        """See :meth:`Session.bind`."""
        self.bindings.append(MeteredBinding(self._session.bind(shapes)))
        return self.bindings[-1]

    def close(self) -> None:
        """See :meth:`Session.close`."""
        self._session.close()
