# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Scaling a part of an image of numbers to another size, where some of the numbers are unknown."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ['Resampler']

Plane = npt.NDArray[np.float32]

_BLOCK_ROWS = 32  # of the result, worked on together: they fit a processor's cache


class Resampler:
    """Bilinear scaling of one part of images of one size, prepared once.

    Coordinates are continuous, as in :class:`~jetson_infer.core.letterbox.Letterbox`: pixel ``i``
    covers ``[i, i + 1)`` and has its value at ``i + 0.5``.  Within the part the result is that of
    OpenCV's `INTER_LINEAR`; where the part ends between pixels, the pixels count whose centres lie
    within it, and no other one.  At the edges the outermost of them is repeated.

    Of the four pixels around a position the known ones alone count, by their bilinear weights over
    the sum of those; the result is unknown where the nearest one is (of two that are as near, the
    left or upper one).  So an unknown pixel neither changes what is known nor spreads, and what is
    known keeps its outline.

    Used by one thread.

    :param shape: height and width of the images.
    :param part: left, top, right and bottom of the part, in pixels; within the image, not empty.
    :param size: width and height of the result, in pixels.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        part: tuple[float, float, float, float],
        size: tuple[int, int],
    ) -> None:
        left, top, right, bottom = part
        columns, self._columns = _prepare(shape[1], left, right, size[0])
        rows, self._rows = _prepare(shape[0], top, bottom, size[1])
        self.window = (rows, columns)
        """The rows and columns of the image that count."""
        self._shape = (size[1], size[0])
        inner = (rows.stop - rows.start, size[0])
        self._wide = np.empty((3, *inner), np.float32)
        self._block = np.empty((2, min(_BLOCK_ROWS, size[1]), size[0]), np.float32)

    def resample(self, values: Plane, known: npt.NDArray[np.bool_] | None = None) -> Plane:
        """Scale one image.

        :param values: ``(h, w)``, the :attr:`window` of the image, finite.
        :param known: ``(h, w)``, which of them are known; all of them unless given.
        :return: ``(H, W)``, a new array; NaN where unknown.
        """
        found = np.empty(self._shape, np.float32)
        wide = self._across(values, self._wide[0])
        if known is None or known.all():
            for begin in range(0, self._shape[0], _BLOCK_ROWS):
                rows = slice(begin, begin + _BLOCK_ROWS)
                self._down(wide, rows, found[rows])
            return found
        weights = self._across(known.astype(np.float32), self._wide[1])
        nearest = known.take(self._columns.nearest, axis=1)
        complete = np.asarray(known.all(axis=1))
        wide = self._across(np.where(known, values, np.float32(0)), self._wide[0])
        for begin in range(0, self._shape[0], _BLOCK_ROWS):
            rows = slice(begin, begin + _BLOCK_ROWS)
            part = found[rows]
            self._down(wide, rows, part)
            if complete[self._rows.low[rows][0] : self._rows.high[rows][-1] + 1].all():
                continue
            weight = self._down(weights, rows, self._block[1, : len(part)])
            with np.errstate(invalid='ignore'):  # 0 / 0 far from what is known
                part /= weight
            unknown = ~nearest.take(self._rows.nearest[rows], axis=0)
            np.copyto(part, np.float32(np.nan), where=unknown)
        return found

    def _across(self, values: Plane, out: Plane) -> Plane:
        """Scale horizontally; `out` may be left alone."""
        axis = self._columns
        if axis.same:
            return values
        other = self._wide[2]
        np.take(values, axis.low, axis=1, out=out, mode='clip')
        np.take(values, axis.high, axis=1, out=other, mode='clip')
        out *= axis.low_weight
        other *= axis.high_weight
        out += other
        return out

    def _down(self, wide: Plane, rows: slice, out: Plane) -> Plane:
        """Scale vertically, a block of the result's rows."""
        axis = self._rows
        if axis.same:
            out[...] = wide[rows]
            return out
        # Weights that are multiplied and added keep positive numbers positive, where the step from
        # one to the other can be rounded to all of it.
        other = self._block[0, : len(out)]
        np.take(wide, axis.low[rows], axis=0, out=out, mode='clip')
        np.take(wide, axis.high[rows], axis=0, out=other, mode='clip')
        out *= axis.low_weight[rows, np.newaxis]
        other *= axis.high_weight[rows, np.newaxis]
        out += other
        return out


class _Axis:
    """Which two pixels every position lies between, and their weights.

    :param positions: where in the window, in pixels from the first one's centre.
    :param extent: how many pixels the window has.
    """

    def __init__(self, positions: npt.NDArray[np.floating], extent: int) -> None:
        self.low = np.floor(positions).astype(np.intp)
        self.high = np.minimum(self.low + 1, extent - 1)
        share = positions - self.low
        self.high_weight = share.astype(np.float32)
        self.low_weight = (1 - share).astype(np.float32)
        self.nearest = np.where(share <= 0.5, self.low, self.high)
        self.same = bool(len(positions) == extent and not share.any())


def _prepare(extent: int, begin: float, end: float, count: int) -> tuple[slice, _Axis]:
    """Return the pixels whose centres lie in ``[begin, end)``, and the positions among them."""
    first = math.ceil(begin - 0.5)
    last = math.ceil(end - 0.5) - 1
    if first > last:  # a part thinner than a pixel has the one around its middle
        first = last = int((begin + end) / 2)
    first, last = max(0, min(first, extent - 1)), max(0, min(last, extent - 1))
    positions = begin + (np.arange(count) + 0.5) * ((end - begin) / count) - 0.5 - first
    np.clip(positions, 0, last - first, out=positions)
    return slice(first, last + 1), _Axis(positions, last - first + 1)
