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

LISTEN_S = (1.5, 5.0, 15.0)
"""Long enough, and what a busy machine gets where that did not do."""
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


def report(seconds=LISTEN_S[0]):
    done = subprocess.run(
        [sys.executable, '-m', 'jetson_infer.ros.graph_report', '--seconds', str(seconds)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    return json.loads(done.stdout)


def finding(level, *words):
    """Let the doctor look until it says this, and nothing else, of the detector; return it."""
    for seconds in LISTEN_S:
        found = [one for one in check_graph(report(seconds)) if one.check.endswith(':/detector')]
        levels = [one.level for one in found]
        if levels.count(level) == 1 and (level == PROBLEM or len(found) == 1):
            (one,) = (one for one in found if one.level == level)
            if all(word in one.what for word in words):
                return one
    raise AssertionError(found)


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

        def take_one():
            message.header.stamp = peer.node.get_clock().now().to_msg()
            publisher.publish(message)

        timers.append(peer.node.create_timer(0.1, take_one))

    yield publish
    for timer in timers:
        timer.cancel()


def test_a_detector_that_gets_its_images(detector, camera):
    detector()
    camera('/detector/input/image', image_message(paint(255, 0, 0)))
    assert finding(OK).what.startswith('/detector is active: ')


def test_nobody_publishes_but_another_topic_would_do(detector, camera):
    detector()
    camera('/front/image_raw', image_message(paint(255, 0, 0)))
    found = finding(PROBLEM, 'nobody publishes on /detector/input/image', 'have publishers')
    assert found.what.endswith('have publishers: /front/image_raw')


def test_best_effort_does_not_reach_a_reliable_subscription(detector, camera):
    detector(input_qos='reliable')
    camera('/detector/input/image', image_message(paint(255, 0, 0)))
    found = finding(PROBLEM, '/peer publishes on /detector/input/image', 'best effort')
    assert 'input_qos' in found.remedy


def test_another_type_on_the_topic(detector):
    detector()
    # Fast DDS refuses a second type on a topic within one process.
    camera = subprocess.Popen([sys.executable, '-c', OTHER_TYPE], stdin=subprocess.PIPE)
    try:
        found = finding(
            PROBLEM,
            '/other publishes on /detector/input/image',
            'it is a sensor_msgs/msg/CompressedImage',
        )
    finally:
        camera.communicate(timeout=60)
    assert 'image_transport:=compressed' in found.remedy


def test_a_publisher_that_publishes_nothing(detector, peer):
    detector()
    peer.publisher(Image, '/detector/input/image')
    finding(PROBLEM, 'no image of it arrives')


@pytest.mark.parametrize('state', ['unconfigured', 'inactive'])
def test_a_detector_that_is_not_active(detector, state):
    detector(state)
    assert finding(WARNING, f'/detector is {state}').remedy.split()[-1] == 'activate'


def test_a_detector_that_could_not_be_configured(start):
    start(DetectorNode, {'model': 'nowhere'}).trigger_configure()
    finding(PROBLEM, "there is no model 'nowhere'")


def test_no_inference_node(peer):
    for seconds in LISTEN_S:
        found = check_graph(report(seconds))
        if any('/peer' in one.what for one in found):
            break
    assert {one.level for one in found} == {NOTE}
    assert '/peer' in found[1].what


def test_the_doctor_hides_from_others(peer):
    seen = report()
    assert not [name for name in seen['nodes'] if 'doctor' in name]
    assert seen['domain'] == rclpy.utilities.get_default_context().get_domain_id()


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
