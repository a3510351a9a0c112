# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The bundled model, started by the launch file, finds what the bundled recording shows."""

import unittest
from pathlib import Path

import launch_testing.actions
import launch_testing.asserts
import launch_testing.markers
import numpy as np
import pytest
import rclpy
from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import Node
from vision_msgs.msg import Detection2DArray

from ros_peer import Peer, Spinner, wait_for

SECONDS = 6.0
CLEARLY_VISIBLE = 0.6
"""The least visible fraction of an object that has to be found."""


@pytest.mark.launch_test
@launch_testing.markers.keep_alive
def generate_test_description():
    launch_file = Path(get_package_share_directory('jetson_infer')) / 'launch/detector.launch.py'
    detector = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(launch_file)),
        launch_arguments={
            'input_image_topic': '/camera/image_raw',
            'image_transport': 'compressed',
        }.items(),
    )
    player = Node(
        package='jetson_infer',
        executable='recording_player',
        parameters=[
            {
                'recording': 'room_walk',
                'duration_s': SECONDS,
                'wait_for_topics': ['/camera/image_raw/compressed', '/ground_truth/detections'],
                'wait_timeout_s': 60.0,
            }
        ],
        output='screen',
    )
    return LaunchDescription([detector, player, launch_testing.actions.ReadyToTest()])


def objects(message):
    """Return labels, scores and corners of a message's boxes."""
    for detection in message.detections:
        box, best = detection.bbox, detection.results[0].hypothesis
        centre = np.array([box.center.position.x, box.center.position.y])
        half = np.array([box.size_x, box.size_y]) / 2
        yield best.class_id, best.score, np.concatenate([centre - half, centre + half])


def overlap(one, other):
    """Return the intersection over union of two boxes."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    common = np.prod(np.maximum(high - low, 0))
    return common / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - common)


def stamp(message):
    return message.header.stamp.sec, message.header.stamp.nanosec


class TestAgainstGroundTruth(unittest.TestCase):
    def test_what_is_clearly_visible_is_found_at_its_place(self, proc_info):
        rclpy.init()
        spinner = Spinner()
        peer = Peer(spinner.executor)
        spinner.start()
        found = peer.hear(Detection2DArray, '/detector/output/detections')
        truth = peer.hear(Detection2DArray, '/ground_truth/detections', reliable=False)
        try:
            proc_info.assertWaitForShutdown(process='recording_player', timeout=110)
            expected = int(SECONDS * 10)
            wait_for(lambda: len(found) >= expected * 0.5, 'detections of half of the frames')
        finally:
            spinner.stop()
            peer.node.destroy_node()
            rclpy.shutdown()
        answers = {stamp(message): list(objects(message)) for message in found}
        wanted = hit = 0
        for message in truth:
            if stamp(message) not in answers:
                continue  # a busy machine skips frames; how many is the business of other tests
            for label, visible, box in objects(message):
                if visible < CLEARLY_VISIBLE or min(box[2:] - box[:2]) < 24:
                    continue
                wanted += 1
                hit += any(
                    other == label and overlap(box, place) > 0.5
                    for other, _, place in answers[stamp(message)]
                )
        assert wanted > 50
        assert hit / wanted > 0.75


@launch_testing.post_shutdown_test()
class TestAfterwards(unittest.TestCase):
    def test_exit_codes(self, proc_info):
        launch_testing.asserts.assertExitCodes(proc_info)
