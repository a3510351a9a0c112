# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The node `bench_driver`: sends images to a detector and to an empty subscriber, in phases.

Each round has two phases, in which the same images are sent at the same rate: `node`, while the
detector is active, and `bare`, while it is not.  One JSON object a line on standard output:

    {"event": "begin", "phase": "node" | "bare", "round": 0}
    {"event": "end", "phase": ..., "round": 0, "sent": 50, "answered": 50}
    {"event": "done", "frames": {"received": "100", ...}, "stages": {"infer/p50": "48.1", ...}}
    {"event": "failed", "reason": "..."}

`answered` are the detections messages that came back; `frames` are the detector's
counters, `stages` its percentiles in ms.
Around a phase nothing is sent for a moment, so that whoever reads the lines can read CPU clocks.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2DArray

from jetson_infer.ros.qos import OUTPUT, input_profile
from jetson_infer.toolchain.bench.frames import DISTINCT, synthetic_bytes
from jetson_infer.toolchain.bench.settings import parse_size

__all__ = ['BenchDriver', 'main']

DEFAULTS = {
    'detector': '/bench_detector',
    'rate_hz': 10.0,
    'frames': 50,
    'rounds': 4,
    'size': '640x480',
    'encoding': 'bgr8',
}
TRANSITION_LIMIT_S = 120.0
MATCH_LIMIT_S = 20.0
SETTLE_S = 0.3
"""The silence around a phase."""


class BenchFailed(RuntimeError):
    """The detector or the subscriber did not do what the measurement needs."""


class BenchDriver(Node):
    """See the module's text; the phases are run by :meth:`drive`, beside a spinning executor."""

    def __init__(self) -> None:
        super().__init__('bench_driver')
        self._values = {
            name: self.declare_parameter(name, value).value for name, value in DEFAULTS.items()
        }
        detector = self._values['detector']
        self._images = self.create_publisher(Image, 'bench/image', input_profile('sensor_data'))
        self._change = self.create_client(ChangeState, f'{detector}/change_state')
        self._answered = 0
        self._frames: dict[str, str] = {}
        self._stages: dict[str, str] = {}
        self.create_subscription(
            Detection2DArray, f'{detector}/output/detections', self._on_detections, OUTPUT
        )
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        width, height = parse_size(self._values['size'])
        self._messages = [
            _image(self._values['encoding'], (width, height), seed) for seed in range(DISTINCT)
        ]

    def drive(self) -> None:
        """Run every phase.

        :raises BenchFailed: if the detector does not follow, or nobody listens.
        """
        self._transition(Transition.TRANSITION_CONFIGURE, 'configure')
        for number in range(self._values['rounds']):
            self._transition(Transition.TRANSITION_ACTIVATE, 'activate')
            self._phase('node', number, listeners=2)
            self._transition(Transition.TRANSITION_DEACTIVATE, 'deactivate')
            self._phase('bare', number, listeners=1)
        time.sleep(1.5)  # the counters are published once a second
        _tell(event='done', frames=self._frames, stages=self._stages)

    def _phase(self, name: str, number: int, listeners: int) -> None:
        self._wait(
            lambda: self._images.get_subscription_count() == listeners,
            MATCH_LIMIT_S,
            f'{listeners} subscribers to {self._images.topic_name}',
        )
        time.sleep(SETTLE_S)
        self._answered = 0
        _tell(event='begin', phase=name, round=number)
        time.sleep(SETTLE_S)
        sent = self._values['frames']
        start = time.monotonic()
        for frame in range(sent):
            time.sleep(max(0.0, start + frame / self._values['rate_hz'] - time.monotonic()))
            message = self._messages[frame % len(self._messages)]
            message.header.stamp = self.get_clock().now().to_msg()
            self._images.publish(message)
        time.sleep(SETTLE_S)
        _tell(event='end', phase=name, round=number, sent=sent, answered=self._answered)
        time.sleep(SETTLE_S)

    def _transition(self, number: int, label: str) -> None:
        if not self._change.wait_for_service(MATCH_LIMIT_S):
            raise BenchFailed(f'there is no service {self._change.srv_name}')
        future = self._change.call_async(ChangeState.Request(transition=Transition(id=number)))
        self._wait(future.done, TRANSITION_LIMIT_S, f'the detector to {label}')
        if not future.result().success:
            raise BenchFailed(f'the detector could not {label}; its log says why')

    def _wait(self, ready: Callable[[], bool], limit_s: float, what: str) -> None:
        deadline = time.monotonic() + limit_s
        while not ready():
            if time.monotonic() > deadline:
                raise BenchFailed(f'waited {limit_s:.0f} s in vain for {what}')
            time.sleep(0.02)

    def _on_detections(self, message: Detection2DArray) -> None:
        self._answered += 1

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.startswith(f'{self._values["detector"]}:'):
                values = {item.key: item.value for item in status.values}
                self._frames = _below('frames/', values)
                self._stages = _below('latency_ms/', values)


def _below(prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    return {key[len(prefix) :]: text for key, text in values.items() if key.startswith(prefix)}


def _image(encoding: str, size: tuple[int, int], seed: int) -> Image:
    data, step = synthetic_bytes(encoding, size, seed)
    message = Image(encoding=encoding, width=size[0], height=size[1], step=step)
    message.header.frame_id = 'bench'
    message.data = array('B', data)
    return message


def _tell(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + '\n')
    sys.stdout.flush()


def main(args: Sequence[str] | None = None) -> int:
    """Run the node to the end of its phases; return the exit code."""
    rclpy.init(args=args)
    node = BenchDriver()
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
            rclpy.try_shutdown()

    thread = threading.Thread(target=drive, name='phases', daemon=True)
    thread.start()
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        executor.spin()
    thread.join(2.0)
    return code[0] if code else 1


if __name__ == '__main__':
    sys.exit(main())
