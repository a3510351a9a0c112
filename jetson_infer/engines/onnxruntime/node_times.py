# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The times of a network's nodes, as ONNX Runtime's own profiler notes them."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from jetson_infer.engines.layer_times import LayerSample, NetworkTimes, gather
from jetson_infer.engines.onnxruntime.session import OnnxRuntimeSession
from jetson_infer.errors import SessionError

__all__ = ['read_trace', 'time_nodes']

_END = '_kernel_time'
_RUN = 'model_run'
_PRECISIONS = {
    'float': 'fp32',
    'float16': 'fp16',
    'bfloat16': 'bf16',
    'int8': 'int8',
    'uint8': 'int8',
}


def time_nodes(
    path: Path, threads: int, inputs: Mapping[str, npt.NDArray[Any]], runs: int
) -> NetworkTimes:
    """Run a network some times and time every node, after ONNX Runtime has fused what it fuses.

    :param path: the ONNX file.
    :param threads: see :class:`OnnxRuntimeSession`.
    :param inputs: what it runs on, by name.
    :param runs: how many, at least 1; one more comes before them.
    :raises SessionError: if it cannot run, or the profiler's file is not understood.
    """
    whole_ms = []
    with tempfile.TemporaryDirectory(prefix='jetson_infer_') as folder:
        trace = Path(folder, 'nodes')
        session = OnnxRuntimeSession(path, threads, trace)
        with session:
            binding = session.bind({name: array.shape for name, array in inputs.items()})
            for name, array in inputs.items():
                binding.inputs[name][...] = array
            binding.run()
            for _ in range(runs):
                began_s = time.perf_counter()
                binding.run()
                whole_ms.append((time.perf_counter() - began_s) * 1e3)
            samples, kinds = read_trace(session.end_trace())
            engine = session.engine
    layers = gather(samples[1:], lambda name: kinds.get(name, ('', '')))
    return NetworkTimes(engine, layers, tuple(whole_ms))


def read_trace(path: Path) -> tuple[list[list[LayerSample]], dict[str, tuple[str, str]]]:
    """Read ONNX Runtime's profile.

    :return: the nodes of every run in their order, and each node's operator and precision.
    :raises SessionError: if it is none, or holds no runs.
    """
    try:
        events = json.loads(path.read_text(encoding='utf-8'))
        runs = sorted((e['ts'], e['ts'] + e['dur']) for e in events if e.get('name') == _RUN)
        nodes = sorted(
            (e for e in events if e.get('cat') == 'Node' and e['name'].endswith(_END)),
            key=lambda event: event['ts'],
        )
        samples: list[list[LayerSample]] = [[] for _ in runs]
        kinds = {}
        for node in nodes:
            name = node['name'][: -len(_END)]
            kinds[name] = node['args']['op_name'], _precision(node['args'])
            for number, (begin, end) in enumerate(runs):
                if begin <= node['ts'] <= end:
                    samples[number].append(LayerSample(name, node['dur'] * 1e-3))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SessionError(f"ONNX Runtime's profile is not understood: {error!r}") from error
    if not any(samples):
        raise SessionError("ONNX Runtime's profile holds no runs of any node")
    return samples, kinds


def _precision(arguments: Mapping[str, Any]) -> str:
    """Tell what a node computes in: the type of its first input that is one to compute in."""
    tensors: Sequence[Mapping[str, Any]] = arguments.get('input_type_shape') or ()
    words = (_PRECISIONS.get(kind, '') for tensor in tensors for kind in tensor)
    return next(filter(None, words), '')
