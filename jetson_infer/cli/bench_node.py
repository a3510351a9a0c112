# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the whole detector node costs: beside an empty subscriber and the bare session.

Processes: the driver, which sends images; for each setting a detector and an empty subscriber to
the same topic; and this one, which reads the others' clocks and runs the bare session.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jetson_infer.cli import ros_environment
from jetson_infer.cli.bench_watch import Target, Watch
from jetson_infer.cli.children import ProcessGroup
from jetson_infer.engines.models import find_model
from jetson_infer.toolchain.bench.frames import COMPRESSED, image_type, images_of
from jetson_infer.toolchain.bench.node_cost import NodeCost, compared_nodes
from jetson_infer.toolchain.bench.open_subject import open_subject
from jetson_infer.toolchain.bench.settings import BenchError, BenchSetting

__all__ = ['ROUNDS', 'measure_node']

ROUNDS = 8
RATE_HZ = 10.0
POLL_S = 0.02
SILENCE_LIMIT_S = 180.0


def measure_node(
    settings: Sequence[BenchSetting], options: Namespace, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """Run the processes and return what was found of each setting, for a program.

    :param settings: one, or two to compare, which are measured in turn, round by round.
    :raises NoRosError: if there is no ROS 2.
    :raises BenchError: if a process fails; with the last lines of its output.
    """
    ros_environment.require_ros(['rclpy', 'vision_msgs'])
    rate_hz, rounds = options.rate or RATE_HZ, options.rounds or ROUNDS
    frames = max(2, options.frames // rounds)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='jetson_infer_')))
        processes = _Processes(stack, folder)
        targets = [
            _target(stack, processes, number, setting, frames)
            for number, setting in enumerate(settings)
        ]
        plan = {
            'rate_hz': rate_hz,
            'frames': frames,
            'rounds': rounds,
            'targets': [
                {**each.as_dict(), 'detector': f'/{_detector(number)}', 'topic': _topic(number)}
                for number, each in enumerate(settings)
            ],
        }
        (folder / 'plan.json').write_text(json.dumps(plan))
        driver = processes.start('bench_driver', 'driver', ['-p', f'plan:={folder}/plan.json'])
        watch = Watch([target for target, _ in targets], rate_hz, frames, rounds, progress)
        try:
            heard = watch.follow(_events(driver, folder / 'driver.log'))
        except BenchError as error:
            raise BenchError(f'{error}\n{_last_lines(folder)}') from None
        sent = {'rate_hz': rate_hz, 'rounds': rounds, 'sent': 2 * frames * rounds}
        nodes = [
            {**_described(target), **sent, **_received(process), **_reported(one)}
            for (target, process), one in zip(targets, heard)
        ]
    result: dict[str, Any] = {'nodes': nodes}
    if len(targets) > 1:
        first, second = (target.cost for target, _ in targets)
        result['comparison'] = compared_nodes(first, second)
    return result


class _Processes:
    """Starts nodes, each with a log of its own; they end with the stack."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self._environment = ros_environment.node_environment(folder / 'ros_log')

    def start(self, module: str, name: str, arguments: Sequence[str]) -> ProcessGroup:
        """Start a node; its output goes to `NAME.log`."""
        command = ros_environment.node_command(module, arguments)
        group = ProcessGroup(command, self._environment, self.log(name))
        return self._stack.enter_context(group)

    def log(self, name: str) -> Path:
        """Return where a node's output goes."""
        return self._folder / f'{name}.log'


def _target(
    stack: ExitStack, processes: _Processes, number: int, setting: BenchSetting, frames: int
) -> tuple[Target, tuple[ProcessGroup, Path]]:
    """Open a setting's network here, and start its detector and its empty subscriber."""
    subject = stack.enter_context(open_subject(setting, images_of(setting, frames)))
    subject.run_pipeline(0)  # the bare session runs on what this prepares
    compressed = image_type(setting) == COMPRESSED
    name, topic = f'bench_subscriber_{number + 1}', _topic(number)
    subscriber = processes.start(
        'bench_subscriber',
        name,
        ['-r', f'__node:={name}', '-p', f'topic:={topic}', '-p', f'compressed:={compressed}'],
    )
    detector = processes.start(
        'detector_node', _detector(number), _detector_arguments(number, setting, compressed)
    )
    target = Target(subject, detector.pid, subscriber.pid, NodeCost(setting))
    return target, (subscriber, processes.log(name))


def _detector(number: int) -> str:
    return f'bench_detector_{number + 1}'


def _topic(number: int) -> str:
    return f'/bench/image_{number + 1}'


def _detector_arguments(number: int, setting: BenchSetting, compressed: bool) -> list[str]:
    parameters = {
        'model': json.dumps(str(find_model(setting.model))),
        'variant': json.dumps(setting.variant),
        'engine': setting.engine,
        'engine_threads': setting.threads,
        'image_transport': 'compressed' if compressed else 'raw',
        'allow_unvalidated': 'true',  # it is measured, not used
    }
    arguments = ['-r', f'__node:={_detector(number)}', '-r', f'~/input/image:={_topic(number)}']
    return arguments + [a for name, value in parameters.items() for a in ('-p', f'{name}:={value}')]


def _described(target: Target) -> dict[str, Any]:
    return {
        **target.cost.as_dict(),
        'variant': target.subject.variant,
        'network_size': list(target.subject.network_size),
        'engine': target.subject.engine,
        'ros_distro': os.environ.get('ROS_DISTRO', ''),
        'rmw': os.environ.get('RMW_IMPLEMENTATION', 'the default middleware'),
    }


def _received(subscriber: tuple[ProcessGroup, Path]) -> dict[str, Any]:
    """End an empty subscriber, which then says how many images came."""
    process, log = subscriber
    process.end()
    said = json.loads(log.read_text().splitlines()[-1])
    return {'subscriber_received': said['received']}


def _reported(heard: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a detector's diagnostics told."""
    stages: dict[str, dict[str, float]] = {}
    for key, value in heard['stages'].items():
        stage, _, percentile = key.partition('/')
        stages.setdefault(stage, {})[percentile] = float(value)
    return {
        'sent_to_node': heard['sent'],
        'frames': {name: int(count) for name, count in heard['frames'].items()},
        'stages_ms': stages,
    }


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


def _last_lines(folder: Path) -> str:
    lines = []
    for log in sorted(folder.glob('*.log')):
        lines += [f'  {log.stem}| {line}' for line in log.read_text(errors='replace').splitlines()]
    return '\n'.join(lines[-12:])
