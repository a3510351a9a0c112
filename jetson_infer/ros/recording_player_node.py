# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The node `recording_player`: publishes a rosbag2 recording where `ros2 bag play` is not at hand.

A plain node, not a lifecycle one: like `ros2 bag play` it is a source whose life is one pass; it
ends with its process, with exit code 0 at the end of the recording and 1 if the recording cannot
be played.  Messages are published from a thread of its own, so that their times do not depend on
the executor, which only answers for the parameters and publishes the status.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.task import Future
from rosgraph_msgs.msg import Clock

from jetson_infer.errors import JetsonInferError, RecordingError
from jetson_infer.ros.lifecycle import RCLError
from jetson_infer.ros.parameters import DeclaredParameters
from jetson_infer.ros.playback import PARAMETERS, make_publisher, options_of, status_values, summary
from jetson_infer.ros.qos import LATCHED
from jetson_infer.ros.shutdown import spin_to_the_end
from jetson_infer.ros.signals import HeldSignals, initialized
from jetson_infer.toolchain.playback.player import Player
from jetson_infer.toolchain.recording_files import find_recording
from jetson_infer.toolchain.recordings import Recording

__all__ = ['RecordingPlayer', 'main']

STATUS_PERIOD_S = 0.5
SETTLE_S = 0.3
"""The wait after the subscriptions that were waited for have been met.

The subscriber's side of the match is made a little later; what is sent before does not reach it.
"""
LINGER_S = 2.0
"""The longest wait at the end for subscribers to acknowledge the last messages."""


class RecordingPlayer(Node):
    """Publishes a recording's messages on their topics, at their times.

    Publishes `~/status` (diagnostic_msgs/DiagnosticStatus, latched): the state (`waiting`,
    `playing`, `finished`, `failed`), the position, what was published and how late it was.
    """

    def __init__(self) -> None:
        super().__init__('recording_player')
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._state = 'waiting'
        self._status = self.create_publisher(DiagnosticStatus, '~/status', LATCHED)
        self._outputs: dict[str, Publisher] = {}
        parameters = DeclaredParameters(
            self, PARAMETERS, locked=lambda: True, validate=lambda _: None
        )
        parameters.raise_problems('. Give another with: -p {name}:=VALUE')
        self._values = parameters.snapshot()
        if not self._values.text('recording'):
            raise RecordingError(
                "the parameter 'recording' is empty; give it the path of a rosbag2 folder: "
                'ros2 run jetson_infer recording_player --ros-args -p recording:=PATH'
            )
        self._recording = Recording.open(find_recording(self._values.text('recording')))
        try:
            self._player = self._make_player()
        except JetsonInferError:
            self._recording.close()
            raise
        self._timer = self.create_timer(STATUS_PERIOD_S, self.publish_status)

    def start(self, done: Future) -> None:
        """Begin in a thread of its own; `done` gets the exit code."""
        self.publish_status()
        self._thread = threading.Thread(target=self._run, args=(done,), name='playback')
        self._thread.start()

    def close(self) -> None:
        """Stop publishing and close the recording; may be called twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._recording.close()

    def publish_status(self) -> None:
        """Tell the state and the progress."""
        progress = self._player.progress
        values = status_values(self._state, progress, self._player.duration_s)
        failed = self._state == 'failed'
        self._status.publish(
            DiagnosticStatus(
                level=DiagnosticStatus.ERROR if failed else DiagnosticStatus.OK,
                name=f'{self.get_fully_qualified_name()}: playback',
                message=self._state,
                hardware_id=str(self._recording.path),
                values=[KeyValue(key=key, value=value) for key, value in values.items()],
            )
        )

    def summary(self) -> str:
        """Return a table of what was published and how late it was."""
        return summary(self._player.progress)

    def _make_player(self) -> Player:
        options = options_of(self._values)
        wanted = self._recording.require_topics(options.topics)
        unknown: list[str] = []
        for topic in wanted or self._recording.topics.values():
            publisher = make_publisher(self, topic)
            if publisher is None:
                unknown.append(f'{topic.name} ({topic.type})')
            else:
                self._outputs[topic.name] = publisher
        if unknown and wanted:
            raise RecordingError(
                f'cannot publish {", ".join(unknown)}: the package of that type is not installed'
            )
        if unknown:
            self.get_logger().warning(
                f'not published, for the packages of their types are not installed: '
                f'{", ".join(unknown)}'
            )
        self._recording.require_topics(self._values.texts('wait_for_topics'))
        options = replace(options, topics=tuple(self._outputs))
        clock = self.create_publisher(Clock, '/clock', 1) if options.clock_hz else None

        def publish_clock(now_ns: int) -> None:
            sec, nanosec = divmod(now_ns, 1_000_000_000)
            if clock is not None:
                clock.publish(Clock(clock=Time(sec=sec, nanosec=nanosec)))

        return Player(self._recording, options, self._publish, publish_clock)

    def _publish(self, topic: str, cdr: bytes) -> None:
        self._outputs[topic].publish(cdr)

    def _run(self, done: Future) -> None:
        code = 1
        try:
            code = self._play()
        except JetsonInferError as error:
            self._state = 'failed'
            self.get_logger().error(str(error))
        except RCLError:
            # The context was shut down by a signal while a message was handed over.
            if rclpy.ok(context=self.context):
                raise
            code = 0
        finally:
            done.set_result(code)

    def _play(self) -> int:
        self._wait_for_subscriptions()
        if self._stop.is_set():
            return 0
        self._state = 'playing'
        self.get_logger().info(
            f'playing {self._recording.path} ({self._player.duration_s:.1f} s, '
            f'{len(self._outputs)} topics)'
        )
        self._player.play(self._stop)
        if not self._stop.is_set():
            self._state = 'finished'
            self.publish_status()
            self._linger()
        return 0

    def _wait_for_subscriptions(self) -> None:
        needed = dict.fromkeys(
            (self._outputs[name] for name in self._values.texts('wait_for_topics')),
            self._values.integer('wait_for_count'),
        )
        needed[self._status] = self._values.integer('wait_for_observers')
        timeout_s = self._values.number('wait_timeout_s')
        deadline = time.monotonic() + timeout_s
        while not self._stop.is_set():
            missing = [p for p, count in needed.items() if p.get_subscription_count() < count]
            if not missing:
                if any(needed.values()):
                    self._stop.wait(SETTLE_S)
                return
            if time.monotonic() > deadline:
                names = ', '.join(publisher.topic_name for publisher in missing)
                self.get_logger().warning(
                    f'playing although too few subscribe to {names} after {timeout_s:g} s'
                )
                return
            self._stop.wait(0.02)

    def _linger(self) -> None:
        """Stay until the last messages have arrived, as far as that can be known."""
        deadline = time.monotonic() + LINGER_S
        for publisher in (*self._outputs.values(), self._status):
            remaining_s = max(0.0, deadline - time.monotonic())
            publisher.wait_for_all_acked(Duration(seconds=remaining_s))
        self._stop.wait(0.2)  # best-effort messages are acknowledged by nobody


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until the end of the recording, SIGINT or SIGTERM; return the exit code."""
    with initialized(args) as signals:
        return _run_node(signals)


def _run_node(signals: HeldSignals) -> int:
    try:
        node = RecordingPlayer()
    except JetsonInferError as error:
        rclpy.logging.get_logger('recording_player').error(str(error))
        return 1
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    done = Future(executor=executor)
    signals.release()
    try:
        node.start(done)
        spin_to_the_end(lambda: executor.spin_until_future_complete(done))
        return int(done.result() or 0)
    finally:
        node.close()
        executor.shutdown()
        sys.stderr.write(node.summary())  # after SIGINT no logger is left
        node.destroy_node()


if __name__ == '__main__':
    sys.exit(main())
