# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How a node fares, once a second on /diagnostics, in one line and with every number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType

from jetson_infer.core.accounting import FrameAccount, FrameCounts
from jetson_infer.core.arrivals import Finding
from jetson_infer.pipeline.runner import FrameRunner
from jetson_infer.ros import diagnostics
from jetson_infer.ros.arrivals import ArrivalWatch
from jetson_infer.ros.lifecycle import RCLError, SafeLifecycleNode
from jetson_infer.ros.problems import ProblemLog

__all__ = ['Health', 'Running']

PERIOD_S = 1.0
PROGRESS_AFTER_S = 2.0
"""How long configuring takes before the log tells of it, too."""
PROGRESS_EVERY_S = 10.0

CAUSE_EVERY_S = 60.0
"""The least time between two log lines of one cause, which may come and go."""

OWN_LOG_LINES = ('rejected', 'failed')
"""Causes that the log has heard of already, frame by frame."""


class Running(NamedTuple):
    """What runs in a configured node.

    :param watch: watches the input; None while the node does not subscribe.
    :param values: what the node adds to the diagnostics: the model's name and the like.
    :param warning: what every message has to tell, whatever else it tells; empty for nothing.
    """

    runner: FrameRunner[Any]
    watch: ArrivalWatch | None
    values: Mapping[str, str]
    warning: str = ''


class Health:
    """Publishes a node's diagnostics, in every state, also while a transition is under way.

    :param node: the node.
    :param account: what became of every frame.
    :param problems: the problems of single frames.
    :param running: returns what runs at the moment; None while the node is not configured.
    """

    def __init__(
        self,
        node: SafeLifecycleNode,
        account: FrameAccount,
        problems: ProblemLog,
        running: Callable[[], Running | None],
    ) -> None:
        self._node = node
        self._account = account
        self._problems = problems
        self._running = running
        self._told_cause = ''
        logger = node.get_logger()
        self._causes = ProblemLog(lambda text: logger.warning(text), period_s=CAUSE_EVERY_S)
        self._next_progress_s = PROGRESS_AFTER_S
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        # On the steady clock: a simulation that stands still must still be told of.
        node.create_timer(PERIOD_S, self._on_time, clock=self._steady)

    def _on_time(self) -> None:
        try:
            self._publish()
        except RCLError:
            # A signal may shut the context down in the middle of a call into rcl.
            if self._node.context.ok():
                raise

    def _publish(self) -> None:
        state, counts, running = self._node.state, self._account.counts(), self._running()
        finding = self._look(running, counts) if state == 'active' else None
        self._tell_cause(finding)
        level, message = self._judge(state, running, finding)
        if running is not None and running.warning:
            level, message = max(level, diagnostics.WARN), f'{message}; {running.warning}'
        values = {'state': state, 'cause': finding.cause if finding else ''}
        if state == 'configuring':
            values['progress'] = self._node.progress
            self._tell_progress(message)
        else:
            self._next_progress_s = PROGRESS_AFTER_S
        values.update(diagnostics.frame_values(counts))
        if running is not None:
            values.update(self._running_values(running))
        name = f'{self._node.get_fully_qualified_name()}: pipeline'
        stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(
            diagnostics.diagnostics_message(stamp, name, level, message, values)
        )

    def _look(self, running: Running | None, counts: FrameCounts) -> Finding | None:
        """Return why nothing, or little, comes."""
        if running is None or running.watch is None:
            return None
        limit_ms = running.runner.settings.stale_after_ms
        return running.watch.look(counts.as_dict(), self._problems.present(), limit_ms)

    def _tell_cause(self, finding: Finding | None) -> None:
        """Tell a cause in the log when it begins; once in a while, if it comes and goes."""
        cause = finding.cause if finding else ''
        if finding is not None and cause != self._told_cause and cause not in OWN_LOG_LINES:
            self._causes.report(cause, finding.message)
        self._told_cause = cause

    def _tell_progress(self, message: str) -> None:
        """Tell in the log that configuring goes on, once in a while."""
        elapsed_s = self._node.transition_elapsed_s
        if elapsed_s >= self._next_progress_s:
            self._node.get_logger().info(message)
            self._next_progress_s = elapsed_s + PROGRESS_EVERY_S

    def _judge(
        self, state: str, running: Running | None, finding: Finding | None
    ) -> tuple[bytes, str]:
        """Return the level and the one line that says how the node fares, and why."""
        if state == 'configuring':
            return diagnostics.OK, self._configuring()
        if self._node.last_error:
            return diagnostics.ERROR, self._node.last_error
        if state != 'active' or running is None:
            return diagnostics.OK, self._idle(state)
        if finding is not None:
            return diagnostics.ERROR if finding.is_error else diagnostics.WARN, finding.message
        rate_hz = running.runner.rate_out.rate_hz(self._steady.now().nanoseconds)
        return diagnostics.OK, f'{rate_hz:.1f} frames/s'

    def _configuring(self) -> str:
        what = self._node.progress or 'beginning'
        return f'configuring: {what} ({self._node.transition_elapsed_s:.0f} s)'

    def _idle(self, state: str) -> str:
        next_step = {'unconfigured': 'configure', 'inactive': 'activate'}.get(state)
        if next_step is None:
            return f'{state}: no images are processed in this state'
        return (
            f'{state}: no images are processed in this state; next: ros2 lifecycle set '
            f'{self._node.get_fully_qualified_name()} {next_step}'
        )

    def _running_values(self, running: Running) -> dict[str, str]:
        runner, now = running.runner, self._steady.now().nanoseconds
        return {
            **running.values,
            **(running.watch.stamp_values() if running.watch else {}),
            'rate_in_hz': f'{runner.rate_in.rate_hz(now):.2f}',
            'rate_out_hz': f'{runner.rate_out.rate_hz(now):.2f}',
            **diagnostics.latency_values(runner.statistics.percentiles()),
        }
