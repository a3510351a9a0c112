# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What comes of building an engine: progress on the way, the plan, and what is in it."""

from __future__ import annotations

from dataclasses import dataclass

from jetson_infer.engines.engine_layers import EngineLayer, PrecisionFound

__all__ = ['BuildProgress', 'BuiltPlan']


@dataclass(frozen=True)
class BuildProgress:
    """How far a build is.

    :param phases: what is being done, outermost first: ``('build', 'Building engine from
        subgraph', 'Computing profile costs')``. The first is ours: ``read``, ``parse``, ``build``
        or ``inspect``; TensorRT names the others, where it tells (10 and later).
    :param step: steps of the innermost phase that are done.
    :param steps: how many it has; 0 where that is not known.
    :param seconds: since the build began.
    """

    phases: tuple[str, ...]
    step: int
    steps: int
    seconds: float


@dataclass(frozen=True)
class BuiltPlan:
    """A serialized engine and how it came about.

    :param plan: the serialized engine.
    :param log: what TensorRT said while building, a line a message.
    :param layers: the engine's layers, as its inspector shows them; empty where it does not.
    :param precision: the precision found in these layers, beside the one asked for.
    :param timing_cache: timings of kernels for the next build; None where the version has none.
    :param seconds: how long it took.
    :param tensorrt: the full version of TensorRT.
    """

    plan: bytes
    log: str
    layers: tuple[EngineLayer, ...]
    precision: PrecisionFound
    timing_cache: bytes | None
    seconds: float
    tensorrt: str
