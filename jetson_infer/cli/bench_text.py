# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What `jetson-infer bench` found, as text for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jetson_infer.cli.bench_device_text import device_measurement
from jetson_infer.cli.bench_lines import counts, heading, paced, ratio, row, title

__all__ = ['as_text']


def as_text(result: Mapping[str, Any]) -> str:
    """Return a result as lines."""
    blocks = [_measurement(one) for one in result.get('measurements', ())]
    blocks += [_node(node) for node in result.get('nodes', ())]
    if 'comparison' in result:
        blocks.append(_comparison(result['comparison']))
    return '\n\n'.join(blocks)


def _measurement(one: Mapping[str, Any]) -> str:
    if 'device' in one:
        return device_measurement(one)
    rows = {
        **one['stages_ms'],
        'pipeline': one['pipeline_ms'],
        'bare session': one['bare_session_ms'],
        'CPU time, all': one['cpu_ms'],
        'CPU time, bare session': one['bare_session_cpu_ms'],
        'CPU time outside session': one['cpu_outside_session_ms'],
    }
    lines = [*heading(one), *(row(name, values) for name, values in rows.items())]
    memory = one['memory_mb']
    lines += [
        '',
        f'  pipeline / bare session at the median: {ratio(one["pipeline_to_bare"])}',
        f'  the same in CPU time:                  {ratio(one["pipeline_to_bare_cpu"])}',
        f'  resident memory: {memory["before"]:.1f} MB before, {memory["after"]:.1f} MB after',
    ]
    if 'paced' in one:
        lines += ['', *paced(one['paced'])]
    return '\n'.join(lines)


def _comparison(comparison: Mapping[str, Any]) -> str:
    names = {
        'pipeline': 'pipeline',
        'bare_session': 'bare session',
        'cpu_outside_session': 'CPU time outside session',
        'node_cpu': "the node's CPU time",
        'bare_session_cpu': "bare session's CPU time",
        'answer': 'sent to answer heard',
    }
    lines = [f'{comparison["change"]}, as a ratio to the first at the median:']
    return '\n'.join(
        [
            *lines,
            *(f'  {names[key]:<26}{ratio(comparison[key])}' for key in names if key in comparison),
        ]
    )


def _node(node: Mapping[str, Any]) -> str:
    model = f'{node["setting"]["model"]}, variant {node["variant"]}, on {node["engine"]}'
    how = (
        f'{node["images"]} at {node["rate_hz"]:g} Hz over DDS ({node["ros_distro"]}, {node["rmw"]})'
    )
    lost = node['sent_to_node'] - node['answered']
    reached = f'{node["subscriber_received"]} of {node["sent"]} reached the empty subscriber'
    rows = {
        'node': 'node',
        'empty subscriber': 'subscriber',
        'bare session': 'bare_session',
        'node - subscriber - bare': 'difference',
    }
    lines = [
        f'the detector node: {model}',
        f'{how}, {node["rounds"]} rounds',
        f'  frames: {node["sent_to_node"]} sent; {counts(node)}; {lost or "none"} unanswered',
        f'  (beside it {reached})',
        '',
        f'  {"CPU time a frame, ms":<26}{"median":>9}{"least":>9}{"most":>9}',
    ]
    costs = node['cpu_ms_per_frame']
    lines += [f'  {name:<26}{_spread(costs[key])}' for name, key in rows.items()]
    lines += ['', title('ms')]
    lines += [row(name, values) for name, values in node['stages_ms'].items()]
    memory = node['memory_mb']
    return '\n'.join(
        [
            *lines,
            row('sent to answer heard', node['answer_ms']),
            f'  resident memory: {memory["before"]:.1f} MB before, {memory["after"]:.1f} MB after',
        ]
    )


def _spread(values: Mapping[str, float]) -> str:
    return f'{values["median"]:>9.2f}{values["least"]:>9.2f}{values["most"]:>9.2f}'
