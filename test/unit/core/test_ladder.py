# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A ladder's front, held against its definition by brute force; its file, read back and refused."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetson_infer.core.ladder import DataUsed, front_places
from jetson_infer.core.ladder_file import ladder_text, parse_ladder
from jetson_infer.errors import CardError
from ladders import ladder, rung

# Few values, so that ties are common.
FEW = st.sampled_from([0.0, 0.5, 0.751, 0.7512, 0.7524, 0.756, 1.0, 1.1])
POINTS = st.lists(
    st.tuples(FEW, FEW, st.sampled_from(['reference', 'passed', 'failed'])), max_size=9
)


def dominates(one, other):
    """Say what the docstring says, word for word."""
    (quality, cost), (other_quality, other_cost) = one, other
    at_least = quality >= other_quality and cost <= other_cost
    return at_least and (quality > other_quality or cost < other_cost)


def make(points):
    return ladder(*(rung(f'v{n}', q, c, verdict=v) for n, (q, c, v) in enumerate(points)))


def place(one):
    return one.quality.ap50_ratio, one.pipeline_ms.p50


def graded(one):
    """The quality in whole steps of half a percent of the reference's, and the cost."""
    return float(np.rint(one.quality.ap50_ratio * 200)), one.pipeline_ms.p50


@given(st.lists(st.tuples(FEW, FEW), max_size=12))
def test_the_front_is_what_nothing_dominates(points):
    found = front_places([q for q, _ in points], [c for _, c in points])
    assert sorted(found) == [
        n for n, point in enumerate(points) if not any(dominates(other, point) for other in points)
    ]
    qualities, costs = ([points[n][side] for n in found] for side in (0, 1))
    assert qualities == sorted(qualities, reverse=True)
    assert costs == sorted(costs, reverse=True)  # best to cheapest is dearest to cheapest


@given(POINTS)
def test_only_what_may_run_stands_on_the_front_or_dominates(points):
    made = make(points)
    valid = [one for one in made.rungs if one.verdict != 'failed']
    front = [one for one in valid if not any(dominates(graded(o), graded(one)) for o in valid)]
    assert list(made.front()) == front
    for one in made.rungs:
        there = [o for o in valid if dominates(graded(o), graded(one))]
        found = made.dominated_by(one)
        assert (found is None) == (not there)
        if found is not None:
            assert found in there
            assert place(found)[1] == min(place(o)[1] for o in there)


@given(POINTS, FEW)
def test_the_cheapest_that_sees_well_enough(points, least):
    made = make(points)
    enough = [o for o in made.rungs if o.verdict != 'failed' and o.quality.ap50_ratio >= least]
    found = made.cheapest(least)
    assert (found is None) == (not enough)
    if found is not None:
        cheapest = min(place(one)[1] for one in enough)
        best = max(place(one)[0] for one in enough if place(one)[1] == cheapest)
        assert found in enough
        assert place(found) == (best, cheapest)


@given(POINTS)
def test_rungs_stand_best_first_and_keep_the_cards_order_where_they_are_equal(points):
    made = make(points)
    keys = [(-q, c, int(one.variant[1:])) for one in made.rungs for q, c in [graded(one)]]
    assert keys == sorted(keys)
    assert len(made.rungs) == len(points)


def test_half_a_percent_of_quality_is_no_reason_to_pay_more():
    made = ladder(rung('dear', 0.8803, 15.0), rung('cheap', 0.8795, 6.0), rung('best', 1.0, 17.0))
    assert [one.variant for one in made.rungs] == ['best', 'cheap', 'dear']
    assert [one.variant for one in made.front()] == ['best', 'cheap']
    assert made.cheapest(0.879).variant == 'cheap'
    assert made.cheapest(0.88).variant == 'dear'


def test_energy_is_the_cost_where_every_rung_has_it():
    some = ladder(rung('a', 1.0, 5.0, energy_mj=10.0), rung('b', 0.9, 6.0))
    assert some.cost_kind == 'latency'
    assert [one.variant for one in some.front()] == ['a']
    everyone = ladder(rung('a', 1.0, 5.0, energy_mj=10.0), rung('b', 0.9, 6.0, energy_mj=4.0))
    assert everyone.cost_kind == 'energy'
    assert [one.variant for one in everyone.front()] == ['a', 'b']
    assert everyone.cheapest(0.5).variant == 'b'


@given(POINTS.filter(bool), st.floats(0, 1e6), st.none() | st.floats(0, 1e6))
def test_what_is_written_is_read_back(points, energy, memory):
    made = ladder(
        *(
            rung(f'v{n}', q, c, verdict=v, energy_mj=energy, device_memory_mb=memory)
            for n, (q, c, v) in enumerate(points)
        ),
        not_run={'broken': 'is no ONNX file'},
        notes=('a note',),
        calibration=DataUsed('walk', 'images 1 to 4 of 9', 4, 'e' * 64),
    )
    assert parse_ladder(ladder_text(made), 'ladder.json') == made


def written(**changes):
    value = json.loads(ladder_text(ladder(rung('a', 1.0, 9.0), rung('b', 0.9, 5.0))))
    for path, new in changes.items():
        *way, last = path.split('__')
        inner = value
        for key in way:
            inner = inner[int(key) if key.isdigit() else key]
        if new is ...:
            del inner[last]
        else:
            inner[last] = new
    return json.dumps(value)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'format': 2}, 'format: is 2, and this version reads 1'),
        ({'rungs': []}, 'rungs: must be a list of at least 1'),
        ({'model': ...}, 'model: is missing'),
        ({'models': 'x'}, "models: is not a known key (did you mean 'model'?)"),
        ({'cost': 'energy'}, 'cost: must be one of latency'),
        ({'rungs__0__verdict': 'fine'}, 'rungs[0].verdict: must be one of reference, passed, fail'),
        ({'rungs__0__verdict': 'failed'}, 'rungs[0].failures: must say what failed'),
        ({'rungs__0__engine': 'abacus'}, 'rungs[0].engine: must be one of tensorrt, onnxruntime'),
        ({'rungs__1__variant': 'a'}, "rungs: variant 'a' stands there twice"),
        ({'rungs__1__pipeline_ms__p95': 1.0}, 'rungs[1].pipeline_ms.p95: must be a number from 5'),
        ({'rungs__1__pipeline_ms__p50': -1}, 'rungs[1].pipeline_ms.p50: must be a number from 0'),
        ({'rungs__0__size': [64]}, 'rungs[0].size: must be a list of at least 2'),
        ({'rungs__0__size': [64, 0]}, 'rungs[0].size[1]: must be an integer from 1'),
        ({'rungs__0__quality__ap50': 1.5}, 'rungs[0].quality.ap50: must be a number from 0 to 1'),
        ({'rungs__0__quality__ap50_ratio': 0.5}, 'rungs: must stand in the order of q'),
        (
            {'rungs__0__quality__recall__person': 0.5},
            'rungs[0].quality.recall.person: must be a mapping with the keys value, ratio',
        ),
        ({'rungs__0__energy_mj': ...}, 'rungs[0].energy_mj: is missing'),
        ({'rungs__0__digests__onnx': ''}, 'rungs[0].digests.onnx: must not be blank'),
        ({'measured__machine': 'big'}, 'measured.machine: must be a mapping of texts'),
        ({'validation': None}, 'validation: is empty'),
        ({'not_run': ['x']}, 'not_run: must be a mapping of texts'),
    ],
)
def test_what_cannot_be_is_named_with_file_key_and_what_is_allowed(changes, message):
    with pytest.raises(CardError) as caught:
        parse_ladder(written(**changes), '/robot/ladder.json')
    assert str(caught.value).startswith(f'/robot/ladder.json: {message}')


@pytest.mark.parametrize(
    'text', ['', '[]', 'null', '{"format": NaN}', '{"rungs": [', '[' * 100_000]
)
def test_what_is_no_ladder_is_refused(text):
    with pytest.raises(CardError, match=r'ladder\.json'):
        parse_ladder(text, 'ladder.json')


@given(st.integers(1, 2500))
def test_a_cut_file_is_refused(count):
    text = ladder_text(ladder(rung('a', 1.0, 9.0)))
    with pytest.raises(CardError, match='is cut or no JSON'):
        parse_ladder(text[: min(count, len(text) - 3)], 'ladder.json')


def test_a_number_that_is_none_is_never_written():
    with pytest.raises(ValueError, match='JSON'):
        ladder_text(ladder(rung('a', 1.0, math.inf)))
