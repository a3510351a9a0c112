# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What JPEG compression does to a picture, computed on the device (ITU-T T.81, annexes A and K)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

# Annex K.1's example quantization tables, rows of increasing vertical frequency.
LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)


def _dct_matrix(device: torch.device) -> Tensor:
    """The orthonormal type-II discrete cosine transform of 8 samples, [8, 8]."""
    k = torch.arange(8, device=device, dtype=torch.float32)
    matrix = torch.cos(math.pi / 8 * (k[None] + 0.5) * k[:, None]) / 2
    matrix[0] /= math.sqrt(2)
    return matrix


def _quantize(plane: Tensor, table: Tensor) -> Tensor:
    """Round the cosine coefficients of a plane [B, H, W] to multiples of tables [B, 8, 8]."""
    b, h, w = plane.shape
    dct = _dct_matrix(plane.device)
    blocks = plane.view(b, h // 8, 8, w // 8, 8).transpose(2, 3)
    table = table[:, None, None]
    coefficients = torch.round(dct @ blocks @ dct.T / table) * table
    return (dct.T @ coefficients @ dct).transpose(2, 3).reshape(b, h, w)


def _tables(base: tuple[tuple[int, ...], ...], quality: Tensor) -> Tensor:
    """Scale a base table by qualities [B], 1..100, as the Independent JPEG Group's library does."""
    percent = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    table = torch.tensor(base, dtype=torch.float32, device=quality.device)
    return ((table * percent[:, None, None] + 50) / 100).floor().clamp(1, 255)


def degrade(images: Tensor, quality: Tensor) -> Tensor:
    """Pass images through JPEG's lossy steps: YCbCr, halved chroma, quantized 8 x 8 cosines.

    Args:
        images: uint8 [B, H, W, 3], RGB; H and W multiples of 16.
        quality: float [B], 1..100.

    Returns:
        The images as a decoder would give them back, uint8 [B, H, W, 3].
    """
    x = images.float()
    r, g, b = x[..., 0], x[..., 1], x[..., 2]
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    chroma = torch.stack(((b - luma) * 0.564, (r - luma) * 0.713), 1)
    chroma = functional.avg_pool2d(chroma, 2)
    fine, coarse = _tables(LUMINANCE, quality), _tables(CHROMINANCE, quality)
    luma = _quantize(luma - 128, fine) + 128
    chroma = torch.stack([_quantize(chroma[:, i], coarse) for i in range(2)], 1)
    chroma = functional.interpolate(chroma, scale_factor=2.0, mode='bilinear')
    blue, red = chroma[:, 0] / 0.564, chroma[:, 1] / 0.713
    green = -(0.299 * red + 0.114 * blue) / 0.587
    out = torch.stack((luma + red, luma + green, luma + blue), -1)
    return out.round().clamp(0, 255).to(torch.uint8)
