# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A variant's depth beside its reference's: figures, thresholds, the verdict, and the card."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import networks
from jetson_infer.core.card_parser import parse_card
from jetson_infer.core.depth_evaluation import DepthEvaluation
from jetson_infer.core.depth_validation import DepthComparison, DepthThresholds, judge_depth
from jetson_infer.core.validation_thresholds import SafetyLimits, ValidationThresholds
from jetson_infer.core.verdict import Verdict
from jetson_infer.errors import CardError

FEW = DepthThresholds(min_pixels=1, min_range_pixels=1)
SHAPE = (60, 80)


def scene(seed):
    """Return a true depth and a reference that is 4 % off, pixel by pixel."""
    random = np.random.default_rng(seed)
    truth = random.uniform(0.5, 40.0, SHAPE).astype(np.float32)
    reference = (truth * random.normal(1.0, 0.04, SHAPE)).astype(np.float32)
    truth[random.random(SHAPE) < 0.2] = np.nan
    return truth, reference


def compare(change, thresholds=FEW, with_truth=True):
    """Compare over a few frames; ``change`` makes the variant's depth of the reference's."""
    comparing = DepthComparison(thresholds)
    for seed in range(3):
        truth, reference = scene(seed)
        comparing.add_frame(truth if with_truth else None, reference, change(reference, seed))
    return comparing.result()


def failures(change, thresholds=FEW, with_truth=True):
    verdict = judge_depth(compare(change, thresholds, with_truth), thresholds)
    assert verdict.passed == (not verdict.failures)
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict
    return [(check.name, check.label) for check in verdict.failures]


def noisy(share):
    def change(depth, seed):
        return depth * np.random.default_rng(seed + 9).normal(1.0, share, SHAPE)

    return change


def same(depth, seed):
    return depth


def test_the_same_depth_passes_the_strictest_limits():
    strict = DepthThresholds(0.0, 1.0, 1.0, 1.0, 1.0, 1, 1)
    assert failures(same, strict) == []
    assert failures(same, strict, with_truth=False) == []


def test_figures_are_those_of_each_against_the_truth_and_of_one_against_the_other():
    compared = compare(noisy(0.02))
    assert (compared.frames, compared.frames_with_truth) == (3, 3)
    sides = DepthEvaluation(), DepthEvaluation(), DepthEvaluation()
    for seed in range(3):
        truth, reference = scene(seed)
        variant = noisy(0.02)(reference, seed)
        for side, pair in zip(sides, ((reference, truth), (variant, truth), (variant, reference))):
            side.add_frame(*pair)
    found = compared.reference, compared.candidate, compared.agreement
    assert found == tuple(side.result() for side in sides)
    assert compared.candidate.abs_rel > compared.reference.abs_rel
    written = json.loads(json.dumps(compared.to_json(), allow_nan=False))
    assert written['variant_against_reference']['abs_rel'] == pytest.approx(
        compared.agreement.abs_rel, abs=1e-6
    )
    # Without a truth there is nothing to hold either against.
    alone = compare(noisy(0.02), with_truth=False)
    assert (alone.frames, alone.frames_with_truth, alone.reference.pixels) == (3, 0, 0)
    assert alone.agreement == compared.agreement


def test_a_little_noise_passes_and_much_of_it_fails_every_figure():
    assert failures(noisy(0.01)) == []
    lost = failures(noisy(0.4))
    assert {name for name, _ in lost} == {
        'difference',
        'abs_rel_ratio',
        'delta1_ratio',
        'range_error_ratio',
    }
    assert failures(noisy(0.4), with_truth=False) == [('difference', '')]


def test_what_is_wrong_near_by_alone_is_found_there():
    def too_far_near_by(depth, seed):
        return np.where(depth < 1.0, depth * 1.08, depth)

    assert failures(too_far_near_by) == [('range_error_ratio', '0 to 1 m')]
    (check,) = judge_depth(compare(too_far_near_by), FEW).failures
    assert 'from 0 to 1 m, depth is 0.0' in check.sentence
    assert failures(too_far_near_by, replace(FEW, min_range_pixels=10_000)) == []


def test_pixels_that_are_not_known_any_more_count():
    def holes(depth, seed):
        return np.where(np.random.default_rng(seed).random(SHAPE) < 0.1, np.nan, depth)

    assert failures(holes, replace(FEW, min_range_pixels=2000)) == [('coverage', '')]
    lost = {name for name, _ in failures(lambda depth, seed: depth * np.nan)}
    assert lost >= {'coverage', 'difference', 'abs_rel_ratio', 'delta1_ratio'}


def test_a_scale_that_wanders_is_seen_though_every_frame_is_aligned_with_its_truth():
    relative = replace(FEW, align='median')

    def wandering(depth, seed):
        return depth * (1.0 + 0.3 * seed)

    assert failures(wandering, relative) == [('difference', '')]
    compared = compare(wandering, relative)
    assert compared.candidate.abs_rel == pytest.approx(compared.reference.abs_rel)
    # A reference in units of its own is no worse for it.
    comparing = DepthComparison(relative)
    truth, reference = scene(1)
    comparing.add_frame(truth, reference * 70.0, reference * 70.0)
    assert comparing.result().reference.abs_rel == pytest.approx(
        compare(same, relative).reference.abs_rel, rel=0.1
    )
    assert judge_depth(comparing.result(), relative).passed


def test_with_few_pixels_nothing_is_proved():
    count = sum(int(np.isfinite(scene(seed)[0]).sum()) for seed in range(3))
    assert failures(same, replace(FEW, min_pixels=count)) == []
    (check,) = judge_depth(compare(same), replace(FEW, min_pixels=count + 1)).failures
    assert check.sentence.startswith(
        f'the data holds {count} pixels of known depth; at least {count + 1} are wanted: with fewer'
    )
    nothing = judge_depth(DepthComparison(FEW).result(), FEW)
    assert {check.name for check in nothing.failures} == {'difference', 'coverage', 'pixels'}


def test_no_ratio_is_made_of_a_reference_without_error():
    truth = np.full(SHAPE, 2.0)
    comparing = DepthComparison(FEW)
    comparing.add_frame(truth, truth, truth)
    assert judge_depth(comparing.result(), FEW).passed
    comparing.add_frame(truth, truth, truth * 1.001)
    verdict = judge_depth(comparing.result(), FEW)
    assert {check.name for check in verdict.failures} == {'abs_rel_ratio', 'range_error_ratio'}
    assert all(check.value is None for check in verdict.failures)


def test_what_is_truly_far_is_left_out_where_the_card_says_so():
    def wrong_far_away(depth, seed):
        return np.where(depth > 8.0, depth * 1.3, depth)

    lenient = replace(FEW, max_difference=1.0)
    assert failures(wrong_far_away, lenient) != []
    assert failures(wrong_far_away, replace(lenient, far_m=5.0)) == []


def thresholds(section=None, variant=None):
    own = {'name': 'fp32', 'onnx': 'tiny.onnx', **({'validation': variant} if variant else {})}
    changes = {} if section is None else {'validation': section}
    card = parse_card(networks.card(task='depth', variants=[own], **changes), 'model.yaml')
    return card.variants[0].depth_validation


def test_the_card_says_what_has_to_hold_and_a_variant_goes_before_it():
    assert thresholds() == DepthThresholds()
    section = {'max_difference': 0.02, 'align': 'median', 'far_m': 8, 'min_pixels': 5}
    found = thresholds(section, {'max_difference': 0.2, 'min_range_pixels': 3})
    expected = DepthThresholds(0.2, min_pixels=5, min_range_pixels=3, align='median', far_m=8.0)
    assert found == expected


@pytest.mark.parametrize(
    ('section', 'message'),
    [
        ({'min_ap50_ratio': 0.9}, 'validation.min_ap50_ratio: is not a known key'),
        ({'max_diference': 0.9}, "did you mean 'max_difference'"),
        ({'max_difference': 2}, 'must be a number from 0 to 1, not 2'),
        ({'max_abs_rel_ratio': math.inf}, 'must be a number from 0 to 10'),
        ({'align': 'mean'}, "must be one of none, median, not 'mean'"),
        ({'far_m': 0}, 'must be a number from 0.01'),
        ({'min_pixels': 0}, 'must be an integer from 1'),
        ([], 'must be a mapping'),
    ],
)
def test_what_cannot_work_in_a_card_is_named(section, message):
    with pytest.raises(CardError) as caught:
        thresholds(section)
    assert message in str(caught.value)
    with pytest.raises(CardError) as caught:
        thresholds(variant=section or [0])
    assert 'variants[0].validation' in str(caught.value)


def test_a_card_of_detections_knows_no_key_of_depth():
    with pytest.raises(CardError, match='max_difference: is not a known key'):
        parse_card(networks.card(validation={'max_difference': 0.1}), 'model.yaml')
    card = parse_card(networks.card(), 'model.yaml')
    assert card.variants[0].validation == ValidationThresholds()


def test_a_card_of_clouds_is_held_to_the_thresholds_of_detections():
    section = {'safety_classes': ['person'], 'min_ap50_ratio': 0.97}
    card = parse_card(networks.card(task='cloud_detection', validation=section), 'model.yaml')
    expected = ValidationThresholds({'person': SafetyLimits()}, min_ap50_ratio=0.97)
    assert card.variants[0].validation == expected


def test_thresholds_have_a_digest_of_all_they_say():
    changed = [
        DepthThresholds(),
        *(
            replace(DepthThresholds(), **{name: value})
            for name, value in {
                'max_difference': 0.01,
                'min_coverage': 0.5,
                'max_abs_rel_ratio': 1.01,
                'min_delta1_ratio': 0.5,
                'max_range_error_ratio': 2.0,
                'min_pixels': 3,
                'min_range_pixels': 3,
                'align': 'median',
                'far_m': 3.0,
            }.items()
        ),
    ]
    assert len(changed) == 1 + len(DepthThresholds.__dataclass_fields__)
    assert len({each.digest() for each in changed}) == len(changed)
    assert DepthThresholds().digest() == DepthThresholds().digest()
