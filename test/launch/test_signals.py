# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""SIGINT and SIGTERM end the node cleanly, with frames in work."""

import os
import signal
import tempfile
import unittest
from pathlib import Path

import launch_testing.actions
import launch_testing.asserts
import launch_testing.markers
import pytest
import rclpy
from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription, RegisterEventHandler
from launch.event_handlers import OnProcessExit, OnProcessStart
from launch.launch_description_sources import PythonLaunchDescriptionSource
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2DArray

from brightness_model import write_brightness_model
from ros_peer import Peer, Spinner, image_message, paint, wait_for

PIDS = []
EXITS = []


@pytest.mark.launch_test
@launch_testing.parametrize('signal_number', [signal.SIGINT, signal.SIGTERM])
@launch_testing.markers.keep_alive
def generate_test_description(signal_number):
    PIDS.clear()
    EXITS.clear()
    folder = write_brightness_model(Path(tempfile.mkdtemp()) / 'brightness')
    launch_file = Path(get_package_share_directory('jetson_infer')) / 'launch/detector.launch.py'
    return LaunchDescription(
        [
            RegisterEventHandler(OnProcessStart(on_start=lambda event, _: PIDS.append(event.pid))),
            RegisterEventHandler(
                OnProcessExit(on_exit=lambda event, _: EXITS.append(event.returncode))
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(launch_file)),
                launch_arguments={'model': str(folder), 'input_image_topic': '/image'}.items(),
            ),
            launch_testing.actions.ReadyToTest(),
        ]
    )


class TestSignal(unittest.TestCase):
    def test_the_signal_ends_a_busy_node_at_once(self, signal_number):
        rclpy.init()
        spinner = Spinner()
        peer = Peer(spinner.executor)
        spinner.start()
        heard = peer.hear(Detection2DArray, '/detector/output/detections')
        publisher = peer.node.create_publisher(Image, '/image', 10)
        message = image_message(paint(255, 0, 0))
        peer.node.create_timer(0.005, lambda: publisher.publish(message))
        try:
            wait_for(lambda: len(heard) > 10, 'ten detections', 60.0)
            (pid,) = PIDS
            os.kill(pid, signal_number)
            wait_for(lambda: EXITS, f'the end of the node after {signal_number.name}')
            assert EXITS == [0]
        finally:
            spinner.stop()
            peer.node.destroy_node()
            rclpy.shutdown()


@launch_testing.post_shutdown_test()
class TestAfterwards(unittest.TestCase):
    def test_nothing_is_complained_of(self, proc_output):
        for output in proc_output:
            text = output.text.decode()
            assert 'Traceback' not in text
            assert '[ERROR]' not in text
