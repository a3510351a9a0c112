# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT's element types and their NumPy counterparts.

A map of our own, because ``tensorrt.nptype`` fails with some versions of NumPy and knows none of
the types that NumPy lacks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jetson_infer.engines.tensorrt.api import member_name

__all__ = ['data_dependent', 'dtype_of', 'precision_word', 'shape_of', 'shown']

_DTYPES = {
    'FLOAT': np.float32,
    'HALF': np.float16,
    'INT8': np.int8,
    'INT32': np.int32,
    'INT64': np.int64,
    'BOOL': np.bool_,
    'UINT8': np.uint8,
}

_WORDS = {
    'float': 'fp32', 'fp32': 'fp32', 'float32': 'fp32', 'tf32': 'fp32',
    'half': 'fp16', 'fp16': 'fp16', 'float16': 'fp16',
    'bf16': 'bf16', 'bfloat16': 'bf16',
    'int8': 'int8', 'fp8': 'fp8', 'float8': 'fp8', 'e4m3': 'fp8',
    'int4': 'int4', 'fp4': 'fp4', 'e2m1': 'fp4', 'e8m0': 'e8m0',
    'int32': 'int32', 'int64': 'int64', 'uint8': 'uint8', 'bool': 'bool',
}  # fmt: skip


def dtype_of(data_type: Any) -> np.dtype | None:
    """Return NumPy's type for a ``tensorrt.DataType``; None where NumPy has none (BF16, FP8)."""
    scalar = _DTYPES.get(member_name(data_type))
    return None if scalar is None else np.dtype(scalar)


def shape_of(dims: Any) -> tuple[int, ...] | None:
    """Return a ``tensorrt.Dims`` as a tuple; None where TensorRT does not even know the rank."""
    try:
        rank = len(dims)
    except ValueError:  # the binding's length is then -1, which Python does not take
        return None
    return tuple(int(dims[axis]) for axis in range(rank))


def shown(name: str, shape: tuple[int, ...] | None) -> str:
    """Return a tensor's name and shape for a message: ``'boxes[?x4]'``; no shape if unknown."""
    if shape is None:
        return name
    return f'{name}[{"x".join("?" if dimension < 0 else str(dimension) for dimension in shape)}]'


def data_dependent(whose: str) -> str:
    """Say that a shape depends on the data, and what to do.

    :param whose: such as ``'of the output places[2x?]'``.
    """
    return (
        f'only running tells the shape {whose}, so that no memory can be laid out before; export '
        'the model with a fixed number of rows (for NMS in the graph: a maximum number of '
        'detections, padded), or without that output'
    )


def precision_word(text: str) -> str:
    """Return our word for an element type by one of TensorRT's names; empty for anything else.

    >>> precision_word('Half'), precision_word('FP32'), precision_word('linear')
    ('fp16', 'fp32', '')
    """
    return _WORDS.get(text.lower(), '')
