# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes become active by the answers of their services, whatever launch hears on their topics.

The nodes here have no ``transition_event`` at all: to launch that is the same as having published
on it before the two have met.
"""

import re
import sys
import tempfile
import unittest
from pathlib import Path

import launch_testing.actions
import launch_testing.asserts
import launch_testing.markers
import pytest
from launch import LaunchDescription
from launch.actions import OpaqueFunction
from launch_ros.actions import LifecycleNode

from jetson_infer.ros.autostart import autostart, on_not_activated

SILENT_NODE = """
import sys
import rclpy
from lifecycle_msgs.srv import ChangeState

def answer(request, response):
    response.success = str(request.transition.id) != sys.argv[1]
    print(f'asked for {request.transition.id}, answered {response.success}', flush=True)
    return response

rclpy.init(args=sys.argv)
node = rclpy.create_node('to_be_renamed')
node.create_service(ChangeState, '~/change_state', answer)
try:
    rclpy.spin(node)
except (KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
    pass
"""
CONFIGURE, ACTIVATE = 1, 3  # lifecycle_msgs/Transition

NOTED = []


def note(context):
    NOTED.append((context.locals.event.node_name, context.locals.event.participle))


def silent_node(script, name, refuses):
    return LifecycleNode(
        executable=sys.executable,
        name=name,
        namespace='left',
        output='screen',
        arguments=[str(script), str(refuses)],
    )


@pytest.mark.launch_test
@launch_testing.markers.keep_alive
def generate_test_description():
    script = Path(tempfile.mkdtemp()) / 'silent_node.py'
    script.write_text(SILENT_NODE)
    nodes = {
        'willing': silent_node(script, 'willing', 0),
        'unfit': silent_node(script, 'unfit', CONFIGURE),
        'lazy': silent_node(script, 'lazy', ACTIVATE),
    }
    description = LaunchDescription(
        [
            on_not_activated([OpaqueFunction(function=note)]),
            *(item for node in nodes.values() for item in (*autostart(node), node)),
            launch_testing.actions.ReadyToTest(),
        ]
    )
    return description, nodes


class TestAutostart(unittest.TestCase):
    def wait_for(self, proc_output, node, line):
        proc_output.assertWaitFor(line, node, timeout=60, stream='stdout')

    def test_a_node_is_configured_and_activated(self, proc_output, willing):
        self.wait_for(proc_output, willing, f'asked for {ACTIVATE}, answered True')

    def test_one_may_refuse_to_be_configured(self, proc_output, unfit):
        self.wait_for(proc_output, unfit, f'asked for {CONFIGURE}, answered False')

    def test_one_may_refuse_to_be_activated(self, proc_output, lazy):
        self.wait_for(proc_output, lazy, f'asked for {ACTIVATE}, answered False')


@launch_testing.post_shutdown_test()
class TestAfterwards(unittest.TestCase):
    def test_each_was_asked_what_it_had_to_be_and_nothing_twice(
        self, proc_output, willing, unfit, lazy
    ):
        def asked(node):
            text = ''.join(output.text.decode() for output in proc_output[node])
            return re.findall(r'asked for (\d), answered (True|False)', text)

        assert asked(willing) == [('1', 'True'), ('3', 'True')]
        assert asked(unfit) == [('1', 'False')]
        assert asked(lazy) == [('1', 'True'), ('3', 'False')]

    def test_launch_heard_of_those_that_are_not_active(self):
        assert sorted(NOTED) == [('/left/lazy', 'activated'), ('/left/unfit', 'configured')]
