# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How a variant's depth compares with its reference's on the same frames, and what has to hold.

Two things are looked at.  Where there is a true depth, both are held against it: the variant may be
a little worse than its reference.  And on every frame the variant is held against the reference
itself, without any alignment, since a scale that wanders from frame to frame is no error against a
truth that every frame is aligned with, and yet one for whoever drives by it.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.depth_evaluation import DepthEvaluation, DepthFigures, RangeError
from jetson_infer.core.verdict import Check, Verdict

__all__ = ['DepthCompared', 'DepthComparison', 'DepthThresholds', 'judge_depth']

Depth = npt.NDArray[np.floating]


@dataclass(frozen=True)
class DepthThresholds:
    """What a depth model's variant has to hold against its reference on recorded data.

    :param max_difference: the mean of ``|variant - reference| / reference``, at most.
    :param min_coverage: of the pixels of which the reference knows the depth, the share of which
        the variant knows it, at least.
    :param max_abs_rel_ratio: the mean relative error against the truth, over the reference's, at
        most.
    :param min_delta1_ratio: the share of pixels within 1.25 of the truth, over the reference's, at
        least.
    :param max_range_error_ratio: the mean error in each range of depths, over the reference's, at
        most.
    :param min_pixels: with fewer pixels in the data nothing is proved.
    :param min_range_pixels: a range with fewer pixels is not looked at by itself.
    :param align: ``none``, or ``median`` for networks whose depth has no scale.
    :param far_m: what is truly farther is left out; None for no limit.
    """

    max_difference: float = 0.05
    min_coverage: float = 0.99
    max_abs_rel_ratio: float = 1.05
    min_delta1_ratio: float = 0.99
    max_range_error_ratio: float = 1.1
    min_pixels: int = 100_000
    min_range_pixels: int = 10_000
    align: str = 'none'
    far_m: float | None = None

    def digest(self) -> str:
        """Return the SHA-256 of all of it, in hex: equal for equal thresholds alone."""
        text = json.dumps(['depth', asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class DepthCompared:
    """A variant beside its reference over all frames.

    :param frames: how many.
    :param frames_with_truth: how many of them have a true depth.
    :param reference: the reference against the truth.
    :param candidate: the variant against the truth.
    :param agreement: the variant against the reference.
    """

    frames: int
    frames_with_truth: int
    reference: DepthFigures
    candidate: DepthFigures
    agreement: DepthFigures

    def to_json(self) -> dict[str, Any]:
        """Return all figures as JSON has them; what is no number as null."""
        return {
            'frames': self.frames,
            'frames_with_truth': self.frames_with_truth,
            'reference': self.reference.to_json(),
            'variant': self.candidate.to_json(),
            'variant_against_reference': self.agreement.to_json(),
        }


class DepthComparison:
    """Collects frames and compares.

    :param thresholds: how frames are aligned, and up to which depth they count.
    """

    def __init__(self, thresholds: DepthThresholds) -> None:
        far_m = math.inf if thresholds.far_m is None else thresholds.far_m
        self._frames = self._with_truth = 0
        self._reference = DepthEvaluation(align=thresholds.align, far_m=far_m)
        self._candidate = DepthEvaluation(align=thresholds.align, far_m=far_m)
        self._agreement = DepthEvaluation()

    def add_frame(self, truth: Depth | None, reference: Depth, candidate: Depth) -> float:
        """Add one frame.

        :param truth: ``(H, W)`` in metres, or None where it is not known.
        :param reference: the reference's output at the same size; NaN where unknown.
        :param candidate: the variant's.
        :return: the frame's mean of ``|variant - reference| / reference``; NaN without pixels.
        :raises ValueError: if the sizes differ.
        """
        difference = self._agreement.add_frame(candidate, reference)
        if truth is not None:
            self._reference.add_frame(reference, truth)
            self._candidate.add_frame(candidate, truth)
            self._with_truth += 1
        self._frames += 1
        return difference

    def result(self) -> DepthCompared:
        """Return the figures of all frames that were added so far."""
        return DepthCompared(
            self._frames,
            self._with_truth,
            self._reference.result(),
            self._candidate.result(),
            self._agreement.result(),
        )


def judge_depth(compared: DepthCompared, thresholds: DepthThresholds) -> Verdict:
    """Hold every figure against its threshold; those against the truth only where there is one."""
    checks = [_difference(compared, thresholds), _coverage(compared, thresholds)]
    measured = compared.reference if compared.frames_with_truth else compared.agreement
    checks.append(_pixels(measured.pixels, thresholds.min_pixels))
    if compared.frames_with_truth:
        checks += [_abs_rel(compared, thresholds), _delta1(compared, thresholds)]
        ranges = zip(compared.reference.at_range, compared.candidate.at_range)
        checks += [
            _range_error(before, after, thresholds.max_range_error_ratio)
            for before, after in ranges
            if before.pixels >= thresholds.min_range_pixels
        ]
    return Verdict(tuple(sorted(checks, key=lambda check: check.passed)))


def _difference(compared: DepthCompared, thresholds: DepthThresholds) -> Check:
    value, limit = compared.agreement.abs_rel, thresholds.max_difference
    if math.isnan(value):
        told = 'there is no pixel of which both the variant and the reference know the depth'
        return Check('difference', '', None, limit, False, told)
    told = (
        f'depth is {value:.4f} of itself off from the reference, mean of pixels; '
        f'at most {limit:g} is allowed'
    )
    return Check('difference', '', round(value, 6), limit, False, told)


def _coverage(compared: DepthCompared, thresholds: DepthThresholds) -> Check:
    value, limit = compared.agreement.coverage, thresholds.min_coverage
    if math.isnan(value):
        told = 'the reference knows the depth of no pixel'
        return Check('coverage', '', None, limit, True, told)
    told = (
        f'of the pixels of which the reference knows the depth, the variant knows that of '
        f'{value:.4f}; at least {limit:g} is wanted'
    )
    return Check('coverage', '', round(value, 6), limit, True, told)


def _pixels(count: int, wanted: int) -> Check:
    told = f'the data holds {count} pixels of known depth; at least {wanted} are wanted'
    if count < wanted:
        told += ': with fewer nothing is proved; give a recording with more'
    return Check('pixels', '', float(count), float(wanted), True, told)


def _abs_rel(compared: DepthCompared, thresholds: DepthThresholds) -> Check:
    before, after = compared.reference.abs_rel, compared.candidate.abs_rel
    told = f'the mean relative error is {after:.4f} against {before:.4f} of the reference'
    limit = thresholds.max_abs_rel_ratio
    return _ratio('abs_rel_ratio', '', (before, after), limit, False, told)


def _delta1(compared: DepthCompared, thresholds: DepthThresholds) -> Check:
    before, after = compared.reference.delta1, compared.candidate.delta1
    told = f'{after:.4f} of the pixels are within 1.25 of the truth, {before:.4f} of the reference'
    limit = thresholds.min_delta1_ratio
    return _ratio('delta1_ratio', '', (before, after), limit, True, told)


def _range_error(before: RangeError, after: RangeError, limit: float) -> Check:
    told = (
        f'from {before.name}, depth is {after.mean_error_m:.3f} m off against '
        f'{before.mean_error_m:.3f} m of the reference'
    )
    values = before.mean_error_m, after.mean_error_m
    return _ratio('range_error_ratio', before.name, values, limit, False, told)


def _ratio(
    name: str, label: str, values: tuple[float, float], limit: float, at_least: bool, told: str
) -> Check:
    before, after = values
    if math.isnan(before) or math.isnan(after) or (before <= 0.0 and after != before):
        return Check(name, label, None, limit, at_least, f'{told}: so there is no ratio')
    # As it is told: a ratio of 0.99 that is off in the last bit of a float is 0.99.
    ratio = round(after / before, 6) if before > 0.0 else 1.0
    bound = f'at least {limit:g} is wanted' if at_least else f'at most {limit:g} is allowed'
    return Check(name, label, ratio, limit, at_least, f'{told}: {ratio:.4f} of it; {bound}')
