# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The node `demo_observer`: writes down what a detector publishes while a recording is played.

One JSON object a line, on standard output or in a file, as the messages arrive:

    {"kind": "detections", "stamp": NS, "received": NS, "objects": [[LABEL, SCORE, [BOX]], ...]}
    {"kind": "diagnostics", "received": NS, "level": 0, "message": "...", "values": {...}}
    {"kind": "playback", "received": NS, "values": {...}}
    {"kind": "end", "received": NS, "reason": "finished" | "player_lost" | "not_alone"}

Times are in ns since the epoch, boxes are `x_min, y_min, x_max, y_max` in pixels of the image.  It
draws and computes nothing: the machine's cores belong to the detector.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.task import Future
from vision_msgs.msg import Detection2DArray

from jetson_infer.ros.qos import LATCHED
from jetson_infer.ros.shutdown import spin_to_the_end
from jetson_infer.ros.signals import initialized

__all__ = ['DemoObserver', 'main']

SETTLE_S = 0.5
"""From the detector's appearance to the certainty that its messages arrive."""

DRAIN_S = 0.7
"""After the player's end: as long without detections means that the detector is done."""

DRAIN_REPORTS = 2
"""Diagnostics to wait for after the player's end, so that the last one counts every frame."""

DRAIN_LIMIT_S = 5.0
"""The longest wait for all that."""


class DemoObserver(Node):
    """Writes one line a message, and ends some time after the player did.

    Subscribes to `detections` and `/diagnostics`, of which it keeps the status whose name begins
    with the parameter `detector` (a fully qualified node name); and to `player_status`, only when
    it hears the detector, so that a player which waits for that begins when nothing can be missed.

    :param done: gets the exit code.
    """

    def __init__(self, done: Future) -> None:
        super().__init__('demo_observer')
        self._done = done
        events_file = str(self.declare_parameter('events_file', '').value)
        self._detector = str(self.declare_parameter('detector', '/detector').value)
        # Closed in close(): it lives as long as the node.
        self._file = open(events_file, 'w', encoding='utf-8') if events_file else sys.stdout  # noqa: SIM115
        self._finished_at = 0.0
        self._lost_at = 0.0
        self._quiet_since = 0.0
        self._reports_since_end = 0
        self._player_seen = False
        self._ready_since = 0.0
        self._follows_player = False
        self._detections = self.create_subscription(
            Detection2DArray, 'detections', self._on_detections, 100
        )
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        self._player_topic = self.resolve_topic_name('player_status')
        self.create_timer(0.1, self._look_around)

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._file is not sys.stdout:
            self._file.close()

    def _on_detections(self, message: Detection2DArray) -> None:
        self._quiet_since = time.monotonic()
        stamp = message.header.stamp
        self._write(
            'detections',
            stamp=stamp.sec * 1_000_000_000 + stamp.nanosec,
            objects=[_object(detection) for detection in message.detections],
        )

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.partition(':')[0] == self._detector:
                self._reports_since_end += 1
                self._write(
                    'diagnostics',
                    level=status.level[0],
                    message=status.message,
                    values={pair.key: pair.value for pair in status.values},
                )

    def _on_status(self, message: DiagnosticStatus) -> None:
        self._player_seen = True
        values = {pair.key: pair.value for pair in message.values}
        self._write('playback', values=values)
        if values.get('state') == 'finished' and not self._finished_at:
            self._finished_at = self._quiet_since = time.monotonic()
            self._reports_since_end = 0

    def _look_around(self) -> None:
        topics = (self._detections.topic_name, self._player_topic)
        if any(self.count_publishers(topic) > 1 for topic in topics):
            self._end('not_alone', 1)
        elif self._follows_player:
            self._look_for_the_end(time.monotonic())
        else:
            self._look_for_the_detector(time.monotonic())

    def _look_for_the_detector(self, now: float) -> None:
        if self.count_publishers(self._detections.topic_name) == 0:
            self._ready_since = 0.0
            return
        self._ready_since = self._ready_since or now
        # The graph knows a publisher somewhat before its messages arrive.
        if now - self._ready_since > SETTLE_S:
            self._follows_player = True
            profile = QoSProfile(
                depth=10, durability=LATCHED.durability, reliability=LATCHED.reliability
            )
            self.create_subscription(DiagnosticStatus, 'player_status', self._on_status, profile)

    def _look_for_the_end(self, now: float) -> None:
        if self._finished_at:
            drained = now - self._quiet_since > DRAIN_S and self._reports_since_end >= DRAIN_REPORTS
            if drained or now - self._finished_at > DRAIN_LIMIT_S:
                self._end('finished', 0)
        elif self._player_seen and self.count_publishers(self._player_topic) == 0:
            self._lost_at = self._lost_at or now
            if now - self._lost_at > 1.0:
                self._end('player_lost', 1)
        else:
            self._lost_at = 0.0

    def _end(self, reason: str, code: int) -> None:
        if not self._done.done():
            self._write('end', reason=reason)
            self._done.set_result(code)

    def _write(self, kind: str, **fields: Any) -> None:
        line = {'kind': kind, 'received': time.time_ns(), **fields}
        self._file.write(json.dumps(line, separators=(',', ':')) + '\n')
        self._file.flush()


def _object(detection: Any) -> list[Any]:
    box = detection.bbox
    x, y = box.center.position.x, box.center.position.y
    half_width, half_height = box.size_x / 2, box.size_y / 2
    corners = (x - half_width, y - half_height, x + half_width, y + half_height)
    best = max(detection.results, key=lambda result: result.hypothesis.score, default=None)
    label, score = (best.hypothesis.class_id, best.hypothesis.score) if best else ('', 0.0)
    return [label, round(score, 4), [round(corner, 2) for corner in corners]]


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until the player's end, SIGINT or SIGTERM; return the exit code."""
    with initialized(args) as signals:
        executor = SingleThreadedExecutor()
        done = Future(executor=executor)
        node = DemoObserver(done)
        executor.add_node(node)
        signals.release()
        return _observe(node, executor, done)


def _observe(node: DemoObserver, executor: Executor, done: Future) -> int:
    try:
        spin_to_the_end(lambda: executor.spin_until_future_complete(done))
        return int(done.result() or 0)
    finally:
        executor.shutdown()
        node.close()
        node.destroy_node()


if __name__ == '__main__':
    sys.exit(main())
