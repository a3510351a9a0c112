# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Start the detector, configure and activate it.

ros2 launch jetson_infer detector.launch.py input_image_topic:=/camera/image_raw
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode
from launch_ros.substitutions import FindPackageShare

from jetson_infer.ros.autostart import autostart
from jetson_infer.ros.transport_profiles import transport_profiles

SHARE = FindPackageShare('jetson_infer')

ARGUMENTS = (
    DeclareLaunchArgument(
        'params_file',
        default_value=PathJoinSubstitution([SHARE, 'config', 'detector.yaml']),
        description='Parameters of the node.',
    ),
    DeclareLaunchArgument('namespace', default_value='', description='Namespace of the node.'),
    DeclareLaunchArgument('node_name', default_value='detector', description='Name of the node.'),
    DeclareLaunchArgument(
        'model',
        default_value='',
        description='Model folder or name; empty: as the parameter file says.',
    ),
    DeclareLaunchArgument(
        'input_image_topic',
        default_value='image_raw',
        description='Topic of the raw images; compressed ones are found beside it.',
    ),
    DeclareLaunchArgument(
        'image_transport',
        default_value='',
        choices=['', 'raw', 'compressed'],
        description='How images come; empty: as the parameter file says.',
    ),
    DeclareLaunchArgument(
        'autostart',
        default_value='true',
        choices=['true', 'false'],
        description='Configure and activate the node; false leaves that to a lifecycle manager.',
    ),
    DeclareLaunchArgument(
        'respawn',
        default_value='false',
        choices=['true', 'false'],
        description='Start the node again, and with autostart activate it, when its process ends; '
        'a fault then ends it (parameter exit_on_fault).',
    ),
    DeclareLaunchArgument(
        'use_sim_time',
        default_value='false',
        choices=['true', 'false'],
        description='Take the time from /clock.',
    ),
    DeclareLaunchArgument(
        'log_level',
        default_value='info',
        choices=['debug', 'info', 'warn', 'error', 'fatal'],
        description='Log level of the node.',
    ),
)


def detector(context):
    """Return the node, with the parameters that were given on the command line."""
    given = {name: LaunchConfiguration(name).perform(context) for name in OVERRIDES}
    respawn = LaunchConfiguration('respawn').perform(context) == 'true'
    parameters = [
        LaunchConfiguration('params_file'),
        {name: value for name, value in given.items() if value},
        {'use_sim_time': LaunchConfiguration('use_sim_time').perform(context) == 'true'},
        {'exit_on_fault': True} if respawn else {},
    ]
    node = LifecycleNode(
        package='jetson_infer',
        executable='detector',
        name=LaunchConfiguration('node_name'),
        namespace=LaunchConfiguration('namespace'),
        output='screen',
        respawn=respawn,
        respawn_delay=RESPAWN_DELAY_S,
        parameters=[item for item in parameters if item],
        remappings=[('~/input/image', LaunchConfiguration('input_image_topic'))],
        arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')],
    )
    if LaunchConfiguration('autostart').perform(context) == 'true':
        return [*autostart(node), node]
    return [node]


OVERRIDES = ('model', 'image_transport')
RESPAWN_DELAY_S = 2.0


def generate_launch_description():
    """Describe the launch."""
    return LaunchDescription([*ARGUMENTS, *transport_profiles(), OpaqueFunction(function=detector)])
