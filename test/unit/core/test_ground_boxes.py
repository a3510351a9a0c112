# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Boxes seen from above: overlaps against geometry, OpenCV and counted points."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetson_infer.core.boxes import iou_matrix
from jetson_infer.core.ground_boxes import ground_corners, ground_iou


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


def iou_by_opencv(first, second):
    rectangles = [
        ((float(b[0]), float(b[1])), (float(b[2]), float(b[3])), math.degrees(b[4]))
        for b in (first, second)
    ]
    kind, corners = cv2.rotatedRectangleIntersection(*rectangles)
    if kind == cv2.INTERSECT_NONE or corners is None or len(corners) < 3:
        return 0.0
    shared = cv2.contourArea(cv2.convexHull(corners))
    return shared / (first[2] * first[3] + second[2] * second[3] - shared)


def test_overlaps_are_opencvs_of_random_boxes():
    random = np.random.default_rng(5)
    first, second = random_boxes(random, 40, 1.0), random_boxes(random, 40, 1.0)
    found = ground_iou(first, second)
    expected = [[iou_by_opencv(a, b) for b in second] for a in first]
    assert 200 < np.count_nonzero(found) < 1200
    assert np.allclose(found, expected, atol=2e-3)  # OpenCV computes in float32


side = st.floats(0.01, 50)
placed = st.tuples(st.floats(-20, 20), st.floats(-20, 20), side, side, st.floats(-7, 7))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(placed, placed, st.floats(-1e5, 1e5), st.floats(-4, 4))
def test_what_must_hold_of_any_two_boxes(first, second, shift, turn):
    one, other = np.array([first]), np.array([second])
    (iou,) = ground_iou(one, other).ravel()
    assert 0.0 <= iou <= 1.0 + 1e-9
    assert ground_iou(other, one)[0, 0] == pytest.approx(iou, abs=1e-9)
    assert ground_iou(one, one)[0, 0] == pytest.approx(1.0)
    # Turned by a quarter with its sides exchanged a box is the same one.
    x, y, length, width, yaw = first
    same = np.array([[x, y, width, length, yaw + math.pi / 2]])
    assert ground_iou(same, one)[0, 0] == pytest.approx(1.0)
    assert ground_iou(same, other)[0, 0] == pytest.approx(iou, abs=1e-9)
    moved = [
        np.concatenate([_turned(b, turn), b[:, 2:4], b[:, 4:] + turn], 1) for b in (one, other)
    ]
    assert ground_iou(*moved)[0, 0] == pytest.approx(iou, abs=1e-9)
    away = np.array([shift, -shift, 0, 0, 0])
    far = [b + away for b in (one, other)]
    assert ground_iou(*far)[0, 0] == pytest.approx(iou, abs=1e-6)


def _turned(boxes, angle):
    x, y = boxes[:, 0], boxes[:, 1]
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.stack([x * cosine - y * sine, x * sine + y * cosine], 1)


def test_far_from_the_origin_nothing_is_lost():
    random = np.random.default_rng(6)
    first, second = random_boxes(random, 10, 1.0), random_boxes(random, 10, 1.0)
    far = np.array([4.5e5, 5.2e6, 0, 0, 0])  # as of a map in UTM coordinates
    assert ground_iou(first + far, second + far) == pytest.approx(
        ground_iou(first, second), abs=1e-7
    )


def test_boxes_without_a_size_or_place_overlap_nothing():
    square = np.array([[0, 0, 2, 2, 0.0]])
    for bad in ([0, 0, -2, 2, 0], [0, 0, 0, 0, 0], [math.nan, 0, 2, 2, 0], [math.inf, 0, 2, 2, 0]):
        with np.errstate(invalid='ignore'):
            assert ground_iou(square, np.array([bad], float)).tolist() == [[0.0]]


def test_many_pairs_are_as_few_are():
    random = np.random.default_rng(7)
    first, second = random_boxes(random, 180, 1.0), random_boxes(random, 180, 1.0)
    every = ground_iou(first, second)
    assert np.count_nonzero(every) > 6000
    for row in (0, 77, 179):
        assert np.allclose(ground_iou(first[row : row + 1], second)[0], every[row])
