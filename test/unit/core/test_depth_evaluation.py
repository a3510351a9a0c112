# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Depth figures against sums written out pixel by pixel."""

import math

import numpy as np
import pytest

from jetson_infer.core.depth_evaluation import RANGES_M, DepthEvaluation


def brute_force(frames):
    known, relative, close = 0, [], []
    errors = {near: [] for near in RANGES_M[:-1]}
    for depth, truth in frames:
        for d, t in zip(depth.ravel().tolist(), truth.ravel().tolist()):
            if not (math.isfinite(t) and t > 0):
                continue
            known += 1
            if not (math.isfinite(d) and d > 0):
                continue
            relative.append(abs(d - t) / t)
            close.append(max(d / t, t / d) < 1.25)
            errors[max(near for near in errors if near <= t)].append(d - t)
    return known, relative, close, errors


def test_figures_are_those_of_every_pixel_by_itself():
    random = np.random.default_rng(3)
    frames = []
    for _ in range(4):
        truth = random.uniform(0.2, 30, (20, 30)).astype(np.float32)
        depth = (truth * random.normal(1.05, 0.2, truth.shape)).astype(np.float32)
        truth[random.random(truth.shape) < 0.1] = np.nan
        truth[random.random(truth.shape) < 0.1] = 0.0
        depth[random.random(depth.shape) < 0.1] = np.inf
        depth[random.random(depth.shape) < 0.1] = -1.0
        frames.append((depth, truth))
    evaluation = DepthEvaluation()
    for depth, truth in frames:
        evaluation.add_frame(depth, truth)
    found = evaluation.result()
    known, relative, close, errors = brute_force(frames)
    assert found.pixels == len(relative)
    assert found.coverage == pytest.approx(len(relative) / known)
    assert found.abs_rel == pytest.approx(np.mean(relative))
    assert found.delta1 == pytest.approx(np.mean(close))
    for item in found.at_range:
        assert item.pixels == len(errors[item.near_m])
        assert item.mean_error_m == pytest.approx(np.abs(errors[item.near_m]).mean())
        assert item.mean_bias_m == pytest.approx(np.mean(errors[item.near_m]))
    assert [item.far_m for item in found.at_range] == [*RANGES_M[1:]]


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
    with pytest.raises(ValueError, match='rising'):
        DepthEvaluation((1.0, 1.0))
