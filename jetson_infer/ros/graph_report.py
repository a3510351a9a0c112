# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Print the running graph as one JSON object: nodes, image topics with their ends, diagnostics.

Usage: python -m jetson_infer.ros.graph_report [--seconds S]

It is the part of `jetson-infer doctor` that needs ROS; what the facts mean is judged elsewhere:

    {"domain": N, "rmw": NAME, "seconds": S, "nodes": [NAME, ...],
     "statuses": [{"name": ..., "level": 0 to 3, "message": ..., "values": {...}}, ...],
     "topics": {TOPIC: {"publishers": [END, ...], "subscriptions": [END, ...]}, ...}}

A status is the latest of its name; an END is {"node", "type", "reliability", "durability"}; the
topics are those on which an end is an image, raw or compressed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.utilities import get_rmw_implementation_identifier

from jetson_infer.ros.shutdown import shut_down

__all__ = ['GraphReporter', 'main']

IMAGE_TYPES = {'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'}
NODE_NAME = '_jetson_infer_doctor'
"""The underscore hides it from `ros2 node list`."""


class GraphReporter(Node):
    """Listens to /diagnostics and reads the graph."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(NODE_NAME, start_parameter_services=False, enable_rosout=False, **kwargs)
        self._statuses: dict[str, dict[str, Any]] = {}
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 50)

    def report(self) -> dict[str, Any]:
        """Return what is known by now, as plain values."""
        own = self.get_fully_qualified_name()
        names = {
            f'{space.rstrip("/")}/{name}' for name, space in self.get_node_names_and_namespaces()
        }
        return {
            'domain': self.context.get_domain_id(),
            'rmw': get_rmw_implementation_identifier(),
            'nodes': sorted(names - {own}),
            'statuses': list(self._statuses.values()),
            'topics': {
                topic: {
                    'publishers': [_end(info) for info in self.get_publishers_info_by_topic(topic)],
                    'subscriptions': [
                        _end(info) for info in self.get_subscriptions_info_by_topic(topic)
                    ],
                }
                for topic, types in self.get_topic_names_and_types()
                if IMAGE_TYPES & set(types)
            },
        }

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self._statuses[status.name] = {
                'name': status.name,
                'level': status.level[0],
                'message': status.message,
                'values': {pair.key: pair.value for pair in status.values},
            }


def _end(info: Any) -> dict[str, str]:
    return {
        'node': f'{info.node_namespace.rstrip("/")}/{info.node_name}',
        'type': info.topic_type,
        'reliability': info.qos_profile.reliability.name.lower(),
        'durability': info.qos_profile.durability.name.lower(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Listen for some seconds, then print the report; return the exit status."""
    parser = argparse.ArgumentParser(description='Print the running ROS graph as JSON.')
    parser.add_argument('--seconds', type=float, default=5.0, help='how long to listen')
    options = parser.parse_args(arguments)
    rclpy.init(args=[])
    try:
        node = GraphReporter()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        end = time.monotonic() + options.seconds
        while (left := end - time.monotonic()) > 0:
            executor.spin_once(timeout_sec=left)
        report = {'seconds': options.seconds, **node.report()}
        executor.shutdown()
        node.destroy_node()
    except (KeyboardInterrupt, ExternalShutdownException):
        return 130
    finally:
        shut_down()
    sys.stdout.write(f'{json.dumps(report)}\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
