# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""``(pixel - mean) * scale`` from 8-bit pixels to the network's own type.

Which operation serves which type was measured (`tools/benchmarks/normalization.py`).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.cards import InputCard

__all__ = ['Normalization']


class Normalization:
    """How the pixels of one card's input become numbers of one type.

    :param card: gives mean and scale, one a channel.
    :param dtype: float32, float16, or uint8, which takes pixels as they are.
    :param width: pixels in a row.
    :param cv2: OpenCV.
    """

    def __init__(self, card: InputCard, dtype: np.dtype[Any], width: int, cv2: ModuleType) -> None:
        self._cv2 = cv2
        self._dtype = dtype
        self._pairs = list(zip(card.mean, card.scale))
        self.uniform = len(set(self._pairs)) == 1
        """Whether all channels are treated alike."""
        # Whole rows: NumPy would be slow on a row of three numbers a pixel.
        self._mean_row = np.tile(np.array(card.mean, np.float32), (width, 1))
        self._scale_row = np.tile(np.array(card.scale, np.float32), (width, 1))
        if dtype == np.float16:
            values = (np.arange(256)[:, None] - card.mean) * np.array(card.scale)
            table = values.astype(np.float16).view(np.uint16)  # OpenCV looks up bits, not floats
            self._tables = [np.ascontiguousarray(column) for column in table.T]
            self._table = self._tables[0] if self.uniform else table[None]

    def plane(self, source: npt.NDArray[np.uint8], target: npt.NDArray[Any], channel: int) -> None:
        """Write one channel.

        :param source: uint8 ``(h, w)``.
        :param target: ``(h, w)``; rows may lie apart.
        :param channel: its index in the network's input.
        """
        if self._dtype == np.float32:
            self._affine(source, target, *self._pairs[channel])
        elif self._dtype == np.float16:
            self._cv2.LUT(source, self._tables[channel], target.view(np.uint16))
        else:
            np.copyto(target, source)

    def interleaved(self, source: npt.NDArray[np.uint8], target: npt.NDArray[Any]) -> None:
        """Write all channels.

        :param source: uint8 ``(h, w, C)``, channels in the network's order.
        :param target: ``(h, w, C)``; rows may lie apart.
        """
        if self._dtype == np.float32 and self.uniform:
            self._affine(source, target, *self._pairs[0])
        elif self._dtype == np.float32:
            np.copyto(target, source)
            np.subtract(target, self._mean_row, out=target)
            np.multiply(target, self._scale_row, out=target)
        elif self._dtype == np.float16:
            self._cv2.LUT(source, self._table, target.view(np.uint16))
        else:
            np.copyto(target, source)

    def _affine(
        self,
        source: npt.NDArray[np.uint8],
        target: npt.NDArray[np.float32],
        mean: float,
        scale: float,
    ) -> None:
        if mean:
            shift, depth = -mean * scale, self._cv2.CV_32F
            self._cv2.addWeighted(source, scale, source, 0.0, shift, target, depth)
            return
        np.copyto(target, source)
        if scale != 1:
            np.multiply(target, np.float32(scale), out=target)
