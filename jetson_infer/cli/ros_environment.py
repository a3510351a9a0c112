# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 around the command line: whether there is one, and the environment of its processes."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from jetson_infer.errors import JetsonInferError

__all__ = [
    'NoRosError',
    'launch_command',
    'node_command',
    'node_environment',
    'require_ros',
    'share_file',
]

NEEDED = ('rclpy', 'launch_ros', 'vision_msgs')


class NoRosError(JetsonInferError):
    """The environment has no ROS 2, or not the parts of it that are needed."""


def require_ros(modules: Sequence[str] = NEEDED) -> None:
    """Check that ROS 2 and this package are there.

    :raises NoRosError: if they are not, with what to do.
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        distro = os.environ.get('ROS_DISTRO')
        if distro:
            packages = ' '.join(f'ros-{distro}-{name.replace("_", "-")}' for name in missing)
            raise NoRosError(
                f'the ROS 2 of this shell ({distro}) lacks {", ".join(missing)}, or '
                f'{sys.executable} is not the Python it was made for; '
                f'install it: sudo apt install {packages}'
            )
        raise NoRosError(
            'there is no ROS 2 in this shell. Where one is installed, source it and the workspace '
            'that holds jetson_infer:  . /opt/ros/humble/setup.bash && . install/setup.bash\n'
            'Where none is, `make demo` in the source tree sets one up in a sandbox, and '
            '`make shell` opens a shell in it.'
        )


def launch_command(name: str, arguments: Mapping[str, object]) -> list[str]:
    """Return the command that runs one of the package's launch files.

    :param name: such as ``demo.launch.py``.
    :param arguments: the launch arguments; those that are None are left out.
    :raises NoRosError: if the package is not installed where ROS 2 looks.
    """
    given = [f'{key}:={value}' for key, value in arguments.items() if value is not None]
    path = str(share_file(f'launch/{name}'))
    return [sys.executable, '-m', 'jetson_infer.ros.launch_file', path, *given]


def node_command(module: str, ros_arguments: Sequence[str]) -> list[str]:
    """Return the command that runs one of the package's nodes in this Python.

    :param module: of ``jetson_infer.ros``, such as ``recording_player_node``.
    :param ros_arguments: what follows ``--ros-args``.
    """
    return [sys.executable, '-m', f'jetson_infer.ros.{module}', '--ros-args', *ros_arguments]


def node_environment(log_folder: Path | None = None) -> dict[str, str]:
    """Return the environment for child processes: this one's, with output that is not held back.

    :param log_folder: where ROS writes its own log files, unless the user has chosen.
    """
    environment = dict(os.environ)
    environment['PYTHONUNBUFFERED'] = '1'
    if log_folder is not None:
        environment.setdefault('ROS_LOG_DIR', str(log_folder))
        environment.setdefault('RCUTILS_COLORIZED_OUTPUT', '0')
    return environment


def share_file(relative: str) -> Path:
    """Return a file of the installed package, by its path within the share folder.

    :raises NoRosError: if the package is not installed where ROS 2 looks.
    """
    prefixes = [p for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    for prefix in prefixes:
        path = Path(prefix, 'share', 'jetson_infer', relative)
        if path.is_file():
            return path
    raise NoRosError(
        f'share/jetson_infer/{relative} is in none of the {len(prefixes)} folders of '
        'AMENT_PREFIX_PATH: the package is not built, or its workspace is not sourced; '
        'build it with colcon and source install/setup.bash, or use `make shell`'
    )
