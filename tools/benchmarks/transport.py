#!/usr/bin/env python3
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Count the camera images that reach other processes, with the shipped DDS profiles and without.

One process publishes, one to four subscribe as the package's nodes do, each a process of its own.
For every row the shipped profile and the default transport are measured in turn, round by round, so
that both meet the same machine.  Printed are the share that arrived whole, that of the worst
subscriber, and the latency from the stamp to the callback.  With `--detector` the subscribers are
detectors, and their images are counted where the node counts them.

    make shell DISTRO=humble CMD='python3 tools/benchmarks/transport.py --quick'
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
STREAM = HERE / 'transport_stream.py'
PROFILES = HERE.parents[1] / 'config' / 'dds'
RMWS = {
    'fastdds': ('rmw_fastrtps_cpp', 'FASTRTPS_DEFAULT_PROFILES_FILE', 'fastdds_shm.xml', ''),
    'cyclonedds': ('rmw_cyclonedds_cpp', 'CYCLONEDDS_URI', 'cyclonedds.xml', 'file://'),
}
SIZES = ('640x480', '1280x720', '1920x1080', '3840x2160')
QUICK = {'sizes': ('1920x1080',), 'qos': ('best_effort',), 'subscribers': (1, 3)}
SLACK_S = 25.0
"""For starting the processes and finding each other, beside the time of publishing."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    :param rate_hz: how often is published.
    """

    rmw: str
    size: str
    qos: str
    subscribers: int
    depth: int
    rate_hz: float
    frames: int


@dataclass
class Figures:
    """What came of a row with one transport, over all rounds."""

    sent: int = 0
    shares: list[float] | None = None
    latencies_ms: list[float] | None = None
    pace_hz: list[float] | None = None


def environment(rmw: str, profile: bool) -> dict[str, str]:
    """Return a process's environment, with the shipped profile or with the default transport."""
    name, variable, file, prefix = RMWS[rmw]
    others = {variable for _, variable, _, _ in RMWS.values()}
    kept = {key: value for key, value in os.environ.items() if key not in others}
    kept['RMW_IMPLEMENTATION'] = name
    if profile:
        kept[variable] = f'{prefix}{PROFILES / file}'
    return kept


def measure(row: Row, profile: bool, reader: str) -> list[dict]:
    """Run one publisher and its subscribers; return what each of them says, the publisher first."""
    arguments = [row.size, row.qos, str(row.depth), str(row.frames), str(row.rate_hz)]
    processes = [
        subprocess.Popen(
            [sys.executable, str(STREAM), role, *arguments, str(row.subscribers)],
            env=environment(row.rmw, profile),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for role in ['send'] + [reader] * row.subscribers
    ]
    said = []
    try:
        for process in processes:
            output, _ = process.communicate(timeout=SLACK_S + 3 * row.frames / row.rate_hz)
            said.append(json.loads(output.splitlines()[-1]) if output else {})
    except subprocess.TimeoutExpired:
        return []
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return said if all(said) else []


def add(figures: Figures, said: list[dict]) -> None:
    """Take in what one run gave."""
    if not said:
        return
    sender, *receivers = said
    figures.sent += sender['sent']
    figures.shares = (figures.shares or []) + [
        len(receiver['latencies_ms']) / sender['sent'] for receiver in receivers
    ]
    figures.latencies_ms = (figures.latencies_ms or []) + [
        latency for receiver in receivers for latency in receiver['latencies_ms']
    ]
    figures.pace_hz = [*(figures.pace_hz or []), sender['pace_hz']]


def percentile(values: list[float], share: float) -> float:
    """Return a percentile by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def describe(figures: Figures) -> str:
    """Return the cells of one transport: delivered, worst subscriber, p50 and p99 of latency."""
    if not figures.shares:
        return 'did not run | | | '
    delivered = sum(figures.shares) / len(figures.shares)
    times = figures.latencies_ms or []
    p50, p99 = (f'{percentile(times, share):.1f}' if times else '-' for share in (0.5, 0.99))
    return f'{percent(delivered)} | {percent(min(figures.shares))} | {p50} | {p99}'


def percent(share: float) -> str:
    """Return a share as a percentage that says 100 only where nothing is missing."""
    return '100 %' if share == 1 else f'{min(share * 100, 99.9):.1f} %'


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """List what is to be measured."""
    for rmw, size, qos, subscribers, depth in itertools.product(
        options.rmw, options.sizes, options.qos, options.subscribers, options.depth
    ):
        yield Row(rmw, size, qos, subscribers, depth, options.rate, options.frames)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--quick', action='store_true', help='1920x1080, best effort, 1 and 3')
    parser.add_argument('--rmw', nargs='+', choices=RMWS, default=list(RMWS))
    parser.add_argument('--sizes', nargs='+', choices=SIZES, default=list(SIZES))
    parser.add_argument('--qos', nargs='+', default=['best_effort', 'reliable'])
    parser.add_argument('--subscribers', nargs='+', type=int, default=[1, 2, 3, 4])
    parser.add_argument('--depth', nargs='+', type=int, default=[5], help='of the subscriptions')
    parser.add_argument('--rate', type=float, default=30.0, help='images a second')
    parser.add_argument('--frames', type=int, default=100, help='images a round')
    parser.add_argument(
        '--detector', metavar='MODEL', help='detectors with that model as the subscribers'
    )
    parser.add_argument('--rounds', type=int, default=1, help='of both transports in turn')
    given = parser.parse_args()
    if given.quick:
        vars(given).update(QUICK)
    return given


def main() -> None:
    given = options()
    reader = f'detect={given.detector}' if given.detector else 'receive'
    print(f'ROS 2 {os.environ.get("ROS_DISTRO")}, {given.rate:g} Hz, {os.cpu_count()} cores')
    print('| | | | | | shipped profile | | | | default transport | | | | |')
    print(
        '| DDS | image | QoS | depth | subscribers | arrived | worst | p50 ms | p99 ms '
        '| arrived | worst | p50 ms | p99 ms | sent, at Hz |'
    )
    print('|---' * 14 + '|')
    for row in rows(given):
        shipped, default = Figures(), Figures()
        for _ in range(given.rounds):
            add(shipped, measure(row, True, reader))
            add(default, measure(row, False, reader))
        pace = median(shipped.pace_hz or [0.0])
        print(
            f'| {row.rmw} | {row.size} | {row.qos} | {row.depth} | {row.subscribers} '
            f'| {describe(shipped)} | {describe(default)} | {shipped.sent}, {pace:.1f} |',
            flush=True,
        )


if __name__ == '__main__':
    main()
