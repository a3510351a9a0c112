# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The validation of a model's variants as one page of HTML that needs nothing from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jetson_infer.core.validation import ClassFigures, Comparison
from jetson_infer.pipeline.annotate import class_colour
from jetson_infer.toolchain.report.template import fill_page
from jetson_infer.toolchain.validate.any_report import AnyReport
from jetson_infer.toolchain.validate.charts import curves_plot, dumbbell_plot
from jetson_infer.toolchain.validate.collect import Collected, Data
from jetson_infer.toolchain.validate.page_parts import (
    check_row,
    data_url,
    number,
    passed_of,
    shared_by_all,
    shared_of,
    told_ratio,
)
from jetson_infer.toolchain.validate.pictures import FramePair, draw_worst
from jetson_infer.toolchain.validate.validation import Validated

__all__ = ['CHECK_NAMES', 'Report', 'render_page']

CHECK_NAMES = {
    'ap50_ratio': 'AP50 over the reference',
    'box_iou_ratio': 'box overlap over the reference',
    'objects': 'objects in the data',
    'recall_ratio': 'recall over the reference',
    'newly_missed': 'newly missed, share',
    'missed_rate': 'missed, share',
}
"""What every check is called where people read it."""


@dataclass(frozen=True)
class Report(AnyReport):
    """The report on a detection model."""

    data: Data
    reference: Collected
    results: Sequence[Validated]


def render_page(report: Report) -> str:
    """Return the page.

    :raises MissingDependencyError: if Jinja2 is not installed.
    """
    return fill_page('jetson_infer.toolchain.validate', 'validation.html.j2', _context(report))


def _context(report: Report) -> dict[str, Any]:
    return {
        **shared_by_all(report, (_reference_ap50(report), '1')),
        'lede': _lede(report),
        'variants': [_variant(report, result) for result in report.results],
        'with_truth': report.data.truth is not None,
    }


def _reference_ap50(report: Report) -> str:
    results = report.results
    return number(results[0].comparison.reference.ap50) if results else 'n/a'


def _lede(report: Report) -> str:
    frames = report.results[0].comparison.frames if report.results else 0
    return (
        f'{passed_of(report)} Each was run on the same {frames} images as the '
        f'reference, {report.model.card.variants[0].name} on ONNX Runtime, through the pipeline '
        f'that nodes use, and both were held against {report.data.truth_kind}. A node runs what '
        'passed and refuses what did not.'
    )


def _variant(report: Report, result: Validated) -> dict[str, Any]:
    pairs = draw_worst(report.data, report.model.card.labels, report.reference, result)
    comparison = result.comparison
    before, after = comparison.reference, comparison.candidate
    labels = [each.label for each in after.classes]
    cells = number(after.ap50), told_ratio(before.ap50, after.ap50)
    return {
        **shared_of(result, report.reference, cells),
        'checks': [
            check_row(check, CHECK_NAMES[check.name], check.name == 'objects', 'all classes')
            for check in result.verdict.checks
        ],
        'score': f'{comparison.working_score:g}',
        'ap50_chart': dumbbell_plot(
            labels, [c.ap50 for c in before.classes], [c.ap50 for c in after.classes], 'AP50'
        ),
        'recall_chart': dumbbell_plot(
            labels, [c.recall for c in before.classes], [c.recall for c in after.classes], 'recall'
        ),
        'classes': [
            _class(index, *each, comparison, result)
            for index, each in enumerate(zip(before.classes, after.classes))
        ],
        'mean': {
            'ap50': (number(before.ap50), number(after.ap50)),
            'ap': (number(before.ap), number(after.ap)),
        },
        'boxes': {
            'iou': (number(before.box_iou), number(after.box_iou)),
            'median': (_pixels(before.box_error[0]), _pixels(after.box_error[0])),
            'p95': (_pixels(before.box_error[1]), _pixels(after.box_error[1])),
        },
        'pairs': [_pair(pair) for pair in pairs],
    }


def _class(
    index: int, before: ClassFigures, after: ClassFigures, comparison: Comparison, result: Validated
) -> dict[str, Any]:
    blue, green, red = class_colour(index)
    return {
        'label': after.label,
        'safety': after.label in result.variant.validation.safety,
        'colour': f'rgb({red}, {green}, {blue})',
        'objects': after.objects,
        'ap50': (number(before.ap50), number(after.ap50)),
        'ap': (number(before.ap), number(after.ap)),
        'recall': (number(before.recall), number(after.recall)),
        'missed': (before.missed, after.missed),
        'newly_missed': comparison.newly_missed[after.label],
        'false': (before.false, after.false),
        'chart': curves_plot(before, after) if after.objects else '',
    }


def _pair(pair: FramePair) -> dict[str, Any]:
    width, height = pair.size
    return {
        'name': pair.name,
        'number': pair.number,
        'text': pair.text,
        'sides': [
            {'title': title, 'data': data_url(data), 'caption': caption}
            for title, data, caption in zip(
                ('reference', 'variant'), (pair.reference, pair.candidate), pair.captions
            )
        ],
        'width': width,
        'height': height,
    }


def _pixels(value: float) -> str:
    return 'n/a' if math.isnan(value) else f'{value:.1f} px'
