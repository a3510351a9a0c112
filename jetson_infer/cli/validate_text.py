# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What `jetson-infer validate` found, as text for a person."""

from __future__ import annotations

import math
from collections.abc import Sequence

from jetson_infer.cli.validate_depth_text import depth_lines
from jetson_infer.toolchain.validate.any_report import AnyReport
from jetson_infer.toolchain.validate.depth_validation import DepthValidated
from jetson_infer.toolchain.validate.validating import Outcome
from jetson_infer.toolchain.validate.validation import Validated

__all__ = ['as_text']


def as_text(report: AnyReport) -> str:
    """Return the verdicts and the figures, as lines."""
    data, first = report.data, report.model.card.variants[0]
    images = f'{len(data.indices)} images of {data.dataset.path.name}'
    lines = [f'{report.model.card.name}: {images}, held against {data.truth_kind}']
    cost = f'{report.reference.median_ms:.1f} ms a frame'
    lines.append(f'reference: {first.name} on {report.reference.engine}, {cost}')
    lines += [f'note: {note}' for note in data.notes]
    for result in report.results:
        lines += ['', *_variant(result)]
    for name, why in report.refused.items():
        lines += ['', f'{name}: could not be run: {why}']
    results = report.results
    if results and not report.refused and not any(each.verdict.passed for each in results):
        lines += ['', _none_passed(results)]
    return '\n'.join(lines)


def _variant(result: Outcome) -> list[str]:
    word = 'PASSED' if result.verdict.passed else 'FAILED'
    lines = [f'{result.variant.name}: {word} on {result.engine}, {result.median_ms:.1f} ms a frame']
    lines += [
        f'  {"ok    " if check.passed else "FAILED"}  {check.sentence}'
        for check in result.verdict.checks
    ]
    if isinstance(result, Validated):
        lines += ['', *_classes(result)]
    elif isinstance(result, DepthValidated):
        lines += ['', *depth_lines(result)]
    lines.append(f'  verdict in {result.stored}')
    return lines


def _classes(result: Validated) -> list[str]:
    before, after = result.comparison.reference, result.comparison.candidate
    width = max(len('mean of classes'), *(len(each.label) for each in after.classes))
    lines = [f'  {"class":<{width}}  objects       AP50            recall      newly missed']
    for old, new in zip(before.classes, after.classes):
        lines.append(
            f'  {new.label:<{width}}  {new.objects:7}  {_pair(old.ap50, new.ap50)}  '
            f'{_pair(old.recall, new.recall)}  {result.comparison.newly_missed[new.label]:12}'
        )
    lines.append(f'  {"mean of classes":<{width}}  {"":7}  {_pair(before.ap50, after.ap50)}')
    return lines


def _none_passed(results: Sequence[Outcome]) -> str:
    fewest = min(results, key=lambda each: len(each.verdict.failures))
    return (
        'No variant holds its thresholds: only the reference may run. '
        f'{fewest.variant.name} fails the fewest, {len(fewest.verdict.failures)} of '
        f'{len(fewest.verdict.checks)}; make a better variant, or change what the card demands'
    )


def _pair(before: float, after: float) -> str:
    told = ['  n/a' if math.isnan(value) else f'{value:.3f}' for value in (before, after)]
    return ' -> '.join(told)
