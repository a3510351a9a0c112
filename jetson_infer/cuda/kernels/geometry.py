# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the preprocessing kernel is told: how an image's bytes lie and where its pixels go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jetson_infer.core.cards import InputCard
from jetson_infer.core.encodings import ENCODINGS
from jetson_infer.core.images import ImageView
from jetson_infer.core.letterbox import Letterbox

__all__ = ['GEOMETRY', 'SUPPORTED', 'RawImage', 'geometry_of', 'supports']

SUPPORTED = ('mono8', 'rgb8', 'bgr8', 'rgba8', 'bgra8', 'uyvy', 'yuyv', 'nv12', 'nv21')
"""Canonical names of the encodings that the kernel reads."""

GEOMETRY = np.dtype(
    [
        ('start_x', 'i8'), ('step_x', 'i8'), ('start_y', 'i8'), ('step_y', 'i8'),
        ('step', 'i4'), ('width', 'i4'), ('height', 'i4'),
        ('inner_width', 'i4'), ('inner_height', 'i4'), ('pad_x', 'i4'), ('pad_y', 'i4'),
        ('network_width', 'i4'), ('network_height', 'i4'), ('packed', 'i4'), ('pad_value', 'i4'),
        ('mean', 'f4', 3), ('scale', 'f4', 3),
    ],
    align=True,
)  # fmt: skip
"""The kernel's ``Geometry``, member by member (preprocess.cu).

``start_*`` and ``step_*`` are 32.32 fixed point: the scaled pixel ``i`` is sampled at the source
position ``start + step * i``, where 0 is the centre of the first source pixel.
"""

_ONE = 1 << 32
_LARGEST_STEP = np.iinfo(np.int32).max


def supports(encoding: str) -> bool:
    """Tell whether the kernel reads an encoding; any name of `sensor_msgs/Image`, aliases included.

    The others (16 bits, mosaics, compressed images) are converted on the host first.
    """
    known = ENCODINGS.get(encoding)
    return known is not None and known.name in SUPPORTED


@dataclass(frozen=True)
class RawImage:
    """How an image lies in a buffer; its bytes are as the message had them.

    :param encoding: a canonical name of :data:`SUPPORTED`.
    :param width: pixels in a row.
    :param height: rows of pixels.
    :param step: bytes from one row to the next.
    :param rows: how many of the image's rows lie there if only those do that scaling samples
        (:mod:`~jetson_infer.cuda.kernels.packing`); None: all of them.
    """

    encoding: str
    width: int
    height: int
    step: int
    rows: int | None = None

    @staticmethod
    def of(image: ImageView) -> RawImage:
        """Describe the bytes of an image that was checked (``core/images.py``)."""
        return RawImage(image.encoding, image.width, image.height, image.pixels.strides[0])

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height

    @property
    def row_bytes(self) -> int:
        """The bytes of a row that mean something."""
        return self.width * ENCODINGS[self.encoding].channels

    @property
    def nbytes(self) -> int:
        """The bytes that are read; of the last row, no padding."""
        rows = ENCODINGS[self.encoding].rows(self.height) if self.rows is None else self.rows
        return self.step * (rows - 1) + self.row_bytes


def geometry_of(image: RawImage, letterbox: Letterbox, card: InputCard) -> np.void:
    """Tell the kernel about images of one kind.

    Pixel centres of source and scaled image correspond as in OpenCV: the scaled pixel ``i`` lies at
    ``(i + 0.5) * step - 0.5``.

    :param letterbox: the geometry of an image of this size.
    :param card: gives padding, mean and scale.
    :return: a scalar of :data:`GEOMETRY`.
    :raises ValueError: for an image whose rows lie farther apart than the kernel can count, or that
        was packed for another geometry.
    """
    if image.step > _LARGEST_STEP:
        raise ValueError(f'a step of {image.step} bytes; at most {_LARGEST_STEP} can be')
    record = np.zeros((), GEOMETRY)
    for axis, source, inner in zip('xy', image.size, letterbox.inner_size):
        step = (source * _ONE + inner // 2) // inner
        record[f'step_{axis}'] = step
        record[f'start_{axis}'] = step // 2 - _ONE // 2
    record['step'], record['width'], record['height'] = image.step, image.width, image.height
    record['inner_width'], record['inner_height'] = letterbox.inner_size
    if image.rows is not None:
        record['packed'], rest = divmod(image.rows, letterbox.inner_size[1])
        if rest or record['packed'] not in (1, 2):
            raise ValueError(
                f'{image.rows} packed rows are not 1 or 2 for each of {letterbox.inner_size[1]}'
            )
    record['pad_x'], record['pad_y'] = letterbox.pad_x, letterbox.pad_y
    record['network_width'], record['network_height'] = letterbox.network_size
    record['pad_value'] = card.pad_value
    record['mean'][: card.channels] = card.mean
    record['scale'][: card.channels] = card.scale
    scalar: np.void = record[()]  # type: ignore[assignment]  # of a structured array () it is one
    return scalar
