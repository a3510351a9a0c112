# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Boxes seen from above: overlaps against geometry and counted points, and AP of them."""

import math

import numpy as np
import pytest

from jetson_infer.core.boxes import iou_matrix
from jetson_infer.core.detections import Detections
from jetson_infer.core.evaluation import Evaluation, GroundTruth
from jetson_infer.core.ground_boxes import ground_corners, ground_iou, ground_overlaps


def upright(boxes):
    """Return ``x_min, y_min, x_max, y_max`` of boxes without a turn."""
    return np.concatenate([boxes[:, :2] - boxes[:, 2:4] / 2, boxes[:, :2] + boxes[:, 2:4] / 2], 1)


def random_boxes(random, count, turn):
    return np.concatenate(
        [
            random.uniform(-6, 6, (count, 2)),
            random.uniform(1, 5, (count, 2)),
            random.uniform(-math.pi, math.pi, (count, 1)) * turn,
        ],
        axis=1,
    )


def inside(box, points):
    """Tell which points lie in a box, by turning them into its own frame."""
    x, y, length, width, yaw = box
    dx, dy = points[:, 0] - x, points[:, 1] - y
    along = dx * math.cos(yaw) + dy * math.sin(yaw)
    across = -dx * math.sin(yaw) + dy * math.cos(yaw)
    return (np.abs(along) <= length / 2) & (np.abs(across) <= width / 2)


def test_without_a_turn_they_are_plain_boxes():
    random = np.random.default_rng(1)
    first, second = random_boxes(random, 30, 0.0), random_boxes(random, 20, 0.0)
    assert ground_iou(first, second) == pytest.approx(iou_matrix(upright(first), upright(second)))


def test_turned_boxes_share_as_many_points_as_counted():
    random = np.random.default_rng(2)
    first, second = random_boxes(random, 8, 1.0), random_boxes(random, 8, 1.0)
    points = random.uniform(-10, 10, (200_000, 2))
    found = ground_iou(first, second)
    assert np.allclose(found, ground_iou(second, first).T)
    for row, one in enumerate(first):
        for column, other in enumerate(second):
            a, b = inside(one, points), inside(other, points)
            assert found[row, column] == pytest.approx((a & b).sum() / (a | b).sum(), abs=0.02)


def test_known_shapes():
    square = np.array([[0, 0, 2, 2, 0.0]])
    eighth = np.array([[0, 0, 2, 2, math.pi / 4]])
    octagon = 8 * (math.sqrt(2) - 1)  # of a square of side 2 and the same turned by 45 degrees
    assert ground_iou(square, eighth)[0, 0] == pytest.approx(octagon / (8 - octagon))
    assert ground_iou(square, eighth * 2 - square)[0, 0] == pytest.approx(1.0)  # a quarter turn
    assert ground_iou(square, np.array([[2, 0, 2, 2, 0.0]]))[0, 0] == 0.0
    assert ground_iou(square, square * 0)[0, 0] == 0.0
    assert ground_iou(np.empty((0, 5)), square).shape == (0, 1)
    corners = ground_corners(np.array([[1, 2, 4, 2, math.pi / 2]]))[0]
    assert sorted(map(tuple, corners.round(9))) == [(0, 0), (0, 4), (2, 0), (2, 4)]


def test_average_precision_from_above_is_that_of_plain_boxes_without_a_turn():
    random = np.random.default_rng(4)
    plain, above = Evaluation(['car', 'person']), Evaluation(['car', 'person'])
    for _ in range(30):
        real = random_boxes(random, 6, 0.0)
        found = real[:5] + random.normal(0, 0.2, (5, 5)) * [1, 1, 1, 1, 0]
        ids, difficult = random.integers(0, 2, 6), random.random(6) < 0.2
        scores = random.random(5)
        plain.add_frame(
            Detections(
                upright(found).astype(np.float64), scores.astype(np.float32), ids[:5].astype(int)
            ),
            GroundTruth(upright(real), ids, difficult),
        )
        above.add_overlaps(
            ground_overlaps(found, scores.astype(np.float32), ids[:5], real, ids, difficult)
        )
    assert above.average_precisions() == pytest.approx(plain.average_precisions())
    assert above.result().frames == 30
    assert 0.2 < above.result().mean_average_precision < 1.0
