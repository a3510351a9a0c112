# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor finds out in a running graph why nothing arrives."""

import json
import subprocess
import sys

import pytest
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from jetson_infer.ros.detector_node import DetectorNode
from jetson_infer.toolchain.doctor.findings import NOTE, OK, PROBLEM, WARNING
from jetson_infer.toolchain.doctor.graph import check_graph
from ros_peer import image_message, paint

LISTEN_S = 5.0
BEST_EFFORT = QoSProfile(
    depth=1, reliability=ReliabilityPolicy.BEST_EFFORT, durability=DurabilityPolicy.VOLATILE
)

OTHER_TYPE = """
import rclpy
from sensor_msgs.msg import CompressedImage
rclpy.init()
node = rclpy.create_node('other')
node.create_publisher(CompressedImage, '/detector/input/image', 1)
try:
    input()
except EOFError:
    pass
node.destroy_node()
rclpy.try_shutdown()
"""


def report():
    done = subprocess.run(
        [sys.executable, '-m', 'jetson_infer.ros.graph_report', '--seconds', str(LISTEN_S)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    return json.loads(done.stdout)


def findings():
    """Return what the doctor says of the detector."""
    return [one for one in check_graph(report()) if one.check.endswith(':/detector')]


def problem():
    found = findings()
    problems = [one for one in found if one.level == PROBLEM]
    assert len(problems) == 1, found
    return problems[0]


@pytest.fixture
def detector(start, model_folder):
    def make(state='active', **parameters):
        node = start(DetectorNode, {'model': str(model_folder), **parameters})
        if state != 'unconfigured':
            node.trigger_configure()
        if state == 'active':
            node.trigger_activate()
        assert node.state == state
        return node

    return make


@pytest.fixture
def camera(peer):
    """Return a function that publishes an image, ten times a second until the test ends."""
    timers = []

    def publish(topic, message, profile=BEST_EFFORT):
        publisher = peer.node.create_publisher(type(message), topic, profile)
        timers.append(peer.node.create_timer(0.1, lambda: publisher.publish(message)))

    yield publish
    for timer in timers:
        timer.cancel()


def test_a_detector_that_gets_its_images(detector, camera):
    detector()
    camera('/detector/input/image', image_message(paint(255, 0, 0)))
    found = findings()
    assert [one.level for one in found] == [OK], found
    assert found[0].what.startswith('/detector is active: ')


def test_nobody_publishes_but_another_topic_would_do(detector, camera):
    detector()
    camera('/front/image_raw', image_message(paint(255, 0, 0)))
    found = problem()
    assert 'nobody publishes on /detector/input/image' in found.what
    assert found.what.endswith('have publishers: /front/image_raw')


def test_best_effort_does_not_reach_a_reliable_subscription(detector, camera):
    detector(input_qos='reliable')
    camera('/detector/input/image', image_message(paint(255, 0, 0)))
    found = problem()
    assert '/peer publishes on /detector/input/image' in found.what
    assert 'best effort' in found.what
    assert 'input_qos' in found.remedy


def test_another_type_on_the_topic(detector):
    detector()
    # Fast DDS refuses a second type on a topic within one process.
    camera = subprocess.Popen([sys.executable, '-c', OTHER_TYPE], stdin=subprocess.PIPE)
    try:
        found = problem()
    finally:
        camera.communicate(timeout=10)
    assert '/other publishes on /detector/input/image' in found.what
    assert 'it is a sensor_msgs/msg/CompressedImage' in found.what
    assert 'image_transport:=compressed' in found.remedy


def test_a_publisher_that_publishes_nothing(detector, peer):
    detector()
    peer.publisher(Image, '/detector/input/image')
    found = problem()
    assert 'no image of it arrives' in found.what


@pytest.mark.parametrize('state', ['unconfigured', 'inactive'])
def test_a_detector_that_is_not_active(detector, state):
    detector(state)
    (found,) = findings()
    assert (found.level, found.remedy.split()[-1]) == (WARNING, 'activate')
    assert f'/detector is {state}' in found.what


def test_a_detector_that_could_not_be_configured(start):
    start(DetectorNode, {'model': 'nowhere'}).trigger_configure()
    found = problem()
    assert "there is no model 'nowhere'" in found.what


def test_no_inference_node(peer):
    found = check_graph(report())
    assert {one.level for one in found} == {NOTE}
    assert '/peer' in found[1].what


def test_the_doctor_hides_from_others(peer):
    assert not [name for name in report()['nodes'] if 'doctor' in name]
    assert report()['domain'] == rclpy.utilities.get_default_context().get_domain_id()


def test_the_command_says_it_and_fails(detector):
    detector()
    done = subprocess.run(
        [sys.executable, '-m', 'jetson_infer.cli.main', 'doctor', '--json'],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    section = json.loads(done.stdout)['sections'][-1]
    assert done.returncode == 1
    assert section['name'] == 'Running nodes'
    assert any('nobody publishes' in finding['what'] for finding in section['findings'])
