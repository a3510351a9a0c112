# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The section ``validation`` of a card."""

import pytest

import networks
from jetson_infer.core.card_parser import parse_card
from jetson_infer.core.validation_thresholds import SafetyLimits, ValidationThresholds
from jetson_infer.errors import CardError


def thresholds(section=None, variant=None):
    """Return what a variant has to hold by a card's section and its own."""
    own = {'name': 'fp32', 'onnx': 'tiny.onnx', **({'validation': variant} if variant else {})}
    changes = {} if section is None else {'validation': section}
    return parse_card(networks.card(variants=[own], **changes), 'model.yaml').variants[0].validation


def test_without_a_section_the_usual_limits_hold_for_all_classes_together():
    assert thresholds() == ValidationThresholds()
    assert ValidationThresholds().min_ap50_ratio == 0.99


@pytest.mark.parametrize(
    ('section', 'variant', 'expected'),
    [
        ({'safety_classes': ['person']}, None, {'person': SafetyLimits()}),
        ({'safety_classes': []}, None, {}),
        (
            {'safety_classes': ['person', 'dog'], 'min_recall_ratio': 0.98},
            None,
            {'person': SafetyLimits(0.98), 'dog': SafetyLimits(0.98)},
        ),
        (
            {'safety_classes': {'person': {'min_recall_ratio': 1}, 'dog': None}, 'min_objects': 3},
            None,
            {'person': SafetyLimits(1.0, min_objects=3), 'dog': SafetyLimits(min_objects=3)},
        ),
        (
            {'safety_classes': {'person': {'min_recall_ratio': 1}, 'dog': {}}},
            {'min_recall_ratio': 0.9, 'safety_classes': {'dog': {'max_newly_missed': 0.2}}},
            {'person': SafetyLimits(0.9), 'dog': SafetyLimits(0.9, 0.2)},
        ),
    ],
)
def test_every_safety_class_has_its_limits(section, variant, expected):
    assert dict(thresholds(section, variant).safety) == expected


def test_a_variants_section_goes_before_the_cards():
    section = {'min_ap50_ratio': 0.95, 'score_threshold': 0.6, 'min_objects': 7}
    found = thresholds(section, {'min_ap50_ratio': 0.8})
    assert (found.min_ap50_ratio, found.score_threshold, found.min_objects) == (0.8, 0.6, 7)


@pytest.mark.parametrize(
    ('section', 'variant', 'message'),
    [
        ({'safety_clases': ['person']}, None, 'validation.safety_clases: is not a known key (did'),
        ({'safety_classes': ['cat']}, None, "'cat' is not a label of the model; there are: person"),
        ({'safety_classes': [True]}, None, 'validation.safety_classes[0]: must be text'),
        ({'safety_classes': 'person'}, None, 'must be a list'),
        ({'safety_classes': {'person': 3}}, None, 'safety_classes.person: must be a mapping'),
        ({'safety_classes': {'person': {'min_recal': 1}}}, None, 'safety_classes.person.min_recal'),
        ({'min_ap50_ratio': 1.5}, None, 'must be a number from 0 to 1, not 1.5'),
        ({'min_objects': 0}, None, 'must be an integer from 1'),
        ({'max_newly_missed': 0}, None, 'max_newly_missed: is for safety_classes, and the card'),
        (None, {'min_recall_ratio': 0.9}, 'variants[0].validation.min_recall_ratio: is for safety'),
        ('strict', None, 'validation: must be a mapping'),
        (
            {'safety_classes': ['person']},
            {'safety_classes': ['dog']},
            "variants[0].validation.safety_classes: 'dog' is not one of the card's safety_classes",
        ),
    ],
)
def test_what_cannot_work_is_named(section, variant, message):
    with pytest.raises(CardError) as caught:
        thresholds(section, variant)
    assert message in str(caught.value)
