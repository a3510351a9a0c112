# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""One detector that the node `bench_driver` measures: its images, its answers, its reports."""

from __future__ import annotations

import time
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.srv import ChangeState
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image
from vision_msgs.msg import Detection2DArray

from jetson_infer.ros.conversions import stamp_ns
from jetson_infer.ros.qos import OUTPUT, input_profile
from jetson_infer.toolchain.bench.frames import (
    COMPRESSED,
    DISTINCT,
    recorded_messages,
    synthetic_bytes,
)
from jetson_infer.toolchain.bench.settings import parse_size
from jetson_infer.toolchain.recording_files import find_recording

__all__ = ['BenchTarget']


class BenchTarget:
    """Sends images to one detector and to the empty subscriber beside it, and hears the answers.

    :param plan: the target's part of the driver's plan.
    :param count: how many images to take of a recording.
    """

    def __init__(self, node: Node, plan: Mapping[str, Any], count: int) -> None:
        self.detector: str = plan['detector']
        self.sent = 0
        """How many images were sent to the active detector."""
        self.reports = 0
        """How often the detector has reported."""
        self.frames: dict[str, str] = {}
        self.stages: dict[str, str] = {}
        self.answers_ms: list[float] = []
        self._clock = node.get_clock()
        self._sent_at: dict[int, float] = {}
        self._messages = _messages(plan, count)
        kind = type(self._messages[0])
        topic = f'{plan["topic"]}/compressed' if kind is CompressedImage else plan['topic']
        self.images = node.create_publisher(kind, topic, input_profile('sensor_data'))
        self.change = node.create_client(ChangeState, f'{self.detector}/change_state')
        node.create_subscription(
            Detection2DArray, f'{self.detector}/output/detections', self._on_detections, OUTPUT
        )

    def begin(self) -> None:
        """Forget the answers so far."""
        self._sent_at.clear()
        self.answers_ms = []

    def send(self, number: int) -> None:
        """Send an image by its number; they come again from the first one on."""
        message = self._messages[number % len(self._messages)]
        message.header.stamp = self._clock.now().to_msg()
        self._sent_at[stamp_ns(message.header)] = time.monotonic()
        self.images.publish(message)

    def hear(self, status: DiagnosticStatus) -> None:
        """Note a status of the detector."""
        if status.name.startswith(f'{self.detector}:'):
            values = {item.key: item.value for item in status.values}
            self.frames = _below('frames/', values)
            self.stages = _below('latency_ms/', values)
            self.reports += 1

    def _on_detections(self, message: Detection2DArray) -> None:
        sent_at = self._sent_at.pop(stamp_ns(message.header), None)
        if sent_at is not None:
            self.answers_ms.append(round((time.monotonic() - sent_at) * 1e3, 3))


def _below(prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    return {key[len(prefix) :]: text for key, text in values.items() if key.startswith(prefix)}


def _messages(plan: Mapping[str, Any], count: int) -> Sequence[Image | CompressedImage]:
    if not plan['recording']:
        size = parse_size(plan['size'])
        return [_synthetic(plan['encoding'], size, seed) for seed in range(DISTINCT)]
    kind, recorded = recorded_messages(find_recording(plan['recording']), count)
    return [_compressed(each) if kind == COMPRESSED else _raw(each) for each in recorded]


def _synthetic(encoding: str, size: tuple[int, int], seed: int) -> Image:
    data, step = synthetic_bytes(encoding, size, seed)
    message = Image(encoding=encoding, width=size[0], height=size[1], step=step)
    message.header.frame_id = 'bench'
    message.data = array('B', data)
    return message


def _raw(recorded: Any) -> Image:
    message = Image(
        encoding=recorded.encoding,
        width=recorded.width,
        height=recorded.height,
        step=recorded.step,
        is_bigendian=int(recorded.is_bigendian),
    )
    message.header.frame_id = recorded.header.frame_id
    message.data = array('B', bytes(recorded.data))
    return message


def _compressed(recorded: Any) -> CompressedImage:
    message = CompressedImage(format=recorded.format)
    message.header.frame_id = recorded.header.frame_id
    message.data = array('B', bytes(recorded.data))
    return message
