# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The launch file brings the node up, in any namespace, with its topics where they are wanted."""

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
from launch.actions import GroupAction, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from lifecycle_msgs.srv import GetState
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2DArray

from brightness_model import write_brightness_model
from ros_peer import Peer, Spinner, image_message, paint, wait_for

START_S = 60.0


def include(**arguments):
    launch_file = Path(get_package_share_directory('jetson_infer')) / 'launch/detector.launch.py'
    included = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(launch_file)), launch_arguments=arguments.items()
    )
    # Without a scope the arguments of one inclusion would hold for the next one too.
    return GroupAction([included])


@pytest.mark.launch_test
@launch_testing.markers.keep_alive
def generate_test_description():
    folder = write_brightness_model(Path(tempfile.mkdtemp()) / 'brightness')
    return LaunchDescription(
        [
            include(model=str(folder), namespace='left', input_image_topic='/left_camera/image'),
            include(
                model=str(folder),
                namespace='right',
                node_name='finder',
                input_image_topic='/right_camera/image',
                log_level='debug',
            ),
            include(model=str(folder), node_name='waiting', autostart='false'),
            launch_testing.actions.ReadyToTest(),
        ]
    )


class TestBringUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rclpy.init()
        cls.spinner = Spinner()
        cls.peer = Peer(cls.spinner.executor)
        cls.spinner.start()

    @classmethod
    def tearDownClass(cls):
        cls.spinner.stop()
        cls.peer.node.destroy_node()
        rclpy.shutdown()

    def state(self, node):
        return self.peer.call(GetState, f'{node}/get_state', GetState.Request()).current_state.label

    def test_1_autostart_activates_and_its_absence_waits(self):
        for node in ('/left/detector', '/right/finder'):
            wait_for(lambda n=node: self.state(n) == 'active', f'{node} active', START_S)
        assert self.state('/waiting') == 'unconfigured'

    def test_2_two_nodes_in_two_namespaces_hear_and_answer_each_on_its_own_topics(self):
        heard = {
            side: self.peer.hear(Detection2DArray, f'/{side}/{node}/output/detections')
            for side, node in (('left', 'detector'), ('right', 'finder'))
        }
        for side, colour in (('left', (255, 0, 0)), ('right', (0, 255, 0))):
            publisher = self.peer.publisher(Image, f'/{side}_camera/image')
            wait_for(lambda p=publisher: p.get_subscription_count() == 1, 'one subscription')
            topic = f'/{side}/{"detector" if side == "left" else "finder"}/output/detections'
            wait_for(lambda t=topic: self.peer.node.count_publishers(t) == 1, topic)
            # Either end may have met the other one only at its own side: the first may go astray.
            image = image_message(paint(*colour), number=1)
            self.peer.node.create_timer(0.2, lambda p=publisher, i=image: p.publish(i))
        for side in ('left', 'right'):
            wait_for(lambda s=side: len(heard[s]) > 2, f'detections on the {side}')
        for side, label in (('left', 'red'), ('right', 'green')):
            for message in heard[side]:
                (detection,) = message.detections
                assert detection.results[0].hypothesis.class_id == label


@launch_testing.post_shutdown_test()
class TestAfterSigint(unittest.TestCase):
    def test_every_process_ended_by_sigint_ends_well(self, proc_info):
        launch_testing.asserts.assertExitCodes(proc_info)

    def test_nothing_is_complained_of(self, proc_output):
        for output in proc_output:
            text = output.text.decode()
            assert 'Traceback' not in text
            assert '[ERROR]' not in text
