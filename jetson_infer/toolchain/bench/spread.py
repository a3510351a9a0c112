# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Ratios of medians of what was measured in turn, with their spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ['Ratio', 'percentiles', 'ratio_of_medians']

RESAMPLES = 2000


@dataclass(frozen=True)
class Ratio:
    """A ratio of two medians.

    :param value: the ratio.
    :param low: the lower end of its 95 % interval.
    :param high: the upper end.
    :param count: over how many pairs.
    """

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f'{self.value:.3f} ({self.low:.3f} to {self.high:.3f}, n = {self.count})'


def ratio_of_medians(first: Sequence[float], second: Sequence[float], seed: int = 0) -> Ratio:
    """Return median(first) / median(second) of values that were measured in pairs.

    The interval is the percentile bootstrap's: pairs are drawn anew with replacement, together, so
    that what disturbed both at one time does not count as a difference (Efron and Tibshirani, An
    Introduction to the Bootstrap, 1993, chapter 13).

    :raises ValueError: if there are no pairs.
    """
    pairs = np.array([first, second], np.float64)
    count = pairs.shape[1]
    if not count:
        raise ValueError('no pairs were measured')
    drawn = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
    medians = np.median(pairs[:, drawn], axis=2)
    low, high = np.percentile(medians[0] / medians[1], (2.5, 97.5)).tolist()
    value = float(np.median(pairs[0]) / np.median(pairs[1]))
    return Ratio(value, low, high, count)


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return ``p50``, ``p95`` and ``p99``, rounded to a microsecond where the values are ms."""
    found = np.percentile(np.asarray(values, np.float64), (50, 95, 99)).tolist()
    return {name: round(value, 3) for name, value in zip(('p50', 'p95', 'p99'), found)}
