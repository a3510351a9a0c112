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
from ros_peer import wait_for

SILENT_NODE = """
import sys
import rclpy
from lifecycle_msgs.srv import ChangeState, GetState

REFUSED, LOST = map(int, sys.argv[1:3])
state = 1
asked = []

def change(request, response):
    global state
    number = request.transition.id
    asked.append(number)
    response.success = number != REFUSED
    if response.success:
        state = {1: 2, 3: 3}[number]
    print(f'asked for {number}, answered {response.success}', flush=True)
    return response

def tell(request, response):
    response.current_state.id = state
    return response

def send(response, header):
    if asked.count(asked[-1]) == 1 and asked[-1] == LOST:
        print('its answer is lost', flush=True)
    else:
        really_send(response, header)

rclpy.init(args=sys.argv)
node = rclpy.create_node('to_be_renamed')
service = node.create_service(ChangeState, '~/change_state', change)
really_send, service.send_response = service.send_response, send
node.create_service(GetState, '~/get_state', tell)
try:
    rclpy.spin(node)
except (KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
    pass
"""
CONFIGURE, ACTIVATE = 1, 3  # lifecycle_msgs/Transition

NOTED = []
NOT_ACTIVE = [
    ('/left/lazy', 'activated'),
    ('/left/twice_unfit', 'configured'),
    ('/left/unfit', 'configured'),
]


def note(context):
    NOTED.append((context.locals.event.node_name, context.locals.event.participle))


def silent_node(script, name, refuses=0, loses=0):
    return LifecycleNode(
        executable=sys.executable,
        name=name,
        namespace='left',
        output='screen',
        arguments=[str(script), str(refuses), str(loses)],
    )


@pytest.mark.launch_test
@launch_testing.markers.keep_alive
def generate_test_description():
    script = Path(tempfile.mkdtemp()) / 'silent_node.py'
    script.write_text(SILENT_NODE)
    nodes = {
        'willing': silent_node(script, 'willing'),
        'unfit': silent_node(script, 'unfit', refuses=CONFIGURE),
        'lazy': silent_node(script, 'lazy', refuses=ACTIVATE),
        'unheard': silent_node(script, 'unheard', loses=CONFIGURE),
        'twice_unfit': silent_node(script, 'twice_unfit', refuses=CONFIGURE, loses=CONFIGURE),
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
    def wait_for(self, proc_output, node, *lines):
        for line in lines:
            proc_output.assertWaitFor(line, node, timeout=60, stream='stdout')

    def test_a_node_is_configured_and_activated(self, proc_output, willing):
        self.wait_for(proc_output, willing, f'asked for {ACTIVATE}, answered True')

    def test_one_may_refuse_to_be_configured(self, proc_output, unfit):
        self.wait_for(proc_output, unfit, f'asked for {CONFIGURE}, answered False')

    def test_one_may_refuse_to_be_activated(self, proc_output, lazy):
        self.wait_for(proc_output, lazy, f'asked for {ACTIVATE}, answered False')

    def test_one_whose_answer_is_lost_is_activated_all_the_same(self, proc_output, unheard):
        lines = ('its answer is lost', f'asked for {ACTIVATE}, answered True')
        self.wait_for(proc_output, unheard, *lines)

    def test_a_refusal_that_is_lost_is_heard_at_last(self, proc_output, twice_unfit):
        self.wait_for(proc_output, twice_unfit, 'its answer is lost')
        wait_for(lambda: ('/left/twice_unfit', 'configured') in NOTED, 'the refusal', 60.0)

    def test_launch_hears_of_each_that_is_not_active(self):
        # A node prints that it refused before launch hears of it; only then may the launch end.
        wait_for(lambda: set(NOTED) >= set(NOT_ACTIVE), 'news of every refusal', 60.0)


@launch_testing.post_shutdown_test()
class TestAfterwards(unittest.TestCase):
    def test_each_was_asked_what_it_had_to_be(
        self, proc_output, willing, unfit, lazy, unheard, twice_unfit
    ):
        def asked(node):
            text = ''.join(output.text.decode() for output in proc_output[node])
            return re.findall(r'asked for (\d), answered (True|False)', text)

        assert asked(willing) == asked(unheard) == [('1', 'True'), ('3', 'True')]
        assert asked(unfit) == [('1', 'False')]
        assert asked(twice_unfit) == [('1', 'False'), ('1', 'False')]
        assert asked(lazy) == [('1', 'True'), ('3', 'False')]

    def test_launch_heard_of_those_that_are_not_active(self):
        assert sorted(NOTED) == NOT_ACTIVE
