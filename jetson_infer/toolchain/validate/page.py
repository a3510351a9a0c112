# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The validation of a model's variants as one page of HTML that needs nothing from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jetson_infer.core.validation import ClassFigures, Comparison
from jetson_infer.pipeline.annotate import class_colour
from jetson_infer.toolchain.report.template import fill_page
from jetson_infer.toolchain.validate.charts import curves_plot, dumbbell_plot
from jetson_infer.toolchain.validate.collect import Collected
from jetson_infer.toolchain.validate.page_parts import (
    check_row,
    data_url,
    number,
    reference_row,
    shared_of,
    told_ratio,
)
from jetson_infer.toolchain.validate.pictures import FramePair
from jetson_infer.toolchain.validate.validation import Validated

__all__ = ['CHECK_NAMES', 'PageInputs', 'render_page']

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
class PageInputs:
    """All that a page is made of.

    :param model: the model's name.
    :param labels: its labels.
    :param reference: what the variants were held against, and the name of that variant.
    :param results: each variant with its worst frames, in the card's order.
    :param refused: variants that could not be run, by name, with the reason.
    :param truth: what was taken as the objects, for a person.
    :param notes: what a person should know of the data.
    :param facts: on what it was made, in order.
    :param command: how to do it again.
    :param when: when it was made, for a person.
    """

    model: str
    labels: Sequence[str]
    reference: tuple[str, Collected]
    results: Sequence[tuple[Validated, Sequence[FramePair]]]
    refused: Mapping[str, str]
    truth: str
    notes: Sequence[str]
    facts: Mapping[str, str]
    command: str
    when: str


def render_page(inputs: PageInputs) -> str:
    """Return the page.

    :raises MissingDependencyError: if Jinja2 is not installed.
    """
    return fill_page('jetson_infer.toolchain.validate', 'validation.html.j2', _context(inputs))


def _context(inputs: PageInputs) -> dict[str, Any]:
    variants = [_variant(inputs, result, pairs) for result, pairs in inputs.results]
    name, reference = inputs.reference
    return {
        'title': f'{inputs.model}: validation',
        'model': inputs.model,
        'when': inputs.when,
        'lede': _lede(inputs),
        'variants': variants,
        'refused': dict(inputs.refused),
        'reference': reference_row(name, reference, (_reference_ap50(inputs), '1')),
        'with_truth': inputs.truth == 'ground truth',
        'notes': list(inputs.notes),
        'facts': dict(inputs.facts),
        'command': inputs.command,
    }


def _reference_ap50(inputs: PageInputs) -> str:
    results = inputs.results
    return number(results[0][0].comparison.reference.ap50) if results else 'n/a'


def _lede(inputs: PageInputs) -> str:
    passed = sum(result.verdict.passed for result, _ in inputs.results)
    total = len(inputs.results) + len(inputs.refused)
    name = inputs.reference[0]
    frames = inputs.results[0][0].comparison.frames if inputs.results else 0
    return (
        f'{passed} of {total} variants passed. Each was run on the same {frames} images as the '
        f'reference, {name} on ONNX Runtime, through the pipeline that nodes use, and both were '
        f'held against {inputs.truth}. A node runs what passed and refuses what did not.'
    )


def _variant(inputs: PageInputs, result: Validated, pairs: Sequence[FramePair]) -> dict[str, Any]:
    comparison = result.comparison
    before, after = comparison.reference, comparison.candidate
    labels = [each.label for each in after.classes]
    cells = number(after.ap50), told_ratio(before.ap50, after.ap50)
    return {
        **shared_of(result, inputs.reference[1], cells),
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
