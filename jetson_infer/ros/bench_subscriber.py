# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The node `bench_subscriber`: takes images and does nothing with them.

What it costs is what receiving costs with rclpy, whatever is done with the images.  Its memory is
kept as that of the nodes is: with glibc's defaults its cost would be three times as high or not, by
chance.  When it is told to end, it says on standard output how many came: ``{"received": 200}``.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Sequence

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image

from jetson_infer.ros.memory import keep_freed_memory
from jetson_infer.ros.qos import input_profile

__all__ = ['BenchSubscriber', 'main']


class BenchSubscriber(Node):
    """Counts the images on `bench/image`, with the QoS that the inference nodes subscribe with."""

    def __init__(self) -> None:
        super().__init__('bench_subscriber')
        self.received = 0
        self.create_subscription(Image, 'bench/image', self._on_image, input_profile('sensor_data'))

    def _on_image(self, message: Image) -> None:
        self.received += 1


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until a signal ends it."""
    keep_freed_memory()
    rclpy.init(args=args)
    node = BenchSubscriber()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        executor.spin()
    sys.stdout.write(json.dumps({'received': node.received}) + '\n')
    sys.stdout.flush()
    rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
