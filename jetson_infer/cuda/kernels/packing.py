# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Which rows of an image have to reach the device at all.

Scaling 1080 lines to 360 samples every third row and none between: a third of the bytes to copy and
to upload, which takes longer than everything the device does with them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.encodings import ENCODINGS
from jetson_infer.cuda.kernels.geometry import RawImage

__all__ = ['Packing', 'packing_of']

_WORTH_IT = 0.75  # of the rows; above it, one large copy is as fast as many small ones


@dataclass(frozen=True)
class Packing:
    """The rows of an image that scaling samples.

    :param rows: their numbers, intp ``(N,)``: one for each scaled row where scaling hits their
        centres, else two.
    :param image: how they lie in a buffer once :meth:`copy` has put them there.
    :param each: how many there are for each scaled row, 1 or 2.
    :param period: how far those of one scaled row are behind those of the one before; 0 where that
        changes.
    """

    rows: npt.NDArray[np.intp]
    image: RawImage
    each: int
    period: int

    def copy(self, pixels: npt.NDArray[Any], out: npt.NDArray[np.uint8]) -> None:
        """Copy the rows, one behind the other.

        :param pixels: uint8 ``(H, W)`` or ``(H, W, C)``; rows may lie apart.
        :param out: uint8, of ``image.nbytes`` bytes at least; takes them from its beginning on.
        """
        step, row_bytes = pixels.strides[0], self.image.row_bytes
        target = out[: self.image.nbytes].reshape(-1, self.each, row_bytes)
        if self.period:
            np.copyto(
                target,
                np.lib.stride_tricks.as_strided(
                    pixels[self.rows[0] :], target.shape, (self.period * step, step, 1)
                ),
            )
        elif pixels.flags.c_contiguous:
            # 'clip' writes to the target at once, where NumPy would go through memory of its own.
            rows = self.rows.reshape(-1, self.each)
            np.take(pixels.reshape(-1, row_bytes), rows, axis=0, out=target, mode='clip')
        else:
            for row, place in zip(self.rows, target.reshape(-1, *pixels.shape[1:])):
                place[...] = pixels[row]


def packing_of(image: RawImage, geometry: np.void) -> Packing | None:
    """Tell which rows of an image are sampled, where leaving out the others is worth it.

    :param geometry: of the image, as it is.
    :return: None if most of the rows are sampled, if the image is packed already, or if its chroma
        has rows of its own.
    """
    if image.rows is not None or ENCODINGS[image.encoding].kind == 'yuv420':
        return None
    first, weight = _row_taps(geometry)
    each = 2 if weight.any() else 1
    if each * len(first) > _WORTH_IT * image.height:
        return None
    rows = (first[:, None] + np.arange(each)).reshape(-1).astype(np.intp)
    periods = np.unique(np.diff(first))
    packed = replace(image, step=image.row_bytes, rows=len(rows))
    return Packing(rows, packed, each, int(periods[0]) if len(periods) == 1 else 0)


def _row_taps(geometry: np.void) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return what `tap_at` of the kernel does: first rows, and the weights of those behind them."""
    lines, height = int(geometry['inner_height']), int(geometry['height'])
    position = geometry['start_y'] + geometry['step_y'] * np.arange(lines, dtype=np.int64)
    first = position >> 32
    weight = (((position & 0xFFFFFFFF) >> 20) + 1) >> 1
    weight[first > height - 2] = 2048
    return np.clip(first, 0, height - 2), weight
