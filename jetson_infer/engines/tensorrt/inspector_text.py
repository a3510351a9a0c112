# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Reading the JSON in which the inspector tells of an engine's layers.

It differs between versions: a tensor's type stands behind its layout in ``Format/Datatype`` (8.6,
10), or in a field of its own (11); layers are mere names if the engine was built without detailed
profiling verbosity. 8.6 and 10 separate the ONNX nodes of a layer by control characters, which JSON
does not allow within a text, and write infinities and what is no number as C++ does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from jetson_infer.engines.engine_layers import ORDER, EngineLayer, LayerTensor
from jetson_infer.engines.tensorrt.types import precision_word

__all__ = ['DYNAMIC', 'clean_name', 'parse_layer', 'parse_layers']

DYNAMIC = 'dynamic shapes'
"""Part of what stands for a layout that depends on shapes which are not known yet."""

NOT_COMPUTING = (
    'reformat', 'shuffle', 'constant', 'noop', 'shape', 'slice', 'cast', 'gather', 'concat',
    'memcpy', 'signal', 'wait', 'copy', 'identity', 'quantize', 'dequantize', 'transpose', 'move',
)  # fmt: skip
"""What moves or converts values; their precision is that of their neighbours."""

TYPE_FIELDS = ('Datatype', 'DataType', 'Data Type', 'Type')
FORMAT_FIELDS = ('Format/Datatype', 'Format')
CONTROL = re.compile(r'[\x00-\x1f\x7f]+')
NODE = re.compile(r'\[ONNX Layer: (.*?)\](?=[\x00-\x1f\[]|$)', re.DOTALL)
NO_NUMBER = re.compile(r'([:\[,]\s*)[-+]?(?:nan|inf|infinity)(?=\s*[,\]}])', re.IGNORECASE)
LONE_BACKSLASH = re.compile(r'\\(?!["\\/bfnrtu])')


def parse_layers(text: str) -> tuple[EngineLayer, ...]:
    """Read what the inspector tells of a whole engine.

    :raises ValueError: if it is not the JSON object of an engine.
    """
    value = _loads(text)
    layers = value.get('Layers') if isinstance(value, dict) else None
    if not isinstance(layers, list):
        raise ValueError("no list of 'Layers'")
    return tuple(_layer(layer) for layer in layers)


def parse_layer(text: str) -> EngineLayer:
    """Read what the inspector tells of one layer: an object, or its name alone.

    :raises ValueError: if it is neither.
    """
    value = _loads(text)
    if not isinstance(value, (dict, str)):
        raise ValueError('no layer')
    return _layer(value)


def clean_name(name: str) -> str:
    """Return a name for a person and for files: what control characters separate by ``+``."""
    return ' + '.join(part.strip() for part in CONTROL.split(name) if part.strip())


def _loads(text: str) -> Any:
    """Read JSON that may hold control characters, and numbers and backslashes as C++ writes them.

    :raises ValueError: if it is no JSON even so.
    """
    try:
        return json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        mended = LONE_BACKSLASH.sub(r'\\\\', NO_NUMBER.sub(r'\1null', text))
        try:
            return json.loads(mended, strict=False)
        except json.JSONDecodeError:
            raise ValueError(f'no JSON: {error}') from error


def _layer(value: Any) -> EngineLayer:
    """Read a layer; of one that is not understood its name, so that the others are not lost."""
    if not isinstance(value, Mapping):
        return EngineLayer(clean_name(str(value)), '', '')
    kind = str(value.get('LayerType', ''))
    inputs, outputs = _tensors(value.get('Inputs')), _tensors(value.get('Outputs'))
    return EngineLayer(
        name=clean_name(str(value.get('Name', ''))),
        kind=kind,
        precision=_precision(value, kind, inputs, outputs),
        inputs=inputs,
        outputs=outputs,
        tactic=str(value.get('TacticName') or value.get('TacticValue') or ''),
        dla='DLA' in kind or str(value.get('DeviceType', '')) == 'DLA',
        nodes=_nodes(str(value.get('Metadata') or '')),
    )


def _nodes(metadata: str) -> tuple[str, ...]:
    """Return the names of ONNX nodes; behind a bar 10 tells the functions that they stand in."""
    names = (found.partition(' | ')[0] for found in NODE.findall(metadata))
    return tuple(dict.fromkeys(names))


def _tensors(value: Any) -> tuple[LayerTensor, ...]:
    return tuple(_tensor(item) for item in value) if isinstance(value, list) else ()


def _tensor(value: Any) -> LayerTensor:
    if not isinstance(value, Mapping):
        return LayerTensor(clean_name(str(value)), '', (), '')
    layout = next((str(value[field]) for field in FORMAT_FIELDS if field in value), '')
    named = next((str(value[field]) for field in TYPE_FIELDS if field in value), layout)
    name = clean_name(str(value.get('Name', '')))
    return LayerTensor(name, _precision_in(named), _shape(value.get('Dimensions')), layout)


def _shape(value: Any) -> tuple[int, ...]:
    """Return dimensions; none where one of them is no number."""
    if not isinstance(value, list) or not all(isinstance(d, (int, float)) for d in value):
        return ()
    return tuple(int(d) for d in value)


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
    named = weights.get('Type') if isinstance(weights, Mapping) else value.get('Precision')
    found = precision_word(str(named or ''))
    return found if found in ORDER else ''
