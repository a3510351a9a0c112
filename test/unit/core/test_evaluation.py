# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import contextlib
import io
import math

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from jetson_infer.core.detections import Detections
from jetson_infer.core.evaluation import COCO_IOUS, Evaluation, GroundTruth

LABELS = ('person', 'dog', 'chair')
BEYOND = 1e12  # an area beyond the range that COCO evaluates: its way to ignore an object


def scene(random: np.random.Generator, tied: bool) -> tuple[Detections, GroundTruth]:
    """Make objects on whole pixels, and detections of which some are near them."""
    objects = random.integers(0, 9)
    corners = random.integers(0, 400, (objects, 2))
    boxes = np.hstack((corners, corners + random.integers(8, 120, (objects, 2)))).astype(float)
    class_ids = random.integers(0, len(LABELS), objects)
    for twin in range(1, objects):  # overlapped alike by every detection
        if random.uniform() < 0.2:
            boxes[twin], class_ids[twin] = boxes[twin - 1], class_ids[twin - 1]
    difficult = random.uniform(size=objects) < 0.3
    copies = random.integers(0, objects, random.integers(0, 14)) if objects else []
    near = boxes[copies] + random.integers(-9, 10, (len(copies), 4))
    near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
    stray = random.integers(0, 4)
    corners = random.integers(0, 400, (stray, 2))
    strays = np.hstack((corners, corners + random.integers(8, 120, (stray, 2))))
    found = np.vstack((near, strays)).astype(np.float32)
    classes = np.append(class_ids[copies], random.integers(0, len(LABELS), stray))
    wrong = random.uniform(size=len(classes)) < 0.1
    classes[wrong] = random.integers(0, len(LABELS), np.count_nonzero(wrong))
    scores = random.integers(1, 8 if tied else 2**20, len(found)) / (8 if tied else 2**20)
    order = np.argsort(-scores, kind='stable')
    detections = Detections(
        found[order], scores[order].astype(np.float32), classes[order].astype(np.int32)
    )
    return detections, GroundTruth(boxes, class_ids, difficult)


def sides(box: np.ndarray) -> list[float]:
    return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]


def reference(frames) -> np.ndarray:
    """Evaluate with pycocotools: AP by threshold and class, ``(10, classes)``."""
    annotations, results = [], []
    for image, (detections, truth) in enumerate(frames, start=1):
        for box, class_id, difficult in zip(truth.boxes, truth.class_ids, truth.difficult):
            annotations.append(
                {
                    'id': len(annotations) + 1,
                    'image_id': image,
                    'category_id': int(class_id) + 1,
                    'bbox': sides(box),
                    'area': BEYOND if difficult else 1.0,
                    'iscrowd': 0,
                }
            )
        results += [
            {
                'image_id': image,
                'category_id': int(class_id) + 1,
                'bbox': sides(box),
                'score': float(score),
            }
            for box, score, class_id in zip(
                detections.boxes, detections.scores, detections.class_ids
            )
        ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            'info': {},
            'images': [{'id': image + 1} for image in range(len(frames))],
            'categories': [{'id': i + 1, 'name': name} for i, name in enumerate(LABELS)],
            'annotations': annotations,
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), 'bbox')
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval['precision'][:, :, :, 0, -1]  # IoU, recall, class; all areas, 100
    return np.where((precision < 0).all(axis=1), np.nan, precision.mean(axis=1))


@pytest.mark.parametrize('tied', [False, True], ids=['distinct scores', 'tied scores'])
@pytest.mark.parametrize('seed', range(12))
def test_average_precision_is_that_of_pycocotools(seed, tied):
    random = np.random.default_rng(seed)
    frames = [scene(random, tied) for _ in range(random.integers(1, 30))]
    evaluation = Evaluation(LABELS)
    for detections, truth in frames:
        evaluation.add_frame(detections, truth)
    expected = reference(frames)
    found = evaluation.average_precisions()
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert np.nanmax(found) > 0.1
    at_half = evaluation.result(0.5)
    assert at_half.frames == len(frames)
    np.testing.assert_allclose(at_half.mean_average_precision, np.nanmean(expected[0]))


def boxes(*rows) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def evaluate(found, scores, truth, difficult):
    """Evaluate one class in one frame at IoU 0.5."""
    evaluation = Evaluation(['thing'])
    evaluation.add_frame(
        Detections(boxes(*found), np.array(scores, np.float32), np.zeros(len(found), np.int32)),
        GroundTruth(boxes(*truth), np.zeros(len(truth), int), np.array(difficult, bool)),
    )
    return evaluation.result().classes[0]


HERE, THERE = (0, 0, 10, 10), (50, 50, 60, 60)
# BETWEEN overlaps LEFT and RIGHT alike and takes the last; only LEFT will do for BESIDE.
LEFT, RIGHT, BETWEEN, BESIDE = (2, 0, 12, 10), (6, 0, 16, 10), (4, 0, 14, 10), (1, 0, 11, 10)


@pytest.mark.parametrize(
    ('found', 'scores', 'truth', 'difficult', 'average_precision', 'precision', 'recall'),
    [
        ([HERE], [0.9], [HERE], [False], 1.0, [1], [1]),
        ([THERE], [0.9], [HERE], [False], 0.0, [0], [0]),
        ([], [], [HERE], [False], 0.0, [], []),
        ([HERE, HERE], [0.9, 0.8], [HERE], [False], 1.0, [1, 0.5], [1, 1]),
        ([THERE, HERE], [0.9, 0.8], [HERE], [False], 0.5, [0, 0.5], [0, 1]),
        ([HERE], [0.9], [HERE, THERE], [False, True], 1.0, [1], [1]),
        ([THERE, HERE], [0.9, 0.8], [HERE, THERE], [False, True], 1.0, [1], [1]),
        (
            [THERE, THERE, HERE],
            [0.9, 0.8, 0.7],
            [HERE, THERE],
            [False, True],
            0.5,
            [0, 0.5],
            [0, 1],
        ),
        ([HERE], [0.9], [HERE, HERE], [True, False], 1.0, [1], [1]),
        ([BETWEEN, BESIDE], [0.9, 0.8], [LEFT, RIGHT], [False, False], 1.0, [1, 1], [0.5, 1]),
        ([BETWEEN, BESIDE], [0.9, 0.8], [RIGHT, LEFT], [False] * 2, 51 / 101, [1, 0.5], [0.5, 0.5]),
        ([HERE], [0.9], [HERE, THERE], [False, False], 51 / 101, [1], [0.5]),
    ],
)
def test_by_hand(found, scores, truth, difficult, average_precision, precision, recall):
    result = evaluate(found, scores, truth, difficult)
    assert result.average_precision == pytest.approx(average_precision)
    np.testing.assert_allclose(result.precision, precision)
    np.testing.assert_allclose(result.recall, recall)
    assert result.objects == difficult.count(False)
    assert result.detections == len(precision)


@pytest.mark.parametrize('truth', [[], [HERE]])
def test_a_class_without_objects_has_no_average(truth):
    result = evaluate([THERE], [0.9], truth, [True] * len(truth))
    assert result.objects == 0
    assert math.isnan(result.average_precision)
    assert math.isnan(Evaluation(['thing']).result().mean_average_precision)


def test_an_overlap_of_exactly_the_threshold_counts():
    assert evaluate([(0, 0, 10, 5)], [0.9], [HERE], [False]).average_precision == 1.0


def test_an_overlap_of_one_can_be_asked_for():
    evaluation = Evaluation(['thing'])
    box = boxes((1.1, 2.2, 301.3, 77.7))
    evaluation.add_frame(
        Detections(box, np.ones(1, np.float32), np.zeros(1, np.int32)),
        GroundTruth(box, np.zeros(1, int), np.zeros(1, bool)),
    )
    assert evaluation.result(1.0).mean_average_precision == 1.0


def test_classes_without_a_label_are_left_out():
    evaluation = Evaluation(['thing'])
    evaluation.add_frame(
        Detections(boxes(HERE, HERE), np.ones(2, np.float32), np.array([0, 5], np.int32)),
        GroundTruth(boxes(HERE, HERE), np.array([0, -1]), np.zeros(2, bool)),
    )
    assert evaluation.result().classes[0].average_precision == 1.0


def test_the_thresholds_of_coco():
    np.testing.assert_allclose(COCO_IOUS, [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95])


@pytest.mark.parametrize('iou', [0.0, -1.0, 1.1, math.nan])
def test_a_threshold_out_of_range(iou):
    with pytest.raises(ValueError, match='iou must lie'):
        Evaluation(['thing']).result(iou)


def test_shapes_of_the_truth():
    with pytest.raises(ValueError, match=r'difficult must have shape \(1,\), not \(2,\)'):
        GroundTruth(boxes(HERE), np.zeros(1), np.zeros(2, bool))
