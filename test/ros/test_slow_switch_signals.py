# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A detector that is told to end while it loads a variant for a set, as a process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters

import slow_detector
from ros_peer import wait_for

START_S = 60.0
STEPS = (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)


@pytest.fixture
def loading(peer, model_folder, tmp_path):
    """Return a function that starts a process which is loading; it returns process and log."""
    children = []

    def start_process(kind):
        log = tmp_path / 'log.txt'
        with log.open('wb') as output:
            child = subprocess.Popen(
                [
                    sys.executable,
                    Path(slow_detector.__file__),
                    *('--ros-args', '-p', f'model:={model_folder}'),
                ],
                env={**os.environ, 'SLOW_DETECTOR': kind, 'SLOW_VARIANT': 'second'},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        children.append(child)
        reports = peer.hear(DiagnosticArray, '/diagnostics')
        for step in STEPS:
            request = ChangeState.Request(transition=Transition(id=step))
            assert peer.call(ChangeState, '/detector/change_state', request).success
        ask_for_second(peer)
        wait_for(lambda: is_loading(list(reports)), 'a report that it is loading', START_S)
        return child, log

    yield start_process
    for child in children:
        if child.poll() is None:
            child.kill()
            child.wait()


def ask_for_second(peer):
    value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value='second')
    request = SetParameters.Request(parameters=[Parameter(name='variant', value=value)])
    peer.client(SetParameters, '/detector/set_parameters').call_async(request)


def is_loading(reports):
    return any(
        (pair.key, pair.value) == ('loading', 'second')
        for report in reports
        for status in report.status
        for pair in status.values
    )


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=['SIGINT', 'SIGTERM'])
def test_a_signal_calls_the_loading_off_and_the_process_ends_well(loading, number):
    child, log = loading('heeding')
    child.send_signal(number)
    assert child.wait(START_S) == 0
    assert 'Traceback' not in log.read_text()
    assert 'exception calling callback' not in log.read_text()


def test_a_signal_ends_the_process_though_the_loading_does_not_heed_it(loading):
    child, log = loading('stubborn')
    child.send_signal(signal.SIGTERM)
    assert child.wait(START_S) == -signal.SIGTERM
    assert f'the node is still active ({slow_detector.WORK}' in log.read_text()
    assert 'Traceback' not in log.read_text()
