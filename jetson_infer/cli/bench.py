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

from jetson_infer.cli.bench_text import as_text
from jetson_infer.cli.values import positive_number
from jetson_infer.cuda.energy import open_meter
from jetson_infer.errors import FrameRejected
from jetson_infer.toolchain.bench.device_result import measure_throughput
from jetson_infer.toolchain.bench.device_subject import DeviceSubject
from jetson_infer.toolchain.bench.frames import recorded_images
from jetson_infer.toolchain.bench.measure import Measurement, measure, single_opencv_thread
from jetson_infer.toolchain.bench.open_subject import open_subject
from jetson_infer.toolchain.bench.paced import run_paced
from jetson_infer.toolchain.bench.picture import draw
from jetson_infer.toolchain.bench.settings import BenchError, BenchSetting
from jetson_infer.toolchain.bench.spread import ratio_of_medians
from jetson_infer.toolchain.bench.subject import Subject
from jetson_infer.toolchain.recording_files import find_recording
from jetson_infer.toolchain.report.machine import describe_machine

__all__ = ['add_arguments', 'run']

RESULT, PICTURE = 'bench.json', 'bench.svg'
LEAST_FRAMES = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    of = BenchSetting()
    parser.add_argument('--model', default=of.model, help='model folder or name')
    parser.add_argument('--variant', default=of.variant, help='one of its variants')
    parser.add_argument('--engine', default=of.engine, help='what runs the network')
    parser.add_argument(
        '--threads', default=str(of.threads), metavar='N', help='CPU threads (1; 0: automatic)'
    )
    parser.add_argument('--size', default='640x480', metavar='WxH', help='of synthetic images')
    parser.add_argument('--encoding', default=of.encoding, help='of synthetic images')
    parser.add_argument('--recording', help="take a recording's camera images instead")
    parser.add_argument(
        '--frames', type=_count, default=200, metavar='N', help='how many to measure (200)'
    )
    parser.add_argument(
        '--rate',
        type=positive_number,
        metavar='HZ',
        help='also send frames at this rate, and count those dropped (--node: 10)',
    )
    parser.add_argument(
        '--compare',
        metavar='KEY=VALUE,...',
        help='measure a second setting in turn with the first: threads=2,size=1920x1080',
    )
    parser.add_argument(
        '--node', action='store_true', help='measure the detector node over DDS (needs ROS 2)'
    )
    parser.add_argument('--json', action='store_true', help='print the result as JSON')
    parser.add_argument(
        '--out', type=Path, metavar='DIR', help=f'write {RESULT} and {PICTURE} there'
    )


def run(options: argparse.Namespace) -> int:
    """Measure, and print what was found."""
    setting = _setting(options)
    single_opencv_thread()
    progress = _Progress(not options.json)
    if options.node:
        from jetson_infer.cli.bench_node import measure_node

        result = measure_node(setting, options, progress.show)
    else:
        result = _measure(setting, options, progress)
    result['machine'] = describe_machine()
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / RESULT).write_text(json.dumps(result, indent=2) + '\n')
    print(json.dumps(result, indent=2) if options.json else as_text(result))
    return 0


def _setting(options: argparse.Namespace) -> BenchSetting:
    """Return the setting that the options name.

    :raises BenchError: if a value cannot be, or options contradict each other.
    """
    for other in ('compare', 'recording'):
        if options.node and getattr(options, other):
            raise BenchError(f'--node and --{other} do not go together')
    given = {key: getattr(options, key) for key in ('threads', 'size', 'encoding', 'engine')}
    changes = ','.join(f'{key}={value}' for key, value in given.items())
    return BenchSetting(model=options.model, variant=options.variant).changed(changes)


def _measure(
    setting: BenchSetting, options: argparse.Namespace, progress: _Progress
) -> dict[str, Any]:
    settings = [setting]
    if options.compare:
        settings.append(setting.changed(options.compare))
    with ExitStack() as stack:
        subjects = [
            stack.enter_context(_open(each, options.recording, options.frames)) for each in settings
        ]
        found = measure(subjects, options.frames, progress.show)
        result: dict[str, Any] = {'measurements': [_described(one, options) for one in found]}
        if options.compare:
            result['comparison'] = _compared(found)
        for subject, described in zip(subjects, result['measurements']):
            if isinstance(subject, DeviceSubject):
                _add_throughput(subject, described, options.frames)
        if options.rate:
            for subject, described in zip(subjects, result['measurements']):
                described['paced'] = run_paced(subject, options.frames, options.rate)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        ratios = [[a / b for a, b in zip(one.wall, one.bare_wall)] for one in found]
        (options.out / PICTURE).write_text(draw(result['measurements'], ratios))
    return result


def _open(setting: BenchSetting, recording: str | None, frames: int) -> Subject:
    try:
        images = recorded_images(find_recording(recording), frames) if recording else []
        return open_subject(setting, images)
    except FrameRejected as error:
        raise BenchError(f'these images cannot be used: {error}') from error


def _add_throughput(subject: DeviceSubject, described: dict[str, Any], frames: int) -> None:
    """Add what the device does when frames come as fast as it takes them, and on what power."""
    meter, why_none = open_meter(subject.device.identity)
    described['throughput'] = measure_throughput(subject, frames, meter)
    if meter is None:
        described['throughput']['no_energy'] = why_none


def _described(measurement: Measurement, options: argparse.Namespace) -> dict[str, Any]:
    described = measurement.as_dict()
    setting = measurement.subject.setting
    described['setting']['images'] = (
        f'recording {Path(options.recording).name}'
        if options.recording
        else f'{"x".join(map(str, setting.size))} {setting.encoding}'
    )
    return described


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

    def show(self, done: int, total: int) -> None:
        # Rarely: what is printed between two frames is not to disturb them.
        if self._wanted and (done % 20 == 0 or done == total):
            end = '\n' if done == total else '\r'
            print(f'frame {done} of {total}', end=end, file=sys.stderr, flush=True)
