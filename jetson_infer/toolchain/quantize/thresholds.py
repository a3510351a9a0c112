# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From a tensor's magnitudes to the largest one that INT8 shall tell apart; larger ones are cut.

A low threshold makes fine steps and cuts outliers, a high one the other way round.  Which trade is
best depends on the network, so all methods are tried and measured.

- ``minmax``: the largest magnitude; nothing is cut.
- ``percentile``: of all magnitudes, 99.99 % lie below.
- ``mse``: the smallest mean squared error of the values themselves.
- ``entropy``: the smallest Kullback-Leibler divergence between the distributions before and after
  (Migacz, "8-bit inference with TensorRT", GTC 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from jetson_infer.toolchain.quantize.histograms import BINS, MagnitudeHistogram

__all__ = ['METHODS', 'scales_by', 'threshold']

LEVELS = 127  # magnitudes that INT8 tells apart, beside 0
PERCENTILE = 99.99
CANDIDATES = 128
SMALLEST = 1e-8


def scales_by(method: str, histograms: Mapping[str, MagnitudeHistogram]) -> dict[str, float]:
    """Return the scale of every tensor by one of :data:`METHODS`; always above 0."""
    return {name: threshold(method, one) / LEVELS for name, one in histograms.items()}


def threshold(method: str, histogram: MagnitudeHistogram) -> float:
    """Return the magnitude that becomes 127.

    :param method: one of :data:`METHODS`.
    """
    if histogram.largest <= 0.0:
        return LEVELS * 1.0  # a tensor of zeros: any scale will do
    found = METHODS[method](histogram)
    return float(max(min(found, histogram.largest), SMALLEST))


def _minmax(histogram: MagnitudeHistogram) -> float:
    return histogram.largest


def _percentile(histogram: MagnitudeHistogram) -> float:
    below = np.cumsum(histogram.counts)
    place = int(np.searchsorted(below, below[-1] * (PERCENTILE / 100.0)))
    return (place + 1) * histogram.edge / BINS


def _mse(histogram: MagnitudeHistogram) -> float:
    """Return the threshold of the least mean squared error, counting a bin's values at its middle.

    Within a bin wider than a step the error of rounding is that of a uniform distribution, which
    is why bins have to be narrower than steps: 4096 bins, 127 steps.
    """
    values = histogram.centres
    edges = _candidates(histogram)
    errors = [_squared_error(values, histogram.counts, edge) for edge in edges]
    return float(edges[int(np.argmin(errors))])


def _squared_error(
    values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], edge: float
) -> float:
    step = edge / LEVELS
    rounded = np.minimum(np.round(values / step), LEVELS) * step
    return float(np.dot(np.square(values - rounded), counts))


def _entropy(histogram: MagnitudeHistogram) -> float:
    edges = _candidates(histogram)
    divergences = [_divergence(histogram, edge) for edge in edges]
    return float(edges[int(np.argmin(divergences))])


def _divergence(histogram: MagnitudeHistogram, edge: float) -> float:
    """Return how much is lost in nats when magnitudes are counted in 128 levels up to an edge.

    The first bin is left out of both: most activations are 0 behind a ReLU, and 0 is always exact.
    """
    kept = max(LEVELS + 1, round(edge * BINS / histogram.edge))
    counts = histogram.counts[:kept].astype(np.float64)
    reference = counts.copy()
    reference[-1] += histogram.counts[kept:].sum()  # what is cut becomes the largest
    reference[0] = counts[0] = 0.0
    level = (np.arange(kept) * (LEVELS + 1)) // kept
    present = counts > 0
    held = np.bincount(level[present], minlength=LEVELS + 1).astype(np.float64)
    sums = np.bincount(level, weights=counts, minlength=LEVELS + 1)
    spread = np.divide(sums, held, out=np.zeros_like(sums), where=held > 0)[level] * present
    total, other = reference.sum(), spread.sum()
    if total == 0.0 or other == 0.0:
        return float('inf')
    p, q = reference / total, spread / other
    both = p > 0
    return float(np.sum(p[both] * np.log(p[both] / np.maximum(q[both], 1e-12))))


def _candidates(histogram: MagnitudeHistogram) -> npt.NDArray[np.float64]:
    """Return thresholds to try, from a sixteenth of the largest magnitude to all of it."""
    return np.asarray(
        np.geomspace(histogram.largest / 16.0, histogram.largest, CANDIDATES), np.float64
    )


METHODS: dict[str, Callable[[MagnitudeHistogram], float]] = {
    'minmax': _minmax,
    'percentile': _percentile,
    'mse': _mse,
    'entropy': _entropy,
}
"""How a threshold is chosen, by name."""
