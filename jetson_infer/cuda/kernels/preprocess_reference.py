# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the preprocessing kernel computes, in NumPy, to the bit.

Integers throughout until the last step, which has one rounding an operation: so a GPU, a host
compiler and NumPy agree exactly.  Against OpenCV's chain the pixels differ by one level at most
(docs/kernels.md says where).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ['preprocess_reference']

Planes = list[npt.NDArray[np.int64]]
"""Red, green and blue, or grey alone; each ``(rows, columns)``."""

# ITU-R BT.601 with luma from 16 to 235, as OpenCV has it: times 2^20.
_LUMA, _RED_V, _GREEN_U, _GREEN_V, _BLUE_U = 1220542, 1673527, -409993, -852492, 2116026
_GREY = (9798, 19235, 3735)  # 0.299, 0.587 and 0.114 times 2^15
_UNIT = 2048  # of the weights


def preprocess_reference(
    data: npt.NDArray[np.uint8],
    encoding: str,
    geometry: np.void,
    colour: str,
    planar: bool,
    dtype: npt.DTypeLike,
) -> npt.NDArray[Any]:
    """Prepare an image for a network.

    :param data: uint8 ``(N,)``; the image's bytes.
    :param encoding: a canonical name of :data:`~jetson_infer.cuda.kernels.geometry.SUPPORTED`.
    :param geometry: a scalar of :data:`~jetson_infer.cuda.kernels.geometry.GEOMETRY`.
    :param colour: ``rgb``, ``bgr`` or ``grey``.
    :param planar: NCHW, or NHWC.
    :param dtype: float32, float16 or uint8.
    :return: ``(1, C, H, W)`` or ``(1, H, W, C)`` of `dtype`.
    """
    samples = _samples(data, encoding, geometry, grey=colour == 'grey')
    channels = _in_colour(_scaled(samples, geometry), colour)
    pad_x, pad_y = int(geometry['pad_x']), int(geometry['pad_y'])
    height, width = channels[0].shape
    pixels: npt.NDArray[np.uint8] = np.full(
        (len(channels), int(geometry['network_height']), int(geometry['network_width'])),
        geometry['pad_value'],
        np.uint8,
    )
    for plane, channel in zip(pixels, channels):
        plane[pad_y : pad_y + height, pad_x : pad_x + width] = channel
    if not planar:
        pixels = np.moveaxis(pixels, 0, 2)
    if np.dtype(dtype) == np.uint8:
        return np.ascontiguousarray(pixels)[None]
    shape = (-1, 1, 1) if planar else (-1,)
    mean, scale = (geometry[name][: len(channels)].reshape(shape) for name in ('mean', 'scale'))
    numbers = (pixels.astype(np.float32) - mean) * scale
    with np.errstate(over='ignore'):
        return np.ascontiguousarray(numbers.astype(dtype))[None]


def _samples(data: npt.NDArray[np.uint8], encoding: str, geometry: np.void, grey: bool) -> Planes:
    """Return the whole image's samples; grey where the encoding is, or gives the luma for it."""
    step, width, height = (int(geometry[name]) for name in ('step', 'width', 'height'))
    if geometry['packed']:
        height = int(geometry['packed'] * geometry['inner_height'])

    def rows(first: int, count: int, row_bytes: int) -> npt.NDArray[np.int64]:
        view: npt.NDArray[np.uint8] = np.ndarray(
            (count, row_bytes), np.uint8, data, first * step, (step, 1)
        )
        return view.astype(np.int64)

    if encoding == 'mono8':
        return [rows(0, height, width)]
    if encoding in ('nv12', 'nv21'):
        luma = rows(0, height, width)
        if grey:
            return [luma]
        pairs = rows(height, height // 2, width).reshape(height // 2, width // 2, 2)
        chroma = pairs.repeat(2, axis=0).repeat(2, axis=1)
        order = (0, 1) if encoding == 'nv12' else (1, 0)
        return _from_yuv(luma, chroma[..., order[0]], chroma[..., order[1]])
    if encoding in ('uyvy', 'yuyv'):
        quads = rows(0, height, 2 * width).reshape(height, width // 2, 4)
        luma_at, u_at = ((1, 3), 0) if encoding == 'uyvy' else ((0, 2), 1)
        luma = quads[..., luma_at].reshape(height, width)
        if grey:
            return [luma]
        return _from_yuv(luma, *(quads[..., u_at + i].repeat(2, axis=1) for i in (0, 2)))
    channels = 4 if 'a' in encoding else 3
    pixels = rows(0, height, channels * width).reshape(height, width, channels)
    return [pixels[..., i] for i in ((0, 1, 2) if encoding.startswith('rgb') else (2, 1, 0))]


def _from_yuv(
    luma: npt.NDArray[np.int64], u: npt.NDArray[np.int64], v: npt.NDArray[np.int64]
) -> Planes:
    base = np.maximum(luma - 16, 0) * _LUMA + (1 << 19)
    u, v = u - 128, v - 128
    sums = (base + _RED_V * v, base + _GREEN_V * v + _GREEN_U * u, base + _BLUE_U * u)
    return [np.clip(total >> 20, 0, 255) for total in sums]


def _scaled(samples: Planes, geometry: np.void) -> Planes:
    x, weight_x = _taps(geometry, 'x', int(geometry['width']), int(geometry['inner_width']))
    y, weight_y = _taps(geometry, 'y', int(geometry['height']), int(geometry['inner_height']))
    if geometry['packed']:
        # The first of a pair is the row before the last at most, as in the kernel.
        last = y == geometry['height'] - 1
        weight_y = np.where(last, _UNIT, weight_y)
        y = geometry['packed'] * np.arange(len(y))
    next_x, next_y = x + (weight_x > 0), y + (weight_y > 0)
    down = weight_y[:, None]
    scaled = []
    for plane in samples:
        upper, lower = (
            ((_UNIT - weight_x) * plane[np.ix_(line, x)] + weight_x * plane[np.ix_(line, next_x)])
            >> 4
            for line in (y, next_y)
        )
        scaled.append((((_UNIT - down) * upper >> 16) + (down * lower >> 16) + 2) >> 2)
    return scaled


def _taps(
    geometry: np.void, axis: str, extent: int, count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the first source pixel of every scaled one, and the weight of the second."""
    position = geometry[f'start_{axis}'] + geometry[f'step_{axis}'] * np.arange(count, dtype='i8')
    position = np.clip(position, 0, (extent - 1) << 32)
    first = position >> 32
    weight = ((position & 0xFFFFFFFF) + (1 << 20)) >> 21
    return first, weight


def _in_colour(samples: Planes, colour: str) -> Planes:
    if colour == 'grey':
        if len(samples) == 1:
            return samples
        red, green, blue = (part * plane for part, plane in zip(_GREY, samples))
        return [(red + green + blue + (1 << 14)) >> 15]
    if len(samples) == 1:
        return samples * 3
    return samples if colour == 'rgb' else samples[::-1]
