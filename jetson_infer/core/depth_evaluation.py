# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How good depth images are: relative error, delta1, and the error at each range.

Absolute relative error and delta1 are those of Eigen, Puhrsch and Fergus, "Depth map prediction
from a single image using a multi-scale deep network", 2014.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ['RANGES_M', 'DepthEvaluation', 'DepthFigures', 'RangeError']

RANGES_M = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, math.inf)
DELTA1 = 1.25


@dataclass(frozen=True)
class RangeError:
    """The error of pixels whose true depth lies in ``[near_m, far_m)``.

    :param pixels: how many have a prediction.
    :param mean_error_m: the mean of ``|depth - truth|`` in metres; NaN without pixels.
    :param mean_bias_m: the mean of ``depth - truth`` in metres; below 0 where things seem nearer.
    """

    near_m: float
    far_m: float
    pixels: int
    mean_error_m: float
    mean_bias_m: float


@dataclass(frozen=True)
class DepthFigures:
    """All frames together, over the pixels that have a truth and a prediction.

    :param pixels: how many.
    :param coverage: of the pixels that have a truth, the share that has a prediction; NaN where
        there is no truth.
    :param abs_rel: the mean of ``|depth - truth| / truth``; NaN without pixels.
    :param delta1: the share with ``max(depth / truth, truth / depth) < 1.25``; NaN without pixels.
    :param at_range: the errors by the true depth, near to far.
    """

    pixels: int
    coverage: float
    abs_rel: float
    delta1: float
    at_range: tuple[RangeError, ...]


class DepthEvaluation:
    """Collects depth images and tells how good they are.

    :param ranges_m: the limits between ranges, rising, at least two, in metres.
    :raises ValueError: if the limits do not rise.
    """

    def __init__(self, ranges_m: Sequence[float] = RANGES_M) -> None:
        if len(ranges_m) < 2 or any(a >= b for a, b in pairwise(ranges_m)):
            raise ValueError(f'ranges_m must be two or more rising limits, not {list(ranges_m)}')
        self._limits = tuple(float(limit) for limit in ranges_m)
        count = len(self._limits) - 1
        self._known = self._pixels = self._close = 0
        self._relative = 0.0
        self._counts = np.zeros(count, np.int64)
        self._errors = np.zeros(count)
        self._biases = np.zeros(count)

    def add_frame(self, depth: npt.NDArray[np.floating], truth: npt.NDArray[np.floating]) -> None:
        """Add one frame.

        :param depth: ``(H, W)`` in metres; NaN, infinite, 0 or less where unknown.
        :param truth: ``(H, W)`` likewise.
        :raises ValueError: if the shapes differ.
        """
        if depth.shape != truth.shape or depth.ndim != 2:
            raise ValueError(
                f'depth and truth must be (H, W) of one size, not {depth.shape} and {truth.shape}'
            )
        there = _is_known(truth)
        both = there & _is_known(depth)
        found, real = depth[both].astype(np.float64), truth[both].astype(np.float64)
        self._known += int(np.count_nonzero(there))
        self._pixels += len(real)
        self._relative += float((np.abs(found - real) / real).sum())
        self._close += int(np.count_nonzero(np.maximum(found / real, real / found) < DELTA1))
        bins = np.searchsorted(self._limits, real, side='right') - 1
        inside = (bins >= 0) & (bins < len(self._counts))
        bins, difference = bins[inside], (found - real)[inside]
        self._counts += np.bincount(bins, minlength=len(self._counts))
        self._errors += np.bincount(bins, np.abs(difference), minlength=len(self._counts))
        self._biases += np.bincount(bins, difference, minlength=len(self._counts))

    def result(self) -> DepthFigures:
        """Return the figures of all frames that were added so far."""
        at_range = tuple(
            RangeError(near, far, count, _share(error, count), _share(bias, count))
            for near, far, count, error, bias in zip(
                self._limits,
                self._limits[1:],
                self._counts.tolist(),
                self._errors.tolist(),
                self._biases.tolist(),
            )
        )
        return DepthFigures(
            self._pixels,
            _share(self._pixels, self._known),
            _share(self._relative, self._pixels),
            _share(self._close, self._pixels),
            at_range,
        )


def _is_known(depth: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    return np.isfinite(depth) & (depth > 0)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else math.nan
