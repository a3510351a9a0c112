# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer ladder`: every variant of a model made, validated and measured."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jetson_infer.cli.ladder_text import ladder_lines, plan_lines
from jetson_infer.cli.ladder_view import open_ladder_view
from jetson_infer.cli.values import share, whole_number
from jetson_infer.core.ladder import Ladder
from jetson_infer.core.ladder_file import ladder_text
from jetson_infer.engines.ladders import PICTURE_FILE
from jetson_infer.engines.models import Model, find_model, load_model
from jetson_infer.engines.select import ENGINES
from jetson_infer.engines.verdicts import VerdictStore
from jetson_infer.toolchain.calibration.calibration_set import MINIMUM_FRAMES
from jetson_infer.toolchain.dataset import open_dataset
from jetson_infer.toolchain.ladder.job import LadderSettings, Made, make_ladder
from jetson_infer.toolchain.ladder.plan import (
    Images,
    check_detector,
    choose_engine_kind,
    choose_images,
    plan_steps,
)
from jetson_infer.toolchain.ladder.workspace import open_workspace
from jetson_infer.toolchain.quantize.job import QuantizeSettings
from jetson_infer.toolchain.validate.collect import read_data

__all__ = ['add_arguments', 'run']

OUT = Path('out/ladder')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument('model', metavar='MODEL', help='model folder or name')
    parser.add_argument(
        'recording',
        metavar='RECORDING',
        help='rosbag2 recording (path or name) or folder of images, to validate and measure on',
    )
    parser.add_argument(
        '--calibration',
        metavar='RECORDING',
        help='another one, to quantize with (without: the first part of RECORDING)',
    )
    target = parser.add_mutually_exclusive_group()
    target.add_argument(
        '--out',
        type=Path,
        metavar='FOLDER',
        help=f'the copy of the model that gets the variants and the ladder ({OUT}/MODEL)',
    )
    target.add_argument(
        '--in-place', action='store_true', help="write them into the model's own folder"
    )
    parser.add_argument(
        '--plan', '--dry-run', action='store_true', help='show what would be done, and do nothing'
    )
    parser.add_argument(
        '--engine', choices=ENGINES, default='auto', help='what runs them (auto: TensorRT if there)'
    )
    parser.add_argument('--topic', default='', help="the camera's topic (that with most images)")
    parser.add_argument(
        '--calibration-topic', default='', metavar='TOPIC', help='that of --calibration'
    )
    _add_amounts(parser)
    parser.add_argument('--json', action='store_true', help='print the result as JSON')


def _add_amounts(parser: argparse.ArgumentParser) -> None:
    usual, quantizing = LadderSettings('onnxruntime'), QuantizeSettings()
    parser.add_argument(
        '--frames',
        type=whole_number(1, 10_000_000),
        metavar='N',
        help='validate on so many images, spread evenly (all)',
    )
    parser.add_argument(
        '--calibration-frames',
        type=whole_number(MINIMUM_FRAMES, 4096),
        default=quantizing.frames,
        metavar='N',
        help=f'images to calibrate with ({quantizing.frames})',
    )
    parser.add_argument(
        '--evaluation-frames',
        type=whole_number(MINIMUM_FRAMES, 100_000),
        default=quantizing.evaluation_frames,
        metavar='N',
        help=f'others of the same images, to choose layers on ({quantizing.evaluation_frames})',
    )
    parser.add_argument(
        '--max-loss',
        type=share,
        default=quantizing.max_loss,
        metavar='X',
        help=f'share of AP50 and of recall that INT8 may lose ({quantizing.max_loss:g})',
    )
    parser.add_argument(
        '--measured-frames',
        type=whole_number(2, 1_000_000),
        default=usual.measured_frames,
        metavar='N',
        help=f'measure the times of so many frames of each ({usual.measured_frames})',
    )
    parser.add_argument(
        '--threads',
        type=whole_number(0, 256),
        default=usual.threads,
        metavar='N',
        help='CPU threads (0: automatic, as in a node)',
    )


def run(options: argparse.Namespace) -> int:
    """Make the ladder, or show what that would be, and tell what was found."""
    model = load_model(find_model(options.model))
    check_detector(model)
    engine = choose_engine_kind(options.engine)
    out = None if options.in_place else options.out or OUT / model.card.name
    with ExitStack() as stack:
        recording = stack.enter_context(open_dataset(options.recording, options.topic))
        calibration = None
        if options.calibration is not None:
            calibration = stack.enter_context(
                open_dataset(options.calibration, options.calibration_topic)
            )
        there = _there(model, out)
        images = choose_images(there, recording, calibration)
        if options.plan:
            return _show_plan(there, images, engine, options)
        _say(images.told)
        work = open_workspace(model, out)
        try:
            with open_ladder_view(not options.json) as view:
                made = make_ladder(work, images, _settings(engine, options), view)
        except KeyboardInterrupt:
            _say(
                f'\ninterrupted; the steps that have ended are kept in {work.folder} and in the '
                'cache. The same command goes on from there'
            )
            raise
    return _tell(made, options)


def _there(model: Model, out: Path | None) -> Model:
    """Return the model with what an earlier run left of its ladder, as it is before this run."""
    if out is not None and out.is_dir() and any(out.iterdir()):
        return open_workspace(model, out)
    return model


def _settings(engine: str, options: argparse.Namespace) -> LadderSettings:
    return LadderSettings(
        engine=engine,
        quantize=QuantizeSettings(
            frames=options.calibration_frames,
            evaluation_frames=options.evaluation_frames,
            max_loss=options.max_loss,
        ),
        frames=options.frames,
        measured_frames=options.measured_frames,
        threads=options.threads,
        command=shlex.join(['jetson-infer', *sys.argv[1:]]),
    )


def _show_plan(model: Model, images: Images, engine: str, options: argparse.Namespace) -> int:
    data = read_data(images.validation, model.card.labels, options.frames)
    steps = plan_steps(model, engine, VerdictStore(), data.digest)
    if options.json:
        told = [{'kind': s.kind, 'variant': s.subject, 'done': s.done} for s in steps]
        print(json.dumps({'images': images.told, 'engine': engine, 'steps': told}, indent=2))
    else:
        print('\n'.join(plan_lines(steps, images.told)))
    return 0


def _tell(made: Made, options: argparse.Namespace) -> int:
    ladder = made.ladder
    passed = [rung for rung in ladder.rungs if rung.verdict == 'passed']
    if options.json:
        told: dict[str, Any] = json.loads(ladder_text(ladder))
        told['front'] = [rung.variant for rung in ladder.front()]
        told['not_quantized'] = dict(made.not_quantized)
        told['folder'] = str(made.model.folder)
        print(json.dumps(told, indent=2))
    else:
        print()
        print('\n'.join(ladder_lines(ladder)))
        print(f'\nladder   {made.file}\npicture  {made.file.parent / PICTURE_FILE}')
    for name, why in made.not_quantized.items():
        _say(f'jetson-infer: {name} could not be quantized: {why}')
    if not passed:
        _say(f'jetson-infer: {_none_passed(ladder)}')
    return 0 if passed and not made.not_quantized else 1


def _none_passed(ladder: Ladder) -> str:
    told = [f'{rung.variant}: {rung.failures[0]}' for rung in ladder.rungs if rung.failures]
    told += [f'{name} could not be run: {why}' for name, why in ladder.not_run.items()]
    if not told:
        return f'{ladder.model}: there is no variant but the reference'
    return (
        f"{ladder.model}: no variant holds the card's thresholds; only the reference may run:\n  "
        + '\n  '.join(told)
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
