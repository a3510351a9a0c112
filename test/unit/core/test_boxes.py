# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetson_infer.core.boxes import clip, cxcywh_to_xyxy, iou_matrix, nms


def iou(a, b) -> float:
    """One pair, in Python's own arithmetic."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    shared = width * height
    union = size(a) + size(b) - shared
    return shared / union if union > 0 else 0.0


def size(a) -> float:
    return max(0.0, a[2] - a[0]) * max(0.0, a[3] - a[1])


def brute_force_nms(boxes, scores, class_ids, iou_threshold, max_detections) -> list[int]:
    """Greedy suppression as it is defined: every candidate against every one that was chosen."""
    boxes = [[float(v) for v in box] for box in boxes]
    chosen: list[int] = []
    for index in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        rivals = [i for i in chosen if class_ids is None or class_ids[i] == class_ids[index]]
        if all(iou(boxes[i], boxes[index]) <= iou_threshold for i in rivals):
            chosen.append(index)
    return chosen[:max_detections]


def random_boxes(random, count, extent=640.0, largest=200.0) -> np.ndarray:
    corners = random.uniform(0, extent, (count, 2))
    return np.hstack((corners, corners + random.uniform(0, largest, (count, 2)))).astype(np.float32)


def test_cxcywh_to_xyxy_keeps_dtype_and_input():
    boxes = np.array([[10, 20, 4, 6], [0, 0, 1, 1]], np.float32)
    corners = cxcywh_to_xyxy(boxes)
    np.testing.assert_array_equal(corners, [[8, 17, 12, 23], [-0.5, -0.5, 0.5, 0.5]])
    assert corners.dtype == np.float32
    assert boxes[0, 0] == 10


def test_clip():
    boxes = np.array([[-5.0, 2, 700, 500], [650, 490, 660, 500]])
    np.testing.assert_array_equal(clip(boxes, (640, 480)), [[0, 2, 640, 480], [640, 480, 640, 480]])


def test_iou_matrix_against_pairs():
    random = np.random.default_rng(1)
    first, second = random_boxes(random, 30), random_boxes(random, 20)
    first[3, 2:] = first[3, :2]
    second[0] = first[0]
    expected = [[iou(a, b) for b in second.tolist()] for a in first.tolist()]
    np.testing.assert_allclose(iou_matrix(first, second), expected, rtol=1e-12)
    assert iou_matrix(first, second)[0, 0] == 1.0
    assert iou_matrix(first[:0], second).shape == (0, 20)


# Few distinct values make ties, touching edges, equal and zero-area boxes likely; the huge ones
# are where an offset of classes, or an area in float32, would lose the boxes.
COORDINATE = st.sampled_from([0.0, 1.0, 2.0, 3.0, 10.0, 640.0]) | st.floats(-700, 700, width=32)
HUGE = st.sampled_from([-3e38, -1e20, 0.0, 1.0, 1e9, 1e20, 1e20 + 1e13, 3e38])


def boxes_of(coordinate):
    corner = st.tuples(coordinate, coordinate, coordinate, coordinate)
    return corner.map(
        lambda c: (min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3]))
    )


@st.composite
def candidates(draw):
    count = draw(st.integers(0, 40))
    coordinate = draw(st.sampled_from([COORDINATE, COORDINATE | HUGE]))
    boxes = draw(st.lists(boxes_of(coordinate), min_size=count, max_size=count))
    scores = draw(
        st.lists(
            st.sampled_from([0.25, 0.5, 0.9]) | st.floats(0, 1, width=32),
            min_size=count,
            max_size=count,
        )
    )
    class_ids = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    return (
        np.array(boxes, np.float32).reshape(count, 4),
        np.array(scores, np.float32),
        np.array(class_ids, np.int32),
    )


@settings(max_examples=300)
@given(
    candidates(),
    st.sampled_from([0.0, 0.1, 0.45, 0.7, 1.0]),
    st.sampled_from([1, 3, 300]),
    st.booleans(),
)
def test_nms_is_the_greedy_one(drawn, iou_threshold, max_detections, by_class):
    boxes, scores, class_ids = drawn
    classes = class_ids if by_class else None
    chosen = nms(boxes, scores, classes, iou_threshold, max_detections)
    expected = brute_force_nms(boxes, scores, classes, iou_threshold, max_detections)
    assert chosen.tolist() == expected


@pytest.mark.parametrize('count', [1, 63, 64, 65, 511, 512, 513, 700])
@pytest.mark.parametrize('max_detections', [10, 1000])
@pytest.mark.parametrize('extent', [300, 10])  # within 10 pixels nearly all overlap
def test_nms_across_blocks(count, max_detections, extent):
    random = np.random.default_rng(count)
    boxes = random_boxes(random, count, extent=extent)
    scores = random.integers(0, 50, count).astype(np.float32) / 50
    class_ids = random.integers(0, 3, count).astype(np.int32)
    expected = brute_force_nms(boxes, scores, class_ids, 0.45, max_detections)
    assert nms(boxes, scores, class_ids, 0.45, max_detections).tolist() == expected


def test_classes_do_not_suppress_one_another_however_far_away():
    far = 2.0**23  # one pixel is the last bit of a float32 here
    boxes = np.array([[far, far, far + 20, far + 20]] * 2 + [[far + 2, far, far + 22, far + 20]])
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    class_ids = np.array([0, 79, 79], np.int32)
    assert nms(boxes.astype(np.float32), scores, class_ids, 0.9, 10).tolist() == [0, 1, 2]
    assert nms(boxes.astype(np.float32), scores, class_ids, 0.5, 10).tolist() == [0, 1]


@pytest.mark.skipif(not hasattr(cv2.dnn, 'NMSBoxesBatched'), reason='OpenCV before 4.7 has none')
def test_nms_agrees_with_opencv():
    random = np.random.default_rng(5)
    for _ in range(20):
        # Whole pixels and scores without ties: where OpenCV's own rounding cannot matter.
        boxes = np.round(random_boxes(random, 200, largest=150))
        boxes[:, 2:] += 1
        scores = (random.permutation(200) + 1).astype(np.float32) / 201
        class_ids = random.integers(0, 4, 200).astype(np.int32)
        sides = np.hstack((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]))
        expected = cv2.dnn.NMSBoxesBatched(
            sides.tolist(), scores.tolist(), class_ids.tolist(), 0.0, 0.45
        )
        chosen = nms(boxes, scores, class_ids, 0.45, 1000)
        assert sorted(chosen.tolist()) == sorted(np.array(expected).ravel().tolist())
