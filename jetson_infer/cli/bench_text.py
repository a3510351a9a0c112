# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What `jetson-infer bench` found, as text for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    setting, network = one['setting'], 'x'.join(map(str, one['network_size']))
    lines = [
        f'{setting["model"]}, variant {one["variant"]} at {network}, on {one["engine"]}',
        f'{one["frames"]} frames of {setting["images"]}; objects: {one["detections"]:.0f}',
        '',
        f'  {"ms":<26}{"p50":>9}{"p95":>9}{"p99":>9}',
    ]
    rows = {
        **one['stages_ms'],
        'pipeline': one['pipeline_ms'],
        'bare session': one['bare_session_ms'],
        'CPU time, all': one['cpu_ms'],
        'CPU time, bare session': one['bare_session_cpu_ms'],
        'CPU time outside session': one['cpu_outside_session_ms'],
    }
    lines += [_row(name, row) for name, row in rows.items()]
    memory = one['memory_mb']
    lines += [
        '',
        f'  pipeline / bare session at the median: {_ratio(one["pipeline_to_bare"])}',
        f'  the same in CPU time:                  {_ratio(one["pipeline_to_bare_cpu"])}',
        f'  resident memory: {memory["before"]:.1f} MB before, {memory["after"]:.1f} MB after',
    ]
    if 'paced' in one:
        lines += ['', *_paced(one['paced'])]
    return '\n'.join(lines)


def _paced(paced: Mapping[str, Any]) -> list[str]:
    lines = [f'  at {paced["rate_hz"]:g} Hz through the slot and the worker: {_counts(paced)}']
    return [*lines, *(_row(name, row) for name, row in paced['stages_ms'].items())]


def _counts(holder: Mapping[str, Any]) -> str:
    return ', '.join(f'{count} {name}' for name, count in holder['frames'].items() if count)


def _comparison(comparison: Mapping[str, Any]) -> str:
    names = {
        'pipeline': 'pipeline',
        'bare_session': 'bare session',
        'cpu_outside_session': 'CPU time outside session',
    }
    lines = [f'{comparison["change"]}, as a ratio to the first at the median:']
    return '\n'.join([*lines, *(f'  {names[key]:<26}{_ratio(comparison[key])}' for key in names)])


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
        f'  frames: {node["sent"]} sent, {subscriber}; the node: {_counts(node)}',
        '',
        f'  {"CPU time a frame, ms":<26}{"median":>9}{"least":>9}{"most":>9}',
    ]
    costs = node['cpu_ms_per_frame']
    lines += [f'  {name:<26}{_spread(costs[key])}' for name, key in rows.items()]
    lines += ['', f'  {"stages in the node, ms":<26}{"p50":>9}{"p95":>9}{"p99":>9}']
    return '\n'.join([*lines, *(_row(name, row) for name, row in node['stages_ms'].items())])


def _spread(values: Mapping[str, float]) -> str:
    return f'{values["median"]:>9.2f}{values["least"]:>9.2f}{values["most"]:>9.2f}'


def _row(name: str, row: Mapping[str, float]) -> str:
    return f'  {name:<26}{row["p50"]:>9.3f}{row["p95"]:>9.3f}{row["p99"]:>9.3f}'


def _ratio(ratio: Mapping[str, float]) -> str:
    return (
        f'{ratio["value"]:.3f} (95 % interval {ratio["low"]:.3f} to {ratio["high"]:.3f}, '
        f'n = {ratio["count"]})'
    )
