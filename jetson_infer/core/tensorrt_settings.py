# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The ``tensorrt`` section of a model card: how TensorRT is to build a variant's engine.

The section stands at the card's top level for all variants, or in a variant, key by key before the
former.  ``tensorrt_parser`` reads it; docs/model_cards.md explains every key.
"""

from __future__ import annotations

from dataclasses import dataclass

from jetson_infer.core.sizes import Size

__all__ = ['SizeProfile', 'TensorRtSettings']


@dataclass(frozen=True)
class SizeProfile:
    """A range of input sizes that an engine takes, and the one it is made fastest for.

    :param minimum: the smallest width and height, in pixels.
    :param optimum: the width and height that TensorRT optimizes for.
    :param maximum: the largest width and height; memory is laid out for it.
    """

    minimum: Size
    optimum: Size
    maximum: Size

    def admits(self, size: Size) -> bool:
        """Tell whether a width and height lie within the profile."""
        return all(
            low <= extent <= high for low, extent, high in zip(self.minimum, size, self.maximum)
        )

    def __str__(self) -> str:
        sizes = (self.minimum, self.optimum, self.maximum)
        return ' / '.join(f'{width}x{height}' for width, height in sizes)


@dataclass(frozen=True)
class TensorRtSettings:
    """How an engine is to be built.

    :param profiles: the ranges of sizes; empty where ``input.range`` and the variant's size tell.
    :param workspace_mb: MiB of device memory that a layer may use while it runs; None for as much
        as TensorRT likes.
    :param dla_core: the deep learning accelerator to build for, with the GPU for what it cannot
        run; None for the GPU alone.
    :param sparsity: whether TensorRT may use weights of which two in four are zero.
    :param strongly_typed: whether the types in the ONNX file are the types to compute in.
    :param optimization_level: 0 (builds fast) to 5 (runs fast); None for TensorRT's default.
    """

    profiles: tuple[SizeProfile, ...] = ()
    workspace_mb: int | None = None
    dla_core: int | None = None
    sparsity: bool = False
    strongly_typed: bool = False
    optimization_level: int | None = None
