# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Transitions in any order and at any moment, while frames arrive and parameters change."""

import random
import threading

import pytest
import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.msg import ParameterValue as Value
from rcl_interfaces.srv import SetParameters
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image

from detector_bench import Bench
from ros_peer import WAIT_S, Peer, Spinner, image_message, paint, wait_for

CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE = (
    Transition.TRANSITION_CONFIGURE,
    Transition.TRANSITION_CLEANUP,
    Transition.TRANSITION_ACTIVATE,
    Transition.TRANSITION_DEACTIVATE,
)
MACHINE = {
    ('unconfigured', CONFIGURE): 'inactive',
    ('inactive', CLEANUP): 'unconfigured',
    ('inactive', ACTIVATE): 'active',
    ('active', DEACTIVATE): 'inactive',
}


@pytest.fixture
def bench(start, peer, model_folder):
    return Bench(start, peer, model_folder)


@pytest.fixture
def flood(peer):
    """Send images as fast as a camera of 100 Hz, whoever listens."""
    publisher = peer.node.create_publisher(Image, '/detector/input/image', 1)
    count = iter(range(1, 1 << 30))
    peer.node.create_timer(
        0.01, lambda: publisher.publish(image_message(paint(255, 0, 0), number=next(count)))
    )


def change(peer, transition):
    request = ChangeState.Request(transition=Transition(id=transition))
    return peer.call(ChangeState, '/detector/change_state', request).success


def state(peer):
    return peer.call(GetState, '/detector/get_state', GetState.Request()).current_state.label


def bring_to_active(peer):
    """Take the shortest way to active, whatever the state."""
    for _ in range(3):
        step = {'unconfigured': CONFIGURE, 'inactive': ACTIVATE}.get(state(peer))
        if step is not None:
            assert change(peer, step)
    assert state(peer) == 'active'


def assert_works(bench):
    """The node is active, finds what is there, and has lost no frame from its account."""
    heard = len(bench.detections)
    wait_for(lambda: len(bench.detections) > heard + 5, 'detections')
    assert bench.detections[-1].detections[0].results[0].hypothesis.class_id == 'red'
    assert bench.node.account.counts().balanced


def test_transitions_in_random_order_follow_the_state_machine(bench, peer, flood):
    generator = random.Random(7)
    current = 'active'
    for _ in range(120):
        transition = generator.choice([CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE])
        expected = MACHINE.get((current, transition))
        assert change(peer, transition) is (expected is not None)
        current = expected or current
        assert state(peer) == current
    bring_to_active(peer)
    assert_works(bench)


def test_concurrent_requests_are_all_answered(bench, flood):
    spinner = Spinner()
    peers = [Peer(spinner.executor, f'caller_{n}') for n in range(4)]
    spinner.start()
    answers = []

    def call(peer, seed):
        generator = random.Random(seed)
        for _ in range(25):
            transition = generator.choice([CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE])
            answers.append(change(peer, transition))

    threads = [threading.Thread(target=call, args=(p, n)) for n, p in enumerate(peers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert len(answers) == 100
    assert any(answers)
    bring_to_active(peers[0])
    assert_works(bench)
    spinner.stop()
    for peer in peers:
        peer.node.destroy_node()


def test_parameters_may_storm_during_transitions(bench, peer, flood):
    spinner = Spinner()
    other = Peer(spinner.executor, 'tuner')
    spinner.start()
    stop = threading.Event()
    counts = {True: 0, False: 0}

    def storm():
        generator = random.Random(3)
        while not stop.is_set():
            value = Value(
                type=ParameterType.PARAMETER_DOUBLE, double_value=generator.uniform(-0.3, 1.3)
            )
            request = SetParameters.Request(
                parameters=[ParameterMessage(name='score_threshold', value=value)]
            )
            (result,) = other.call(SetParameters, '/detector/set_parameters', request).results
            assert result.successful == (0.0 <= value.double_value <= 1.0)
            counts[result.successful] += 1

    thread = threading.Thread(target=storm)
    thread.start()
    for _ in range(10):
        for transition in (DEACTIVATE, CLEANUP, CONFIGURE, ACTIVATE):
            assert change(peer, transition)
    wait_for(lambda: min(counts.values()) > 5, 'accepted and refused values')
    stop.set()
    thread.join(WAIT_S)
    assert not thread.is_alive()
    value = Value(type=ParameterType.PARAMETER_DOUBLE, double_value=0.5)
    assert bench.set('score_threshold', value).successful
    assert_works(bench)
    spinner.stop()
    other.node.destroy_node()


def test_simulated_time_that_jumps_and_stops(start, peer, model_folder):
    bench = Bench(start, peer, model_folder, use_sim_time=True, stale_after_ms=500.0)
    clock = peer.node.create_publisher(Clock, '/clock', 1)
    wait_for(lambda: clock.get_subscription_count() >= 1, 'a subscription to /clock')

    def set_time(seconds):
        message = Clock()
        message.clock.sec = seconds
        clock.publish(message)
        wait_for(
            lambda: bench.node.get_clock().now().nanoseconds == seconds * 1_000_000_000,
            f'the time {seconds}',
        )

    for number, seconds in enumerate([1000, 50, 100_000, 99_999, 1]):
        set_time(seconds)
        message = image_message(paint(255, 0, 0))
        message.header.stamp.sec = seconds
        message.header.frame_id = f'jump_{number}'
        bench.send(message)
        wait_for(
            lambda m=message: any(d.header == m.header for d in bench.detections),
            f'an answer at {seconds} s',
        )
    # The clock stands from here on; frames with its stamp go on being processed.
    for number in range(20):
        message = image_message(paint(255, 0, 0))
        message.header.stamp.sec = 1
        message.header.frame_id = f'standing_{number}'
        bench.send(message)
        wait_for(lambda m=message: any(d.header == m.header for d in bench.detections), 'an answer')


def test_the_account_balances_at_every_moment(bench, peer, flood):
    for _ in range(2000):
        counts = bench.node.account.counts()
        assert counts.received == sum(counts.outcomes.values()) + counts.waiting
    assert rclpy.ok()
