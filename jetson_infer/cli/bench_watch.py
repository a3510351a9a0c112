# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the processes of `jetson-infer bench --node` cost: their CPU clocks and their memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jetson_infer.toolchain.bench.measure import resident_mb
from jetson_infer.toolchain.bench.node_cost import NodeCost
from jetson_infer.toolchain.bench.settings import BenchError
from jetson_infer.toolchain.bench.subject import Subject

__all__ = ['Target', 'Watch', 'cpu_s']


@dataclass(frozen=True)
class Target:
    """One setting and the processes that show its costs.

    :param subject: the same network in this process, to run it bare.
    :param node: the detector's process.
    :param subscriber: the empty subscriber's.
    :param cost: gets what is found.
    """

    subject: Subject
    node: int
    subscriber: int
    cost: NodeCost


class Watch:
    """Reads the clocks at the ends of the driver's phases, and runs the bare session in between.

    :param targets: in the order of the driver's plan.
    :param frames: how many are sent in a phase.
    :param progress: called with how many rounds are done, and of how many.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        rate_hz: float,
        frames: int,
        rounds: int,
        progress: Callable[[int, int], None],
    ) -> None:
        self._targets = targets
        self._rate_hz = rate_hz
        self._frames = frames
        self._rounds = rounds
        self._progress = progress

    def follow(self, events: Iterator[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Follow the driver to its end, and return what it heard of each target.

        :raises BenchError: if it tells of a failure, ends early, or a process has ended.
        """
        before = (0.0, 0.0)
        for event in events:
            if event['event'] == 'done':
                heard: Sequence[Mapping[str, Any]] = event['targets']
                return heard
            if event['event'] == 'failed':
                raise BenchError(f'the measurement failed: {event["reason"]}')
            target = self._targets[event['target']]
            if event['event'] == 'begin' and event['phase'] == 'bare':
                self._run_bare(target)
            elif event['event'] == 'begin':
                before = self._begin(target)
            elif event['phase'] == 'node':
                self._end(target, event, before)
            else:
                done = sum(len(each.cost.bare_session) for each in self._targets)
                self._progress(done // len(self._targets), self._rounds)
        raise BenchError('the driver ended before its last phase')

    def _begin(self, target: Target) -> tuple[float, float]:
        if not target.cost.node:
            target.cost.memory_mb = (resident_mb(target.node), 0.0)
        return cpu_s(target.node), cpu_s(target.subscriber)

    def _end(self, target: Target, event: Mapping[str, Any], before: tuple[float, float]) -> None:
        answers, cost = event['answers_ms'], target.cost
        if not answers:
            raise BenchError(f'the node answered none of {event["sent"]} frames')
        cost.node.append((cpu_s(target.node) - before[0]) * 1e3 / len(answers))
        cost.subscriber.append((cpu_s(target.subscriber) - before[1]) * 1e3 / event['sent'])
        cost.answers_ms.append(answers)
        cost.memory_mb = (cost.memory_mb[0], resident_mb(target.node))

    def _run_bare(self, target: Target) -> None:
        start, spent = time.monotonic() + 0.3, []
        for number in range(self._frames):
            time.sleep(max(0.0, start + number / self._rate_hz - time.monotonic()))
            spent.append(target.subject.run_bare()[1])
        target.cost.bare_session.append(sum(spent) / len(spent))


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used, in all its threads, in seconds (Linux).

    :raises BenchError: if there is no such process.
    """
    try:
        # The clock id that clock_getcpuclockid(3) gives for a process.
        return time.clock_gettime((~pid << 3) | 2)
    except OSError as error:
        raise BenchError(f'the CPU clock of process {pid} cannot be read: {error}') from error
