# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a network has its precisions in the ONNX file, or the builder chooses them by flags."""

from __future__ import annotations

from jetson_infer.engines.tensorrt.api import member, trt
from jetson_infer.errors import EngineBuildError

__all__ = ['always_strongly_typed', 'creation_flags']


def creation_flags(strongly_typed: bool) -> tuple[int, bool]:
    """Return the flags of a network, and whether it will be strongly typed.

    Up to 10 a network must be told to have an explicit batch dimension, and may be told to be
    strongly typed (10). Since 11 every network is both.

    :raises EngineBuildError: if the version has no strongly typed networks and one is asked for.
    """
    kinds = trt.NetworkDefinitionCreationFlag
    flags = 0
    explicit = member(kinds, 'EXPLICIT_BATCH')
    if explicit is not None:
        flags |= 1 << int(explicit)
    if always_strongly_typed():
        return flags, True
    if not strongly_typed:
        return flags, False
    typed = member(kinds, 'STRONGLY_TYPED')
    if typed is None:
        raise EngineBuildError(
            f'TensorRT {trt.__version__} has no strongly typed networks (10 and later have); '
            'build without strongly_typed'
        )
    return flags | 1 << int(typed), True


def always_strongly_typed() -> bool:
    """Tell whether this version takes every precision from the ONNX file (11 and later)."""
    return member(trt.BuilderFlag, 'FP16') is None
