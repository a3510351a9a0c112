# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Configuring that takes minutes: what is answered meanwhile, and how it is called off."""

import re
import threading
import time

import pytest
from lifecycle_msgs.msg import State, Transition, TransitionEvent
from lifecycle_msgs.srv import ChangeState, GetAvailableTransitions, GetState
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.msg import ParameterValue as Value
from rcl_interfaces.srv import GetParameters
from rclpy.lifecycle import TransitionCallbackReturn

from detector_bench import Bench, classes
from jetson_infer.errors import DeviceError
from jetson_infer.ros.health import PROGRESS_EVERY_S
from ros_peer import WAIT_S, image_message, paint, wait_for
from slow_detector import WORK, SlowDetector

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE = (
    Transition.TRANSITION_CONFIGURE,
    Transition.TRANSITION_CLEANUP,
    Transition.TRANSITION_ACTIVATE,
    Transition.TRANSITION_DEACTIVATE,
)
SHUTDOWNS = (
    Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
    Transition.TRANSITION_INACTIVE_SHUTDOWN,
    Transition.TRANSITION_ACTIVE_SHUTDOWN,
)
SHUTDOWN = SHUTDOWNS[0]
# The work ends only when it is let or called off: what is answered before did not wait for it.


class SlowBench(Bench):
    """A detector that is configuring, and the one who asked it to."""

    def __init__(self, start, peer, model_folder, **parameters):
        self.transport = 'raw'
        self.listen(peer, start(SlowDetector, {'model': str(model_folder), **parameters}))
        peer.client(GetState, '/detector/get_state')
        self.configuring = None

    def begin(self):
        """Ask for configuring, and wait until the work is under way."""
        self.configuring = self.ask(CONFIGURE)
        wait_for(lambda: WORK in self.node.progress, 'the work')
        return self

    def ask(self, number=0, label=''):
        """Ask for a transition; return the future of whether it succeeded."""
        client = self.peer.client(ChangeState, '/detector/change_state')
        return client.call_async(ChangeState.Request(transition=Transition(id=number, label=label)))

    def answer(self, future):
        wait_for(future.done, 'the answer to a transition')
        return future.result().success

    def change(self, number=0, label=''):
        return self.answer(self.ask(number, label))

    def state(self):
        request = GetState.Request()
        return self.peer.call(GetState, '/detector/get_state', request).current_state.label

    def get(self, name):
        request = GetParameters.Request(names=[name])
        return self.peer.call(GetParameters, '/detector/get_parameters', request).values[0]


@pytest.fixture
def slow(start, peer, model_folder):
    return SlowBench(start, peer, model_folder)


def number(value):
    return Value(type=ParameterType.PARAMETER_DOUBLE, double_value=value)


def text(value):
    return Value(type=ParameterType.PARAMETER_STRING, string_value=value)


def threads():
    return {t.name for t in threading.enumerate() if t.name != threading.main_thread().name}


def assert_nothing_is_held(slow):
    assert not [name for name in threads() if 'worker' in name or 'messages' in name]
    wait_for(lambda: slow.peer.node.count_publishers('/detector/output/detections') == 0)


def test_services_answer_while_configuring(slow):
    slow.begin()
    assert slow.state() == 'configuring'
    assert slow.get('model').string_value
    assert slow.set('max_rate_hz', number(7.0)).successful
    assert slow.get('max_rate_hz').double_value == 7.0
    assert not slow.configuring.done()
    slow.node.released.set()
    assert slow.answer(slow.configuring)
    assert slow.state() == 'inactive'


def test_diagnostics_say_what_is_being_done_and_for_how_long(slow):
    slow.begin()
    first = wait_for(lambda: configuring_reports(slow)[:1])[0]
    later = wait_for(lambda: configuring_reports(slow)[2:3], 'a third report')[0]
    for status, values in (first, later):
        assert status.level == b'\x00'
        told = re.fullmatch(rf'configuring: {WORK} \(step (\d+)\) \((\d+) s\)', status.message)
        assert told, status.message
        assert re.fullmatch(rf'{WORK} \(step \d+\)', values['progress'])
    assert steps(later) > steps(first)
    assert seconds(later) > seconds(first)
    slow.node.released.set()
    assert slow.answer(slow.configuring)
    slow.status(lambda status, values: values['state'] == 'inactive' and 'progress' not in values)


def configuring_reports(slow):
    return [
        (status, values)
        for status, values in slow.reports()
        if values['state'] == 'configuring' and WORK in status.message
    ]


def steps(report):
    return int(re.search(r'step (\d+)', report[1]['progress'])[1])


def seconds(report):
    return int(re.search(r'\((\d+) s\)', report[0].message)[1])


def test_the_log_tells_once_in_a_while_that_it_goes_on(slow, capfd):
    began = time.monotonic()
    slow.begin()
    text = ''

    def told():
        nonlocal text
        text += capfd.readouterr().err
        return [line for line in text.splitlines() if f'configuring: {WORK}' in line]

    wait_for(told, 'a line in the log')
    reports = len(configuring_reports(slow))
    wait_for(lambda: len(configuring_reports(slow)) > reports + 2, 'three reports more')
    slow.node.released.set()
    assert slow.answer(slow.configuring)
    assert len(told()) <= 1 + (time.monotonic() - began) // PROGRESS_EVERY_S


def test_a_live_parameter_set_meanwhile_is_in_force_afterwards(slow):
    red = image_message(paint(180, 0, 0), number=1)  # its score is 180 / 255
    slow.begin()
    assert slow.set('score_threshold', number(0.75)).successful
    slow.node.released.set()
    assert slow.answer(slow.configuring)
    assert slow.change(ACTIVATE)
    assert classes(slow.infer(red)) == {}
    assert slow.set('score_threshold', number(0.65)).successful
    red.header.stamp.sec += 1
    assert set(classes(slow.infer(red))) == {'red'}


@pytest.mark.parametrize('value', [-1.0, 1.5])
def test_a_live_parameter_is_checked_meanwhile(slow, value):
    slow.begin()
    assert not slow.set('score_threshold', number(value)).successful


def test_what_is_not_live_is_refused_from_the_beginning(slow, model_folder):
    slow.begin()
    for name, value in {'image_transport': 'compressed', 'engine_build': 'allowed'}.items():
        result = slow.set(name, text(value))
        assert not result.successful
        assert 'only while the node is unconfigured' in result.reason
    assert slow.set('model', text(str(model_folder))).successful, 'the value that it has'
    slow.node.fail(DeviceError('let go'))
    assert not slow.answer(slow.configuring)
    assert slow.set('image_transport', text('compressed')).successful


@pytest.mark.parametrize('transition', [CONFIGURE, ACTIVATE, DEACTIVATE, CLEANUP, 10, 99])
def test_another_transition_is_refused_at_once_with_the_reason(slow, transition, capfd):
    slow.begin()
    assert not slow.change(transition)
    assert slow.state() == 'configuring'
    wait_for(lambda: "'configure' has been under way for" in capfd.readouterr().err)
    slow.node.released.set()
    assert slow.answer(slow.configuring), 'the one under way goes on'


@pytest.mark.parametrize('shutdown', [*SHUTDOWNS, 'shutdown'])
def test_a_shutdown_calls_configuring_off(slow, shutdown):
    slow.begin()
    ask = {'label': shutdown} if shutdown == 'shutdown' else {'number': shutdown}
    assert slow.change(**ask)
    assert not slow.answer(slow.configuring)
    assert slow.state() == 'finalized'
    assert re.fullmatch(
        rf'cannot configure: cancelled after \d+\.\d s while {WORK} \(step \d+\)',
        slow.node.last_error,
    )
    assert_nothing_is_held(slow)


def test_a_shutdown_is_offered_while_configuring(slow):
    slow.begin()
    service = '/detector/get_available_transitions'
    answer = slow.peer.call(GetAvailableTransitions, service, GetAvailableTransitions.Request())
    (offer,) = answer.available_transitions
    assert offer.transition.label == 'shutdown'
    assert offer.start_state.id == State.TRANSITION_STATE_CONFIGURING
    assert offer.goal_state.id == State.PRIMARY_STATE_FINALIZED
    # As `ros2 lifecycle set` asks for it.
    assert slow.change(offer.transition.id, offer.transition.label)
    assert slow.state() == 'finalized'


def test_one_shutdown_waits_and_no_second(slow, capfd):
    slow.node.stubborn = True
    slow.begin()
    first = slow.ask(SHUTDOWN)
    wait_for(slow.node.is_called_off)
    assert not slow.change(SHUTDOWN)
    assert not slow.change(CONFIGURE)
    assert 'a shutdown was asked for already' in capfd.readouterr().err
    assert slow.state() == 'configuring'
    slow.node.released.set()
    assert not slow.answer(slow.configuring), 'called off, though it came to its end'
    assert slow.answer(first)
    assert slow.state() == 'finalized'
    assert_nothing_is_held(slow)


def test_a_fault_meanwhile_ends_in_unconfigured_and_all_can_be_done_again(slow):
    for _ in range(3):
        slow.begin()
        slow.node.fail(DeviceError('the device is gone'))
        assert not slow.answer(slow.configuring)
        assert slow.state() == 'unconfigured'
        assert slow.node.last_error == 'cannot configure: the device is gone'
        assert_nothing_is_held(slow)
        slow.node.progress = ''
    slow.node.released.set()
    assert slow.change(CONFIGURE)
    assert slow.node.last_error == ''
    assert slow.change(ACTIVATE)
    assert set(classes(slow.infer(image_message(paint(255, 0, 0))))) == {'red'}


def test_a_client_that_does_not_wait_for_the_answer_does_no_harm(slow, peer):
    slow.begin()
    peer.node.destroy_client(peer._clients.pop('/detector/change_state'))
    time.sleep(0.5)  # Humble cannot count clients; it takes a moment until the node knows
    slow.node.released.set()
    wait_for(lambda: slow.state() == 'inactive')
    assert slow.change(ACTIVATE)


def test_nothing_is_left_of_configurings_that_were_called_off(slow):
    before = threads()
    for _ in range(10):
        slow.begin()
        slow.node.fail(DeviceError('again'))
        assert not slow.answer(slow.configuring)
        slow.node.progress = ''
    wait_for(lambda: threads() == before, 'the same threads as before')


def test_transitions_triggered_in_the_process_keep_to_the_same_order(slow):
    results = []
    thread = threading.Thread(target=lambda: results.append(slow.node.trigger_configure()))
    thread.start()
    wait_for(lambda: WORK in slow.node.progress)
    assert slow.node.trigger_configure() == FAILURE
    assert slow.node.trigger_activate() == FAILURE
    assert slow.node.trigger_shutdown() == SUCCESS
    thread.join(WAIT_S)
    assert results == [FAILURE]
    assert slow.node.state == 'finalized'
    assert slow.node.trigger_shutdown() == FAILURE


def test_closing_calls_configuring_off(slow):
    slow.begin()
    slow.node.close()
    assert not slow.answer(slow.configuring)
    assert_nothing_is_held(slow)
    assert not slow.change(CONFIGURE), 'a closed node takes nothing up'


def test_who_reacts_to_the_new_state_is_never_told_to_come_later(slow):
    """The state is told of a moment before the transition that led to it has ended."""
    answers = []

    def react(event):
        step = {'inactive': ACTIVATE, 'active': DEACTIVATE}.get(event.goal_state.label)
        if step is not None and len(answers) < 100:
            answers.append(slow.ask(step))

    slow.node.released.set()
    slow.peer.client(ChangeState, '/detector/change_state')
    slow.peer.node.create_subscription(TransitionEvent, '/detector/transition_event', react, 10)
    wait_for(lambda: slow.peer.node.count_subscribers('/detector/transition_event') == 1)
    slow.peer.meet('/detector')
    assert slow.change(CONFIGURE)
    wait_for(lambda: len(answers) == 100 and all(future.done() for future in answers))
    assert all(future.result().success for future in answers)


@pytest.mark.parametrize(
    ('name', 'value', 'reason'),
    [
        ('largest_image', '1920', "'1920' is no image size; give WIDTHxHEIGHT in pixels"),
        ('largest_image', '0x480', 'each 1 to 16384'),
        ('largest_image', '99999x480', 'each 1 to 16384'),
        ('engine_build', 'perhaps', 'one of: never, allowed'),
        ('engine', 'abacus', 'one of: auto, tensorrt, onnxruntime'),
    ],
)
def test_what_concerns_engines_is_checked_when_it_is_set(slow, name, value, reason):
    result = slow.set(name, text(value))
    assert not result.successful
    assert reason in result.reason


def test_the_users_thresholds_outlast_any_number_of_configurings(slow):
    slow.node.released.set()
    assert slow.set('score_threshold', number(0.9)).successful
    for _ in range(3):
        assert slow.change(CONFIGURE)
        assert slow.get('score_threshold').double_value == 0.9
        assert slow.get('max_detections').integer_value == 10, "the card's"
        assert slow.change(CLEANUP)
