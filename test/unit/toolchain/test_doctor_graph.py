# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor's judgement of a running graph, on reports of invented ones."""

import pytest

from jetson_infer.toolchain.doctor.findings import NOTE, OK, PROBLEM, WARNING
from jetson_infer.toolchain.doctor.graph import check_graph

IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'


def end(node, kind=IMAGE, reliability='best_effort', durability='volatile'):
    return {'node': node, 'type': kind, 'reliability': reliability, 'durability': durability}


def status(state='active', level=0, message='30.0 frames/s', **values):
    values = {'state': state, 'frames/received': '90', 'frames/processed': '90', **values}
    return {'name': '/detector: pipeline', 'level': level, 'message': message, 'values': values}


def graph(statuses=(), **topics):
    ends = {
        f'/{name}': {'publishers': publishers, 'subscriptions': subscriptions}
        for name, (publishers, subscriptions) in topics.items()
    }
    return {
        'domain': 3,
        'rmw': 'rmw_fastrtps_cpp',
        'seconds': 3.0,
        'nodes': ['/camera', '/detector'],
        'statuses': list(statuses),
        'topics': ends,
    }


def worst(findings):
    order = (OK, NOTE, WARNING, PROBLEM)
    return max(findings, key=lambda finding: order.index(finding.level))


def test_a_node_that_gets_its_images_is_well():
    findings = check_graph(graph([status()], image=([end('/camera')], [end('/detector')])))
    assert {finding.level for finding in findings} == {OK}
    assert '/detector is active: 30.0 frames/s (frames: received 90, processed 90)' in [
        finding.what for finding in findings
    ]


def test_no_inference_node_is_said_and_is_no_problem():
    worst_one = worst(check_graph(graph()))
    assert worst_one.level == NOTE
    assert 'domain 3' in check_graph(graph())[0].what


def test_nobody_publishes_and_the_topics_that_would_do_are_named():
    report = graph(
        [status(level=1, message='no publisher on /image_raw')],
        image_raw=([], [end('/detector')]),
        front=([end('/camera')], []),
        back=([end('/camera', COMPRESSED)], []),
        debug=([end('/detector')], []),
    )
    finding = worst(check_graph(report))
    assert finding.level == PROBLEM
    assert 'nobody publishes on /image_raw' in finding.what
    assert finding.what.endswith('have publishers: /front')
    assert 'input_image_topic:=/front' in finding.remedy
    assert '-r /detector/input/image:=/front' in finding.remedy


def test_the_raw_topic_is_remapped_for_compressed_images():
    report = graph(
        [status(level=1)],
        **{'image_raw/compressed': ([], [end('/detector', COMPRESSED)])},
        **{'front/compressed': ([end('/camera', COMPRESSED)], [])},
    )
    finding = worst(check_graph(report))
    assert 'input_image_topic:=/front ' in finding.remedy


@pytest.mark.parametrize(
    ('publisher', 'subscription', 'named'),
    [
        ({'reliability': 'best_effort'}, {'reliability': 'reliable'}, 'input_qos'),
        ({'durability': 'volatile'}, {'durability': 'transient_local'}, 'durability'),
        ({'kind': COMPRESSED}, {}, 'image_transport:=compressed'),
        ({}, {'kind': COMPRESSED}, 'image_transport:=raw'),
        ({'kind': 'std_msgs/msg/String'}, {}, 'the topic of an image'),
    ],
)
def test_mismatches_are_named_with_their_remedy(publisher, subscription, named):
    report = graph(
        [status(level=1)],
        image=([end('/camera', **publisher)], [end('/detector', **subscription)]),
    )
    finding = worst(check_graph(report))
    assert finding.level == PROBLEM
    assert 'gets nothing of what /camera publishes on /image' in finding.what
    assert named in finding.remedy


@pytest.mark.parametrize(
    ('publisher', 'subscription'),
    [
        ({'reliability': 'reliable'}, {'reliability': 'best_effort'}),
        ({'reliability': 'reliable'}, {'reliability': 'reliable'}),
        ({'durability': 'transient_local'}, {'durability': 'volatile'}),
    ],
)
def test_what_dds_joins_is_no_mismatch(publisher, subscription):
    ends = ([end('/camera', **publisher)], [end('/detector', **subscription)])
    assert worst(check_graph(graph([status()], image=ends))).level == OK


def test_images_that_do_not_arrive_although_all_fits():
    report = graph(
        [status(level=1, rate_in_hz='0.00')], image=([end('/camera')], [end('/detector')])
    )
    finding = worst(check_graph(report))
    assert finding.level == PROBLEM
    assert 'ros2 topic hz /image' in finding.remedy


@pytest.mark.parametrize(
    ('state', 'step'),
    [
        ('inactive', 'ros2 lifecycle set /detector activate'),
        (
            'unconfigured',
            'ros2 lifecycle set /detector configure && ros2 lifecycle set /detector activate',
        ),
    ],
)
def test_a_node_that_is_not_active_comes_with_the_command(state, step):
    finding = worst(check_graph(graph([status(state)])))
    assert (finding.level, finding.remedy) == (WARNING, step)


def test_a_node_that_could_not_be_configured_is_a_problem_with_its_reason():
    report = graph([status('unconfigured', 2, "cannot configure: there is no model 'x'")])
    finding = worst(check_graph(report))
    assert finding.level == PROBLEM
    assert "there is no model 'x'" in finding.what
    assert 'ros2 lifecycle set /detector configure' in finding.remedy


def test_what_a_node_complains_of_itself_is_a_warning():
    report = graph(
        [status(level=1, message='bad_step: ...', rate_in_hz='30.00')],
        image=([end('/camera')], [end('/detector')]),
    )
    assert worst(check_graph(report)).level == WARNING


def test_what_stops_a_node_is_a_problem_in_its_own_words():
    message = 'use_sim_time is set and /clock does not advance'
    report = graph(
        [status(level=1, message=message, cause='clock_stands', rate_in_hz='30.00')],
        image=([end('/camera')], [end('/detector')]),
    )
    finding = worst(check_graph(report))
    assert finding.level == PROBLEM
    assert message in finding.what


def test_an_input_that_discovery_has_not_shown_yet_is_said():
    assert 'longer --graph-seconds' in worst(check_graph(graph([status()]))).remedy


def test_other_statuses_are_left_alone():
    other = {'name': '/camera: driver', 'level': 2, 'message': 'hot', 'values': {}}
    assert worst(check_graph(graph([other]))).level == NOTE


def test_a_node_that_ended_while_it_was_listened_to_is_neither_counted_nor_a_problem():
    report = graph([status(level=2, message='the device is lost')])
    findings = check_graph({**report, 'nodes': []})
    assert '0 nodes in domain 3' in findings[0].what
    assert '0 of them run networks' in findings[0].what
    assert [finding.what for finding in findings[1:]] == ['/detector reported, and has ended since']
    assert worst(findings).level == NOTE


def test_the_advice_names_where_the_cause_is_explained():
    report = graph(
        [status(level=1, message='stamps of another clock', cause='foreign_clock')],
        image=([end('/camera')], [end('/detector')]),
    )
    finding = worst(check_graph(report))
    assert finding.level == PROBLEM
    assert "'foreign_clock' in docs/diagnostics.md" in finding.remedy
