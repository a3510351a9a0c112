# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What `jetson-infer bench` found of a pipeline on a device, as text for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jetson_infer.cli.bench_lines import heading, paced, ratio, row, title

__all__ = ['device_measurement']


def device_measurement(one: Mapping[str, Any]) -> str:
    """Return one measurement as lines: one frame at a time, the network alone, and throughput."""
    device = one['device']
    rows = {
        **{f'host: {name}': values for name, values in one['stages_ms'].items()},
        **{f'device: {name}': values for name, values in device['stages_ms'].items()},
        'pipeline, end to end': one['pipeline_ms'],
    }
    first, _, *table = heading(one)
    images = f'{one["frames"]} frames of {one["setting"]["images"]}, one at a time'
    p50, p99 = one['pipeline_ms']['p50'], one['pipeline_ms']['p99']
    lines = [
        first,
        f'{images}; objects: {one["detections"]:.0f}; {device["transfer"]}',
        *table,
        *(row(name, values) for name, values in rows.items()),
        row('CPU time', one['cpu_ms']),
        '',
        f'  p99 / p50 of the pipeline: {p99 / p50:.3f}',
        '',
        *_alone(one, device),
    ]
    if 'throughput' in one:
        lines += ['', *_throughput(one['throughput'])]
    memory = one['memory_mb']
    lines.append(
        f'  resident memory: {memory["before"]:.1f} MB before, {memory["after"]:.1f} MB after'
    )
    if 'paced' in one:
        lines += ['', *paced(one['paced'])]
    return '\n'.join(lines)


def _alone(one: Mapping[str, Any], device: Mapping[str, Any]) -> list[str]:
    """Return the network alone: as one graph, and kernel by kernel."""
    ways = {'kernel by kernel': device['by_kernels']}
    if not device['why_no_graph']:
        ways = {'as one graph': device['as_pipeline'], **ways}
    lines = [title('the network alone, ms')]
    for name, way in ways.items():
        lines.append(row(name, way['wall_ms']))
        lines.append(row("  on the device's clock", way['device_ms']))
        lines.append(row('  the call alone, us', way['call_us']))
    over = one['pipeline_ms']['p50'] - one['bare_session_ms']['p50']
    lines += [
        '',
        f'  pipeline beyond the network at the median: {over:.3f} ms',
        f'  pipeline / network at the median:          {ratio(one["pipeline_to_bare"])}',
    ]
    if device['why_no_graph']:
        return [*lines, f'  without a CUDA graph: {device["why_no_graph"]}']
    compared = device['kernels_to_graph']
    return [
        *lines,
        f'  kernel by kernel / graph, the call:        {ratio(compared["call"])}',
        f'  kernel by kernel / graph, end to end:      {ratio(compared["wall"])}',
    ]


def _throughput(found: Mapping[str, Any]) -> list[str]:
    share = found['pipeline_hz'] / found['bare_hz']
    bare = f'{share:.0%} of {found["bare_hz"]:.1f} inferences/s alone'
    lines = [
        f'  as fast as they are taken: {found["pipeline_hz"]:.1f} frames/s, {bare}',
        f'  CPU time a frame then: {found["cpu_ms"]:.3f} ms',
        row('between two frames, ms', found['period_ms']),
    ]
    if 'energy' in found:
        energy = found['energy']
        lines.append(
            f'  power meanwhile: {energy["watts"]:.1f} W, {energy["millijoules_a_frame"]:.1f} '
            f'mJ a frame ({energy["source"]}, over {energy["seconds"]:.1f} s)'
        )
    elif 'no_energy' in found:
        lines.append(f'  GPU power: not measured. {found["no_energy"]}')
    return lines
