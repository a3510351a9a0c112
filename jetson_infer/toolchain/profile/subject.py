# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Timing the layers of a model's variant on whatever engine runs it here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.engines.inputs import NetworkInputs, match_inputs
from jetson_infer.engines.layer_times import NetworkTimes
from jetson_infer.engines.models import Model
from jetson_infer.engines.onnxruntime.node_times import time_nodes
from jetson_infer.engines.select import OpenedSession, open_session
from jetson_infer.engines.session import Binding, DeviceBinding, DeviceSession, Session
from jetson_infer.engines.tensorrt.session import TensorRtSession
from jetson_infer.errors import SessionError

__all__ = ['profile_session', 'profile_variant']

WARM_UP = 3


def profile_variant(
    model: Model,
    variant: VariantCard,
    engine: str = 'auto',
    threads: int = 1,
    runs: int = 50,
    open_one: Callable[..., OpenedSession] = open_session,
) -> tuple[NetworkTimes, str]:
    """Time the layers of a variant, on noise.

    :param engine: one of :data:`~jetson_infer.engines.select.ENGINES`.
    :param threads: CPU threads of an engine on the CPU; 0 for automatic.
    :param runs: how many runs, at least 1.
    :param open_one: opens the engine.
    :return: the times, and why it is this engine.
    :raises JetsonInferError: if it cannot run.
    """
    with ExitStack() as stack:
        opened = open_one(model, variant, engine, threads)
        session, why = opened.session, opened.why
        stack.callback(session.close)
        wanted = match_inputs(session.inputs, model.card, variant)
        inputs = _noise(session.inputs, wanted)
        if isinstance(session, TensorRtSession):
            return profile_session(session, inputs, runs), why
        if isinstance(session, DeviceSession):
            raise SessionError(f'{session.engine} does not tell how long its layers take')
        alone_ms = _time_alone(session, inputs, runs)
        times = time_nodes(model.files[variant.name], threads, inputs, runs)
    return replace(times, alone_ms=alone_ms, alone='without the profiler'), why


def profile_session(
    session: TensorRtSession, inputs: Mapping[str, npt.NDArray[Any]], runs: int
) -> NetworkTimes:
    """Time the layers of an engine, and the engine as nodes run it.

    :param inputs: what it runs on, by name.
    :raises SessionError: if the engine fails, or does not tell.
    """
    shapes = {name: array.shape for name, array in inputs.items()}
    whole = session.bind(shapes)
    _fill(whole, inputs)
    alone_ms = _time_on_device(session, whole, runs)
    alone = whole.why_no_graph and f'kernel by kernel ({whole.why_no_graph})'
    layered = session.bind(shapes, graphs=False)
    _fill(layered, inputs)
    times = session.time_layers(layered, runs)
    notes = () if session.layers() else ('the engine does not tell what its layers are',)
    return replace(
        times, alone_ms=alone_ms, alone=alone or 'as one CUDA graph, as nodes run it', notes=notes
    )


def _noise(specs: tuple[TensorSpec, ...], wanted: NetworkInputs) -> dict[str, npt.NDArray[Any]]:
    spec = next(spec for spec in specs if spec.name == wanted.image)
    random = np.random.default_rng(0)
    shape = wanted.shapes[wanted.image]
    if np.issubdtype(spec.dtype, np.floating):
        image = random.random(shape, np.float32).astype(spec.dtype)
    else:
        image = random.integers(0, 256, shape).astype(spec.dtype)
    return {wanted.image: image, **wanted.constants}


def _fill(binding: Binding, inputs: Mapping[str, npt.NDArray[Any]]) -> None:
    for name, array in inputs.items():
        binding.inputs[name][...] = array


def _time_alone(
    session: Session, inputs: Mapping[str, npt.NDArray[Any]], runs: int
) -> tuple[float, ...]:
    binding = session.bind({name: array.shape for name, array in inputs.items()})
    _fill(binding, inputs)
    return _timed(lambda: binding.run(), runs)


def _time_on_device(session: DeviceSession, binding: DeviceBinding, runs: int) -> tuple[float, ...]:
    with ExitStack() as stack:
        stream = session.device.stream()
        stack.callback(stream.close)
        binding.run()

        def once() -> None:
            binding.enqueue(stream)
            stream.synchronize()

        return _timed(once, runs)


def _timed(work: Callable[[], object], runs: int) -> tuple[float, ...]:
    times_ms = []
    for number in range(WARM_UP + runs):
        began_s = time.perf_counter()
        work()
        if number >= WARM_UP:
            times_ms.append((time.perf_counter() - began_s) * 1e3)
    return tuple(times_ms)
