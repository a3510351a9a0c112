# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The detector as a process: signals at every moment of its life, SIGKILL and a restart."""

import os
import signal
import subprocess
import time

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2DArray

from brightness_model import write_brightness_model
from ros_peer import image_message, paint, wait_for

START_S = 60.0
END_S = 30.0
CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE = (
    Transition.TRANSITION_CONFIGURE,
    Transition.TRANSITION_CLEANUP,
    Transition.TRANSITION_ACTIVATE,
    Transition.TRANSITION_DEACTIVATE,
)
WAY_TO = {
    'start-up': None,
    'configuring': ([], CONFIGURE),
    'inactive': ([CONFIGURE], None),
    'activating': ([CONFIGURE], ACTIVATE),
    'active': ([CONFIGURE, ACTIVATE], None),
    'deactivating': ([CONFIGURE, ACTIVATE], DEACTIVATE),
    'cleaning up': ([CONFIGURE], CLEANUP),
}


class Process:
    """A detector in a process of its own."""

    def __init__(self, peer, model, log):
        self.peer = peer
        self._log = log
        with log.open('wb') as output:
            self.child = subprocess.Popen(
                ['detector', '--ros-args', '-p', f'model:={model}'],
                executable=detector_executable(),
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

    def end(self, number):
        """Send a signal; return the exit code and everything that was printed."""
        self.child.send_signal(number)
        code = self.child.wait(END_S)
        return code, self._log.read_text()


def detector_executable():
    for prefix in os.environ['AMENT_PREFIX_PATH'].split(os.pathsep):
        path = os.path.join(prefix, 'lib', 'jetson_infer', 'detector')
        if os.path.exists(path):
            return path
    raise AssertionError('the package is not installed on AMENT_PREFIX_PATH')


@pytest.fixture(scope='module')
def slow_model(tmp_path_factory):
    """A model that takes a good part of a second to load."""
    return write_brightness_model(tmp_path_factory.mktemp('slow') / 'slow', layers=300)


@pytest.fixture
def launch(peer, tmp_path):
    processes = []

    def start_process(model):
        processes.append(Process(peer, model, tmp_path / f'log{len(processes)}.txt'))
        return processes[-1]

    yield start_process
    for process in processes:
        if process.child.poll() is None:
            process.child.kill()
            process.child.wait()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=['SIGINT', 'SIGTERM'])
@pytest.mark.parametrize('moment', WAY_TO)
def test_a_signal_at_any_moment_ends_the_process_well(launch, peer, slow_model, moment, number):
    publisher = peer.node.create_publisher(Image, '/detector/input/image', 1)
    peer.node.create_timer(0.02, lambda: publisher.publish(image_message(paint(255, 0, 0))))
    process = launch(slow_model)
    if WAY_TO[moment] is None:
        # A killed process of a test before may still be there in discovery; it does not answer.
        peer.meet('/detector')
    else:
        before, during = WAY_TO[moment]
        for transition in before:
            process.change(transition)
        if moment == 'active':
            time.sleep(0.3)
        if during is not None:
            process.request(during)
            time.sleep(0.05)
    code, output = process.end(number)
    assert 'Traceback' not in output
    assert code == 0


def test_a_killed_process_is_replaced_by_a_new_one(launch, peer, model_folder):
    heard = peer.hear(Detection2DArray, '/detector/output/detections')
    reports = peer.hear(DiagnosticArray, '/diagnostics')
    publisher = peer.node.create_publisher(Image, '/detector/input/image', 1)
    peer.node.create_timer(0.02, lambda: publisher.publish(image_message(paint(255, 0, 0))))
    for _ in range(2):
        reports.clear()
        process = launch(model_folder)
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
