# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import threading

import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.lifecycle import TransitionCallbackReturn
from std_msgs.msg import String

from jetson_infer.errors import ModelError
from jetson_infer.ros.lifecycle import SafeLifecycleNode
from ros_peer import wait_for

SUCCESS, FAILURE, ERROR = (
    TransitionCallbackReturn.SUCCESS,
    TransitionCallbackReturn.FAILURE,
    TransitionCallbackReturn.ERROR,
)


class Acrobat(SafeLifecycleNode):
    """Fails where it is told to, and keeps book of what it holds."""

    def __init__(self, **kwargs):
        super().__init__('acrobat', **kwargs)
        self.failing = {}
        self.then = {}
        """What is to be done at the end of a transition's work."""
        self.held = []
        self.working = False

    def _perhaps_fail(self, where):
        if where in self.failing:
            raise self.failing.pop(where)

    def _acquire(self, resources, name):
        self.held.append(name)
        resources.callback(self.held.remove, name)

    def configure(self, resources):
        self._acquire(resources, 'first')
        self._perhaps_fail('configure')
        self._acquire(resources, 'second')
        self.publisher = self.create_lifecycle_publisher(String, '~/told', 10)
        resources.callback(self.destroy_lifecycle_publisher, self.publisher)
        self.then.pop('configure', lambda: None)()

    def on_activate(self, state):
        code = super().on_activate(state)
        self.then.pop('activate', lambda: None)()
        return code

    def activate(self):
        self._perhaps_fail('activate')
        self.working = True

    def deactivate(self):
        self.working = False
        self._perhaps_fail('deactivate')


@pytest.fixture
def acrobat(start):
    return start(Acrobat)


def change(peer, transition):
    request = ChangeState.Request(transition=Transition(id=transition))
    return peer.call(ChangeState, '/acrobat/change_state', request).success


def test_every_transition_can_be_repeated(acrobat):
    for _ in range(20):
        assert acrobat.trigger_configure() == SUCCESS
        assert acrobat.held == ['first', 'second']
        for _ in range(3):
            assert acrobat.trigger_activate() == SUCCESS
            assert acrobat.working
            assert acrobat.trigger_deactivate() == SUCCESS
            assert not acrobat.working
        assert acrobat.trigger_cleanup() == SUCCESS
        assert acrobat.held == []


def test_an_invalid_request_is_answered_and_the_node_goes_on(acrobat, peer):
    assert change(peer, Transition.TRANSITION_ACTIVATE) is False
    assert change(peer, Transition.TRANSITION_CLEANUP) is False
    assert change(peer, 99) is False
    assert change(peer, Transition.TRANSITION_CONFIGURE) is True
    assert change(peer, Transition.TRANSITION_CONFIGURE) is False
    assert change(peer, Transition.TRANSITION_ACTIVATE) is True
    assert acrobat.state == 'active'


def test_what_the_user_can_mend_leaves_the_node_where_it_was(acrobat):
    acrobat.failing['configure'] = ModelError('no such model')
    assert acrobat.trigger_configure() == FAILURE
    assert acrobat.state == 'unconfigured'
    assert acrobat.held == []
    assert acrobat.last_error == 'cannot configure: no such model'
    assert acrobat.trigger_configure() == SUCCESS
    assert acrobat.last_error == ''
    acrobat.failing['activate'] = ModelError('not today')
    assert acrobat.trigger_activate() == FAILURE
    assert acrobat.state == 'inactive'
    assert acrobat.trigger_activate() == SUCCESS


@pytest.mark.parametrize('where', ['configure', 'activate', 'deactivate'])
def test_a_defect_takes_the_node_to_unconfigured_with_nothing_held(acrobat, where):
    acrobat.failing[where] = ZeroDivisionError('oops')
    results = [acrobat.trigger_configure()]
    if where != 'configure':
        results.append(acrobat.trigger_activate())
    if where == 'deactivate':
        results.append(acrobat.trigger_deactivate())
    assert results[-1] == ERROR
    assert set(results[:-1]) <= {SUCCESS}
    assert acrobat.state == 'unconfigured'
    assert acrobat.held == []
    assert 'ZeroDivisionError: oops' in acrobat.last_error
    assert acrobat.trigger_configure() == SUCCESS


@pytest.mark.parametrize('active', [False, True])
def test_a_fault_on_another_thread_takes_the_node_to_unconfigured(acrobat, active):
    acrobat.trigger_configure()
    if active:
        acrobat.trigger_activate()
    thread = threading.Thread(target=acrobat.fail, args=(OSError('the device is gone'),))
    thread.start()
    thread.join()
    wait_for(lambda: acrobat.state == 'unconfigured', 'the state unconfigured')
    assert acrobat.held == []
    assert 'the device is gone' in acrobat.last_error
    assert acrobat.trigger_configure() == SUCCESS


@pytest.mark.parametrize('state', ['unconfigured', 'inactive', 'active'])
def test_shutdown_releases_everything_from_every_state(acrobat, state):
    if state != 'unconfigured':
        acrobat.trigger_configure()
    if state == 'active':
        acrobat.trigger_activate()
    assert acrobat.trigger_shutdown() == SUCCESS
    assert acrobat.state == 'finalized'
    assert acrobat.held == []
    assert not acrobat.working


def test_a_shutdown_at_the_last_step_of_configuring_calls_it_off(acrobat):
    results = []

    def shut_down():
        thread = threading.Thread(target=lambda: results.append(acrobat.trigger_shutdown()))
        thread.start()
        wait_for(acrobat.is_called_off)

    acrobat.then['configure'] = shut_down
    assert acrobat.trigger_configure() == FAILURE
    assert 'cannot configure: cancelled after' in acrobat.last_error
    wait_for(lambda: results, 'the shutdown')
    assert results == [SUCCESS]
    assert acrobat.state == 'finalized'
    assert acrobat.held == []


def test_nothing_is_published_after_activating_failed(acrobat, peer):
    heard = peer.hear(String, '/acrobat/told')
    acrobat.failing['activate'] = ModelError('not today')
    assert acrobat.trigger_configure() == SUCCESS
    wait_for(lambda: acrobat.publisher.get_subscription_count() == 1, 'a subscription')
    assert acrobat.trigger_activate() == FAILURE
    acrobat.publisher.publish(String(data='while inactive'))
    assert acrobat.trigger_activate() == SUCCESS

    def told():
        acrobat.publisher.publish(String(data='while active'))
        return heard

    wait_for(told, 'what is published while active')
    assert {message.data for message in heard} == {'while active'}


def test_a_fault_that_came_too_late_for_a_transition_is_looked_at_after_it(acrobat, peer):
    def fault():
        """Fail, and have the executor find that it cannot do anything about it yet."""
        acrobat.fail(OSError('the device is gone'))
        for _ in range(3):
            peer.call(GetState, '/acrobat/get_state', GetState.Request())

    peer.client(GetState, '/acrobat/get_state')
    assert acrobat.trigger_configure() == SUCCESS
    acrobat.then['activate'] = fault
    assert acrobat.trigger_activate() == SUCCESS
    wait_for(lambda: acrobat.state == 'unconfigured', 'the state unconfigured')
    assert acrobat.held == []
    assert 'the device is gone' in acrobat.last_error
