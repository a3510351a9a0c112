# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Scaling a part of an image of numbers to another size, where some of the numbers are unknown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

__all__ = ['Resampler', 'Resize']

Plane = npt.NDArray[np.float32]
Resize = Callable[[Plane, Plane], None]
"""Scales all of the first array, ``(h, w)``, to the size of the second one, ``(H, W)``: bilinearly,
with values at pixels' centres and the outermost ones repeated."""

_SPAN = np.float32(1e6)
_ROUNDING = 1e-9  # of positions, in pixels
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
    :param resize: what scales where it can: a part that ends at pixels' edges, as most do, of
        positive numbers of which none is a million times another.  Unless given, and for all else,
        NumPy does.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        part: tuple[float, float, float, float],
        size: tuple[int, int],
        resize: Resize | None = None,
    ) -> None:
        left, top, right, bottom = part
        columns, self._columns = _prepare(shape[1], left, right, size[0])
        rows, self._rows = _prepare(shape[0], top, bottom, size[1])
        self.window = (rows, columns)
        """The rows and columns of the image that count."""
        ends = (columns.start, rows.start, columns.stop, rows.stop)
        self._resize = resize if part == ends else None
        self._shape = (size[1], size[0])
        self._wide = np.empty((2, rows.stop - rows.start, size[0]), np.float32)
        self._block = np.empty((min(_BLOCK_ROWS, size[1]), size[0]), np.float32)
        self._weights = np.empty(self._shape, np.float32)

    def resample(self, values: Plane, known: npt.NDArray[np.bool_] | None = None) -> Plane:
        """Scale one image.

        :param values: ``(h, w)``, the :attr:`window` of the image, C-contiguous.
        :param known: ``(h, w)``, which of them are known, and finite; all of them unless given.
        :return: ``(H, W)``, a new array; NaN where unknown.
        """
        found = np.empty(self._shape, np.float32)
        if known is None or known.all():
            self._scale(values, found, self._chosen(values.min(), values.max()))
            return found
        filled = np.where(known, values, np.float32(0))
        resize = self._chosen(np.where(known, values, np.float32(np.inf)).min(), filled.max())
        self._scale(filled, found, resize)
        self._scale(known.astype(np.float32), self._weights, resize)
        unknown = ~known.take(self._columns.nearest, axis=1)
        complete = np.asarray(known.all(axis=1))
        for rows in self._blocks():
            if complete[self._rows.low[rows][0] : self._rows.high[rows][-1] + 1].all():
                continue
            with np.errstate(invalid='ignore'):  # 0 / 0 far from what is known
                found[rows] /= self._weights[rows]
            np.copyto(
                found[rows],
                np.float32(np.nan),
                where=unknown.take(self._rows.nearest[rows], axis=0),
            )
        return found

    def _chosen(self, smallest: np.float32, largest: np.float32) -> Resize | None:
        """Return what may scale numbers of a range in NumPy's place.

        Some of OpenCV's ways go from one number to the next by a share of their difference, which
        in single precision loses the smaller one, and makes 0 of it, where the two differ so much.
        """
        return self._resize if largest <= _SPAN * smallest else None

    def _scale(self, values: Plane, out: Plane, resize: Resize | None) -> None:
        if self._columns.same and self._rows.same:
            out[...] = values
        elif resize is not None:
            resize(values, out)
        else:
            wide = values if self._columns.same else self._across(values)
            for rows in self._blocks():
                self._down(wide, rows, out[rows])

    def _blocks(self) -> Iterator[slice]:
        for begin in range(0, self._shape[0], _BLOCK_ROWS):
            yield slice(begin, min(begin + _BLOCK_ROWS, self._shape[0]))

    # Weights that are multiplied and added keep positive numbers positive, where a step from one to
    # the other can be rounded to all of it.

    def _across(self, values: Plane) -> Plane:
        axis = self._columns
        wide, other = self._wide
        np.take(values, axis.low, axis=1, out=wide, mode='clip')
        np.take(values, axis.high, axis=1, out=other, mode='clip')
        wide *= axis.low_weight
        other *= axis.high_weight
        wide += other
        return wide

    def _down(self, wide: Plane, rows: slice, out: Plane) -> None:
        axis = self._rows
        other = self._block[: len(out)]
        np.take(wide, axis.low[rows], axis=0, out=out, mode='clip')
        np.take(wide, axis.high[rows], axis=0, out=other, mode='clip')
        out *= axis.low_weight[rows, np.newaxis]
        other *= axis.high_weight[rows, np.newaxis]
        out += other


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
        self.nearest = np.where(share <= 0.5 + _ROUNDING, self.low, self.high)
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
