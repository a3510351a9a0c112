# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The files of a validation's report, and its numbers for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jetson_infer.errors import JetsonInferError
from jetson_infer.toolchain.validate.any_report import AnyReport
from jetson_infer.toolchain.validate.depth_page import DepthReport, render_depth_page
from jetson_infer.toolchain.validate.page import Report, render_page
from jetson_infer.toolchain.validate.validating import Outcome

__all__ = [
    'PAGE',
    'SUMMARY',
    'DepthReport',
    'Report',
    'prepare_report',
    'summarize',
    'write_report',
]

PAGE, SUMMARY = 'validation.html', 'validation.json'


def prepare_report(folder: Path) -> None:
    """Make the folder before minutes of work are spent.

    :raises JetsonInferError: if it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PAGE).unlink(missing_ok=True)
        (folder / SUMMARY).write_text('')
    except OSError as error:
        raise _cannot(folder, error) from error


def write_report(folder: Path, report: Report | DepthReport) -> None:
    """Write the page and the summary.

    :raises JetsonInferError: if the folder cannot be written to, or the data not be read.
    """
    page = render_depth_page(report) if isinstance(report, DepthReport) else render_page(report)
    try:
        (folder / PAGE).write_text(page, encoding='utf-8')
        text = json.dumps(summarize(report), indent=2) + '\n'
        (folder / SUMMARY).write_text(text, encoding='utf-8')
    except OSError as error:
        raise _cannot(folder, error) from error


def summarize(report: AnyReport) -> dict[str, Any]:
    """Return all figures as JSON has them."""
    return {
        'model': report.model.card.name,
        'data': {
            'path': str(report.data.dataset.path),
            'topic': report.data.dataset.topic,
            'frames': len(report.data.indices),
            'digest': report.data.digest,
            'truth': report.data.truth_kind,
            'notes': list(report.data.notes),
        },
        'reference': {
            'variant': report.model.card.variants[0].name,
            'engine': report.reference.engine,
            'median_ms': round(report.reference.median_ms, 3),
        },
        'variants': [_result(each) for each in report.results]
        + [{'variant': name, 'error': why} for name, why in report.refused.items()],
        'facts': dict(report.facts),
        'command': report.command,
        'when': report.when,
    }


def _result(result: Outcome) -> dict[str, Any]:
    return {
        'variant': result.variant.name,
        'engine': result.engine,
        'median_ms': round(result.median_ms, 3),
        **result.verdict.to_json(),
        'figures': result.comparison.to_json(),
        'stored': str(result.stored),
    }


def _cannot(folder: Path, error: OSError) -> JetsonInferError:
    return JetsonInferError(
        f'{folder}: the report cannot be written there ({error.strerror}); choose another folder '
        'with --report'
    )
