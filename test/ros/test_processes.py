# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The detector as a process: signals at every moment of its life, SIGKILL and a restart."""

import os
import signal
import subprocess
import sys
import time

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2DArray

import faulty_detector
import held_detector
from faulty_detector import LOST
from held_detector import HOLDING
from ros_peer import image_message, paint, wait_for

START_S = 60.0
END_S = 30.0
HELD = [sys.executable, held_detector.__file__]
FAULTY = [sys.executable, faulty_detector.__file__]
CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE = (
    Transition.TRANSITION_CONFIGURE,
    Transition.TRANSITION_CLEANUP,
    Transition.TRANSITION_ACTIVATE,
    Transition.TRANSITION_DEACTIVATE,
)
WAY_TO = {
    'unconfigured': [],
    'configuring': [CONFIGURE],
    'inactive': [CONFIGURE],
    'activating': [CONFIGURE, ACTIVATE],
    'active': [CONFIGURE, ACTIVATE],
    'deactivating': [CONFIGURE, ACTIVATE, DEACTIVATE],
    'cleaningup': [CONFIGURE, CLEANUP],
}
"""The states of a node, and what leads to each."""
RESTING = ('unconfigured', 'inactive', 'active')

NUMBERS = [signal.SIGINT, signal.SIGTERM]
AFTER_START_S = (0.0, 0.3, 0.8, 1.4, 2.0)


class Process:
    """A detector in a process of its own."""

    def __init__(self, peer, model, log, held_in=None, program=None, parameters=()):
        self.peer = peer
        self._log = log
        self.go = log.with_suffix('.go')
        program = program or ([detector_executable()] if held_in is None else HELD)
        given = [item for each in (f'model:={model}', *parameters) for item in ('-p', each)]
        until = {'HELD_UNTIL': str(self.go), 'FAULT_AT': str(self.go)}
        with log.open('wb') as output:
            self.child = subprocess.Popen(
                [*program, '--ros-args', *given],
                env={**os.environ, 'HELD_IN': held_in or '', **until},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def request(self, transition):
        """Ask for a transition without waiting for the answer."""
        client = self.peer.client(ChangeState, '/detector/change_state')
        return client.call_async(ChangeState.Request(transition=Transition(id=transition)))

    def change(self, transition):
        """Ask for a transition and wait until it is done."""
        future = self.request(transition)
        wait_for(future.done, 'the answer to a transition', START_S)
        assert future.result().success

    def state(self):
        """Ask for the lifecycle state."""
        request = GetState.Request()
        return self.peer.call(GetState, '/detector/get_state', request).current_state.label

    def printed(self):
        return self._log.read_text()

    def end(self, number):
        """Send a signal; return the exit code and everything that was printed."""
        self.child.send_signal(number)
        code = self.child.wait(END_S)
        return code, self.printed()


def detector_executable():
    for prefix in os.environ['AMENT_PREFIX_PATH'].split(os.pathsep):
        path = os.path.join(prefix, 'lib', 'jetson_infer', 'detector')
        if os.path.exists(path):
            return path
    raise AssertionError('the package is not installed on AMENT_PREFIX_PATH')


@pytest.fixture
def launch(peer, model_folder, tmp_path):
    processes = []

    def start_process(held_in=None, **options):
        log = tmp_path / f'log{len(processes)}.txt'
        processes.append(Process(peer, model_folder, log, held_in, **options))
        return processes[-1]

    yield start_process
    for process in processes:
        if process.child.poll() is None:
            process.child.kill()
            process.child.wait()


@pytest.fixture
def flood(peer):
    publisher = peer.node.create_publisher(Image, '/detector/input/image', 1)
    peer.node.create_timer(0.02, lambda: publisher.publish(image_message(paint(255, 0, 0))))


@pytest.mark.parametrize('number', NUMBERS, ids=['SIGINT', 'SIGTERM'])
@pytest.mark.parametrize('moment', WAY_TO)
def test_a_signal_in_every_state_ends_the_process_well(launch, peer, flood, moment, number):
    heard = peer.hear(Detection2DArray, '/detector/output/detections')
    transition = moment not in RESTING
    way = list(WAY_TO[moment])
    process = launch(held_in=moment if transition else None)
    last = way.pop() if transition else None
    for step in way:
        process.change(step)
    if transition:
        process.request(last)
        wait_for(lambda: HOLDING in process.printed(), f'the state {moment}', START_S)
    if moment == 'active':
        wait_for(lambda: len(heard) > 5, 'detections')
    # A killed process of a test before may still be there in discovery; it does not answer.
    assert process.state() == moment, process.printed()
    code, output = process.end(number)
    assert 'Traceback' not in output
    assert code == 0


@pytest.mark.parametrize('number', NUMBERS, ids=['SIGINT', 'SIGTERM'])
def test_a_signal_while_the_node_is_made_ends_the_process_well(launch, number):
    process = launch(held_in='made')
    wait_for(lambda: HOLDING in process.printed(), 'the making of the node', START_S)
    process.child.send_signal(number)
    with pytest.raises(subprocess.TimeoutExpired):
        process.child.wait(0.3)
    process.go.touch()
    code, output = process.child.wait(END_S), process.printed()
    assert 'Traceback' not in output
    assert code == 0


@pytest.mark.parametrize('number', NUMBERS, ids=['SIGINT', 'SIGTERM'])
def test_a_second_signal_while_the_node_is_made_ends_the_process_at_once(launch, number):
    process = launch(held_in='made')
    wait_for(lambda: HOLDING in process.printed(), 'the making of the node', START_S)
    process.child.send_signal(number)
    time.sleep(0.1)  # two of a kind that are both pending are one
    code, output = process.end(number)
    assert 'Traceback' not in output
    assert code == -number


def ended(process, number):
    """Wait for the exit code; where an import of Python's swallowed the interrupt, ask again."""
    try:
        return process.child.wait(END_S / 3)
    except subprocess.TimeoutExpired:
        assert number == signal.SIGINT
        assert 'Exception ignored in' in process.printed()
        assert 'KeyboardInterrupt' in process.printed()
    process.child.terminate()
    assert process.child.wait(END_S) == 0
    return -number


@pytest.mark.parametrize('number', NUMBERS, ids=['SIGINT', 'SIGTERM'])
def test_a_signal_at_any_moment_of_the_start_ends_the_process(launch, number):
    """In its first tenths of a second Python's own handlers hold, and it may lose a SIGINT."""
    processes = [launch() for _ in AFTER_START_S]
    began = time.monotonic()
    for process, moment_s in zip(processes, AFTER_START_S, strict=True):
        time.sleep(max(0.0, began + moment_s - time.monotonic()))
        process.child.send_signal(number)
    for process in processes:
        code, output = ended(process, number), process.printed()
        if number == signal.SIGINT and 'KeyboardInterrupt' in output:
            assert code in (1, -signal.SIGINT), output
        else:
            assert code in (0, -number), output
            assert 'Traceback' not in output


@pytest.mark.parametrize('state', ['inactive', 'active'])
def test_a_fault_ends_the_process_where_that_is_wanted(launch, peer, flood, state):
    process = launch(program=FAULTY, parameters=['exit_on_fault:=true'])
    for step in WAY_TO[state]:
        process.change(step)
    process.go.touch()
    assert process.child.wait(END_S) == 1
    output = process.printed()
    assert LOST in output
    assert 'exit_on_fault' in output
    assert 'Traceback' not in output


def test_a_fault_leaves_the_process_where_nothing_is_said(launch, peer, flood):
    process = launch(program=FAULTY)
    for _ in range(2):
        for step in WAY_TO['active']:
            process.change(step)
        process.go.touch()
        wait_for(lambda: process.state() == 'unconfigured', 'the way out of the fault')
    code, output = process.end(signal.SIGTERM)
    assert output.count(LOST) >= 2
    assert code == 0


def test_a_killed_process_is_replaced_by_a_new_one(launch, peer, flood):
    heard = peer.hear(Detection2DArray, '/detector/output/detections')
    reports = peer.hear(DiagnosticArray, '/diagnostics')
    for _ in range(2):
        reports.clear()
        process = launch()
        # The killed one lingers in discovery: only the new one answers.
        peer.client(ChangeState, '/detector/change_state')
        peer.meet('/detector')
        wait_for(lambda: reports, 'diagnostics of the new process', START_S)
        process.change(CONFIGURE)
        process.change(ACTIVATE)
        heard.clear()
        wait_for(lambda: len(heard) > 10, 'detections')
        process.child.kill()
        process.child.wait()
