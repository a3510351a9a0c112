# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Random camera images of every encoding that the preprocessing kernel reads, and cards."""

from __future__ import annotations

import numpy as np

from jetson_infer.core.cards import InputCard
from jetson_infer.core.encodings import ENCODINGS
from jetson_infer.core.images import ImageView, wrap_image
from jetson_infer.cuda.kernels.geometry import SUPPORTED

IMAGENET = ((123.675, 116.28, 103.53), (1 / 58.395, 1 / 57.12, 1 / 57.375))
UNIT = ((0.0,) * 3, (1 / 255,) * 3)
RAW = ((0.0,) * 3, (1.0,) * 3)


def card(
    layout='nchw', colour='rgb', resize='letterbox', pad=114, numbers=UNIT, dtype='float32'
) -> InputCard:
    channels = 1 if colour == 'grey' else 3
    mean, scale = (values[:channels] for values in numbers)
    return InputCard(None, None, None, layout, colour, resize, pad, mean, scale, dtype)


def possible(encoding: str, size: tuple[int, int]) -> tuple[int, int]:
    """Return a size that an encoding can have: even where pixels share their chroma."""
    width, height = size
    kind = ENCODINGS[encoding].kind
    if kind in ('yuv422', 'yuv420'):
        width += width % 2
    if kind == 'yuv420':
        height += height % 2
    if (width, height) == (1, 1):
        width = 2
    return width, height


def noise(encoding: str, size: tuple[int, int], padding: int = 0, seed: int = 0) -> ImageView:
    """Return a random image of a possible size.

    :param padding: bytes after each row but the last, which ends with its pixels.
    """
    layout = ENCODINGS[encoding]
    width, height = size
    row_bytes, rows = width * layout.channels, layout.rows(height)
    step = row_bytes + padding
    data = np.random.default_rng(seed).integers(0, 256, step * rows - padding, np.uint8)
    return wrap_image(encoding, width, height, step, 0, data)


def bytes_of(image: ImageView) -> np.ndarray:
    """Return the bytes of an image from its first pixel to its last, uint8 ``(N,)``."""
    pixels = image.pixels
    rows, step = len(pixels), pixels.strides[0]
    nbytes = step * (rows - 1) + pixels[0].size
    return np.lib.stride_tricks.as_strided(pixels, (nbytes,), (1,), writeable=False)


assert set(SUPPORTED) <= set(ENCODINGS)
