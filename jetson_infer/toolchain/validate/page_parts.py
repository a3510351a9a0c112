# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the pages of all validations have in common, as their templates want it."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Any

from jetson_infer.core.verdict import Check
from jetson_infer.toolchain.validate.any_report import AnyReport
from jetson_infer.toolchain.validate.validating import Outcome, Ran

__all__ = [
    'check_row',
    'data_url',
    'number',
    'passed_of',
    'shared_by_all',
    'shared_of',
    'told_ratio',
]


def check_row(check: Check, name: str, whole: bool, usual: str) -> dict[str, Any]:
    """Return a check as a row of the table.

    :param name: what the figure is called.
    :param whole: whether it is a whole number.
    :param usual: what it is about where it is about all.
    """
    sign = 'at least' if check.at_least else 'at most'
    value = 'n/a' if check.value is None else f'{check.value:.{0 if whole else 4}f}'
    return {
        'name': name,
        'label': check.label or usual,
        'value': value,
        'limit': f'{sign} {f"{check.limit:.0f}" if whole else f"{check.limit:g}"}',
        'passed': check.passed,
        'sentence': check.sentence,
    }


def shared_of(result: Outcome, reference: Ran, cells: Sequence[str]) -> dict[str, Any]:
    """Return what the page's base tells of a variant.

    :param cells: its figures in the table of all variants.
    """
    return {
        'name': result.variant.name,
        'id': f'variant-{result.variant.name}',
        'engine': result.engine,
        'passed': result.verdict.passed,
        'failures': [check.sentence for check in result.verdict.failures],
        'cells': tuple(cells),
        'ms': f'{result.median_ms:.1f}',
        'speed': f'{reference.median_ms / result.median_ms:.2f}',
    }


def shared_by_all(report: AnyReport, cells: Sequence[str]) -> dict[str, Any]:
    """Return what the page's base tells of the model, the data and the reference.

    :param cells: the reference's figures in the table of all variants.
    """
    reference, name = report.reference, report.model.card.name
    return {
        'title': f'{name}: validation',
        'model': name,
        'when': report.when,
        'refused': dict(report.refused),
        'reference': {
            'name': report.model.card.variants[0].name,
            'engine': reference.engine,
            'ms': f'{reference.median_ms:.1f}',
            'cells': tuple(cells),
        },
        'notes': list(report.data.notes),
        'facts': dict(report.facts),
        'command': report.command,
    }


def passed_of(report: AnyReport) -> str:
    """Return how many variants passed, as a sentence."""
    passed = sum(result.verdict.passed for result in report.results)
    return f'{passed} of {len(report.results) + len(report.refused)} variants passed.'


def number(value: float, digits: int = 3) -> str:
    """Return a figure for a person."""
    return 'n/a' if math.isnan(value) else f'{value:.{digits}f}'


def told_ratio(before: float, after: float) -> str:
    """Return a figure over the reference's, for a person."""
    return 'n/a' if not before > 0 or math.isnan(after) else f'{after / before:.4f}'


def data_url(jpeg: bytes) -> str:
    """Return a picture as the page holds it."""
    return 'data:image/jpeg;base64,' + base64.b64encode(jpeg).decode()
