# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""One end of the image stream that transport.py measures; prints a JSON object at its end.

Usage: python transport_stream.py send|receive WIDTHxHEIGHT QOS DEPTH FRAMES RATE_HZ SUBSCRIBERS

send waits for SUBSCRIBERS, then publishes FRAMES numbered images; receive keeps the time from stamp
to callback of every image that arrives whole, and ends when the publisher has gone.
"""

from __future__ import annotations

import json
import sys
import time
from array import array

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

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
) -> dict[str, float]:
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


def receive(size: tuple[int, int], qos: str, depth: int) -> dict[str, list[float]]:
    """Spin until the publisher has come and gone."""
    node: Node = rclpy.create_node('transport_receiver')
    whole = size[0] * size[1] * 3
    latencies: dict[str, float] = {}

    def keep(message: Image) -> None:
        now = node.get_clock().now().nanoseconds
        stamp = message.header.stamp
        if len(message.data) == whole:
            latencies[message.header.frame_id] = (
                now - stamp.sec * 1_000_000_000 - stamp.nanosec
            ) * 1e-6

    node.create_subscription(Image, TOPIC, keep, profile(qos, depth))
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
    node.destroy_node()
    return {'latencies_ms': list(latencies.values())}


def main() -> None:
    role, size, qos, depth, frames, rate_hz, subscribers = sys.argv[1:]
    width, height = map(int, size.split('x'))
    rclpy.init(args=[])
    if role == 'send':
        result = send((width, height), qos, int(frames), float(rate_hz), int(subscribers))
    else:
        result = receive((width, height), qos, int(depth))
    rclpy.try_shutdown()
    print(json.dumps(result))


if __name__ == '__main__':
    main()
