# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a network's inputs and outputs are called and look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ['TensorSpec']


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a network.

    :param name: the name in the network.
    :param dtype: the element type.
    :param shape: the dimensions; -1 where a dimension is dynamic.
    """

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def is_static(self) -> bool:
        """Whether every dimension is known."""
        return all(dimension >= 0 for dimension in self.shape)

    def admits(self, shape: tuple[int, ...]) -> bool:
        """Tell whether a concrete shape fits: the same rank, and equal where not dynamic."""
        return len(shape) == len(self.shape) and all(
            own < 0 or own == other for own, other in zip(self.shape, shape, strict=True)
        )

    def __str__(self) -> str:
        dimensions = 'x'.join('?' if d < 0 else str(d) for d in self.shape)
        return f'{self.name} {self.dtype.name}[{dimensions}]'
