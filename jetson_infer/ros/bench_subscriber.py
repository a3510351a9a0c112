# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The node `bench_subscriber`: takes images and does nothing with them.

What it costs is what receiving costs with rclpy, whatever is done with the images.  Its memory is
kept as that of the nodes is: with glibc's defaults its cost would be three times as high or not, by
chance.  When it is told to end, it says on standard output how many came: ``{"received": 200}``.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Sequence

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CompressedImage, Image

from jetson_infer.ros.memory import keep_freed_memory
from jetson_infer.ros.qos import input_profile
from jetson_infer.ros.shutdown import shut_down

__all__ = ['BenchSubscriber', 'main']


class BenchSubscriber(Node):
    """Counts images, with the QoS that the inference nodes subscribe with.

    Parameters: `topic`, of the raw images; `compressed`, whether those below it are taken instead.
    """

    def __init__(self) -> None:
        super().__init__('bench_subscriber')
        self.received = 0
        topic = self.declare_parameter('topic', '/bench/image').value
        compressed = self.declare_parameter('compressed', False).value
        kind = CompressedImage if compressed else Image
        name = f'{topic}/compressed' if compressed else topic
        self.create_subscription(kind, name, self._on_image, input_profile('sensor_data'))

    def _on_image(self, message: Image | CompressedImage) -> None:
        self.received += 1


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until a signal ends it."""
    keep_freed_memory()
    # rclpy's handlers shut the context down in the middle of whatever the executor does, which then
    # fails in one of several ways; here what was counted is to be said in any case.
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    told_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told_to_end.set())
    node = BenchSubscriber()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    spinning = threading.Thread(target=executor.spin)
    spinning.start()
    told_to_end.wait()
    executor.shutdown()
    spinning.join()
    sys.stdout.write(json.dumps({'received': node.received}) + '\n')
    sys.stdout.flush()
    shut_down()
    return 0


if __name__ == '__main__':
    sys.exit(main())
