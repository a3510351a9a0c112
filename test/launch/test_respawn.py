# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""With respawn:=true a node whose process dies is back, and active, without anybody's doing.

What takes it to unconfigured otherwise, a lost GPU, ends its process then (test_processes.py).
"""

import os
import signal
import tempfile
import unittest
from pathlib import Path

import launch_testing.actions
import launch_testing.markers
import pytest
import rclpy
from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription, RegisterEventHandler
from launch.event_handlers import OnProcessStart
from launch.launch_description_sources import PythonLaunchDescriptionSource
from rcl_interfaces.srv import GetParameters
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2DArray

from brightness_model import write_brightness_model
from ros_peer import Peer, Spinner, image_message, paint, wait_for

PIDS = []
START_S = 60.0


@pytest.mark.launch_test
@launch_testing.markers.keep_alive
def generate_test_description():
    PIDS.clear()
    folder = write_brightness_model(Path(tempfile.mkdtemp()) / 'brightness')
    launch_file = Path(get_package_share_directory('jetson_infer')) / 'launch/detector.launch.py'
    arguments = {'model': str(folder), 'input_image_topic': '/image', 'respawn': 'true'}
    return LaunchDescription(
        [
            RegisterEventHandler(OnProcessStart(on_start=lambda event, _: PIDS.append(event.pid))),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(launch_file)),
                launch_arguments=arguments.items(),
            ),
            launch_testing.actions.ReadyToTest(),
        ]
    )


class TestRespawn(unittest.TestCase):
    def test_it_finds_objects_again_after_its_process_died(self):
        rclpy.init()
        spinner = Spinner()
        peer = Peer(spinner.executor)
        spinner.start()
        heard = peer.hear(Detection2DArray, '/detector/output/detections')
        publisher = peer.node.create_publisher(Image, '/image', 10)
        message = image_message(paint(255, 0, 0))
        peer.node.create_timer(0.05, lambda: publisher.publish(message))
        try:
            for deaths in range(3):
                wait_for(lambda n=deaths: len(PIDS) == n + 1, f'start {deaths + 1}', START_S)
                heard.clear()
                wait_for(lambda: len(heard) > 3, f'detections after {deaths} deaths', START_S)
                if deaths < 2:
                    os.kill(PIDS[-1], signal.SIGKILL)
            assert len(set(PIDS)) == 3
            request = GetParameters.Request(names=['exit_on_fault'])
            told = peer.call(GetParameters, '/detector/get_parameters', request)
            assert told.values[0].bool_value
        finally:
            spinner.stop()
            peer.node.destroy_node()
            rclpy.shutdown()
