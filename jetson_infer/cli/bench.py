# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer bench`: what a pipeline costs beside its network alone, stage by stage."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jetson_infer.cli.bench_node import ROUNDS, measure_node
from jetson_infer.cli.bench_text import as_text
from jetson_infer.cli.values import positive_number
from jetson_infer.cuda.energy import open_meter
from jetson_infer.toolchain.bench.device_result import measure_throughput
from jetson_infer.toolchain.bench.device_subject import DeviceSubject
from jetson_infer.toolchain.bench.frames import images_of
from jetson_infer.toolchain.bench.measure import Measurement, measure, single_opencv_thread
from jetson_infer.toolchain.bench.node_picture import draw_nodes
from jetson_infer.toolchain.bench.open_subject import open_subject
from jetson_infer.toolchain.bench.paced import run_paced
from jetson_infer.toolchain.bench.picture import draw
from jetson_infer.toolchain.bench.settings import SYNTHETIC, BenchSetting
from jetson_infer.toolchain.bench.spread import ratio_of_medians
from jetson_infer.toolchain.report.machine import describe_machine

__all__ = ['add_arguments', 'run']

RESULT, PICTURE = 'bench.json', 'bench.svg'
LEAST_FRAMES = 2
RATE_HZ = 30.0
BUNDLED_RECORDING = 'room_walk'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    of = BenchSetting()
    parser.add_argument('--model', default=of.model, help='model folder or name')
    parser.add_argument('--variant', default=of.variant, help='one of its variants')
    parser.add_argument('--engine', default=of.engine, help='what runs the network')
    parser.add_argument(
        '--threads', default=str(of.threads), metavar='N', help='CPU threads (1; 0: automatic)'
    )
    parser.add_argument(
        '--recording',
        help=f"take its camera images (the bundled model's: {BUNDLED_RECORDING})",
    )
    parser.add_argument(
        '--size', metavar='WxH', help='take synthetic images of this size (640x480)'
    )
    parser.add_argument(
        '--encoding', help=f'take synthetic images in this encoding ({of.encoding})'
    )
    parser.add_argument(
        '--frames', type=_count, default=200, metavar='N', help='how many to measure (200)'
    )
    parser.add_argument(
        '--rate',
        type=positive_number,
        metavar='HZ',
        help='then send frames at this rate, and count those dropped (30; --node: 10)',
    )
    parser.add_argument(
        '--compare',
        metavar='KEY=VALUE,...',
        help='measure a second setting in turn with the first: threads=2 or size=1920x1080',
    )
    parser.add_argument(
        '--node', action='store_true', help='measure the detector node over DDS (needs ROS 2)'
    )
    parser.add_argument(
        '--rounds', type=_count, metavar='N', help=f'with --node: of how many rounds ({ROUNDS})'
    )
    parser.add_argument('--json', action='store_true', help='print the result as JSON')
    parser.add_argument(
        '--out', type=Path, metavar='DIR', help=f'write {RESULT} and {PICTURE} there'
    )


def run(options: argparse.Namespace) -> int:
    """Measure, and print what was found."""
    settings = [_setting(options)]
    if options.compare:
        settings.append(settings[0].changed(options.compare))
    single_opencv_thread()
    progress = _Progress(not options.json)
    if options.node:
        result = measure_node(settings, options, progress.round)
        picture = draw_nodes(result['nodes'])
    else:
        result, picture = _measure(settings, options, progress)
    result['machine'] = describe_machine()
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / RESULT).write_text(json.dumps(result, indent=2) + '\n')
        (options.out / PICTURE).write_text(picture)
    print(json.dumps(result, indent=2) if options.json else as_text(result))
    return 0


def _setting(options: argparse.Namespace) -> BenchSetting:
    """Return the setting that the options name.

    The bundled model finds nothing in noise, so that decoding would seem to cost nothing: unless
    synthetic images are asked for, it gets the recording that comes with it.

    :raises BenchError: if a value cannot be, or options contradict each other.
    """
    chosen = {key: getattr(options, key) for key in ('threads', 'engine', 'recording', *SYNTHETIC)}
    of = BenchSetting(model=options.model, variant=options.variant)
    compared = {part.partition('=')[0].strip() for part in (options.compare or '').split(',')}
    synthetic = compared.intersection(SYNTHETIC) or any(chosen[key] for key in SYNTHETIC)
    if options.model == BenchSetting.model and not (chosen['recording'] or synthetic):
        chosen['recording'] = BUNDLED_RECORDING
    return of.changed(','.join(f'{key}={value}' for key, value in chosen.items() if value))


def _measure(
    settings: Sequence[BenchSetting], options: argparse.Namespace, progress: _Progress
) -> tuple[dict[str, Any], str]:
    """Measure pipelines, and return what was found with a picture of it."""
    with ExitStack() as stack:
        subjects = [
            stack.enter_context(open_subject(each, images_of(each, options.frames)))
            for each in settings
        ]
        found = measure(subjects, options.frames, progress.frame)
        result: dict[str, Any] = {'measurements': [one.as_dict() for one in found]}
        if options.compare:
            result['comparison'] = _compared(found)
        for subject, described in zip(subjects, result['measurements']):
            if isinstance(subject, DeviceSubject):
                _add_throughput(subject, described, options.frames)
        for subject, described in zip(subjects, result['measurements']):
            described['paced'] = run_paced(subject, options.frames, options.rate or RATE_HZ)
    ratios = [[a / b for a, b in zip(one.wall, one.bare_wall)] for one in found]
    return result, draw(result['measurements'], ratios)


def _add_throughput(subject: DeviceSubject, described: dict[str, Any], frames: int) -> None:
    """Add what the device does when frames come as fast as it takes them, and on what power."""
    meter, why_none = open_meter(subject.device.identity)
    try:
        described['throughput'] = measure_throughput(subject, frames, meter)
    finally:
        if meter is not None:
            meter.close()
    if meter is None:
        described['throughput']['no_energy'] = why_none


def _compared(found: Sequence[Measurement]) -> dict[str, Any]:
    first, second = found
    after, before = ([cost.cpu_outside for cost in one.pipeline] for one in (second, first))
    return {
        'change': second.subject.setting.difference(first.subject.setting),
        'pipeline': vars(ratio_of_medians(second.wall, first.wall)),
        'bare_session': vars(ratio_of_medians(second.bare_wall, first.bare_wall)),
        'cpu_outside_session': vars(ratio_of_medians(after, before)),
    }


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < LEAST_FRAMES:
        raise argparse.ArgumentTypeError(f'must be a number from {LEAST_FRAMES} on, not {text}')
    return int(text)


class _Progress:
    """Tells how far the measurement is, on a terminal that shows it in place."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted and sys.stderr.isatty()

    def frame(self, done: int, total: int) -> None:
        """Tell how many frames are done; rarely: nothing is to be printed between two of them."""
        if done % 20 == 0 or done == total:
            self._show('frame', done, total)

    def round(self, done: int, total: int) -> None:
        """Tell how many rounds are done."""
        self._show('round', done, total)

    def _show(self, unit: str, done: int, total: int) -> None:
        if self._wanted:
            end = '\n' if done == total else '\r'
            print(f'{unit} {done} of {total}', end=end, file=sys.stderr, flush=True)
