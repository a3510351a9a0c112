# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The running graph: which inference node waits for what.

The facts come as plain values from a process that has ROS (``jetson_infer.ros.graph_report``); here
they are judged, without ROS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jetson_infer.toolchain.doctor.findings import NOTE, OK, PROBLEM, WARNING, Finding

__all__ = ['STATUS_SUFFIX', 'check_graph']

STATUS_SUFFIX = ': pipeline'
"""What the status of an inference node ends with, after the node's name."""

INPUT_TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
LEVELS = {0: OK, 1: WARNING, 2: PROBLEM, 3: PROBLEM}
BLOCKING = (
    'no_publisher',
    'wrong_type',
    'incompatible_qos',
    'clock_stands',
    'foreign_clock',
    'transport_loses',
    'silent_publisher',
)
"""Causes, as in docs/diagnostics.md, of which nothing or much too little comes through."""

COUNTERS = ('received', 'processed', 'replaced', 'stale', 'rejected', 'failed')

Endpoint = Mapping[str, Any]


def check_graph(report: Mapping[str, Any]) -> list[Finding]:
    """Tell for every inference node how it fares and what it waits for.

    :param report: what ``jetson_infer.ros.graph_report`` printed.
    """
    pipelines = {
        str(status['name'])[: -len(STATUS_SUFFIX)]: status
        for status in report['statuses']
        if str(status['name']).endswith(STATUS_SUFFIX)
    }
    nodes, topics = report['nodes'], report['topics']
    gone = sorted(pipelines.keys() - set(nodes))  # a report outlives its node by a moment
    for name in gone:
        del pipelines[name]
    summary = (
        f'{len(nodes)} nodes in domain {report["domain"]} ({report["rmw"]}), '
        f'{len(pipelines)} of them run networks'
    )
    findings = [Finding(OK if pipelines else NOTE, 'graph.nodes', summary)]
    if not pipelines and not gone:
        findings.append(_nothing_found(report))
    findings += [
        Finding(NOTE, f'graph.node:{name}', f'{name} reported, and has ended since')
        for name in gone
    ]
    for name, status in sorted(pipelines.items()):
        findings += _node(name, status, topics)
    return findings


def _nothing_found(report: Mapping[str, Any]) -> Finding:
    others = ', '.join(report['nodes'][:6]) or 'none'
    return Finding(
        NOTE,
        'graph.none',
        f'no inference node reported on /diagnostics within {report["seconds"]:g} s; nodes there: '
        f'{others}. If one is running: does it have the same ROS_DOMAIN_ID and RMW_IMPLEMENTATION?',
        'ros2 launch jetson_infer detector.launch.py input_image_topic:=<a topic with images>',
    )


def _node(
    name: str, status: Mapping[str, Any], topics: Mapping[str, Mapping[str, Any]]
) -> Iterator[Finding]:
    values = status['values']
    state = values.get('state', 'unknown')
    if state != 'active':
        yield _not_active(name, state, status)
        return
    counts = ', '.join(
        f'{counter} {values[f"frames/{counter}"]}'
        for counter in COUNTERS
        if values.get(f'frames/{counter}', '0') != '0' or counter == 'received'
        if f'frames/{counter}' in values
    )
    inputs = {
        topic: endpoints
        for topic, endpoints in topics.items()
        if any(_is_input(end, name) for end in endpoints['subscriptions'])
    }
    causes = [
        finding
        for topic, endpoints in inputs.items()
        for finding in _input(name, topic, endpoints, topics)
    ]
    if inputs and not causes and values.get('rate_in_hz') == '0.00':
        causes.append(_silent(name, next(iter(inputs))))
    level = LEVELS.get(int(status['level']), PROBLEM)
    blocked = values.get('cause') in BLOCKING
    if causes and (blocked or level == WARNING):
        # What was found out from outside says what its own message says, and the command for it.
        level = NOTE
    elif blocked and level == WARNING:
        level = PROBLEM
    yield Finding(
        level,
        f'graph.node:{name}',
        f'{name} is active: {status["message"]}' + (f' (frames: {counts})' if counts else ''),
        _advice(values) if level == PROBLEM else '',
    )
    if not inputs:
        yield Finding(
            WARNING,
            f'graph.input:{name}',
            f'{name} is active and subscribes to no image topic that could be seen',
            'run the doctor again with a longer --graph-seconds',
        )
    yield from causes


def _advice(values: Mapping[str, str]) -> str:
    cause = values.get('cause')
    where = f"'{cause}' in docs/diagnostics.md" if cause else 'docs/diagnostics.md and its log'
    return f'the sentence says what is wrong; {where} tells what to do'


def _is_input(endpoint: Endpoint, name: str) -> bool:
    return endpoint['node'] == name and endpoint['type'] in INPUT_TYPES


def _not_active(name: str, state: str, status: Mapping[str, Any]) -> Finding:
    failed = LEVELS.get(int(status['level']), PROBLEM) == PROBLEM
    steps = {
        'unconfigured': f'ros2 lifecycle set {name} configure && '
        f'ros2 lifecycle set {name} activate',
        'inactive': f'ros2 lifecycle set {name} activate',
    }
    step = steps.get(state, f'ros2 lifecycle get {name}')
    return Finding(
        PROBLEM if failed else WARNING,
        f'graph.node:{name}',
        f'{name} is {state}: {status["message"]}'
        if failed
        else f'{name} is {state}: it looks at no images in this state',
        f'mend what it says, then: {step}' if failed else step,
    )


def _input(
    name: str,
    topic: str,
    endpoints: Mapping[str, Sequence[Endpoint]],
    topics: Mapping[str, Mapping[str, Any]],
) -> Iterator[Finding]:
    """Tell what keeps an input from arriving; nothing if publisher and subscription match."""
    subscription = next(end for end in endpoints['subscriptions'] if _is_input(end, name))
    check = f'graph.input:{name}'
    if not endpoints['publishers']:
        others = _others(name, subscription['type'], topics)
        found = ', '.join(others) or 'none'
        target = others[0] if others else '<the image topic>'
        yield Finding(
            PROBLEM,
            check,
            f'{name} waits: nobody publishes on {topic} ({subscription["type"]}). Topics of this '
            f'type that have publishers: {found}',
            f'start the camera, or start the node with input_image_topic:={_raw(target)} '
            f'(ros2 run: --ros-args -r {name}/input/image:={_raw(target)})',
        )
    for publisher in endpoints['publishers']:
        mismatches = _mismatches(publisher, subscription)
        if mismatches:
            yield Finding(
                PROBLEM,
                check,
                f'{name} gets nothing of what {publisher["node"]} publishes on {topic}: '
                + '; '.join(what for what, _ in mismatches),
                '; '.join(remedy for _, remedy in mismatches),
            )


def _silent(name: str, topic: str) -> Finding:
    return Finding(
        PROBLEM,
        f'graph.input:{name}',
        f'{name} waits: {topic} has a publisher that fits, and no image of it arrives. Either it '
        'publishes none, or they are lost on their way because they are large',
        f'ros2 topic hz {topic}; if that hears images too: give the process of the publisher the '
        'DDS profile (section Transport here, and docs/transport.md)',
    )


def _raw(topic: str) -> str:
    """Return the topic to remap to, which is the raw image's whichever transport is used."""
    return topic[: -len('/compressed')] if topic.endswith('/compressed') else topic


def _others(name: str, wanted: str, topics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return sorted(
        topic
        for topic, endpoints in topics.items()
        if any(end['type'] == wanted and end['node'] != name for end in endpoints['publishers'])
    )


def _mismatches(publisher: Endpoint, subscription: Endpoint) -> list[tuple[str, str]]:
    """Return what differs between two endpoints so that DDS does not join them, with remedies."""
    found = []
    if publisher['type'] != subscription['type']:
        what = f'it is a {publisher["type"]}, and the node takes a {subscription["type"]}'
        found.append((what, _right_type(publisher['type'])))
    if (publisher['reliability'], subscription['reliability']) == ('best_effort', 'reliable'):
        found.append(
            (
                'it is offered best effort, and the subscription asks for reliable',
                'set the parameter input_qos of the node to sensor_data (configure it anew)',
            )
        )
    if (publisher['durability'], subscription['durability']) == ('volatile', 'transient_local'):
        found.append(
            (
                'it is offered volatile, and the subscription asks for transient local',
                'set the durability of the publisher to transient local',
            )
        )
    return found


def _right_type(offered: str) -> str:
    if offered not in INPUT_TYPES:
        return 'start the node with the topic of an image: input_image_topic:=...'
    transport = 'compressed' if 'Compressed' in offered else 'raw'
    return f'start the node with image_transport:={transport}, or with the topic of another image'
