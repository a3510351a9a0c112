# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer validate`: variants of a model against its FP32 reference, on recorded data."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from jetson_infer.cli.validate_text import as_text
from jetson_infer.cli.validate_view import ProgressView
from jetson_infer.cli.values import whole_number
from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.models import Model, find_model, load_model
from jetson_infer.engines.select import ENGINES
from jetson_infer.engines.verdicts import VerdictStore
from jetson_infer.errors import JetsonInferError, ModelError
from jetson_infer.toolchain.dataset import open_dataset
from jetson_infer.toolchain.report.machine import describe_machine
from jetson_infer.toolchain.validate.chosen import ChosenImages, Progress
from jetson_infer.toolchain.validate.collect import read_data
from jetson_infer.toolchain.validate.depth_data import open_depth_dataset, read_depth_data
from jetson_infer.toolchain.validate.depth_validation import DepthValidator
from jetson_infer.toolchain.validate.report import (
    PAGE,
    DepthReport,
    Report,
    prepare_report,
    summarize,
    write_report,
)
from jetson_infer.toolchain.validate.validating import Refuse, Validating, check_model
from jetson_infer.toolchain.validate.validation import Validator

__all__ = ['add_arguments', 'run']

_Kind: TypeAlias = 'tuple[Callable[[Progress], Validating], Callable[..., Report | DepthReport]]'
"""What validates models of a task, and what is reported of them."""


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
        '--depth-topic',
        default='',
        metavar='TOPIC',
        help="the true depth's topic, for depth models (that with most depth images)",
    )
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
    if options.depth_topic and model.card.task != 'depth':
        raise ModelError(
            f'{model.card.name} is a {model.card.task} model, and --depth-topic is for depth '
            'models: leave it out'
        )
    variants = [model.variant(options.variant)] if options.variant else list(model.card.variants)
    store = VerdictStore()
    store.check_writable(model.card.name)
    if options.report is not None:
        prepare_report(options.report)
    with ExitStack() as opened:
        report = _judge(model, variants, store, options, opened)
        if report is None:
            return _nothing_to_do(model, variants, options)
        if options.report is not None:
            write_report(options.report, report)
    if options.json:
        print(json.dumps(summarize(report), indent=2))
    else:
        print(as_text(report))
        if options.report is not None:
            print(f'\nreport: {options.report / PAGE}')
    return 1 if report.refused or not all(each.verdict.passed for each in report.results) else 0


def _judge(
    model: Model,
    variants: Sequence[VariantCard],
    store: VerdictStore,
    options: argparse.Namespace,
    opened: ExitStack,
) -> Report | DepthReport | None:
    """Validate variants; None where all of them are the reference.

    :param opened: closes what the report is drawn from.
    """
    open_data = _open_depths if model.card.task == 'depth' else _open_images
    make_validator, make_report = open_data(model, store, options, opened)
    refused: dict[str, str] = {}
    with ProgressView(not options.json) as view:
        validator = make_validator(view.show)
        results = validator.validate_all(variants, options.engine, _noting(refused, options))
        if not results and not refused:
            return None
        reference = validator.reference  # before its data, which it may narrow
    about = _about(validator.data)
    return make_report(model, validator.data, reference, results, refused, *about)


def _open_images(
    model: Model, store: VerdictStore, options: argparse.Namespace, opened: ExitStack
) -> _Kind:
    dataset = opened.enter_context(open_dataset(options.recording, options.topic))
    data = read_data(dataset, model.card.labels, options.frames)
    return lambda progress: Validator(model, data, store, progress), Report


def _open_depths(
    model: Model, store: VerdictStore, options: argparse.Namespace, opened: ExitStack
) -> _Kind:
    dataset, why = open_depth_dataset(options.recording, options.topic, options.depth_topic)
    opened.enter_context(dataset)
    data = read_depth_data(dataset, options.frames, why)
    return lambda progress: DepthValidator(model, data, store, progress), DepthReport


def _noting(refused: dict[str, str], options: argparse.Namespace) -> Refuse:
    """Return what notes a variant that cannot be run, so that the others go on."""

    def note(name: str, error: JetsonInferError) -> None:
        if options.debug:
            raise error
        refused[name] = str(error)

    return note


def _about(data: ChosenImages) -> tuple[dict[str, str], str, str]:
    """Return on what machine and data this is, the command, and when."""
    facts = {
        'data': str(data.dataset.path),
        'images': str(len(data.indices)),
        'held against': data.truth_kind,
        **describe_machine(),
    }
    when = datetime.now().astimezone().strftime('%Y-%m-%d %H:%M %Z')
    return facts, shlex.join(['jetson-infer', *sys.argv[1:]]), when


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
