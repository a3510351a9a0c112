# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A variant beside its reference: figures, thresholds, and the verdict on them."""

import math

import numpy as np
import pytest

from jetson_infer.core.detections import Detections
from jetson_infer.core.evaluation import Evaluation, GroundTruth
from jetson_infer.core.matching import match_frame
from jetson_infer.core.validation import DOUBT, DetectionComparison, truth_from_reference
from jetson_infer.core.validation_thresholds import SafetyLimits, ValidationThresholds
from jetson_infer.core.verdict import Check, Verdict, judge

LABELS = ('person', 'dog')
SAFE = ValidationThresholds({'person': SafetyLimits(min_objects=1)}, min_objects=1)


def detections(*rows):
    """Rows are ``(class, score, (x_min, y_min, x_max, y_max))``."""
    return Detections(
        np.array([box for _, _, box in rows], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in rows], np.float32),
        np.array([kind for kind, _, _ in rows], np.int32),
    )


def truth(*rows, difficult=()):
    """Rows are ``(class, box)``; ``difficult`` names rows."""
    flags = np.zeros(len(rows), np.bool_)
    flags[list(difficult)] = True
    return GroundTruth(
        np.array([box for _, box in rows], np.float32).reshape(-1, 4),
        np.array([kind for kind, _ in rows], np.int32),
        flags,
    )


def box(x, side=10.0):
    return (x, 0.0, x + side, side)


def random_frame(random):
    count = int(random.integers(0, 8))
    corners = random.uniform(0, 60, (count, 2))
    boxes = np.concatenate([corners, corners + random.uniform(8, 30, (count, 2))], axis=1)
    objects = GroundTruth(
        boxes.astype(np.float32), random.integers(0, 2, count), random.random(count) < 0.25
    )
    kept = random.random(count) < 0.8
    found = np.concatenate([boxes[kept] + random.normal(0, 3, (kept.sum(), 4)), boxes[:2]])
    ids = np.concatenate([objects.class_ids[kept], objects.class_ids[:2]]).astype(np.int32)
    scores = random.random(len(found)).astype(np.float32)
    return objects, Detections(found.astype(np.float32), scores, ids)


def test_frames_are_matched_as_average_precision_is_made():
    random = np.random.default_rng(1)
    for score in (0.0, 0.5):
        evaluation, found, false = Evaluation(LABELS), np.zeros(2), np.zeros(2)
        for _ in range(200):
            objects, output = random_frame(random)
            evaluation.add_frame(output, objects)
            match = match_frame(output, objects, score)
            np.add.at(found, objects.class_ids[match.pairs[:, 1]], 1)
            np.add.at(false, output.class_ids[match.false], 1)
            assert not objects.difficult[match.missed].any()
            assert (match.overlaps >= 0.5).all()
        for index, item in enumerate(evaluation.result(0.5).classes):
            shown = int(np.count_nonzero(item.scores >= np.float32(score)))
            assert found[index] == round(item.recall[shown - 1] * item.objects)
            assert false[index] == shown - found[index]


def test_the_same_output_has_the_same_figures_and_passes():
    random = np.random.default_rng(2)
    comparing = DetectionComparison(LABELS, 0.5)
    for _ in range(50):
        objects, output = random_frame(random)
        difference = comparing.add_frame(objects, output, output)
        assert difference.newly_missed.tolist() == difference.newly_found.tolist() == []
        assert (difference.more_false, difference.iou_lost) == (0, 0.0)
    comparison = comparing.result()
    assert comparison.reference == comparison.candidate
    verdict = judge(comparison, ValidationThresholds({'person': SafetyLimits(1.0, 0.0)}, 1.0, 1.0))
    assert verdict.passed, verdict.failures


def test_what_is_lost_is_counted_by_class_and_told():
    objects = truth((0, box(0)), (0, box(20)), (1, box(40)), (0, box(60)), difficult=[3])
    before = detections((0, 0.9, box(0)), (0, 0.8, box(20)), (1, 0.7, box(40)))
    after = detections((0, 0.9, box(2)), (0, 0.3, box(20)), (1, 0.7, box(40)), (1, 0.6, box(80)))
    comparing = DetectionComparison(LABELS, 0.5)
    difference = comparing.add_frame(objects, before, after)
    assert difference.newly_missed.tolist() == [1]
    assert difference.more_false == 1
    assert difference.iou_lost == pytest.approx(1 - 8 / 12)
    found = comparing.result()
    person = found.candidate.of('person')
    assert (person.objects, person.found, person.missed, person.recall) == (2, 1, 1, 0.5)
    assert found.reference.of('person').recall == 1.0
    assert found.candidate.of('dog').false == 1
    assert found.newly_missed == {'person': 1, 'dog': 0}
    assert found.newly_missed_rate('person') == 0.5
    assert found.reference.box_iou == 1.0
    assert found.candidate.box_iou == pytest.approx((8 / 12 + 1) / 2)
    assert found.candidate.box_error == pytest.approx((1.0, 1.9))  # of 2 px and 0 px
    # A score below the working threshold still counts for average precision.
    assert person.ap50 == pytest.approx(1.0)
    told = judge(found, SAFE)
    assert not told.passed
    assert [check.name for check in told.failures] == [
        'box_iou_ratio',
        'recall_ratio',
        'newly_missed',
    ]
    sentences = ' '.join(check.sentence for check in told.failures)
    assert 'recall of person at score 0.5 is 0.500 (1 of 2) against 1.000' in sentences
    assert 'of 2 objects of the class person that the reference finds, 1 are missed' in sentences


def test_without_truth_the_reference_is_it_where_it_is_sure():
    near = DOUBT / 2
    reference = detections(
        (0, 0.9, box(0)), (1, 0.5 + near, box(20)), (0, 0.5 - near, box(40)), (0, 0.2, box(60))
    )
    objects = truth_from_reference(reference, 0.5)
    assert objects.difficult.tolist() == [False, True, True]
    comparing = DetectionComparison(LABELS, 0.5)
    output = detections((0, 0.8, box(0)), (0, 0.51, box(40)))
    comparing.add_frame(objects, reference, output)
    found = comparing.result()
    assert found.candidate.of('person').false == 0
    assert found.candidate.ap50 == found.reference.ap50 == 1.0
    assert math.isnan(found.candidate.of('dog').ap50)
    # What the reference is sure of not being there is false, however little it scored it.
    comparing = DetectionComparison(LABELS, 0.5)
    comparing.add_frame(objects, reference, detections((0, 1.0, box(60)), (0, 0.8, box(0))))
    assert comparing.result().candidate.of('person').false == 1
    assert comparing.result().candidate.ap50 == 0.5


@pytest.mark.parametrize(
    ('thresholds', 'failing'),
    [
        (ValidationThresholds(min_objects=1), set()),
        (ValidationThresholds(min_objects=2), {'objects'}),
        (SAFE, set()),
        (
            ValidationThresholds({'person': SafetyLimits(min_objects=2)}, min_objects=1),
            {'objects'},
        ),
        (
            ValidationThresholds({'dog': SafetyLimits(min_objects=1)}, min_objects=1),
            {'objects', 'recall_ratio', 'newly_missed'},
        ),
        (
            ValidationThresholds({'person': SafetyLimits(0.5, 0.5, 0.0, 1)}, min_objects=1),
            set(),
        ),
    ],
)
def test_each_limit_is_held(thresholds, failing):
    comparing = DetectionComparison(LABELS, 0.5)
    output = detections((0, 0.9, box(0)))
    comparing.add_frame(truth((0, box(0))), output, output)
    verdict = judge(comparing.result(), thresholds)
    assert {check.name for check in verdict.failures} == failing
    assert verdict.passed == (not failing)


def test_with_few_objects_nothing_is_proved():
    comparing = DetectionComparison(LABELS, 0.5)
    output = detections((0, 0.9, box(0)))
    comparing.add_frame(truth((0, box(0))), output, output)
    verdict = judge(comparing.result(), ValidationThresholds({'person': SafetyLimits()}))
    everything, person = (check.sentence for check in verdict.failures)
    assert everything.startswith('the data holds 1 objects; at least 20 are wanted: with fewer')
    assert 'holds 1 objects of the class person; at least 20 are wanted' in person


def test_a_reference_that_finds_nothing_proves_nothing():
    comparing = DetectionComparison(LABELS, 0.5)
    comparing.add_frame(truth((0, box(0))), Detections.empty(), Detections.empty())
    verdict = judge(comparing.result(), SAFE)
    assert not verdict.passed
    assert 'the reference finds no person' in ' '.join(c.sentence for c in verdict.failures)
    assert not judge(DetectionComparison(LABELS, 0.5).result(), ValidationThresholds()).passed


def test_a_missed_rate_is_limited_where_the_card_does():
    comparing = DetectionComparison(LABELS, 0.5)
    output = detections((0, 0.9, box(0)))
    comparing.add_frame(truth((0, box(0)), (0, box(20))), output, output)
    limits = SafetyLimits(max_missed_rate=0.4, min_objects=1)
    thresholds = ValidationThresholds({'person': limits}, min_objects=1)
    (failure,) = judge(comparing.result(), thresholds).failures
    assert (failure.name, failure.value, failure.limit) == ('missed_rate', 0.5, 0.4)


def test_a_verdict_is_read_as_it_was_written_and_no_other():
    verdict = Verdict((Check('ap50_ratio', '', 0.98, 0.99, True, 'told'),))
    written = verdict.to_json()
    assert Verdict.from_json(written) == verdict
    for lie in (
        {**written, 'passed': True},
        {'passed': False},
        {**written, 'checks': [{'name': 'x'}]},
        [],
        None,
    ):
        with pytest.raises(ValueError, match='is no verdict'):
            Verdict.from_json(lie)
    assert not Verdict(()).passed


def test_thresholds_have_a_digest_of_all_they_say():
    given = [
        ValidationThresholds(),
        ValidationThresholds({'person': SafetyLimits()}),
        ValidationThresholds({'dog': SafetyLimits()}),
        ValidationThresholds({'person': SafetyLimits(min_recall_ratio=0.98)}),
        ValidationThresholds({'person': SafetyLimits(max_newly_missed=0.1)}),
        ValidationThresholds({'person': SafetyLimits(max_missed_rate=0.1)}),
        ValidationThresholds({'person': SafetyLimits(min_objects=1)}),
        ValidationThresholds(min_ap50_ratio=0.9),
        ValidationThresholds(min_box_iou_ratio=0.9),
        ValidationThresholds(score_threshold=0.5),
        ValidationThresholds(min_objects=21),
    ]
    assert len({each.digest() for each in given}) == len(given)
    assert ValidationThresholds().digest() == ValidationThresholds().digest()
