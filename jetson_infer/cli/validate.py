# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer validate`: variants of a model against its FP32 reference, on recorded data."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jetson_infer.cli.validate_text import as_text
from jetson_infer.cli.validate_view import ProgressView
from jetson_infer.cli.values import whole_number
from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.models import Model, find_model, load_model
from jetson_infer.engines.select import ENGINES
from jetson_infer.engines.verdicts import VerdictStore
from jetson_infer.errors import JetsonInferError
from jetson_infer.toolchain.dataset import open_dataset
from jetson_infer.toolchain.report.machine import describe_machine
from jetson_infer.toolchain.validate.collect import read_data
from jetson_infer.toolchain.validate.report import (
    PAGE,
    Report,
    prepare_report,
    summarize,
    write_report,
)
from jetson_infer.toolchain.validate.validation import Validated, Validator, check_model

__all__ = ['add_arguments', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument('model', metavar='MODEL', help='model folder or name')
    parser.add_argument(
        'recording',
        metavar='RECORDING',
        help='rosbag2 recording (path or name), folder of recordings, or folder of images; with '
        'ground truth if it has it',
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument('--variant', metavar='NAME', help='one variant')
    chosen.add_argument(
        '--all', action='store_true', help='all that need a verdict (so too without --variant)'
    )
    parser.add_argument(
        '--engine', choices=ENGINES, default='auto', help='what runs them (auto: as a node would)'
    )
    parser.add_argument('--topic', default='', help="the camera's topic (that with most images)")
    parser.add_argument(
        '--frames',
        type=whole_number(1, 10_000_000),
        metavar='N',
        help='so many images, spread evenly (all)',
    )
    parser.add_argument(
        '--report', type=Path, metavar='DIR', help=f'write {PAGE} there, with the worst frames'
    )
    parser.add_argument('--json', action='store_true', help='print the result as JSON')


def run(options: argparse.Namespace) -> int:
    """Validate, tell what was found, and keep the verdicts."""
    model = load_model(find_model(options.model))
    check_model(model)
    variants = [model.variant(options.variant)] if options.variant else list(model.card.variants)
    store = VerdictStore()
    store.check_writable(model.card.name)
    if options.report is not None:
        prepare_report(options.report)
    with open_dataset(options.recording, options.topic) as dataset:
        data = read_data(dataset, model.card.labels, options.frames)
        with ProgressView(not options.json) as view:
            validator = Validator(model, data, store, view.show)
            results, refused = _validate(validator, variants, options)
        if not results and not refused:
            return _nothing_to_do(model, variants, options)
        report = _report(model, validator, results, refused)
        if options.report is not None:
            write_report(options.report, report)
    if options.json:
        print(json.dumps(summarize(report), indent=2))
    else:
        print(as_text(report))
        if options.report is not None:
            print(f'\nreport: {options.report / PAGE}')
    return 1 if refused or not all(each.verdict.passed for each in results) else 0


def _validate(
    validator: Validator, variants: Sequence[VariantCard], options: argparse.Namespace
) -> tuple[list[Validated], dict[str, str]]:
    """Validate variants; one that cannot be run does not keep the others from it."""
    results: list[Validated] = []
    refused: dict[str, str] = {}
    for variant in variants:
        try:
            choice = validator.choose(variant, options.engine)
            if choice is not None:
                results.append(validator.validate(variant, choice))
        except JetsonInferError as error:
            if options.debug:
                raise
            refused[variant.name] = str(error)
    return results, refused


def _nothing_to_do(
    model: Model, variants: Sequence[VariantCard], options: argparse.Namespace
) -> int:
    names = ', '.join(variant.name for variant in variants)
    told = f'{model.card.name}: {names} on ONNX Runtime is the reference; it needs no verdict'
    if options.json:
        print(json.dumps({'model': model.card.name, 'variants': [], 'note': told}, indent=2))
    else:
        print(told)
    return 0


def _report(
    model: Model,
    validator: Validator,
    results: Sequence[Validated],
    refused: dict[str, str],
) -> Report:
    reference = validator.reference  # before its data, which it may narrow
    data = validator.data
    recording = {'data': str(data.dataset.path), 'images': str(len(data.indices))}
    return Report(
        model=model,
        data=data,
        reference=reference,
        results=results,
        refused=refused,
        facts={**recording, 'held against': data.truth_kind, **describe_machine()},
        command=shlex.join(['jetson-infer', *sys.argv[1:]]),
        when=datetime.now().astimezone().strftime('%Y-%m-%d %H:%M %Z'),
    )
