# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the whole detector node costs: beside an empty subscriber and the bare session.

Four processes: the driver, which sends images; the detector; an empty subscriber to the same
topic; and this one, which reads the others' CPU clocks and runs the bare session.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from jetson_infer.cli import ros_environment
from jetson_infer.cli.children import ProcessGroup
from jetson_infer.engines.models import find_model
from jetson_infer.toolchain.bench.open_subject import open_subject
from jetson_infer.toolchain.bench.settings import BenchError, BenchSetting
from jetson_infer.toolchain.bench.subject import Subject

__all__ = ['cpu_s', 'measure_node']

DETECTOR = 'bench_detector'
ROUNDS = 8
RATE_HZ = 10.0
POLL_S = 0.02
SILENCE_LIMIT_S = 180.0


def measure_node(
    setting: BenchSetting, options: Namespace, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """Run the processes and return what was found, for a program.

    :raises NoRosError: if there is no ROS 2.
    :raises BenchError: if a process fails; with the last lines of its output.
    """
    ros_environment.require_ros(['rclpy', 'vision_msgs'])
    rate_hz = options.rate or RATE_HZ
    frames = max(2, options.frames // ROUNDS)
    with ExitStack() as stack:
        subject = stack.enter_context(open_subject(setting))
        subject.run_pipeline(0)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='jetson_infer_')))
        environment = ros_environment.node_environment(folder / 'ros_log')

        def start(module: str, arguments: list[str]) -> ProcessGroup:
            command = ros_environment.node_command(module, arguments)
            return stack.enter_context(ProcessGroup(command, environment, folder / f'{module}.log'))

        subscriber = start('bench_subscriber', [])
        detector = start('detector_node', _detector_arguments(setting))
        driver = start('bench_driver', _driver_arguments(setting, rate_hz, frames))
        watch = _Watch(subject, {'node': detector.pid, 'subscriber': subscriber.pid}, rate_hz)
        events = _events(driver, folder / 'bench_driver.log')
        try:
            done = watch.follow(events, frames, progress)
        except BenchError as error:
            raise BenchError(f'{error}\n{_last_lines(folder)}') from None
        subscriber.end()
        received = json.loads((folder / 'bench_subscriber.log').read_text().splitlines()[-1])
    return {
        'node': {
            'setting': setting.as_dict(),
            'images': f'{"x".join(map(str, setting.size))} {setting.encoding}',
            'engine': subject.engine,
            'ros_distro': os.environ.get('ROS_DISTRO', ''),
            'rmw': os.environ.get('RMW_IMPLEMENTATION', 'the default middleware'),
            'rate_hz': rate_hz,
            'rounds': ROUNDS,
            'sent': 2 * frames * ROUNDS,
            'sent_to_node': frames * ROUNDS,
            'answered': watch.answered,
            'subscriber_received': received['received'],
            'frames': {name: int(count) for name, count in done['frames'].items()},
            'stages_ms': _stages(done['stages']),
            'cpu_ms_per_frame': watch.costs(),
        }
    }


class _Watch:
    """Reads CPU clocks at the ends of the driver's phases, and runs the bare session in between.

    :param pids: the processes to watch, by name.
    """

    def __init__(self, subject: Subject, pids: Mapping[str, int], rate_hz: float) -> None:
        self._subject = subject
        self._pids = dict(pids)
        self._rate_hz = rate_hz
        self._rounds: dict[str, list[float]] = {'node': [], 'subscriber': [], 'bare_session': []}
        self.answered = 0

    def follow(
        self,
        events: Iterator[Mapping[str, Any]],
        frames: int,
        progress: Callable[[int, int], None],
    ) -> Mapping[str, Any]:
        """Follow the driver to its end and return its last event."""
        before: dict[str, float] = {}
        for event in events:
            if event['event'] == 'done':
                return event
            if event['event'] == 'failed':
                raise BenchError(f'the measurement failed: {event["reason"]}')
            if event['event'] == 'begin':
                before = {name: cpu_s(pid) for name, pid in self._pids.items()}
                if event['phase'] == 'bare':
                    self._run_bare(frames)
            elif event['phase'] == 'node':
                self._end_of_node(event, before)
                progress(event['round'] + 1, ROUNDS)
        raise BenchError('the driver ended before its last phase')

    def costs(self) -> dict[str, dict[str, float]]:
        """Return the CPU time a frame of each, in ms, over the rounds."""
        rounds = dict(self._rounds)
        rounds['difference'] = [
            node - subscriber - bare for node, subscriber, bare in zip(*self._rounds.values())
        ]
        return {
            name: {
                'median': round(median(values), 3),
                'least': round(min(values), 3),
                'most': round(max(values), 3),
            }
            for name, values in rounds.items()
        }

    def _end_of_node(self, event: Mapping[str, Any], before: Mapping[str, float]) -> None:
        if not event['answered']:
            raise BenchError(f'the node answered none of {event["sent"]} frames')
        self.answered += event['answered']
        per = {'node': event['answered'], 'subscriber': event['sent']}
        for name, pid in self._pids.items():
            self._rounds[name].append((cpu_s(pid) - before[name]) * 1e3 / per[name])

    def _run_bare(self, frames: int) -> None:
        start, spent = time.monotonic() + 0.3, []
        for number in range(frames):
            time.sleep(max(0.0, start + number / self._rate_hz - time.monotonic()))
            spent.append(self._subject.run_bare()[1])
        self._rounds['bare_session'].append(sum(spent) / len(spent))


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used, in all its threads, in seconds (Linux).

    :raises BenchError: if there is no such process.
    """
    try:
        # The clock id that clock_getcpuclockid(3) gives for a process.
        return time.clock_gettime((~pid << 3) | 2)
    except OSError as error:
        raise BenchError(f'the CPU clock of process {pid} cannot be read: {error}') from error


def _stages(values: Mapping[str, str]) -> dict[str, dict[str, float]]:
    stages: dict[str, dict[str, float]] = {}
    for key, value in values.items():
        stage, _, percentile = key.partition('/')
        stages.setdefault(stage, {})[percentile] = float(value)
    return stages


def _events(driver: ProcessGroup, log: Path) -> Iterator[Mapping[str, Any]]:
    rest, heard = '', time.monotonic()
    with log.open(encoding='utf-8') as stream:
        while True:
            gone = driver.exit_code is not None
            *lines, rest = (rest + stream.read()).split('\n')
            for line in lines:
                if line.startswith('{'):
                    heard = time.monotonic()
                    yield json.loads(line)
            if gone:
                return
            if time.monotonic() - heard > SILENCE_LIMIT_S:
                raise BenchError(f'the driver has said nothing for {SILENCE_LIMIT_S:.0f} s')
            time.sleep(POLL_S)


def _detector_arguments(setting: BenchSetting) -> list[str]:
    model = find_model(setting.model)
    parameters = {
        'model': json.dumps(str(model)),
        'variant': json.dumps(setting.variant),
        'engine': setting.engine,
        'engine_threads': setting.threads,
        'allow_unvalidated': 'true',  # it is measured, not used
    }
    arguments = ['-r', f'__node:={DETECTOR}', '-r', '~/input/image:=bench/image']
    return arguments + [a for name, value in parameters.items() for a in ('-p', f'{name}:={value}')]


def _driver_arguments(setting: BenchSetting, rate_hz: float, frames: int) -> list[str]:
    parameters = {
        'detector': f'/{DETECTOR}',
        'rate_hz': float(rate_hz),
        'frames': frames,
        'rounds': ROUNDS,
        'size': 'x'.join(map(str, setting.size)),
        'encoding': json.dumps(setting.encoding),
    }
    return [a for name, value in parameters.items() for a in ('-p', f'{name}:={value}')]


def _last_lines(folder: Path) -> str:
    lines = []
    for log in sorted(folder.glob('*.log')):
        lines += [f'  {log.stem}| {line}' for line in log.read_text(errors='replace').splitlines()]
    return '\n'.join(lines[-12:])
