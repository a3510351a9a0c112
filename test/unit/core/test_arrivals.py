# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest

from jetson_infer.core.arrivals import ArrivalFacts, Problem, PublisherFacts, explain
from jetson_infer.core.rhythm import Span
from jetson_infer.core.stamps import StampKind

IMAGE = 'sensor_msgs/msg/Image'
CAMERA = PublisherFacts('/camera', IMAGE, reliable=True)
BEST_EFFORT = PublisherFacts('/quick', IMAGE, reliable=False)
WELL = ArrivalFacts(
    topic='/image',
    type=IMAGE,
    publishers=(CAMERA,),
    counts={'received': 30, 'processed': 30},
    newest_age_ms=20.0,
)


def test_nothing_is_said_when_all_is_well():
    assert explain(WELL) is None


@pytest.mark.parametrize(
    ('changes', 'cause', 'words'),
    [
        (
            {'publishers': (), 'same_type': ('/left/image', '/right/image')},
            'no_publisher',
            ['/image;', '/left/image, /right/image', 'remap'],
        ),
        ({'publishers': ()}, 'no_publisher', ['nothing in this ROS domain publishes', IMAGE]),
        (
            {'publishers': (), 'same_type': tuple(f'/camera_{n}' for n in range(9))},
            'no_publisher',
            ['/camera_4 and 4 more'],
        ),
        (
            {'publishers': (PublisherFacts('/jpeg', 'sensor_msgs/msg/CompressedImage', True),)},
            'wrong_type',
            ['/jpeg', 'CompressedImage', 'image_transport'],
        ),
        (
            {'publishers': (replace(CAMERA, reliable=False),), 'asks_reliable': True},
            'incompatible_qos',
            ['/camera', 'best-effort', 'input_qos to sensor_data'],
        ),
        (
            {'publishers': (CAMERA, BEST_EFFORT), 'asks_reliable': True},
            'incompatible_qos',
            ['/quick offers', 'only /camera'],
        ),
        (
            {'publishers': (CAMERA, BEST_EFFORT), 'asks_reliable': True, 'silent_s': 4.0},
            'incompatible_qos',
            ['/quick offers'],
        ),
        ({'clock_stands': True}, 'clock_stands', ['/clock does not advance', 'use_sim_time']),
        (
            {'counts': {'stale': 5}, 'newest_age_ms': 750.0, 'stale_after_ms': 500.0},
            'stale',
            ['750 ms', 'stale_after_ms is 500'],
        ),
        (
            {'counts': {'stale': 5}, 'newest_age_ms': 20_000 * 86_400_000.0},
            'foreign_clock',
            ['20000.0 days before', 'use_sim_time'],
        ),
        ({'newest_age_ms': -90_000.0}, 'foreign_clock', ['90.0 s in this', 'chrony']),
        ({'newest_age_ms': 90_000.0}, 'foreign_clock', ['90.0 s before', 'use_sim_time']),
        (
            {'counts': {'received': 3, 'rejected/future_stamp': 3}, 'newest_age_ms': -90_000.0},
            'foreign_clock',
            ['90.0 s in this'],
        ),
        ({'stamps': StampKind.UNSET}, 'unstamped', ['no stamp', 'the driver']),
        (
            {'stamps': StampKind.UNSET, 'counts': {'stale': 3}, 'stale_after_ms': 200.0},
            'unstamped',
            ['stale_after_ms to 0'],
        ),
        ({'stamps': StampKind.REPEATED}, 'repeated_stamps', ['/camera stamp', 'processed']),
        (
            {
                'stamps': StampKind.BACKWARDS,
                'publishers': (CAMERA, replace(CAMERA, node='/second')),
            },
            'backwards_stamps',
            ['2 publishers', '/camera, /second', 'remap'],
        ),
        (
            {'lost': 12, 'transport_profile': False, 'counts': {'received': 3}},
            'transport_loses',
            ['lost 12 messages', '3 arrived', 'DDS profile'],
        ),
        ({'lost': 1}, 'transport_loses', ['rmem_max']),
        ({'counts': {}, 'silent_s': 4.0}, 'silent_publisher', ['for 4.0 s', '/camera']),
        (
            {'counts': {}, 'silent_s': 4.0, 'transport_profile': False},
            'silent_publisher',
            ['DDS profile'],
        ),
        ({'problem': Problem('bad_step', 'step 10 is short')}, 'rejected', ['step 10 is short']),
        ({'problem': Problem('failed', 'the engine failed')}, 'failed', ['the engine failed']),
        (
            {'pace': Span({'received': 30, 'processed': 9, 'replaced': 21}, 1.0)},
            'too_slow',
            ['9 of 30', 'in 1 s', 'smaller variant'],
        ),
        (
            {'pace': Span({'received': 4, 'processed': 1, 'replaced': 2}, 4.0)},
            'too_slow',
            ['1 of 4', 'in 4 s'],
        ),
        (
            {'counts': {}, 'silent_s': 11.0, 'period_s': 3.5},
            'silent_publisher',
            ['for 11.0 s'],
        ),
    ],
)
def test_each_cause_is_named_with_its_numbers_and_the_remedy(changes, cause, words):
    finding = explain(replace(WELL, **changes))
    assert finding is not None
    assert finding.cause == cause
    for word in words:
        assert word in finding.message


@pytest.mark.parametrize(
    'changes',
    [
        {'publishers': (), 'active_s': 1.0},
        {'counts': {}, 'silent_s': 5.0, 'active_s': 1.0},
        {'publishers': (BEST_EFFORT, CAMERA)},
        {'publishers': (replace(BEST_EFFORT, type='other'), CAMERA), 'asks_reliable': True},
        {'newest_age_ms': 50_000.0},  # late, and no limit is set
        {'newest_age_ms': 1e12, 'counts': {}},  # of a frame that was told of before
        {'newest_age_ms': -500.0},
        {'pace': Span({'received': 30, 'processed': 10, 'shed': 20}, 1.0)},  # as max_rate_hz asks
        {'pace': Span({'received': 2, 'processed': 0, 'replaced': 1}, 1.0)},
        {'counts': {}, 'silent_s': 10.0, 'period_s': 3.5},  # a camera of 0.29 Hz
    ],
)
def test_what_is_normal_is_not_remarked_on(changes):
    assert explain(replace(WELL, **changes)) is None


def test_the_first_cause_on_a_messages_way_is_the_one_that_is_told():
    facts = replace(WELL, publishers=(), lost=3, problem=Problem('bad', 'bad'), clock_stands=True)
    assert explain(facts).cause == 'no_publisher'


@pytest.mark.parametrize('counts', [{'received': 9}, {'failed': 1}, {'rejected': 1}])
@pytest.mark.parametrize(
    ('kind', 'cause', 'is_error'), [('failed', 'failed', True), ('bad_step', 'rejected', False)]
)
def test_a_problem_keeps_its_cause_and_level_whatever_came_since(counts, kind, cause, is_error):
    finding = explain(replace(WELL, problem=Problem(kind, 'what happened'), counts=counts))
    assert (finding.cause, finding.is_error) == (cause, is_error)


@pytest.mark.parametrize(('others', 'is_error'), [((), True), ((CAMERA,), False)])
def test_a_publisher_that_cannot_be_heard_is_an_error_where_no_other_is(others, is_error):
    facts = replace(WELL, publishers=(BEST_EFFORT, *others), asks_reliable=True)
    assert explain(facts).is_error is is_error


def test_frames_that_fail_are_told_of_before_a_publisher_that_costs_none():
    facts = replace(
        WELL,
        publishers=(BEST_EFFORT, CAMERA),
        asks_reliable=True,
        problem=Problem('failed', 'the engine failed'),
    )
    assert explain(facts).cause == 'failed'
