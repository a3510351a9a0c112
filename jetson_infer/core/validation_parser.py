# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Reading the ``validation`` section of a model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jetson_infer.core.depth_evaluation import ALIGNMENTS
from jetson_infer.core.depth_validation import DepthThresholds
from jetson_infer.core.fields import Fields, shown
from jetson_infer.core.validation_thresholds import SafetyLimits, ValidationThresholds

__all__ = ['parse_depth_validation', 'parse_validation']

_MOST_OBJECTS = 1_000_000
_MOST_PIXELS = 10**12
_LARGEST_RATIO = 10.0
_LIMITS = ('min_recall_ratio', 'max_newly_missed', 'max_missed_rate', 'min_objects')
_KEYS = ('safety_classes', 'min_ap50_ratio', 'min_box_iou_ratio', 'score_threshold', *_LIMITS)


def parse_validation(
    parent: Fields, labels: Sequence[str], usual: ValidationThresholds | None = None
) -> ValidationThresholds:
    """Read the section ``validation`` of a card or of a variant.

    :param parent: the card or the variant; the section may be missing.
    :param labels: the model's labels.
    :param usual: with a variant, what the card says for all of them; None at the top level.
    :raises CardError: if a value cannot work, naming it and what is allowed.
    """
    raw = parent.raw('validation') if parent.has('validation') else {}
    fields = Fields(raw, parent.source, parent.path('validation'), _KEYS)
    before = usual or ValidationThresholds()
    score = before.score_threshold
    if fields.has('score_threshold'):
        score = fields.number('score_threshold', 0.0, 1.0)
    own = _safety_classes(fields, labels, usual)
    everyone = dict.fromkeys(own) if usual is None else before.safety
    _limits(fields, SafetyLimits())  # for its complaints
    idle = [key for key in _LIMITS if fields.has(key) and key != 'min_objects']
    if idle and not everyone:
        raise fields.error(idle[0], 'is for safety_classes, and the card names none')
    safety = {}
    for label in everyone:
        limits = _limits(fields, before.safety.get(label, SafetyLimits()))
        safety[label] = _limits(own[label], limits) if label in own else limits
    return ValidationThresholds(
        safety=safety,
        min_ap50_ratio=fields.number('min_ap50_ratio', 0.0, 1.0, before.min_ap50_ratio),
        min_box_iou_ratio=fields.number('min_box_iou_ratio', 0.0, 1.0, before.min_box_iou_ratio),
        min_objects=fields.integer('min_objects', 1, _MOST_OBJECTS, before.min_objects),
        score_threshold=score,
    )


def parse_depth_validation(parent: Fields, usual: DepthThresholds | None = None) -> DepthThresholds:
    """Read the section ``validation`` of a card of depth, or of a variant of it.

    :param parent: the card or the variant; the section may be missing.
    :param usual: with a variant, what the card says for all of them.
    :raises CardError: if a value cannot work, naming it and what is allowed.
    """
    raw = parent.raw('validation') if parent.has('validation') else {}
    keys = tuple(DepthThresholds.__dataclass_fields__)
    fields = Fields(raw, parent.source, parent.path('validation'), keys)
    before = usual or DepthThresholds()

    def ratio(key: str, least: float, most: float) -> float:
        return fields.number(key, least, most, getattr(before, key))

    def pixels(key: str) -> int:
        return fields.integer(key, 1, _MOST_PIXELS, getattr(before, key))

    return DepthThresholds(
        max_difference=ratio('max_difference', 0.0, 1.0),
        min_coverage=ratio('min_coverage', 0.0, 1.0),
        max_abs_rel_ratio=ratio('max_abs_rel_ratio', 0.0, _LARGEST_RATIO),
        min_delta1_ratio=ratio('min_delta1_ratio', 0.0, 1.0),
        max_range_error_ratio=ratio('max_range_error_ratio', 0.0, _LARGEST_RATIO),
        min_pixels=pixels('min_pixels'),
        min_range_pixels=pixels('min_range_pixels'),
        align=fields.choice('align', ALIGNMENTS, before.align),
        far_m=fields.number('far_m', 0.01, 1e6) if fields.has('far_m') else before.far_m,
    )


def _safety_classes(
    parent: Fields, labels: Sequence[str], usual: ValidationThresholds | None
) -> dict[str, Fields]:
    """Return the classes that the section names, each with its own limits, which may be none."""
    key = 'safety_classes'
    if not parent.has(key):
        return {}
    value = parent.raw(key)
    if isinstance(value, Mapping):
        named = {label: {} if limits is None else limits for label, limits in value.items()}
    else:
        named = {
            parent.as_text(f'{key}[{index}]', item): {}
            for index, item in enumerate(parent.items(key, minimum=0))
        }
    known = labels if usual is None else tuple(usual.safety)
    for label in named:
        if label not in known:
            there = ', '.join(known) or 'none'
            what = 'a label of the model' if usual is None else "one of the card's safety_classes"
            raise parent.error(key, f'{shown(label)} is not {what}; there are: {there}')
    return {
        label: Fields(limits, parent.source, parent.path(f'{key}.{label}'), _LIMITS)
        for label, limits in named.items()
    }


def _limits(fields: Fields, usual: SafetyLimits) -> SafetyLimits:
    return SafetyLimits(
        min_recall_ratio=fields.number('min_recall_ratio', 0.0, 1.0, usual.min_recall_ratio),
        max_newly_missed=fields.number('max_newly_missed', 0.0, 1.0, usual.max_newly_missed),
        max_missed_rate=fields.number('max_missed_rate', 0.0, 1.0, usual.max_missed_rate),
        min_objects=fields.integer('min_objects', 1, _MOST_OBJECTS, usual.min_objects),
    )
