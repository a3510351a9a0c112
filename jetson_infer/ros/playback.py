# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the recording player is made of: its parameters, its publishers and its report."""

from __future__ import annotations

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rosidl_runtime_py.utilities import get_message

from jetson_infer.core.parameters import ParameterSpec, Settings
from jetson_infer.toolchain.playback.player import PlaybackOptions, Progress, Stamps
from jetson_infer.toolchain.recordings import OfferedQos, Topic

__all__ = ['PARAMETERS', 'make_publisher', 'options_of', 'status_values', 'summary', 'to_qos']

PARAMETERS = (
    ParameterSpec('recording', '', 'The rosbag2 folder or file, or the name of an installed one.'),
    ParameterSpec('rate', 1.0, 'How much faster than recorded.', minimum=0.01, maximum=100.0),
    ParameterSpec('loop', False, 'Whether to begin again at the end.'),
    ParameterSpec('topics', (), 'The topics to play, by their recorded names; none for all.'),
    ParameterSpec(
        'start_offset_s', 0.0, 'How much of the beginning is left out, in s.', minimum=0.0
    ),
    ParameterSpec('duration_s', 0.0, 'How much is played, in recorded s; 0 for all.', minimum=0.0),
    ParameterSpec(
        'clock_hz',
        0.0,
        'How often the recorded time is published on /clock, for use_sim_time, in Hz; 0: never.',
        minimum=0.0,
        maximum=1000.0,
    ),
    ParameterSpec(
        'stamps',
        'auto',
        'Header stamps: live moves them, by the same offset on every topic, so that the recording '
        'appears to happen now; recorded leaves them; auto is recorded with a clock, else live.',
        choices=('auto', 'live', 'recorded'),
    ),
    ParameterSpec(
        'wait_for_topics', (), 'Begin only when each of these recorded topics is subscribed to.'
    ),
    ParameterSpec('wait_for_count', 1, 'How many subscriptions each of them must have.', minimum=1),
    ParameterSpec(
        'wait_for_observers',
        0,
        'Begin only when ~/status has as many subscriptions.',
        minimum=0,
    ),
    ParameterSpec(
        'wait_timeout_s', 10.0, 'How long to wait for them before playing anyway.', minimum=0.0
    ),
)
"""The player's parameters; all are read once, at the start."""

UNKNOWN_DEPTH = 10
"""The queue length where the recorder did not know it, which is the usual case."""


def options_of(settings: Settings) -> PlaybackOptions:
    """Return the options that the parameters' values stand for."""
    stamps, clock_hz = settings.text('stamps'), settings.number('clock_hz')
    if stamps == 'auto':
        stamps = 'recorded' if clock_hz else 'live'
    return PlaybackOptions(
        rate=settings.number('rate'),
        loop=bool(settings['loop']),
        topics=settings.texts('topics'),
        start_offset_s=settings.number('start_offset_s'),
        duration_s=settings.number('duration_s'),
        clock_hz=clock_hz,
        stamps=Stamps(stamps),
    )


def to_qos(offered: OfferedQos) -> QoSProfile:
    """Return the profile under which a topic is published again.

    Of several publishers' offers the strongest, which satisfies every subscription that any of
    them did.  Deadlines, lifespans and liveliness are promises that only their publisher can keep.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_ALL if offered.keep_all else HistoryPolicy.KEEP_LAST,
        depth=offered.depth or UNKNOWN_DEPTH,
        reliability=(
            ReliabilityPolicy.RELIABLE if offered.reliable else ReliabilityPolicy.BEST_EFFORT
        ),
        durability=(
            DurabilityPolicy.TRANSIENT_LOCAL
            if offered.transient_local
            else DurabilityPolicy.VOLATILE
        ),
    )


def make_publisher(node: Node, topic: Topic) -> Publisher | None:
    """Return a publisher for a recorded topic; None if its type is not installed."""
    try:
        kind = get_message(topic.type)
    except (ImportError, AttributeError, ValueError):
        return None
    return node.create_publisher(
        kind,
        topic.name,
        to_qos(topic.qos),
        qos_overriding_options=QoSOverridingOptions.with_default_policies(),
    )


def status_values(state: str, progress: Progress, duration_s: float) -> dict[str, str]:
    """Return what the player tells about itself, as the keys and values of a DiagnosticStatus."""
    median, p99, worst = progress.lateness_percentiles()
    values = {
        'state': state,
        'pass': str(progress.passes),
        'position_s': f'{progress.position_s:.3f}',
        'duration_s': f'{duration_s:.3f}',
        'lateness_ms/p50': f'{median:.3f}',
        'lateness_ms/p99': f'{p99:.3f}',
        'lateness_ms/max': f'{worst:.3f}',
    }
    if progress.time_map is not None:
        values['time_map/recorded_ns'] = str(progress.time_map.recorded_ns)
        values['time_map/live_ns'] = str(progress.time_map.live_ns)
        values['time_map/rate'] = repr(progress.time_map.rate)
    values.update({f'published{name}': str(n) for name, n in progress.published.items()})
    return values


def summary(progress: Progress) -> str:
    """Return a table of what was published and how late it was; empty if nothing was."""
    if not progress.passes:
        return ''
    width = max((len(name) for name in progress.published), default=0)
    lines = [f'  {name:<{width}}  {count:>7}' for name, count in progress.published.items()]
    median, p99, worst = progress.lateness_percentiles()
    lines.append(f'  lateness: median {median:.2f} ms, p99 {p99:.2f} ms, worst {worst:.2f} ms')
    return '\n'.join(lines) + '\n'
