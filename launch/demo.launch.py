# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Play a recording to a detector and write down what it publishes; ends with the recording.

`jetson-infer demo` runs this and makes a live view and a report of it.  By itself:

ros2 launch jetson_infer demo.launch.py recording:=room_walk rate:=1.0
"""

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.event_handlers import OnStateTransition
from launch_ros.substitutions import FindPackageShare

from jetson_infer.ros.autostart import on_not_activated
from jetson_infer.ros.transport_profiles import transport_profiles

SHARE = FindPackageShare('jetson_infer')

ARGUMENTS = (
    DeclareLaunchArgument(
        'recording', default_value='room_walk', description='rosbag2 folder, or an installed name.'
    ),
    DeclareLaunchArgument(
        'image_topic',
        default_value='/camera/image_raw',
        description="The camera's raw topic; a compressed one is found beside it.",
    ),
    DeclareLaunchArgument(
        'image_transport',
        default_value='compressed',
        choices=['raw', 'compressed'],
        description='How the recording holds the images.',
    ),
    DeclareLaunchArgument(
        'model', default_value='', description='Model folder or name; empty: as params_file says.'
    ),
    DeclareLaunchArgument(
        'params_file',
        default_value=PathJoinSubstitution([SHARE, 'config', 'demo.yaml']),
        description='Parameters of the detector.',
    ),
    DeclareLaunchArgument(
        'rate', default_value='1.0', description='How much faster than recorded.'
    ),
    DeclareLaunchArgument(
        'start_offset', default_value='0.0', description='What is left out at the beginning, in s.'
    ),
    DeclareLaunchArgument(
        'duration', default_value='0.0', description='How much is played, in s; 0 for all.'
    ),
    DeclareLaunchArgument(
        'events_file',
        default_value='',
        description='Where the observer writes; empty: standard output.',
    ),
    DeclareLaunchArgument(
        'log_level',
        default_value='info',
        choices=['debug', 'info', 'warn', 'error', 'fatal'],
        description='Log level of the nodes.',
    ),
)

START_LIMIT_S = 120.0
"""How long the player waits for the detector to be active."""

HANDED_ON = ('model', 'params_file', 'image_transport', 'log_level')


def detector():
    """Return the detector's own launch file, on the recording's camera."""
    arguments = {name: LaunchConfiguration(name) for name in HANDED_ON}
    arguments['input_image_topic'] = LaunchConfiguration('image_topic')
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(
            PathJoinSubstitution([SHARE, 'launch', 'detector.launch.py'])
        ),
        launch_arguments=arguments.items(),
    )


def player_and_observer(context):
    """Return the player, which waits for the detector, and the observer, which ends it all."""
    values = {a.name: LaunchConfiguration(a.name).perform(context) for a in ARGUMENTS}
    # The detector subscribes when it is activated: its subscription says that it is ready.
    compressed = '/compressed' if values['image_transport'] == 'compressed' else ''
    player = Node(
        package='jetson_infer',
        executable='recording_player',
        name='recording_player',
        output='screen',
        parameters=[
            {
                'recording': values['recording'],
                'rate': float(values['rate']),
                'start_offset_s': float(values['start_offset']),
                'duration_s': float(values['duration']),
                'wait_for_topics': [values['image_topic'] + compressed],
                'wait_for_observers': 1,
                'wait_timeout_s': START_LIMIT_S,
            }
        ],
        arguments=['--ros-args', '--log-level', values['log_level']],
    )
    observer = Node(
        package='jetson_infer',
        executable='demo_observer',
        name='demo_observer',
        output='screen',
        parameters=[{'events_file': values['events_file'], 'detector': '/detector'}],
        remappings=[
            ('detections', '/detector/output/detections'),
            ('player_status', '/recording_player/status'),
        ],
        arguments=['--ros-args', '--log-level', values['log_level']],
    )
    return [player, observer, *endings(observer)]


def endings(observer):
    """Return what ends the demo: the observer's end, and a detector that cannot start."""
    return [
        RegisterEventHandler(
            OnProcessExit(
                target_action=observer,
                on_exit=[EmitEvent(event=Shutdown(reason='the recording was played'))],
            )
        ),
        on_not_activated([EmitEvent(event=Shutdown(reason='the detector could not be started'))]),
        RegisterEventHandler(
            OnStateTransition(
                goal_state='errorprocessing',
                entities=[EmitEvent(event=Shutdown(reason='the detector met an error'))],
            )
        ),
    ]


def generate_launch_description():
    """Describe the launch."""
    return LaunchDescription(
        [
            *ARGUMENTS,
            *transport_profiles(),
            detector(),
            OpaqueFunction(function=player_and_observer),
        ]
    )
