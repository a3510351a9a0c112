# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A detector that is told to end while it is configuring, as a process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState

import slow_detector
from jetson_infer.ros.run import PATIENCE_S
from ros_peer import wait_for

START_S = 60.0
END_S = 30.0
"""The work itself never ends: whatever ends at all was ended by the signal."""
SIGNALS = [signal.SIGINT, signal.SIGTERM]


class SlowProcess:
    """A slow detector in a process of its own, that is configuring."""

    def __init__(self, peer, model, log, kind):
        self._log = log
        reports = peer.hear(DiagnosticArray, '/diagnostics')
        with log.open('wb') as output:
            self.child = subprocess.Popen(
                [
                    sys.executable,
                    Path(slow_detector.__file__),
                    *('--ros-args', '-p', f'model:={model}'),
                ],
                env={**os.environ, 'SLOW_DETECTOR': kind},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        client = peer.client(ChangeState, '/detector/change_state')
        self.configuring = client.call_async(
            ChangeState.Request(transition=Transition(id=Transition.TRANSITION_CONFIGURE))
        )
        wait_for(
            lambda: any(slow_detector.WORK in s.message for a in list(reports) for s in a.status),
            'a report that it is configuring',
            START_S,
        )

    def end(self, number):
        """Send a signal; return the exit code and everything that was printed."""
        self.child.send_signal(number)
        code = self.child.wait(END_S)
        return code, self._log.read_text()


@pytest.fixture
def launch(peer, model_folder, tmp_path):
    processes = []

    def start_process(kind):
        processes.append(SlowProcess(peer, model_folder, tmp_path / 'log.txt', kind))
        return processes[-1]

    yield start_process
    for process in processes:
        if process.child.poll() is None:
            process.child.kill()
            process.child.wait()


@pytest.mark.parametrize('number', SIGNALS, ids=['SIGINT', 'SIGTERM'])
def test_a_signal_calls_configuring_off_and_the_process_ends_well(launch, number):
    code, output = launch('heeding').end(number)
    assert 'Traceback' not in output
    assert 'never retrieved' not in output
    assert code == 0


@pytest.mark.parametrize('number', SIGNALS, ids=['SIGINT', 'SIGTERM'])
def test_a_signal_ends_the_process_though_configuring_does_not_heed_it(launch, number):
    code, output = launch('stubborn').end(number)
    assert 'Traceback' not in output
    assert f'the node is still configuring ({slow_detector.WORK}' in output
    assert f'{PATIENCE_S:g} s after it was asked to end' in output
    assert code == -signal.SIGTERM


def test_a_shutdown_leaves_a_process_that_a_signal_ends(launch, peer):
    process = launch('heeding')
    client = peer.client(ChangeState, '/detector/change_state')
    shutdown = client.call_async(
        ChangeState.Request(transition=Transition(id=Transition.TRANSITION_UNCONFIGURED_SHUTDOWN))
    )
    wait_for(lambda: shutdown.done() and process.configuring.done())
    assert shutdown.result().success
    assert not process.configuring.result().success
    state = peer.call(GetState, '/detector/get_state', GetState.Request()).current_state
    assert state.label == 'finalized'
    code, output = process.end(signal.SIGINT)
    assert 'cannot configure: cancelled after' in output
    assert 'Traceback' not in output
    assert code == 0
