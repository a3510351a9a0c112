# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Detections in point clouds are held against objects by the same code as those in images."""

import math

import numpy as np
import pytest

from jetson_infer.core.bev import BEV_BOXES, BevDetections, BevTruth, box_above
from jetson_infer.core.detections import Detections
from jetson_infer.core.evaluation import KITTI_RECALLS, Evaluation, GroundTruth
from jetson_infer.core.ground_boxes import ground_corners
from jetson_infer.core.matching import match_frame
from jetson_infer.core.validation import DetectionComparison, truth_from_reference
from jetson_infer.core.validation_thresholds import SafetyLimits, ValidationThresholds
from jetson_infer.core.verdict import judge

LABELS = ('person', 'chair')
THRESHOLDS = ValidationThresholds({'person': SafetyLimits(min_objects=1)}, min_objects=1)


def upright(boxes):
    return np.concatenate([boxes[:, :2] - boxes[:, 2:4] / 2, boxes[:, :2] + boxes[:, 2:4] / 2], 1)


def found(boxes, scores, ids):
    return BevDetections(np.float32(boxes).reshape(-1, 5), np.float32(scores), np.int32(ids))


def real(boxes, ids, difficult=None):
    flags = np.zeros(len(ids), np.bool_) if difficult is None else difficult
    return BevTruth(np.float32(boxes).reshape(-1, 5), np.int32(ids), flags)


def random_frame(random, turn):
    count = int(random.integers(0, 7))
    boxes = np.concatenate(
        [
            random.uniform(-6, 6, (count, 2)),
            random.uniform(1, 4, (count, 2)),
            random.uniform(-math.pi, math.pi, (count, 1)) * turn,
        ],
        axis=1,
    )
    truth = real(boxes, random.integers(0, 2, count), random.random(count) < 0.2)
    seen = boxes + random.normal(0, 0.15, boxes.shape) * [1, 1, 1, 1, turn]
    kept = random.random(count) < 0.9
    return truth, found(seen[kept], random.random(kept.sum()), truth.class_ids[kept])


def test_without_a_turn_figures_are_those_of_plain_boxes():
    random = np.random.default_rng(4)
    plain, above = Evaluation(LABELS), Evaluation(LABELS, BEV_BOXES)
    for _ in range(40):
        truth, output = random_frame(random, 0.0)
        above.add_frame(output, truth)
        plain.add_frame(
            Detections(upright(output.boxes), output.scores, output.class_ids),
            GroundTruth(upright(truth.boxes), truth.class_ids, truth.difficult),
        )
    assert above.average_precisions() == pytest.approx(plain.average_precisions())
    assert 0.2 < above.result().mean_average_precision < 1.0


def average_precision_by_hand(frames, class_id, iou, recalls):
    """Match one by one over all frames, and look up each recall, without any array."""
    rows, objects = [], 0
    for number, (truth, output) in enumerate(frames):
        objects += sum(
            1 for c, d in zip(truth.class_ids, truth.difficult) if c == class_id and not d
        )
        for row, (score, kind) in enumerate(zip(output.scores, output.class_ids)):
            if kind == class_id:
                rows.append((-float(score), number, row))
    free = {(n, i) for n, (truth, _) in enumerate(frames) for i in range(len(truth.class_ids))}
    hits, points = 0, []
    for place, (_, number, row) in enumerate(sorted(rows), 1):
        truth, output = frames[number]
        overlaps = [
            (BEV_BOXES.overlaps(output.boxes[row : row + 1], truth.boxes[i : i + 1])[0, 0], i)
            for i in range(len(truth.class_ids))
            if (number, i) in free and truth.class_ids[i] == class_id
        ]
        best = max(overlaps, default=(0.0, -1))
        if best[0] >= iou:
            free.remove((number, best[1]))
            hits += 1
        points.append((hits / objects, hits / place))
    return sum(max((p for r, p in points if r >= at), default=0.0) for at in recalls) / len(recalls)


def test_average_precision_at_40_recalls_is_that_counted_by_hand():
    random = np.random.default_rng(8)
    frames = []
    for _ in range(25):
        truth, output = random_frame(random, 1.0)
        frames.append((real(truth.boxes, truth.class_ids), output))
    evaluation = Evaluation(LABELS, BEV_BOXES)
    for truth, output in frames:
        evaluation.add_frame(output, truth)
    assert KITTI_RECALLS[:2] == (0.025, 0.05)
    assert (len(KITTI_RECALLS), KITTI_RECALLS[-1]) == (40, 1.0)
    for iou in (0.5, 0.7):
        for class_id, result in enumerate(evaluation.result(iou, KITTI_RECALLS).classes):
            expected = average_precision_by_hand(frames, class_id, iou, KITTI_RECALLS)
            assert result.average_precision == pytest.approx(expected)
            assert 0.1 < expected < 1.0


def test_a_variant_is_compared_with_its_reference_and_judged_as_in_images():
    boxes = np.array([[5, 1, 0.8, 0.8, 0.3], [9, -2, 0.7, 0.7, 1.0], [4, 4, 0.5, 0.5, 0]])
    truth = real(boxes, [0, 0, 1])
    reference = found(boxes, [0.9, 0.8, 0.7], [0, 0, 1])
    offsets = np.array([[0.06, 0.08, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, math.pi / 2]])
    moved = boxes + offsets
    sound = found(moved, [0.9, 0.8, 0.7], [0, 0, 1])
    comparing = DetectionComparison(LABELS, 0.5, BEV_BOXES)
    difference = comparing.add_frame(truth, reference, sound)
    assert difference.newly_missed.tolist() == []
    result = comparing.result()
    assert result.candidate.unit == 'm'
    assert result.candidate.box_error[0] == pytest.approx(0.0, abs=1e-6)
    assert result.to_json()['variant']['box_error_m'][1] == pytest.approx(0.09, abs=1e-5)
    assert result.candidate.ap50 == 1.0
    comparing = DetectionComparison(LABELS, 0.5, BEV_BOXES)
    turned = boxes * [1, 1, 2, 0.5, 1] + [0, 0, 0, 0, 0.8]  # overlaps what it is about too little
    comparing.add_frame(truth, reference, found(turned, [0.9, 0.8, 0.7], [0, 0, 1]))
    verdict = judge(comparing.result(), THRESHOLDS)
    assert {check.name for check in verdict.failures} >= {'ap50_ratio', 'recall_ratio'}
    assert judge(result, ValidationThresholds(min_objects=1, min_box_iou_ratio=0.8)).passed


def test_without_truth_the_reference_is_it():
    reference = found([[5, 1, 1, 1, 0], [9, -2, 1, 1, 0]], [0.9, 0.52], [0, 0])
    truth = truth_from_reference(reference, 0.5, BEV_BOXES)
    assert isinstance(truth, BevTruth)
    assert truth.difficult.tolist() == [False, True]
    assert match_frame(reference, truth, kind=BEV_BOXES).pairs.tolist() == [[0, 0]]


def test_boxes_of_another_kind_are_refused():
    with pytest.raises(ValueError, match=r'boxes must have shape \(1, 5\), not \(1, 4\)'):
        BevDetections(np.zeros((1, 4)), np.zeros(1), np.zeros(1))
    with pytest.raises(ValueError, match=r'boxes must have shape \(1, 4\), not \(1, 5\)'):
        GroundTruth(np.zeros((1, 5)), np.zeros(1), np.zeros(1, np.bool_))


def test_a_box_in_space_is_seen_from_above():
    random = np.random.default_rng(9)
    for _ in range(20):
        yaw, size = random.uniform(-3.1, 3.1), random.uniform(0.2, 4, 3)
        cosine, sine = math.cos(yaw), math.sin(yaw)
        rotation = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
        centre = random.uniform(-9, 9, 3)
        corners = np.array([[a, b, 0.5] for a in (-0.5, 0.5) for b in (-0.5, 0.5)]) * size
        seen = (corners @ rotation.T + centre)[:, :2]
        outline = ground_corners(np.array([box_above(centre, rotation, size)]))[0]
        assert np.allclose(sorted(outline.tolist()), sorted(seen.tolist()))
