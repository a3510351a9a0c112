# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""One end of the image stream that transport.py measures; prints a JSON object at its end.

Usage: python transport_stream.py ROLE WIDTHxHEIGHT QOS DEPTH FRAMES RATE_HZ SUBSCRIBERS

`send` waits for SUBSCRIBERS, then publishes FRAMES numbered images.  `receive` keeps the time from
stamp to callback of every image that arrives whole, and ends when the publisher has gone.
`detect=MODEL` does so too, as the package's detector with that model, at the node's own depth.
"""

from __future__ import annotations

import json
import sys
import time
from array import array

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from jetson_infer.ros.detector_node import DetectorNode
from jetson_infer.ros.memory import keep_freed_memory

TOPIC = 'transport_benchmark'
MEET_S = 15.0
SETTLE_S = 1.0
"""From the match on the publisher's side to the match on every subscriber's."""

LINGER_S = 0.7
"""For what is on its way when the last image was published."""


def profile(qos: str, depth: int) -> QoSProfile:
    reliability = {
        'best_effort': ReliabilityPolicy.BEST_EFFORT,
        'reliable': ReliabilityPolicy.RELIABLE,
    }[qos]
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=reliability)


def send(
    size: tuple[int, int], qos: str, frames: int, rate_hz: float, subscribers: int
) -> dict[str, object]:
    """Publish with a camera driver's depth, on an even beat."""
    node = rclpy.create_node('transport_sender')
    publisher = node.create_publisher(Image, TOPIC, profile(qos, 5))
    width, height = size
    row = bytes(value % 251 for value in range(width * 3))
    message = Image(width=width, height=height, encoding='bgr8', step=len(row))
    message.data = array('B', row * height)
    deadline = time.monotonic() + MEET_S
    while publisher.get_subscription_count() < subscribers and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(SETTLE_S)
    begin = time.monotonic()
    for number in range(frames):
        time.sleep(max(0.0, begin + number / rate_hz - time.monotonic()))
        message.header.frame_id = str(number)
        message.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(message)
    pace_hz = (frames - 1) / (time.monotonic() - begin) if frames > 1 else 0.0
    time.sleep(LINGER_S)
    node.destroy_node()
    return {'sent': frames, 'pace_hz': pace_hz}


class Arrivals:
    """The latency of every whole image, by its number."""

    def __init__(self, node: Node, size: tuple[int, int]) -> None:
        self._clock = node.get_clock()
        self._whole = size[0] * size[1] * 3
        self.latencies_ms: dict[str, float] = {}

    def keep(self, message: Image) -> None:
        now, stamp = self._clock.now().nanoseconds, message.header.stamp
        if len(message.data) == self._whole:
            self.latencies_ms[message.header.frame_id] = (
                now - stamp.sec * 1_000_000_000 - stamp.nanosec
            ) * 1e-6


def receive(size: tuple[int, int], qos: str, depth: int) -> dict[str, object]:
    """Keep what comes, with a plain subscription."""
    node: Node = rclpy.create_node('transport_receiver')
    arrivals = Arrivals(node, size)
    node.create_subscription(Image, TOPIC, arrivals.keep, profile(qos, depth))
    spin_until_the_sender_has_gone(node)
    node.destroy_node()
    return {'latencies_ms': list(arrivals.latencies_ms.values())}


class Detector(DetectorNode):
    """The detector, with a look at every image that reaches its account."""

    arrivals: Arrivals

    def _receive(self, message, wrap) -> None:
        self.arrivals.keep(message)
        super()._receive(message, wrap)


def detect(size: tuple[int, int], qos: str, model: str) -> dict[str, object]:
    """Keep what comes to a detector, and what becomes of it."""
    keep_freed_memory()
    asked = {'model': model, 'input_qos': {'best_effort': 'sensor_data'}.get(qos, qos)}
    node = Detector(
        parameter_overrides=[Parameter(name, value=value) for name, value in asked.items()],
        cli_args=['--ros-args', '-r', f'~/input/image:=/{TOPIC}'],
    )
    node.arrivals = Arrivals(node, size)
    node.trigger_configure()
    node.trigger_activate()
    spin_until_the_sender_has_gone(node)
    counts = node.account.counts().as_dict()
    node.close()
    node.destroy_node()
    return {'latencies_ms': list(node.arrivals.latencies_ms.values()), 'counts': counts}


def spin_until_the_sender_has_gone(node: Node) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    met, deadline, looked = False, time.monotonic() + 2 * MEET_S, 0.0
    while time.monotonic() < deadline or met:
        executor.spin_once(timeout_sec=0.1)
        if time.monotonic() - looked > 0.5:
            looked = time.monotonic()
            there = node.count_publishers(TOPIC) > 0
            if met and not there:
                break
            met = met or there
    executor.shutdown()


def main() -> None:
    role, size, qos, depth, frames, rate_hz, subscribers = sys.argv[1:]
    width, height = map(int, size.split('x'))
    rclpy.init(args=[])
    result: dict[str, object]
    if role == 'send':
        result = send((width, height), qos, int(frames), float(rate_hz), int(subscribers))
    elif role.startswith('detect='):
        result = detect((width, height), qos, role.partition('=')[2])
    else:
        result = receive((width, height), qos, int(depth))
    rclpy.try_shutdown()
    print(json.dumps(result))


if __name__ == '__main__':
    main()
