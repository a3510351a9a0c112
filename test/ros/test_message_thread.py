# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Messages taken on a thread of their own, beside an executor that does everything else."""

import threading
import time

import pytest
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from std_msgs.msg import String

from jetson_infer.ros import message_thread
from jetson_infer.ros.message_thread import MessageThread
from ros_peer import WAIT_S, wait_for

TOPIC = '/said'
RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)


class Listener:
    """What a subscription hears, on which threads, and how it fares with what it cannot take."""

    def __init__(self):
        self.heard = []
        self.threads = set()
        self.undecodable = 0
        self.failures = []

    def count_undecodable(self):
        self.undecodable += 1

    def take(self, message):
        self.threads.add(threading.current_thread().name)
        if message.data == 'poison':
            raise RuntimeError('cannot swallow that')
        self.heard.append(message.data)


@pytest.fixture
def listen(peer):
    made = []

    def start(listener, profile=RELIABLE, event_callbacks=None):
        thread = MessageThread(
            peer.node,
            String,
            TOPIC,
            listener.take,
            profile,
            listener.count_undecodable,
            listener.failures.append,
            event_callbacks,
        )
        made.append(thread)
        return thread

    yield start
    for thread in made:
        thread.close()


def say(peer, *texts):
    publisher = peer.publisher(String, TOPIC)
    for text in texts:
        publisher.publish(String(data=text))


def test_messages_come_in_order_and_never_through_the_executor(peer, listen):
    listener = Listener()
    listen(listener)
    texts = [str(number) for number in range(10)]
    say(peer, *texts)
    wait_for(lambda: len(listener.heard) == 10)
    assert listener.heard == texts
    assert listener.threads == {f'messages of {TOPIC}'}


def test_a_callback_that_raises_costs_its_message_only(peer, listen, capfd):
    listener = Listener()
    listen(listener)
    say(peer, 'before', 'poison', 'after')
    wait_for(lambda: 'after' in listener.heard)
    assert listener.heard == ['before', 'after']
    assert 'cannot swallow that' in capfd.readouterr().err


def test_after_closing_nothing_is_heard_and_nothing_is_left(peer, listen, monkeypatch):
    monkeypatch.setattr(message_thread, '_EVENTS_PERIOD_S', 10 * WAIT_S)
    listener = Listener()
    thread = listen(listener)
    say(peer, 'one')
    wait_for(lambda: listener.heard)
    began = time.monotonic()
    thread.close()
    thread.close()
    assert time.monotonic() - began < 10 * WAIT_S, 'closing wakes the thread that waits'
    wait_for(lambda: peer.node.count_subscribers(TOPIC) == 0)
    peer.publisher(String, TOPIC, matched=0).publish(String(data='two'))
    time.sleep(0.2)
    assert listener.heard == ['one']
    assert not [t for t in threading.enumerate() if t.name == f'messages of {TOPIC}']


def test_an_incompatible_publisher_is_told_of_though_no_message_comes(peer, listen):
    try:
        from rclpy.event_handler import SubscriptionEventCallbacks
    except ImportError:  # Humble's name
        from rclpy.qos_event import SubscriptionEventCallbacks

    events = []
    callbacks = SubscriptionEventCallbacks(incompatible_qos=events.append)
    listen(Listener(), RELIABLE, callbacks)
    peer.node.create_publisher(String, TOPIC, BEST_EFFORT)
    wait_for(lambda: events, 'the event')
    assert events[0].total_count == 1


def test_a_busy_executor_does_not_hold_messages_up(peer, listen):
    listener, busy = Listener(), threading.Event()
    listen(listener)
    say(peer, 'first')
    wait_for(lambda: listener.heard)
    release = threading.Event()

    def block():
        busy.set()
        release.wait(10.0)

    peer.node.create_timer(0.01, block)
    try:
        assert busy.wait(10.0)
        say(peer, 'meanwhile')
        wait_for(lambda: 'meanwhile' in listener.heard)
    finally:
        release.set()


@pytest.mark.skipif(
    rclpy.get_rmw_implementation_identifier() != 'rmw_fastrtps_cpp',
    reason='other middleware hands over what it could read of a message',
)
@pytest.mark.parametrize('profile', [RELIABLE, BEST_EFFORT])
def test_what_cannot_be_decoded_is_told_of_and_nothing_else(peer, listen, profile):
    listener = Listener()
    listen(listener, profile)
    publisher = peer.publisher(String, TOPIC)
    whole = serialize_message(String(data='whole'))
    for number in range(20):
        publisher.publish(whole[:9])  # says five characters, has one
        wait_for(lambda n=number: listener.undecodable == n + 1)
        publisher.publish(String(data=str(number)))
        wait_for(lambda n=number: len(listener.heard) == n + 1)
    assert listener.undecodable == 20
    assert listener.failures == []


def test_many_messages_and_publishers_that_leave_are_not_taken_for_undecodable(peer, listen):
    listener = Listener()
    listen(listener, BEST_EFFORT)
    for _ in range(10):
        publisher = peer.node.create_publisher(String, TOPIC, 10)
        wait_for(lambda p=publisher: p.get_subscription_count() == 1)
        for _ in range(50):
            publisher.publish(String(data='x'))
        peer.node.destroy_publisher(publisher)
    say(peer, 'last')
    wait_for(lambda: 'last' in listener.heard)
    assert listener.undecodable == 0


def test_a_middleware_that_fails_is_told_of(peer, listen):
    listener = Listener()
    thread = listen(listener)
    say(peer, 'one')
    wait_for(lambda: listener.heard)
    # As close as can be come to it from here: what rclpy is to make a message of is no type.
    thread._subscription.msg_type = None
    say(peer, 'two')
    wait_for(lambda: listener.failures, 'the failure')
    (failure,) = listener.failures
    assert TOPIC in str(failure)
    assert 'configure the node again' in str(failure)
