# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images as metres, by the rules of ROS (REP 118).

``32FC1`` is in metres; what is too near is -inf there, too far +inf, and unknown NaN.  ``16UC1`` is
in millimetres, 0 where unknown.  Here all that is no depth is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.image_rows import check_rows
from jetson_infer.core.images import wrap_image
from jetson_infer.errors import FrameRejected

if TYPE_CHECKING:
    import array

    Buffer = bytes | bytearray | memoryview | array.array[int] | npt.NDArray[np.uint8]

__all__ = [
    'DEPTH_ENCODINGS',
    'Depth',
    'from_inverse',
    'from_metres',
    'from_millimetres',
    'to_depth',
]

DEPTH_ENCODINGS = ('32FC1', '16UC1', 'mono16')
"""What :func:`to_depth` reads; some drivers call their millimetres ``mono16``."""

Depth = npt.NDArray[np.float32]
"""``(H, W)`` in metres, above 0 and finite, or NaN where unknown."""


def to_depth(
    encoding: str, width: int, height: int, step: int, is_bigendian: bool | int, data: Buffer
) -> Depth:
    """Read the fields of a `sensor_msgs/Image` that holds depth.

    :param step: bytes from one row to the next, padding included.
    :raises FrameRejected: ``unknown_encoding``, ``zero_size``, ``too_small``, ``bad_step``,
        ``short_data``, ``long_data``, as :func:`~jetson_infer.core.images.wrap_image`.
    """
    if encoding not in DEPTH_ENCODINGS:
        raise FrameRejected(
            'unknown_encoding',
            f"an image of encoding '{encoding}' is no depth image; these are: "
            f'{", ".join(DEPTH_ENCODINGS)}',
        )
    if encoding != '32FC1':
        return from_millimetres(
            wrap_image(encoding, width, height, step, is_bigendian, data).pixels
        )
    if width <= 0 or height <= 0:
        raise FrameRejected('zero_size', f'a 32FC1 image of {width}x{height} has no pixels')
    # NumPy's stubs tell of its arrays' buffers from Python 3.12 on.
    length = memoryview(data).nbytes  # type: ignore[arg-type]
    check_rows(encoding, (width, height), height, (1, 4), step, length)
    dtype = np.dtype('>f4' if is_bigendian else '<f4')
    return from_metres(np.ndarray((height, width), dtype, data, 0, (step, 4)))


def from_metres(values: npt.NDArray[Any]) -> Depth:
    """Return depths in metres; NaN for what is not finite or not above 0."""
    known = np.isfinite(values) & (values > 0)
    return np.where(known, values, np.nan).astype(np.float32)


def from_millimetres(values: npt.NDArray[Any]) -> Depth:
    """Return unsigned millimetres as metres; NaN for 0."""
    return from_metres(values * np.float32(0.001))


def from_inverse(values: npt.NDArray[np.uint16], scale: float, offset: float) -> Depth:
    """Return depths from the inverse ones that `compressed_depth_image_transport` stores.

    :param values: 0 where unknown.
    :param scale: its first parameter: a depth is ``scale / (value - offset)``.
    :param offset: its second.
    :return: NaN also where the parameters make no depth of a value.
    """
    with np.errstate(divide='ignore', invalid='ignore', over='ignore'):
        depths = np.float64(scale) / (values - np.float64(offset))
        depths[values == 0] = np.nan
        return from_metres(depths.astype(np.float32))
