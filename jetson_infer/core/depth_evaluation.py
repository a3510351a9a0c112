# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How good depth images are: the usual errors over all pixels, and the error at each range.

The relative errors, the root mean squares and the shares within 1.25, 1.25^2 and 1.25^3 are those
of Eigen, Puhrsch and Fergus, "Depth map prediction from a single image using a multi-scale deep
network", 2014.  All are taken over the pixels of all frames together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ['ALIGNMENTS', 'RANGES_M', 'DepthEvaluation', 'DepthFigures', 'RangeError']

RANGES_M = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, math.inf)
ALIGNMENTS = ('none', 'median')
DELTA = 1.25


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

    @property
    def name(self) -> str:
        """The range for a person."""
        if math.isinf(self.far_m):
            return f'{self.near_m:g} m and more'
        return f'{self.near_m:g} to {self.far_m:g} m'


@dataclass(frozen=True)
class DepthFigures:
    """All frames together, over the pixels that have a truth and a prediction; NaN without pixels.

    :param pixels: how many.
    :param coverage: of the pixels that have a truth, the share that has a prediction; NaN where
        there is no truth.
    :param abs_rel: the mean of ``|depth - truth| / truth``.
    :param sq_rel_m: the mean of ``(depth - truth)^2 / truth``, in metres.
    :param rmse_m: the root of the mean of ``(depth - truth)^2``, in metres.
    :param rmse_log: the root of the mean of ``(ln depth - ln truth)^2``.
    :param deltas: the shares with ``max(depth / truth, truth / depth)`` below 1.25, 1.25^2, 1.25^3.
    :param at_range: the errors by the true depth, near to far.
    """

    pixels: int
    coverage: float
    abs_rel: float
    sq_rel_m: float
    rmse_m: float
    rmse_log: float
    deltas: tuple[float, float, float]
    at_range: tuple[RangeError, ...]

    @property
    def delta1(self) -> float:
        """The share with ``max(depth / truth, truth / depth) < 1.25``."""
        return self.deltas[0]

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON has them; what is no number, or infinite, as null."""
        return {key: _plain(value) for key, value in asdict(self).items()}


class DepthEvaluation:
    """Collects depth images and tells how good they are.

    :param ranges_m: the limits between ranges, rising, at least two, in metres.
    :param align: ``none``, or ``median``: for networks whose depth has no scale, every frame is
        multiplied by the median of its truth over the median of its prediction (Zhou et al.,
        "Unsupervised learning of depth and ego-motion from video", 2017).
    :param far_m: what is truly farther is left out.
    :raises ValueError: if the limits do not rise, or the alignment is not known.
    """

    def __init__(
        self,
        ranges_m: Sequence[float] = RANGES_M,
        align: str = 'none',
        far_m: float = math.inf,
    ) -> None:
        if len(ranges_m) < 2 or any(a >= b for a, b in pairwise(ranges_m)):
            raise ValueError(f'ranges_m must be two or more rising limits, not {list(ranges_m)}')
        if align not in ALIGNMENTS:
            raise ValueError(f"align must be one of {', '.join(ALIGNMENTS)}, not '{align}'")
        self._limits = tuple(float(limit) for limit in ranges_m)
        self._align = align == 'median'
        self._far = far_m
        count = len(self._limits) - 1
        self._known = self._pixels = 0
        self._sums = np.zeros(7)  # in the order of _terms
        self._counts = np.zeros(count, np.int64)
        self._errors = np.zeros(count)
        self._biases = np.zeros(count)

    def add_frame(self, depth: npt.NDArray[np.floating], truth: npt.NDArray[np.floating]) -> float:
        """Add one frame.

        :param depth: ``(H, W)`` in metres; NaN, infinite, 0 or less where unknown.
        :param truth: ``(H, W)`` likewise.
        :return: its own mean of ``|depth - truth| / truth``; NaN without pixels.
        :raises ValueError: if the shapes differ.
        """
        if depth.shape != truth.shape or depth.ndim != 2:
            raise ValueError(
                f'depth and truth must be (H, W) of one size, not {depth.shape} and {truth.shape}'
            )
        there = _is_known(truth) & (truth <= self._far)
        both = there & _is_known(depth)
        found, real = depth[both].astype(np.float64), truth[both].astype(np.float64)
        self._known += int(np.count_nonzero(there))
        if not len(real):
            return math.nan
        if self._align:
            found *= np.median(real) / np.median(found)
        self._pixels += len(real)
        terms = _terms(found, real)
        self._sums += terms
        self._add_ranges(found - real, real)
        return float(terms[0] / len(real))

    def _add_ranges(self, difference: npt.NDArray[Any], real: npt.NDArray[Any]) -> None:
        bins = np.searchsorted(self._limits, real, side='right') - 1
        inside = (bins >= 0) & (bins < len(self._counts))
        bins, difference = bins[inside], difference[inside]
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
        means = [_share(total, self._pixels) for total in self._sums.tolist()]
        return DepthFigures(
            pixels=self._pixels,
            coverage=_share(self._pixels, self._known),
            abs_rel=means[0],
            sq_rel_m=means[1],
            rmse_m=math.sqrt(means[2]),
            rmse_log=math.sqrt(means[3]),
            deltas=(means[4], means[5], means[6]),
            at_range=at_range,
        )


def _terms(found: npt.NDArray[Any], real: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the sums over pixels whose means the figures are made of, float64 ``(7,)``."""
    error = found - real
    ratio = found / real
    worst = np.maximum(ratio, 1.0 / ratio)
    return np.array(
        [
            (np.abs(error) / real).sum(),
            (error * error / real).sum(),
            (error * error).sum(),
            np.square(np.log(ratio)).sum(),
            *(np.count_nonzero(worst < DELTA**power) for power in (1, 2, 3)),
        ],
        np.float64,
    )


def _is_known(depth: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    return np.isfinite(depth) & (depth > 0)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else math.nan


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
