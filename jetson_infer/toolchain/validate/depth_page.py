# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The validation of a depth model's variants as one page of HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jetson_infer.core.depth_evaluation import DepthFigures, RangeError
from jetson_infer.core.depth_validation import DepthCompared
from jetson_infer.toolchain.report.template import fill_page
from jetson_infer.toolchain.validate.any_report import AnyReport
from jetson_infer.toolchain.validate.depth_charts import legend, range_plot
from jetson_infer.toolchain.validate.depth_data import DepthData
from jetson_infer.toolchain.validate.depth_lockstep import DepthRan
from jetson_infer.toolchain.validate.depth_pictures import (
    UNKNOWN_RGB,
    DepthPictures,
    Scale,
    depth_scale,
    difference_scale,
    draw_depth,
)
from jetson_infer.toolchain.validate.depth_validation import DepthValidated
from jetson_infer.toolchain.validate.page_parts import (
    check_row,
    data_url,
    number,
    passed_of,
    shared_by_all,
    shared_of,
)

__all__ = ['DEPTH_CHECK_NAMES', 'DepthReport', 'render_depth_page']

DEPTH_CHECK_NAMES = {
    'difference': 'difference',
    'coverage': 'coverage',
    'pixels': 'pixels',
    'abs_rel_ratio': 'abs-rel ratio',
    'delta1_ratio': 'delta1 ratio',
    'range_error_ratio': 'error ratio',
}
"""What every check is called where people read it."""

FIGURES: tuple[tuple[str, Callable[[DepthFigures], float]], ...] = (
    ('abs-rel', lambda figures: figures.abs_rel),
    ('sq-rel, m', lambda figures: figures.sq_rel_m),
    ('RMSE, m', lambda figures: figures.rmse_m),
    ('RMSE of logarithms', lambda figures: figures.rmse_log),
    ('delta1, within 1.25', lambda figures: figures.deltas[0]),
    ('delta2, within 1.25²', lambda figures: figures.deltas[1]),
    ('delta3, within 1.25³', lambda figures: figures.deltas[2]),
    ('coverage', lambda figures: figures.coverage),
)


@dataclass(frozen=True)
class DepthReport(AnyReport):
    """The report on a depth model."""

    data: DepthData
    reference: DepthRan
    results: Sequence[DepthValidated]


def render_depth_page(report: DepthReport) -> str:
    """Return the page.

    :raises MissingDependencyError: if Jinja2 is not installed.
    """
    return fill_page('jetson_infer.toolchain.validate', 'depth.html.j2', _context(report))


def _context(report: DepthReport) -> dict[str, Any]:
    # One scale of depths for all variants, so that their pictures can be held against each other.
    depths = depth_scale([frame for result in report.results for frame in result.worst])
    cells: tuple[str, ...] = ('0', 'n/a', 'n/a', 'n/a')
    if report.results:
        cells = ('0', *_truth_cells(report.results[0].comparison.reference))
    return {
        **shared_by_all(report, cells),
        'lede': _lede(report),
        'variants': [_variant(report, result, depths) for result in report.results],
        'unknown': f'rgb{UNKNOWN_RGB}',
    }


def _lede(report: DepthReport) -> str:
    name, frames = report.model.card.variants[0].name, len(report.data.indices)
    truth = len(report.data.with_truth)
    held = (
        f'in the {truth} whose true depth is known both were held against that too'
        if truth
        else 'of none the true depth is known'
    )
    return (
        f'{passed_of(report)} Each was run on the same {frames} images as the '
        f'reference, {name} on ONNX Runtime, through the pipeline that nodes use, and held against '
        f'it; {held}. A node runs what passed and refuses what did not.'
    )


def _truth_cells(figures: DepthFigures) -> tuple[str, ...]:
    return number(figures.abs_rel, 4), number(figures.delta1, 4), number(figures.rmse_m)


def _variant(report: DepthReport, result: DepthValidated, depths: Scale) -> dict[str, Any]:
    compared = result.comparison
    agreement = compared.agreement
    cells = (number(agreement.abs_rel, 4), *_truth_cells(compared.candidate))
    thresholds = result.variant.depth_validation
    differences = difference_scale(result.worst)
    unit = result.unit
    pictures = [draw_depth(frame, depths, differences) for frame in result.worst]
    return {
        **shared_of(result, report.reference, cells),
        'checks': [
            check_row(check, DEPTH_CHECK_NAMES[check.name], check.name == 'pixels', 'all pixels')
            for check in result.verdict.checks
        ],
        'frames': compared.frames,
        'truths': compared.frames_with_truth,
        'aligned': thresholds.align == 'median',
        'far_m': '' if thresholds.far_m is None else f'{thresholds.far_m:g}',
        'difference': number(agreement.abs_rel, 4),
        'coverage': number(agreement.coverage, 4),
        'unit': unit,
        'figures': [
            (title, number(value(compared.reference), 4), number(value(compared.candidate), 4))
            for title, value in FIGURES
        ],
        'ranges': _ranges(compared),
        'min_range_pixels': f'{thresholds.min_range_pixels:,}',
        **_charts(compared, unit, thresholds.min_range_pixels),
        'pairs': [_pair(each) for each in pictures],
        'depth_legend': legend(depths, 'depth', ('near', 'far')),
        'difference_legend': legend(
            differences, 'difference', ('nearer than the reference', 'farther')
        ),
    }


def _ranges(compared: DepthCompared) -> list[dict[str, Any]]:
    rows = zip(
        compared.reference.at_range, compared.candidate.at_range, compared.agreement.at_range
    )
    return [
        {
            'name': before.name,
            'pixels': f'{before.pixels:,}',
            'error': (number(before.mean_error_m), number(after.mean_error_m)),
            'bias': (_signed(before.mean_bias_m), _signed(after.mean_bias_m)),
            'own_pixels': f'{own.pixels:,}',
            'own': (number(own.mean_error_m), _signed(own.mean_bias_m)),
        }
        for before, after, own in rows
        if before.pixels or after.pixels or own.pixels
    ]


def _charts(compared: DepthCompared, unit: str, least: int) -> dict[str, str]:
    """Return error and bias over range: against the truth, or without one the reference.

    :param least: a range with fewer pixels is left out: the error of some pixels 40 m away, to
        which nothing is held, would make all other bars tiny.
    """
    if not compared.frames_with_truth:
        own = [each for each in compared.agreement.at_range if each.pixels >= max(1, least)]
        across = "the reference's distance"
        error = [('variant', [each.mean_error_m for each in own], 'new')]
        bias = [('variant', [each.mean_bias_m for each in own], 'new')]
        return {
            'error_chart': range_plot(own, error, 'difference over range', unit, across),
            'bias_chart': range_plot(own, bias, 'bias over range', unit, across),
        }
    pairs = [
        (before, after)
        for before, after in zip(compared.reference.at_range, compared.candidate.at_range)
        if before.pixels >= max(1, least) and after.pixels
    ]
    ranges = [before for before, _ in pairs]

    def sides(value: Callable[[RangeError], float]) -> list[tuple[str, list[float], str]]:
        return [
            ('reference', [value(before) for before, _ in pairs], 'old'),
            ('variant', [value(after) for _, after in pairs], 'new'),
        ]

    return {
        'error_chart': range_plot(
            ranges, sides(lambda each: each.mean_error_m), 'error over range', 'm'
        ),
        'bias_chart': range_plot(
            ranges, sides(lambda each: each.mean_bias_m), 'bias over range', 'm'
        ),
    }


def _pair(drawn: DepthPictures) -> dict[str, Any]:
    frame = drawn.frame
    height, width = frame.picture.shape[:2]
    text = f'{number(100 * frame.difference.mean, 1)} % of itself off, mean of pixels'
    if frame.difference.unknown:
        text += f'; {100 * frame.difference.unknown:.1f} % unknown that the reference knows'
    sides = (
        ('image', drawn.picture),
        ('reference', drawn.reference),
        ('variant', drawn.candidate),
        ('difference', drawn.difference),
    )
    return {
        'name': frame.name,
        'number': frame.index,
        'text': text,
        'sides': [{'title': title, 'data': data_url(data)} for title, data in sides],
        'width': width,
        'height': height,
    }


def _signed(value: float) -> str:
    told = number(value)
    return told if told == 'n/a' or value < 0 else f'+{told}'
