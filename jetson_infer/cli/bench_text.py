# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What `jetson-infer bench` found, as text for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jetson_infer.cli.bench_device_text import device_measurement
from jetson_infer.cli.bench_lines import counts, heading, paced, ratio, row

__all__ = ['as_text']


def as_text(result: Mapping[str, Any]) -> str:
    """Return a result as lines."""
    blocks = [_measurement(one) for one in result.get('measurements', ())]
    if 'comparison' in result:
        blocks.append(_comparison(result['comparison']))
    if 'node' in result:
        blocks.append(_node(result['node']))
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
    }
    lines = [f'{comparison["change"]}, as a ratio to the first at the median:']
    return '\n'.join([*lines, *(f'  {names[key]:<26}{ratio(comparison[key])}' for key in names)])


def _node(node: Mapping[str, Any]) -> str:
    where = f'{node["ros_distro"]}, {node["rmw"]}'
    subscriber = f'{node["subscriber_received"]} reached the empty subscriber'
    rows = {
        'node': 'node',
        'empty subscriber': 'subscriber',
        'bare session': 'bare_session',
        'node - subscriber - bare': 'difference',
    }
    lines = [
        f'the detector node over DDS: {node["images"]} at {node["rate_hz"]:g} Hz, {where}',
        f'  frames: {node["sent"]} sent, {subscriber}; the node: {counts(node)}',
        '',
        f'  {"CPU time a frame, ms":<26}{"median":>9}{"least":>9}{"most":>9}',
    ]
    costs = node['cpu_ms_per_frame']
    lines += [f'  {name:<26}{_spread(costs[key])}' for name, key in rows.items()]
    lines += ['', f'  {"stages in the node, ms":<26}{"p50":>9}{"p95":>9}{"p99":>9}']
    return '\n'.join([*lines, *(row(name, values) for name, values in node['stages_ms'].items())])


def _spread(values: Mapping[str, float]) -> str:
    return f'{values["median"]:>9.2f}{values["least"]:>9.2f}{values["most"]:>9.2f}'
