# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A picture of what a node cost: CPU time round by round, and the times of its stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jetson_infer.toolchain.bench.picture import PERCENTILES, bars, sheet

__all__ = ['draw_nodes']

SPREAD = ('median', 'least', 'most')
CPU = {
    'node': 'the node',
    'subscriber': 'an empty subscriber',
    'bare_session': 'bare session',
    'difference': 'node beyond the two',
}


def draw_nodes(nodes: Sequence[Mapping[str, Any]]) -> str:
    """Return an SVG picture.

    :param nodes: what `jetson-infer bench --node` found of each, one or two.
    """
    panels = []
    for node in nodes:
        model = str(node['setting']['model']).rstrip('/').rpartition('/')[2]
        network = 'x'.join(map(str, node['network_size']))
        costs = node['cpu_ms_per_frame']
        panels.append(
            bars(
                f'{model}, {node["variant"]} at {network}: {node["images"]}',
                f'CPU time a frame, over {node["rounds"]} rounds; {node["engine"]}, '
                f'{node["ros_distro"]}, {node["rate_hz"]:g} Hz',
                {text: costs[name] for name, text in CPU.items()},
                SPREAD,
                'ms: bar to the median of the rounds, whiskers to the least and the most',
            )
        )
        stages = {**node['stages_ms'], 'sent to answer heard': node['answer_ms']}
        counts = f'{node["answered"]} of {node["sent_to_node"]} images were answered'
        panels.append(bars('stages in the node', counts, stages, PERCENTILES))
    return sheet(panels)
