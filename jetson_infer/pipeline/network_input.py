# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The array that is a network's input: where an image goes in it, and the padding around it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.cards import InputCard
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.pipeline.normalize import Normalization
from jetson_infer.pipeline.scratch import Scratch

__all__ = ['NetworkInput']


class NetworkInput:
    """One network's input, prepared for images of one geometry.

    The padding is written here, once.  Whoever writes into the array by other ways makes a new one
    of these.

    :param array: ``(1, C, H, W)`` or ``(1, H, W, C)`` as the card says; C-contiguous; float32,
        float16, or uint8 where the card neither shifts nor scales.
    :param letterbox: where the image lies.
    :raises ValueError: if the array's shape, type or order do not fit.
    """

    def __init__(
        self,
        array: npt.NDArray[Any],
        letterbox: Letterbox,
        card: InputCard,
        cv2: ModuleType,
        scratch: Scratch,
    ) -> None:
        _check(array, card, letterbox.network_size)
        self.array = array
        self.letterbox = letterbox
        self._cv2 = cv2
        self._scratch = scratch
        self._colour = card.colour
        self._normalization = Normalization(card, array.dtype, letterbox.inner_size[0], cv2)
        self._raw = array.dtype == np.uint8
        # With one channel both layouts are the same bytes.
        self._planar = card.layout == 'nchw' or card.channels == 1
        width, height = letterbox.network_size
        planes = array.reshape(-1, height, width) if self._planar else np.moveaxis(array[0], 2, 0)
        self._fill(planes, card.pad_value)
        (width, height), left, top = letterbox.inner_size, letterbox.pad_x, letterbox.pad_y
        inner = planes[:, top : top + height, left : left + width]
        self._planes = list(inner)
        self._image = np.moveaxis(inner, 0, 2)

    def write(self, pixels: npt.NDArray[np.uint8], order: str) -> None:
        """Normalize an image into its place.

        :param pixels: uint8, of the letterbox's inner size; ``(h, w)`` for ``grey``, else
            ``(h, w, C)``; rows may lie apart.
        :param order: ``grey``, ``rgb``, ``bgr``, ``rgba`` or ``bgra``.
        """
        if not self._planar:
            self._write_interleaved(pixels, order)
        elif order == 'grey':
            self._write_grey(pixels)
        elif self._colour == 'grey':
            self._write_grey(self._reordered(pixels, order, self._planes[0]))
        else:
            self._write_planes(pixels, order)

    def _write_grey(self, pixels: npt.NDArray[np.uint8]) -> None:
        for channel, plane in enumerate(self._planes):
            if channel and self._normalization.uniform:
                np.copyto(plane, self._planes[0])
            elif pixels is not plane:
                self._normalization.plane(pixels, plane, channel)

    def _write_planes(self, pixels: npt.NDArray[np.uint8], order: str) -> None:
        size = pixels.shape[:2]
        planes = self._planes
        if not self._raw:
            planes = list(self._scratch.array('planes', (len(planes), *size)))
        of_letter = dict(zip(self._colour, planes))
        if 'a' in order:
            of_letter['a'] = self._scratch.array('alpha', size)
        self._cv2.split(pixels, [of_letter[letter] for letter in order])
        if not self._raw:
            for channel, plane in enumerate(planes):
                self._normalization.plane(plane, self._planes[channel], channel)

    def _write_interleaved(self, pixels: npt.NDArray[np.uint8], order: str) -> None:
        if order != self._colour:
            pixels = self._reordered(pixels, order, self._image)
        if pixels is not self._image:
            self._normalization.interleaved(pixels, self._image)

    def _reordered(
        self, pixels: npt.NDArray[np.uint8], order: str, target: npt.NDArray[Any]
    ) -> npt.NDArray[np.uint8]:
        """Return the pixels in the network's colours: in the target itself if it takes bytes."""
        if not self._raw:
            target = self._scratch.array('reordered', target.shape)
        code = getattr(self._cv2, f'COLOR_{_opencv(order)}2{_opencv(self._colour)}')
        self._cv2.cvtColor(pixels, code, target)
        return target

    def _fill(self, planes: npt.NDArray[Any], pad_value: int) -> None:
        pad = np.full((1, 1), pad_value, np.uint8)
        value = np.empty((1, 1), planes.dtype)
        for channel, plane in enumerate(planes):
            self._normalization.plane(pad, value, channel)
            plane[...] = value


def _opencv(order: str) -> str:
    return 'GRAY' if order == 'grey' else order.upper()


def _check(array: npt.NDArray[Any], card: InputCard, size: tuple[int, int]) -> None:
    shape = card.shape(size)
    if array.shape != shape or not array.flags.c_contiguous or not array.flags.writeable:
        raise ValueError(
            f'the network input must be a writable, C-contiguous {shape}, not {array.shape} with '
            f'strides {array.strides}'
        )
    plain = set(card.mean) == {0.0} and set(card.scale) == {1.0}
    if array.dtype not in (np.float32, np.float16) and not (array.dtype == np.uint8 and plain):
        raise ValueError(
            f'the network input must be float32 or float16, or uint8 with mean 0 and scale 1, not '
            f'{array.dtype} with mean {card.mean} and scale {card.scale}'
        )
