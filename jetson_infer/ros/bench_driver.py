# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The node `bench_driver`: sends images to detectors and to empty subscribers, in phases.

The file of the parameter `plan` (JSON) says at which rate how many images are sent in a phase, in
how many rounds, and to which targets: a detector, the topic it and an empty subscriber listen to,
and what images those are.  Each round has two phases for each target, in which the same images are
sent: `node`, while the detector is active, and `bare`, while it is not.  One JSON object a line on
standard output:

    {"event": "begin", "phase": "node" | "bare", "target": 0, "round": 0}
    {"event": "end", "phase": ..., "target": 0, "round": 0, "sent": 50, "answers_ms": [21.3, ...]}
    {"event": "done", "targets": [{"sent": 400, "frames": {"received": "400", ...},
                                   "stages": {"infer/p50": "48.1", ...}}]}
    {"event": "failed", "reason": "..."}

`answers_ms` has the time from the publication of an image to the arrival of its detections, for
every one that was answered; `frames` are a detector's counters, `stages` its percentiles in ms.
Around a phase nothing is sent for a moment, so that whoever reads the lines can read CPU clocks.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from jetson_infer.errors import JetsonInferError
from jetson_infer.ros.bench_target import BenchTarget
from jetson_infer.ros.shutdown import shut_down

__all__ = ['BenchDriver', 'main']

TRANSITION_LIMIT_S = 120.0
MATCH_LIMIT_S = 60.0
SETTLE_S = 0.3
"""The silence around a phase."""
LAST_ANSWER_S = 2.0
"""How long the next answer may take once one has come; of images that were dropped none comes."""
LAST_REPORTS = 2
"""Reports after the last phase, of which the second began after it: they come once a second."""


class BenchFailed(RuntimeError):
    """The detector or the subscriber did not do what the measurement needs."""


class BenchDriver(Node):
    """See the module's text; the phases are run by :meth:`drive`, beside a spinning executor."""

    def __init__(self) -> None:
        super().__init__('bench_driver')
        plan = json.loads(Path(self.declare_parameter('plan', '').value).read_text('utf-8'))
        self._rate_hz: float = plan['rate_hz']
        self._frames: int = plan['frames']
        self._rounds: int = plan['rounds']
        self._targets = [BenchTarget(self, each, self._frames) for each in plan['targets']]
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def drive(self) -> None:
        """Run every phase.

        :raises BenchFailed: if a detector does not follow, or nobody listens.
        """
        for target in self._targets:
            self._transition(target, Transition.TRANSITION_CONFIGURE, 'configure')
        for number in range(self._rounds):
            # Who comes first changes, so that a drift of the machine falls on all alike.
            order = list(enumerate(self._targets))
            for place, target in order[:: -1 if number % 2 else 1]:
                self._transition(target, Transition.TRANSITION_ACTIVATE, 'activate')
                self._phase('node', place, number, listeners=2)
                self._transition(target, Transition.TRANSITION_DEACTIVATE, 'deactivate')
                self._phase('bare', place, number, listeners=1)
        self._hear_the_last()
        _tell(
            event='done',
            targets=[
                {'sent': t.sent, 'frames': t.frames, 'stages': t.stages} for t in self._targets
            ],
        )

    def _phase(self, name: str, place: int, number: int, listeners: int) -> None:
        target = self._targets[place]
        self._wait(
            lambda: target.images.get_subscription_count() == listeners,
            MATCH_LIMIT_S,
            f'{listeners} subscribers to {target.images.topic_name}',
        )
        time.sleep(SETTLE_S)
        target.begin()
        _tell(event='begin', phase=name, target=place, round=number)
        time.sleep(SETTLE_S)
        start = time.monotonic()
        for frame in range(self._frames):
            time.sleep(max(0.0, start + frame / self._rate_hz - time.monotonic()))
            target.send(frame)
        if name == 'node':
            target.sent += self._frames
            self._await_answers(target)
        time.sleep(SETTLE_S)
        told = {'phase': name, 'target': place, 'round': number}
        _tell(event='end', **told, sent=self._frames, answers_ms=target.answers_ms)
        time.sleep(SETTLE_S)

    def _await_answers(self, target: BenchTarget) -> None:
        heard, since = -1, time.monotonic()
        while len(target.answers_ms) < self._frames:
            if len(target.answers_ms) != heard:
                heard, since = len(target.answers_ms), time.monotonic()
            if time.monotonic() - since > (LAST_ANSWER_S if heard else MATCH_LIMIT_S):
                return
            time.sleep(0.02)

    def _hear_the_last(self) -> None:
        before = [target.reports for target in self._targets]

        def heard() -> bool:
            return all(
                target.reports >= count + LAST_REPORTS
                for target, count in zip(self._targets, before)
            )

        self._wait(heard, MATCH_LIMIT_S, 'the last diagnostics of every detector')

    def _transition(self, target: BenchTarget, number: int, label: str) -> None:
        if not target.change.wait_for_service(MATCH_LIMIT_S):
            raise BenchFailed(f'there is no service {target.change.srv_name}')
        future = target.change.call_async(ChangeState.Request(transition=Transition(id=number)))
        self._wait(future.done, TRANSITION_LIMIT_S, f'{target.detector} to {label}')
        if not future.result().success:
            raise BenchFailed(f'{target.detector} could not {label}; its log says why')

    def _wait(self, ready: Callable[[], bool], limit_s: float, what: str) -> None:
        deadline = time.monotonic() + limit_s
        while not ready():
            if time.monotonic() > deadline:
                raise BenchFailed(f'waited {limit_s:.0f} s in vain for {what}')
            time.sleep(0.02)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            for target in self._targets:
                target.hear(status)


def _tell(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + '\n')
    sys.stdout.flush()


def main(args: Sequence[str] | None = None) -> int:
    """Run the node to the end of its phases; return the exit code."""
    rclpy.init(args=args)
    try:
        node = BenchDriver()
    except JetsonInferError as error:
        _tell(event='failed', reason=str(error))
        shut_down()
        return 1
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    code: list[int] = []

    def drive() -> None:
        try:
            node.drive()
            code.append(0)
        except BenchFailed as error:
            _tell(event='failed', reason=str(error))
            code.append(1)
        finally:
            shut_down()

    thread = threading.Thread(target=drive, name='phases', daemon=True)
    thread.start()
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        executor.spin()
    thread.join(2.0)
    return code[0] if code else 1


if __name__ == '__main__':
    sys.exit(main())
