# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Which layers stay in floating point, so that enough noise goes for the least of time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ['cheapest_relief']

STEPS = 2000


def cheapest_relief(noise: Sequence[float], cost: Sequence[float], budget: float) -> list[int]:
    """Choose the layers to leave out of INT8.

    A knapsack the other way round: of all sets of layers whose noises, taken away from the sum,
    leave no more than the budget, the one of the least cost.  It is solved by dynamic programming
    over the noise taken away, in 2000 steps; each layer's noise is rounded down to a step, so that
    what is promised is kept.  The noises of layers add up because their rounding errors are
    unrelated.

    :param noise: what every layer in INT8 adds; 0 or more.
    :param cost: what every layer costs more in floating point; above 0.
    :param budget: how much noise may remain.
    :return: the layers' places, ascending.
    """
    amounts = np.asarray(noise, np.float64)
    needed = float(amounts.sum()) - budget
    if needed <= 1e-9 * float(amounts.sum()):
        return []
    step = needed / STEPS
    taken = np.minimum(np.floor(amounts / step + 1e-9), STEPS).astype(int)
    if int(taken.sum()) < STEPS:
        return list(range(len(amounts)))
    best: npt.NDArray[np.float64] = np.full(STEPS + 1, np.inf)
    best[0] = 0.0
    used = np.zeros((len(amounts), STEPS + 1), np.bool_)
    reached = np.arange(STEPS + 1)
    for layer, amount in enumerate(taken):
        if not amount:
            continue
        # From so much taken away before, to `reached` with this layer; all beyond counts as enough.
        before = np.maximum(reached - amount, 0)
        with_layer = best[before] + cost[layer]
        used[layer] = with_layer < best
        best = np.where(used[layer], with_layer, best)
    chosen, at = [], STEPS
    for layer in reversed(range(len(amounts))):
        if used[layer, at]:
            chosen.append(layer)
            at = max(at - int(taken[layer]), 0)
    return chosen[::-1]
