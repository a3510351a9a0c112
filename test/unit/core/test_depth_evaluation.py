# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Depth figures against sums written out pixel by pixel."""

import json
import math

import numpy as np
import pytest

from jetson_infer.core.depth_evaluation import RANGES_M, DepthEvaluation


def pixels_of(depth, truth):
    """Return the pairs of a frame that both know, and how many have a truth."""
    known, pairs = 0, []
    for d, t in zip(depth.ravel().tolist(), truth.ravel().tolist()):
        if not (math.isfinite(t) and t > 0):
            continue
        known += 1
        if math.isfinite(d) and d > 0:
            pairs.append((d, t))
    return known, pairs


def mean(values):
    return sum(values) / len(values)


def random_frames(seed=3, scale=1.05):
    random = np.random.default_rng(seed)
    for _ in range(4):
        truth = random.uniform(0.2, 30, (20, 30)).astype(np.float32)
        depth = np.abs(truth * random.normal(scale, 0.25, truth.shape)).astype(np.float32)
        truth[random.random(truth.shape) < 0.1] = np.nan
        truth[random.random(truth.shape) < 0.1] = 0.0
        depth[random.random(depth.shape) < 0.1] = np.inf
        depth[random.random(depth.shape) < 0.1] = -1.0
        yield depth, truth


def expect(found, known, pairs):
    """Hold figures against sums over pairs of depth and truth."""
    assert found.pixels == len(pairs)
    assert found.coverage == pytest.approx(len(pairs) / known)
    assert found.abs_rel == pytest.approx(mean([abs(d - t) / t for d, t in pairs]))
    assert found.sq_rel_m == pytest.approx(mean([(d - t) ** 2 / t for d, t in pairs]))
    assert found.rmse_m == pytest.approx(math.sqrt(mean([(d - t) ** 2 for d, t in pairs])))
    logs = [(math.log(d) - math.log(t)) ** 2 for d, t in pairs]
    assert found.rmse_log == pytest.approx(math.sqrt(mean(logs)))
    for share, limit in zip(found.deltas, (1.25, 1.5625, 1.953125)):
        assert share == pytest.approx(mean([max(d / t, t / d) < limit for d, t in pairs]))
        assert 0.1 < share < 1.0
    assert found.delta1 == found.deltas[0]
    for item in found.at_range:
        errors = [d - t for d, t in pairs if item.near_m <= t < item.far_m]
        assert item.pixels == len(errors)
        if errors:
            assert item.mean_error_m == pytest.approx(mean([abs(e) for e in errors]))
            assert item.mean_bias_m == pytest.approx(mean(errors))
    assert [item.far_m for item in found.at_range] == [*RANGES_M[1:]]


def test_figures_are_those_of_every_pixel_by_itself():
    evaluation, known, pairs = DepthEvaluation(), 0, []
    for depth, truth in random_frames():
        own = evaluation.add_frame(depth, truth)
        count, here = pixels_of(depth, truth)
        assert own == pytest.approx(mean([abs(d - t) / t for d, t in here]))
        known, pairs = known + count, pairs + here
    expect(evaluation.result(), known, pairs)


def test_depth_without_a_scale_is_given_one_frame_by_frame():
    evaluation, known, pairs = DepthEvaluation(align='median'), 0, []
    for number, (depth, truth) in enumerate(random_frames(5, 1.0)):
        depth = depth * np.float32(0.01 * 7**number)
        evaluation.add_frame(depth, truth)
        count, here = pixels_of(depth, truth)
        depths, truths = (sorted(values) for values in zip(*here))
        half, odd = divmod(len(here), 2)
        middle = [v[half] if odd else (v[half - 1] + v[half]) / 2 for v in (truths, depths)]
        known += count
        pairs += [(d * middle[0] / middle[1], t) for d, t in here]
    expect(evaluation.result(), known, pairs)


def test_what_is_truly_too_far_is_left_out():
    evaluation = DepthEvaluation(far_m=10.0)
    evaluation.add_frame(np.array([[5.0, 50.0, 12.0]]), np.array([[10.0, 10.5, np.nan]]))
    found = evaluation.result()
    assert (found.pixels, found.coverage, found.abs_rel) == (1, 1.0, 0.5)


def test_figures_as_json_have_no_number_that_json_has_not():
    evaluation = DepthEvaluation()
    for depth, truth in random_frames():
        evaluation.add_frame(depth, truth)
    for figures in (evaluation.result(), DepthEvaluation().result()):
        written = json.loads(json.dumps(figures.to_json(), allow_nan=False))
        assert written['pixels'] == figures.pixels
        assert written['at_range'][-1]['far_m'] is None
    assert written['abs_rel'] is None
    names = [item.name for item in DepthEvaluation((0, 0.5, math.inf)).result().at_range]
    assert names == ['0 to 0.5 m', '0.5 m and more']


def test_without_pixels_there_are_no_figures():
    evaluation = DepthEvaluation((1.0, 2.0))
    found = evaluation.result()
    assert (found.pixels, found.at_range[0].pixels) == (0, 0)
    assert all(map(math.isnan, (found.coverage, found.abs_rel, found.delta1)))
    evaluation.add_frame(np.full((2, 2), np.nan), np.full((2, 2), 5.0))
    assert evaluation.result().coverage == 0.0
    evaluation.add_frame(np.full((2, 2), 5.0), np.full((2, 2), 5.0))  # outside of all ranges
    assert (evaluation.result().abs_rel, evaluation.result().at_range[0].pixels) == (0.0, 0)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r'not \(2, 2\) and \(2, 3\)'):
        DepthEvaluation().add_frame(np.ones((2, 2)), np.ones((2, 3)))
    with pytest.raises(ValueError, match="one of none, median, not 'mean'"):
        DepthEvaluation(align='mean')
    with pytest.raises(ValueError, match='rising'):
        DepthEvaluation((1.0, 1.0))
