# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from jetson_infer.engines.models import load_model
from jetson_infer.errors import RecordingError
from jetson_infer.pipeline.preprocess import Preprocessor
from jetson_infer.toolchain.calibration.calibration_set import MINIMUM_FRAMES, gather, survey
from jetson_infer.toolchain.calibration.selection import farthest_points, image_features
from jetson_infer.toolchain.dataset import open_dataset
from quantizable import paint, write_detector


@pytest.mark.parametrize('seed', range(5))
def test_each_further_point_is_the_farthest_from_those_before(seed):
    points = np.random.default_rng(seed).normal(0, 1, (30, 3)).astype(np.float32)
    chosen = farthest_points(points, 8, seed)
    assert len(set(chosen)) == 8
    for step in range(1, 8):
        distances = np.linalg.norm(points[:, None] - points[None, chosen[:step]], axis=2).min(1)
        assert distances[chosen[step]] == pytest.approx(distances.max())


def test_a_cluster_costs_one_point_while_others_are_left():
    still = np.zeros((50, 2), np.float32)
    others = np.array([[9, 0], [0, 9], [9, 9]], np.float32)
    chosen = farthest_points(np.concatenate([still, others]), 4, 3)
    assert {50, 51, 52} < set(chosen)


def test_asking_for_more_than_there_is_gives_all():
    assert sorted(farthest_points(np.zeros((3, 2), np.float32), 9, 0)) == [0, 1, 2]
    assert farthest_points(np.zeros((0, 2), np.float32), 9, 0) == []


def test_features_are_means_and_deviations_of_cells():
    image = np.random.default_rng(0).normal(0, 1, (3, 24, 40)).astype(np.float32)
    features = image_features(image).reshape(2, 3, 8, 8)
    cell = image[1, 9:12, 35:40]
    assert features[0, 1, 3, 7] == pytest.approx(cell.mean(), abs=1e-6)
    assert features[1, 1, 3, 7] == pytest.approx(cell.std(), abs=1e-6)


@pytest.fixture
def model(tmp_path):
    return load_model(write_detector(tmp_path / 'model'))


def test_images_are_prepared_as_the_node_does_and_the_choice_is_reproducible(model, tmp_path):
    images = paint(tmp_path / 'images', 30)
    variant = model.variant()
    with open_dataset(images) as dataset:
        seen = survey(dataset, model.card, variant)
        found = [gather(dataset, model.card, variant, 10, seed, seen) for seed in (1, 1, 2)]
        expected = np.zeros((1, 3, 48, 64), np.float32)
        sample = next(iter(dataset.frames({found[0].indices[4]})))
        Preprocessor(model.card.input, variant.size).prepare(sample.image, expected)
    assert found[0].digest == found[1].digest != found[2].digest
    assert found[0].inputs.shape == (10, 3, 48, 64)
    assert np.array_equal(found[0].inputs[4], expected[0])
    assert found[0].sources[4] == sample.name


def test_too_few_images_are_refused_with_the_numbers(model, tmp_path):
    images = paint(tmp_path / 'images', 1)
    with open_dataset(images) as dataset:
        seen = survey(dataset, model.card, model.variant())
        with pytest.raises(RecordingError, match=rf'at least {MINIMUM_FRAMES} images, and 1 can'):
            gather(dataset, model.card, model.variant(), 32, 0, seen)


def test_images_that_cannot_be_decoded_are_counted(model, tmp_path):
    images = paint(tmp_path / 'images', 3)
    whole = (images / '000.png').read_bytes()
    (images / 'z.png').write_bytes(whole[:60] + bytes(20) + whole[80:])
    with open_dataset(images) as dataset:
        seen = survey(dataset, model.card, model.variant())
    assert len(seen.indices) + sum(seen.rejected.values()) == 4
    assert 3 not in seen.indices
