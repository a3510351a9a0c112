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

__all__ = ['dtype_of', 'precision_word']

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


def precision_word(text: str) -> str:
    """Return our word for an element type by one of TensorRT's names; empty for anything else.

    >>> precision_word('Half'), precision_word('FP32'), precision_word('linear')
    ('fp16', 'fp32', '')
    """
    return _WORDS.get(text.lower(), '')
