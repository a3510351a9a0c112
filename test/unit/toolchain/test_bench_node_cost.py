# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What is made of a node's rounds."""

import pytest

from jetson_infer.cli.bench_text import as_text
from jetson_infer.toolchain.bench.node_cost import NodeCost, compared_nodes
from jetson_infer.toolchain.bench.node_picture import draw_nodes
from jetson_infer.toolchain.bench.settings import BenchSetting

SETTING = BenchSetting(model='walker', size=(64, 48))


def cost(setting=SETTING, times=1.0):
    return NodeCost(
        setting,
        node=[times * 4.0, times * 6.0, times * 5.0],
        subscriber=[1.0, 1.5, 1.0],
        bare_session=[2.0, 2.0, 2.5],
        answers_ms=[[times * 10.0, times * 12.0], [times * 11.0], [times * 30.0, times * 10.0]],
        memory_mb=(80.0, 81.5),
    )


def described(one):
    return {
        **one.as_dict(),
        'variant': 'small',
        'network_size': [64, 48],
        'engine': 'an engine',
        'ros_distro': 'humble',
        'rmw': 'a middleware',
        'rate_hz': 10.0,
        'rounds': 3,
        'sent': 18,
        'sent_to_node': 9,
        'subscriber_received': 17,
        'frames': {'received': 8, 'processed': 5, 'replaced': 3, 'waiting': 0},
        'stages_ms': {'infer': {'p50': 2.0, 'p95': 3.0, 'p99': 4.0}},
    }


def test_what_the_node_costs_beyond_the_others_is_told_round_by_round():
    found = cost().as_dict()
    assert found['cpu_ms_by_round']['difference'] == [1.0, 2.5, 1.5]
    assert found['cpu_ms_per_frame']['difference'] == {'median': 1.5, 'least': 1.0, 'most': 2.5}
    assert found['answered'] == 5
    assert found['answer_ms']['p50'] == 11.0


def test_two_nodes_are_compared_by_their_rounds():
    twice = cost(SETTING.changed('threads=2'), 2.0)
    compared = compared_nodes(cost(), twice)
    assert compared['change'] == 'threads=2'
    for name, ratio in (('node_cpu', 2.0), ('bare_session_cpu', 1.0), ('answer', 2.0)):
        assert (compared[name]['low'], compared[name]['value']) == pytest.approx((ratio, ratio))
        assert compared[name]['count'] == 3


def test_the_text_tells_what_was_dropped_and_what_was_compared():
    twice = cost(SETTING.changed('threads=2'), 2.0)
    nodes = [described(cost()), described(twice)]
    text = as_text({'nodes': nodes, 'comparison': compared_nodes(cost(), twice)})
    assert 'frames: 9 sent; 8 received, 5 processed, 3 replaced; 4 unanswered' in text
    assert '17 of 18 reached the empty subscriber' in text
    assert "threads=2, as a ratio to the first at the median:\n  the node's CPU time" in text


def test_the_picture_shows_every_node():
    nodes = [described(cost()), described(cost(SETTING.changed('size=128x96'), 2.0))]
    picture = draw_nodes(nodes)
    assert 'walker, small at 64x48: 64x48 bgr8' in picture
    assert 'walker, small at 64x48: 128x96 bgr8' in picture
    assert picture.count('node beyond the two') == 2
