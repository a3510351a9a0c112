# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a variant holds its thresholds: every figure against its limit, with a sentence each."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from jetson_infer.core.validation import Comparison
from jetson_infer.core.validation_thresholds import SafetyLimits, ValidationThresholds

__all__ = ['Check', 'Verdict', 'judge']


@dataclass(frozen=True)
class Check:
    """One figure against its limit.

    :param name: what was measured: ``ap50_ratio``, ``box_iou_ratio``, ``objects``,
        ``recall_ratio``, ``newly_missed`` or ``missed_rate``; of depth ``difference``,
        ``coverage``, ``pixels``, ``abs_rel_ratio``, ``delta1_ratio`` or ``range_error_ratio``.
    :param label: the class, or the range of depths; empty for all of them.
    :param value: the figure; None where it cannot be told, which does not pass.
    :param limit: what it has to be.
    :param at_least: whether it has to reach the limit; else it must not exceed it.
    :param sentence: all of that for a person.
    """

    name: str
    label: str
    value: float | None
    limit: float
    at_least: bool
    sentence: str

    @property
    def passed(self) -> bool:
        """Whether the figure holds its limit."""
        if self.value is None:
            return False
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True)
class Verdict:
    """All checks of a variant.

    :param checks: the failed ones first.
    """

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every figure holds its limit; without any, nothing is proved."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON has it."""
        checks = [{**asdict(check), 'passed': check.passed} for check in self.checks]
        return {'passed': self.passed, 'checks': checks}

    @classmethod
    def from_json(cls, value: Any) -> Verdict:
        """Read what :meth:`to_json` made.

        :raises ValueError: if it is something else, or contradicts itself.
        """
        try:
            verdict = cls(tuple(_check(each) for each in value['checks']))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f'is no verdict: {error!r}') from error
        if verdict.to_json() != value:
            raise ValueError('is no verdict: it contradicts its own figures')
        return verdict


def judge(comparison: Comparison, thresholds: ValidationThresholds) -> Verdict:
    """Hold every figure against its threshold."""
    objects = sum(each.objects for each in comparison.reference.classes)
    checks = [
        _objects('', objects, thresholds.min_objects),
        _ap50(comparison, thresholds),
        _box_iou(comparison, thresholds),
    ]
    for label, limits in thresholds.safety.items():
        checks += _safety(comparison, label, limits)
    return Verdict(tuple(sorted(checks, key=lambda check: check.passed)))


def _check(value: Any) -> Check:
    fields = {key: item for key, item in value.items() if key != 'passed'}
    return Check(**fields)


def _ap50(comparison: Comparison, thresholds: ValidationThresholds) -> Check:
    before, after = comparison.reference.ap50, comparison.candidate.ap50
    return _ratio(
        'ap50_ratio',
        '',
        (before, after),
        thresholds.min_ap50_ratio,
        f'AP50, mean of classes, is {after:.3f} against {before:.3f} of the reference',
        'the data holds nothing that the reference finds',
    )


def _box_iou(comparison: Comparison, thresholds: ValidationThresholds) -> Check:
    before, after = comparison.reference.box_iou, comparison.candidate.box_iou
    return _ratio(
        'box_iou_ratio',
        '',
        (before, after),
        thresholds.min_box_iou_ratio,
        f'found boxes overlap their objects by {after:.3f} against {before:.3f} of the reference',
        'no object was found by both',
    )


def _safety(comparison: Comparison, label: str, limits: SafetyLimits) -> list[Check]:
    before, after = comparison.reference.of(label), comparison.candidate.of(label)
    checks = [
        _objects(label, before.objects, limits.min_objects),
        _ratio(
            'recall_ratio',
            label,
            (before.recall, after.recall),
            limits.min_recall_ratio,
            f'recall of {label} at score {comparison.working_score:g} is {after.recall:.3f} '
            f'({after.found} of {after.objects}) against {before.recall:.3f} of the reference',
            f'the reference finds no {label} at score {comparison.working_score:g}',
        ),
        _share(
            'newly_missed',
            label,
            comparison.newly_missed_rate(label),
            limits.max_newly_missed,
            f'of {before.found} objects of the class {label} that the reference finds, '
            f'{comparison.newly_missed[label]} are missed',
        ),
    ]
    if limits.max_missed_rate < 1.0:
        checks.append(
            _share(
                'missed_rate',
                label,
                after.missed_rate,
                limits.max_missed_rate,
                f'of {after.objects} objects of the class {label}, {after.missed} are missed',
            )
        )
    return checks


def _objects(label: str, count: int, wanted: int) -> Check:
    what = f'objects of the class {label}' if label else 'objects'
    sentence = f'the data holds {count} {what}; at least {wanted} are wanted'
    if count < wanted:
        sentence += ': with fewer nothing is proved; give a recording with more'
    return Check('objects', label, float(count), float(wanted), True, sentence)


def _ratio(
    name: str, label: str, values: tuple[float, float], limit: float, told: str, nothing: str
) -> Check:
    before, after = values
    if math.isnan(before) or math.isnan(after) or before <= 0.0:
        return Check(name, label, None, limit, True, f'{told}: {nothing}, so there is no ratio')
    # As it is told: a ratio of 0.99 that is off in the last bit of a float is 0.99.
    ratio = round(after / before, 6)
    sentence = f'{told}: {ratio:.4f} of it; at least {limit:g} is wanted'
    return Check(name, label, ratio, limit, True, sentence)


def _share(name: str, label: str, value: float, limit: float, told: str) -> Check:
    if math.isnan(value):
        return Check(name, label, None, limit, False, f'{told}: there are none to be missed')
    share = round(value, 6)
    sentence = f'{told}: {share:.4f} of them; at most {limit:g} is allowed'
    return Check(name, label, share, limit, False, sentence)
