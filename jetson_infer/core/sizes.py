# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes of images and of networks' inputs."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ['Size', 'SizeRange']

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class SizeRange:
    """The input sizes that a dynamic network takes.

    :param minimum: the smallest width and height.
    :param maximum: the largest width and height.
    :param multiple_of: what width and height must be divisible by; the network's largest stride.
    """

    minimum: Size
    maximum: Size
    multiple_of: int

    def admits(self, size: Size) -> bool:
        """Tell whether a network of this range takes the size."""
        return all(
            low <= extent <= high and extent % self.multiple_of == 0
            for low, extent, high in zip(self.minimum, size, self.maximum)
        )

    def __str__(self) -> str:
        (left, top), (right, bottom) = self.minimum, self.maximum
        return f'{left}x{top} to {right}x{bottom}, multiples of {self.multiple_of}'
