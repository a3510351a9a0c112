# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer play`: publish a recording on its topics, or tell what it holds."""

from __future__ import annotations

import argparse
import json
from datetime import datetime, timezone

from jetson_infer.cli import ros_environment
from jetson_infer.cli.children import ProcessGroup
from jetson_infer.cli.values import positive_number, time_s
from jetson_infer.toolchain.recording_files import find_recording
from jetson_infer.toolchain.recordings import Recording

__all__ = ['add_arguments', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument('recording', help='rosbag2 folder or file, or the name of an installed one')
    parser.add_argument(
        '--info', action='store_true', help='tell what it holds and play nothing (needs no ROS)'
    )
    parser.add_argument('--json', action='store_true', help='with --info: for programs')
    parser.add_argument(
        '--rate', type=positive_number, default=1.0, help='how much faster than recorded'
    )
    parser.add_argument('--loop', action='store_true', help='begin again at the end')
    parser.add_argument('--topics', nargs='+', default=[], metavar='TOPIC', help='play these alone')
    parser.add_argument(
        '--start-offset', type=time_s, default=0.0, metavar='S', help='leave out the first S s'
    )
    parser.add_argument(
        '--duration', type=time_s, default=0.0, metavar='S', help='play S s of it (0: all)'
    )
    parser.add_argument(
        '--clock',
        type=positive_number,
        nargs='?',
        const=100.0,
        default=0.0,
        metavar='HZ',
        help='publish /clock, 100 times a second unless told otherwise, and keep recorded stamps',
    )
    parser.add_argument(
        '--stamps',
        choices=('auto', 'live', 'recorded'),
        default='auto',
        help='header stamps: moved to now, or left; auto: left only with --clock',
    )
    parser.add_argument(
        '--remap', nargs='+', default=[], metavar='FROM:=TO', help='publish under other names'
    )
    parser.add_argument(
        '--wait-for',
        nargs='+',
        default=[],
        metavar='TOPIC',
        help='begin when these are listened to',
    )


def run(options: argparse.Namespace) -> int:
    """Play the recording, or tell what it holds."""
    path = find_recording(options.recording)
    with Recording.open(path) as recording:
        recording.require_topics([*options.topics, *options.wait_for])
        if options.info:
            print(_as_json(recording) if options.json else _as_text(recording))
            return 0
    ros_environment.require_ros(['rclpy'])
    command = ros_environment.node_command('recording_player_node', _ros_arguments(options, path))
    with ProcessGroup(command, ros_environment.node_environment()) as player:
        return player.wait() or 0


def _ros_arguments(options: argparse.Namespace, path: object) -> list[str]:
    parameters = {
        'recording': json.dumps(str(path)),
        'rate': options.rate,
        'loop': str(options.loop).lower(),
        'start_offset_s': options.start_offset,
        'duration_s': options.duration,
        'clock_hz': options.clock,
        'stamps': options.stamps,
    }
    for name, topics in (('topics', options.topics), ('wait_for_topics', options.wait_for)):
        if topics:
            parameters[name] = json.dumps(topics)
    arguments = [part for key, value in parameters.items() for part in ('-p', f'{key}:={value}')]
    return arguments + [part for rule in options.remap for part in ('-r', rule)]


def _as_json(recording: Recording) -> str:
    return json.dumps(
        {
            'path': str(recording.path),
            'start_ns': recording.start_ns,
            'duration_s': recording.duration_ns / 1e9,
            'size_bytes': recording.size_bytes,
            'ros_distro': recording.ros_distro,
            'messages': recording.message_count,
            'topics': [
                {
                    'name': topic.name,
                    'type': topic.type,
                    'count': topic.count,
                    'qos': vars(topic.qos),
                }
                for topic in recording.topics.values()
            ],
        },
        indent=2,
    )


def _as_text(recording: Recording) -> str:
    begin = datetime.fromtimestamp(recording.start_ns / 1e9, tz=timezone.utc)
    seconds = recording.duration_ns / 1e9
    held = f'{recording.message_count} messages, {recording.size_bytes / 1e6:.1f} MB'
    lines = [
        str(recording.path),
        f'  {seconds:.1f} s from {begin:%Y-%m-%d %H:%M:%S} UTC, {held}',
        '',
    ]
    width = max((len(name) for name in recording.topics), default=0)
    types = max((len(topic.type) for topic in recording.topics.values()), default=0)
    for topic in recording.topics.values():
        rate = f'{(topic.count - 1) / seconds:7.1f} Hz' if seconds and topic.count > 1 else ''
        delivery = 'reliable' if topic.qos.reliable else 'best effort'
        latched = ', latched' if topic.qos.transient_local else ''
        lines.append(
            f'  {topic.name:<{width}}  {topic.type:<{types}}  {topic.count:>7}  {rate:>10}  '
            f'{delivery}{latched}'
        )
    return '\n'.join(lines)
