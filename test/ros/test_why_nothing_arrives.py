# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Each cause of silence is produced over real DDS; the node names it within five seconds.

The seconds are counted by the reports that the node makes, one a second, so that a busy machine,
on which all takes longer, comes to the same result.
"""

import time

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image

from brightness_model import write_brightness_model
from detector_bench import Bench
from jetson_infer.ros.detector_node import DetectorNode
from ros_peer import image_message, paint, wait_for

TOPIC = '/detector/input/image'
NAMED_WITHIN_REPORTS = 5


def assert_named(bench, cause, *words):
    """Wait for the cause on /diagnostics; it is in one of the active node's first reports."""
    status, _ = bench.status(lambda _, values: values.get('cause') == cause)
    named = [values['cause'] for _, values in bench.reports() if values['state'] == 'active']
    assert named.index(cause) < NAMED_WITHIN_REPORTS
    for word in words:
        assert word in status.message
    assert status.level in (DiagnosticStatus.WARN, DiagnosticStatus.ERROR)


@pytest.fixture
def bench(start, peer, model_folder):
    return Bench(start, peer, model_folder)


def fresh_image(peer, colour=(0, 0, 0), **changes):
    message = image_message(paint(*colour), **changes)
    message.header.stamp = peer.node.get_clock().now().to_msg()
    return message


def test_no_publisher_and_where_such_images_are(bench, peer):
    assert_named(bench, 'no_publisher', TOPIC, 'nothing in this ROS domain publishes')
    peer.node.create_publisher(Image, '/elsewhere/image', 10)
    bench.forget()
    bench.status(lambda status, _: '/elsewhere/image' in status.message)


def test_a_publisher_of_another_type(bench, peer):
    # From a participant of its own: within one the middleware refuses a second type on a topic.
    context = rclpy.Context()
    rclpy.init(context=context)
    other = rclpy.create_node('other', context=context)
    other.create_publisher(CompressedImage, TOPIC, 10)
    assert_named(bench, 'wrong_type', '/other', 'CompressedImage', 'image_transport')
    other.destroy_node()
    rclpy.shutdown(context=context)


def test_a_publisher_with_another_qos(start, peer, model_folder):
    bench = Bench(start, peer, model_folder, input_qos='reliable')
    profile = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    peer.node.create_publisher(Image, TOPIC, profile)
    assert_named(bench, 'incompatible_qos', 'best-effort', 'sensor_data')


def test_a_publisher_with_another_qos_beside_one_that_is_heard(start, peer, model_folder, capfd):
    bench = Bench(start, peer, model_folder, input_qos='reliable')
    bench.infer(fresh_image(peer))
    peer.node.create_timer(0.1, lambda: bench.send(fresh_image(peer)))
    profile = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    bench.forget()
    other = peer.node.create_publisher(Image, TOPIC, profile)
    assert_named(bench, 'incompatible_qos', 'best-effort', 'only /peer can be heard')
    bench.forget()
    # For as long as it is there, and no longer; it is not taken for rejected frames.
    wait_for(lambda: len(list(bench.reports())) > 7, 'reports')
    assert {values['cause'] for _, values in bench.reports()} == {'incompatible_qos'}
    peer.node.destroy_publisher(other)
    bench.status(lambda _, values: not values['cause'])
    assert bench.counters()['rejected'] == 0
    assert capfd.readouterr().err.count('offering incompatible QoS') == 0, (
        "rclpy's line beside ours"
    )


def test_a_publisher_that_is_silent(bench, peer):
    peer.publisher(Image, TOPIC)
    assert_named(bench, 'silent_publisher', '/peer', TOPIC)


def test_a_publisher_that_stops_and_comes_back(bench, peer):
    bench.infer(fresh_image(peer))
    bench.forget()
    assert_named(bench, 'silent_publisher')
    peer.node.create_timer(0.05, lambda: bench.send(fresh_image(peer)))
    bench.forget()
    bench.status(lambda status, values: not values['cause'] and 'frames/s' in status.message)


def test_an_encoding_that_is_not_known(bench, peer):
    peer.node.create_timer(0.1, lambda: bench.send(fresh_image(peer, encoding='rainbow8')))
    assert_named(bench, 'rejected', 'rainbow8')


def test_images_that_are_too_old(start, peer, model_folder):
    bench = Bench(start, peer, model_folder, stale_after_ms=200.0)

    def send_late():
        message = fresh_image(peer)
        message.header.stamp.sec -= 3
        bench.send(message)

    peer.node.create_timer(0.1, send_late)
    assert_named(bench, 'stale', 'stale_after_ms is 200')


@pytest.mark.parametrize(
    ('seconds', 'words'), [(-400_000_000, 'before this node'), (3600, 'future')]
)
def test_stamps_of_another_clock(start, peer, model_folder, seconds, words):
    bench = Bench(start, peer, model_folder, stale_after_ms=200.0)

    def send():
        message = fresh_image(peer)
        message.header.stamp.sec += seconds
        bench.send(message)

    peer.node.create_timer(0.1, send)
    assert_named(bench, 'foreign_clock', words)


def test_stamps_of_another_clock_though_no_image_is_left_out_for_them(bench, peer):
    def send():
        message = fresh_image(peer)
        message.header.stamp.sec -= 400_000_000
        bench.send(message)

    peer.node.create_timer(0.1, send)
    assert_named(bench, 'foreign_clock', 'before this node', 'use_sim_time')
    assert bench.counters()['stale'] == 0


def test_a_driver_that_stamps_every_image_alike(bench, peer):
    message = fresh_image(peer)
    peer.node.create_timer(0.1, lambda: bench.send(message))
    assert_named(bench, 'repeated_stamps', '/peer', 'processed')
    wait_for(lambda: bench.detections, 'detections')


@pytest.mark.parametrize('parameters', [{}, {'stale_after_ms': 200.0}])
def test_a_driver_that_does_not_stamp(start, peer, model_folder, parameters):
    bench = Bench(start, peer, model_folder, **parameters)
    message = image_message(paint(0, 0, 0))
    message.header.stamp.sec = 0
    peer.node.create_timer(0.1, lambda: bench.send(message))
    assert_named(bench, 'unstamped', *parameters)


def test_two_cameras_on_one_topic(bench, peer):
    second = peer.node.create_publisher(Image, TOPIC, 10)
    lagging = fresh_image(peer)

    def send():
        bench.send(fresh_image(peer))
        second.publish(lagging)
        lagging.header.stamp.nanosec = (lagging.header.stamp.nanosec + 1_000) % 1_000_000_000

    peer.node.create_timer(0.1, send)
    assert_named(bench, 'backwards_stamps', '2 publishers', 'remap')


def test_a_simulated_clock_that_stands_still(start, peer, model_folder):
    bench = Bench(start, peer, model_folder, use_sim_time=True)
    clock = peer.node.create_publisher(Clock, '/clock', 1)
    message = Clock()
    message.clock.sec = 100
    wait_for(lambda: clock.get_subscription_count() >= 1, 'a subscription to /clock')
    clock.publish(message)
    peer.publisher(Image, TOPIC)
    assert_named(bench, 'clock_stands', 'use_sim_time')


def test_a_network_slower_than_the_camera(start, peer, tmp_path):
    folder = write_brightness_model(tmp_path / 'slow', layers=160, size=(640, 480))
    bench = Bench(start, peer, folder)
    peer.node.create_timer(0.005, lambda: bench.send(fresh_image(peer)))
    assert_named(bench, 'too_slow', 'smaller variant')


def test_an_inactive_node_says_how_to_activate_it(bench):
    bench.node.trigger_deactivate()
    bench.forget()
    bench.status(
        lambda status, values: (
            values['state'] == 'inactive'
            and 'ros2 lifecycle set /detector activate' in status.message
        )
    )


def test_a_node_that_could_not_be_configured_says_why(start, peer):
    node = start(DetectorNode, {'model': '/no/such/model'})
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    bench = Bench.__new__(Bench)
    bench.listen(peer, node)
    status, values = bench.status(lambda status, _: status.level == DiagnosticStatus.ERROR)
    assert '/no/such/model' in status.message
    assert values['state'] == 'unconfigured'


def test_a_cause_is_logged_once_when_it_begins(bench, capfd):
    assert_named(bench, 'no_publisher')
    bench.forget()
    wait_for(lambda: len(list(bench.reports())) > 2, 'more reports')
    assert capfd.readouterr().err.count('no publisher on') == 1


def test_a_cause_that_comes_and_goes_is_logged_once_a_minute(bench, peer, capfd):
    began = time.monotonic()
    for _ in range(3):
        bench.forget()
        bench.status(lambda _, values: values['cause'] == 'no_publisher')
        publisher = peer.node.create_publisher(Image, TOPIC, 10)
        bench.forget()
        bench.status(lambda _, values: values['cause'] != 'no_publisher')
        peer.node.destroy_publisher(publisher)
    most = 1 + (time.monotonic() - began) // 60.0
    assert 1 <= capfd.readouterr().err.count('no publisher on') <= most
