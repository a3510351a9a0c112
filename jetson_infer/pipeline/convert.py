# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From every encoding to 8-bit pixels whose channels have names.

Encodings that are such pixels already pass through as the views they are.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import numpy.typing as npt

from jetson_infer.core.encodings import ENCODINGS
from jetson_infer.core.images import CompressedView, ImageView, wrap_image
from jetson_infer.dependencies import require
from jetson_infer.errors import FrameRejected
from jetson_infer.pipeline.scratch import Scratch

__all__ = ['Converter', 'Pixels']

# OpenCV names a mosaic after the second and third pixel of its second row; ROS, after its first two
# rows.
_OPENCV_MOSAICS = {'rggb': 'BG', 'bggr': 'RG', 'gbrg': 'GR', 'grbg': 'GB'}
_SIXTEEN_TO_EIGHT_BITS = 255 / 65535


@dataclass(frozen=True)
class Pixels:
    """8-bit pixels.

    :param data: uint8 ``(H, W)`` for ``grey``, else ``(H, W, C)``; rows may lie apart.
    :param order: the channels' order: ``grey``, ``rgb``, ``bgr``, ``rgba`` or ``bgra``.
    """

    data: npt.NDArray[np.uint8]
    order: str


class Converter:
    """Converts images; what it returns lives until its next call.  Used by one thread.

    Colours are converted as OpenCV, and with it `cv_bridge`, does: YUV is ITU-R BT.601 with luma
    from 16 to 235; mosaics are interpolated bilinearly.
    """

    def __init__(self) -> None:
        cv2 = require('cv2', 'Converting images')
        self._cv2 = cv2
        self._scratch = Scratch()
        self._to_bgr = _codes(cv2, 'BGR')
        self._to_grey = _codes(cv2, 'GRAY')
        self._order_to_bgr = {
            'grey': cv2.COLOR_GRAY2BGR,
            'rgb': cv2.COLOR_RGB2BGR,
            'rgba': cv2.COLOR_RGBA2BGR,
            'bgra': cv2.COLOR_BGRA2BGR,
        }

    def decode(self, image: CompressedView) -> ImageView:
        """Decompress a JPEG or PNG.

        Pixels come as they were stored: with 16 bits where the file has them, and not turned by
        the orientation in a JPEG's EXIF data, since the camera's calibration holds for the sensor.

        :return: ``mono``, ``bgr`` or ``bgra`` of 8 or 16 bits, ``rgb`` or ``rgba`` for a sender
            that compressed red first, or the mosaic that the sender compressed as if it were grey.
        :raises FrameRejected: ``decode_failed``.
        """
        try:
            pixels = self._cv2.imdecode(image.data, self._cv2.IMREAD_UNCHANGED)
        except self._cv2.error as error:
            raise _decode_failed(image, str(error).strip()) from error
        if pixels is None:
            raise _decode_failed(image, 'its content is damaged')
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        bits = pixels.itemsize * 8
        names = {1: 'mono', 3: 'bgr', 4: 'bgra'}
        if image.red_first:
            names.update({3: 'rgb', 4: 'rgba'})
        if channels not in names or bits not in (8, 16):
            raise _decode_failed(image, f'{channels} channels of {pixels.dtype} are not an image')
        encoding = f'{names[channels]}{bits}'
        source = ENCODINGS.get(image.source_encoding)
        if channels == 1 and source and source.kind == 'bayer' and source.itemsize * 8 == bits:
            encoding = source.name
        height, width = pixels.shape[:2]
        big_endian = sys.byteorder == 'big'
        return wrap_image(encoding, width, height, pixels.strides[0], big_endian, pixels)

    def to_pixels(self, image: ImageView, grey: bool = False) -> Pixels:
        """Return an image as 8-bit pixels: a view where the encoding is that already.

        16 bits become 8 as in `cv_bridge`: 65535 becomes 255, rounded.

        :param grey: whether grey will do.  Mosaics and YUV are then converted to grey right away,
            YUV by taking its luma as it is; interleaved colours stay.
        """
        encoding = ENCODINGS[image.encoding]
        data, order = image.pixels, str(encoding.kind)
        if not data.dtype.isnative:
            native = self._scratch.array('native', data.shape, data.dtype.newbyteorder('='))
            np.copyto(native, data)
            data = native
        if encoding.kind == 'yuv420' and grey:
            data, order = data[: image.height], 'grey'
        elif encoding.kind in ('bayer', 'yuv420', 'yuv422'):
            code = (self._to_grey if grey else self._to_bgr)[encoding.name]
            shape = (image.height, image.width) if grey else (image.height, image.width, 3)
            colours = self._scratch.array('colours', shape, data.dtype)
            data, order = self._cv2.cvtColor(data, code, colours), 'grey' if grey else 'bgr'
        if data.itemsize == 2:
            eight = self._scratch.array('eight bits', data.shape)
            data = self._cv2.convertScaleAbs(data, eight, _SIXTEEN_TO_EIGHT_BITS)
        return Pixels(data, order)

    def to_bgr(self, image: ImageView | CompressedView) -> npt.NDArray[np.uint8]:
        """Return an image as BGR, for people to look at.

        :return: uint8 ``(H, W, 3)``.  For `bgr8` it is the message's own memory, read-only: copy
            it before drawing on it.
        :raises FrameRejected: ``decode_failed``.
        """
        if isinstance(image, CompressedView):
            image = self.decode(image)
        pixels = self.to_pixels(image)
        if pixels.order == 'bgr':
            return pixels.data
        bgr = self._scratch.array('bgr', (image.height, image.width, 3))
        return self._cv2.cvtColor(pixels.data, self._order_to_bgr[pixels.order], bgr)


def _codes(cv2: ModuleType, to: str) -> dict[str, int]:
    codes = {
        name: getattr(cv2, f'COLOR_YUV2{to}_{name.upper()}')
        for name in ('uyvy', 'yuyv', 'nv12', 'nv21')
    }
    for pattern, opencv in _OPENCV_MOSAICS.items():
        for bits in (8, 16):
            codes[f'bayer_{pattern}{bits}'] = getattr(cv2, f'COLOR_Bayer{opencv}2{to}')
    return codes


def _decode_failed(image: CompressedView, why: str) -> FrameRejected:
    return FrameRejected(
        'decode_failed', f'{image.codec} data of {image.data.nbytes} bytes cannot be decoded: {why}'
    )
