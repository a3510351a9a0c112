# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a built engine tells about its layers.

The inspector answers with JSON that differs between versions: a tensor's type stands behind its
layout in ``Format/Datatype`` (8.6, 10), or in a field of its own (11); layers are mere names if the
engine was built without detailed profiling verbosity.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from jetson_infer.engines.engine_layers import ORDER, EngineLayer, LayerTensor
from jetson_infer.engines.tensorrt.api import trt
from jetson_infer.engines.tensorrt.types import precision_word

__all__ = ['inspect_engine', 'inspect_plan', 'parse_layers']

logger = logging.getLogger(__name__)

NOT_COMPUTING = (
    'reformat', 'shuffle', 'constant', 'noop', 'shape', 'slice', 'cast', 'gather', 'concat',
    'memcpy', 'signal', 'wait', 'copy', 'identity', 'quantize', 'dequantize', 'transpose', 'move',
)  # fmt: skip
"""What moves or converts values; their precision is that of their neighbours."""

TYPE_FIELDS = ('Datatype', 'DataType', 'Data Type', 'Type')
FORMAT_FIELDS = ('Format/Datatype', 'Format')


def inspect_plan(
    plan: bytes, tensorrt_logger: trt.ILogger, dla_core: int | None = None
) -> tuple[EngineLayer, ...]:
    """Return the layers of a serialized engine; none, with a warning, if it does not tell."""
    runtime = trt.Runtime(tensorrt_logger)
    if dla_core is not None:
        runtime.DLA_core = dla_core
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        logger.warning('the engine that was built cannot be read back to inspect it')
        return ()
    return inspect_engine(engine)


def inspect_engine(engine: trt.ICudaEngine) -> tuple[EngineLayer, ...]:
    """Return the layers of an engine; none, with a warning, if it does not tell."""
    inspector = engine.create_engine_inspector()
    try:
        return parse_layers(inspector.get_engine_information(trt.LayerInformationFormat.JSON))
    except ValueError as error:
        logger.warning('the inspector of TensorRT %s is not understood: %s', trt.__version__, error)
        return ()


def parse_layers(text: str) -> tuple[EngineLayer, ...]:
    """Read the inspector's JSON.

    :raises ValueError: if it is not the JSON object of an engine.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f'no JSON: {error}') from error
    layers = value.get('Layers') if isinstance(value, dict) else None
    if not isinstance(layers, list):
        raise ValueError("no list of 'Layers'")
    return tuple(_layer(layer) for layer in layers)


def _layer(value: Any) -> EngineLayer:
    if not isinstance(value, Mapping):
        return EngineLayer(str(value), '', '')
    kind = str(value.get('LayerType', ''))
    inputs = tuple(_tensor(item) for item in value.get('Inputs') or ())
    outputs = tuple(_tensor(item) for item in value.get('Outputs') or ())
    return EngineLayer(
        name=str(value.get('Name', '')),
        kind=kind,
        precision=_precision(value, kind, inputs, outputs),
        inputs=inputs,
        outputs=outputs,
        tactic=str(value.get('TacticName') or value.get('TacticValue') or ''),
        dla='DLA' in kind or str(value.get('DeviceType', '')) == 'DLA',
    )


def _tensor(value: Any) -> LayerTensor:
    if not isinstance(value, Mapping):
        return LayerTensor(str(value), '', (), '')
    layout = next((str(value[field]) for field in FORMAT_FIELDS if field in value), '')
    named = next((str(value[field]) for field in TYPE_FIELDS if field in value), layout)
    shape = value.get('Dimensions') or ()
    return LayerTensor(str(value.get('Name', '')), _precision_in(named), _shape(shape), layout)


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(int(d) for d in value) if isinstance(value, (list, tuple)) else ()


def _precision_in(text: str) -> str:
    """Find an element type in a description such as ``'Row major linear FP16 format'``."""
    words = re.findall(r'[A-Za-z0-9]+', text)
    return next(filter(None, (precision_word(word) for word in words)), '')


def _precision(
    value: Mapping[str, Any],
    kind: str,
    inputs: tuple[LayerTensor, ...],
    outputs: tuple[LayerTensor, ...],
) -> str:
    """Tell what a layer computes in: the type of its first input that is one to compute in.

    The first input rather than the output, because TensorRT lets a convolution of int8 inputs
    write float16, and one of float16 inputs write int8 for its successor. Of a region that Myelin
    compiled into one layer this tells what it takes, not what every kernel within it does.
    """
    plain = kind.lower()
    if any(word in plain for word in NOT_COMPUTING):
        return ''
    for tensor in (*inputs, *outputs):
        if tensor.precision in ORDER:
            return tensor.precision
    weights = value.get('Weights')
    named = str(weights.get('Type', '')) if isinstance(weights, Mapping) else ''
    found = precision_word(named)
    return found if found in ORDER else ''
