# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetson_infer.toolchain.quantize.choice import STEPS, cheapest_relief

amounts = st.floats(0.0, 1.0)
costs = st.floats(0.001, 1.0)


def brute_force(noise, cost, budget):
    """The least cost over all sets of layers."""
    places = range(len(noise))
    sets = chain.from_iterable(combinations(places, n) for n in range(len(noise) + 1))
    total = sum(noise)
    return min(
        sum(cost[i] for i in chosen)
        for chosen in sets
        if total - sum(noise[i] for i in chosen) <= budget
    )


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(amounts, costs), min_size=1, max_size=8), st.floats(0.0, 1.2))
def test_the_choice_keeps_the_budget_and_is_the_cheapest(layers, share):
    noise, cost = [a for a, _ in layers], [c for _, c in layers]
    budget = share * sum(noise)
    chosen = cheapest_relief(noise, cost, budget)
    left = sum(n for i, n in enumerate(noise) if i not in chosen)
    assert left <= budget + 1e-9 * sum(noise) + 1e-300
    # Noises are rounded down to steps, each of at most so much; a budget tighter by that much is
    # what the choice may cost.
    needed = max(sum(noise) - budget, 0.0)
    tighter = budget - len(noise) * needed / STEPS
    if tighter >= 0.0:
        assert sum(cost[i] for i in chosen) <= brute_force(noise, cost, tighter) + 1e-9


@pytest.mark.parametrize('seed', range(10))
def test_noises_on_the_grid_give_the_optimum(seed):
    random = np.random.default_rng(seed)
    noise = random.integers(1, 50, 10).astype(float)
    cost = random.uniform(0.1, 1.0, 10)
    budget = noise.sum() - 100.0  # a step is 0.05
    chosen = cheapest_relief(noise, cost, budget)
    assert sum(cost[chosen]) == pytest.approx(brute_force(noise, cost, budget))


def test_nothing_is_left_out_where_all_noise_may_remain():
    assert cheapest_relief([0.1] * 7, [1.0] * 7, 7 * 0.1) == []
    assert cheapest_relief([], [], 0.0) == []


def test_everything_is_left_out_where_none_may():
    assert cheapest_relief([0.1, 0.3, 0.2], [1.0, 2.0, 3.0], 0.0) == [0, 1, 2]
