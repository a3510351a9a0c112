# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 of this shell: whether there is one, and whether processes in it find each other."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from jetson_infer.toolchain.doctor.findings import NOTE, OK, PROBLEM, WARNING, Finding

__all__ = ['check_ros', 'domain_of', 'prefixes', 'rmw_of', 'stays_here']

DISTRIBUTIONS = ('humble', 'jazzy')
DEFAULT_RMW = 'rmw_fastrtps_cpp'
HIGHEST_DOMAIN = 232
"""The ports of higher ones lie beyond 65535."""

HIGHEST_SAFE_DOMAIN = 101
"""The ports of higher ones may be taken: Linux hands out ports from 32768 on."""

DAEMON_PORT = 11511
PACKAGE_MARK = 'share/ament_index/resource_index/packages'


def check_ros(
    environment: Mapping[str, str],
    has_module: Callable[[str], bool] | None = None,
    listens: Callable[[int], bool] | None = None,
) -> list[Finding]:
    """Look at the ROS 2 that this shell has sourced.

    :param environment: the variables of the shell.
    :param has_module: whether this Python finds a module; asked of Python unless given.
    :param listens: whether something listens on a local TCP port; tried unless given.
    """
    if not environment.get('ROS_DISTRO') and not environment.get('AMENT_PREFIX_PATH'):
        return [
            Finding(
                WARNING,
                'ros.distribution',
                'there is no ROS 2 in this shell: the toolchain works, nodes do not',
                '. /opt/ros/humble/setup.bash && . install/setup.bash   (without a ROS 2: '
                '`make shell` in the source tree)',
            )
        ]
    has_module = has_module or (lambda name: importlib.util.find_spec(name) is not None)
    return [
        _distribution(environment),
        *_python(environment, has_module),
        *_packages(environment),
        *_domain(environment, listens or _listens),
        *_discovery(environment),
    ]


def prefixes(environment: Mapping[str, str]) -> list[Path]:
    """Return the folders of AMENT_PREFIX_PATH."""
    listed = environment.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    return [Path(prefix) for prefix in listed if prefix]


def rmw_of(environment: Mapping[str, str]) -> str:
    """Return the name of the RMW in use."""
    return environment.get('RMW_IMPLEMENTATION') or DEFAULT_RMW


def domain_of(environment: Mapping[str, str]) -> int | None:
    """Return the ROS domain; None if the variable holds none."""
    text = environment.get('ROS_DOMAIN_ID', '').strip() or '0'
    return int(text) if text.isdecimal() and int(text) <= HIGHEST_DOMAIN else None


def stays_here(environment: Mapping[str, str]) -> bool:
    """Tell whether processes talk to this machine's alone."""
    return _reach(environment) in ('LOCALHOST', 'OFF') and not environment.get('ROS_STATIC_PEERS')


def _distribution(environment: Mapping[str, str]) -> Finding:
    name = environment.get('ROS_DISTRO', '')
    if name in DISTRIBUTIONS:
        return Finding(OK, 'ros.distribution', f'ROS 2 {name}')
    tested = ' and '.join(DISTRIBUTIONS)
    if name:
        return Finding(NOTE, 'ros.distribution', f'ROS 2 {name}; tested are {tested}')
    return Finding(
        WARNING,
        'ros.distribution',
        'AMENT_PREFIX_PATH is set and ROS_DISTRO is not: ROS 2 is sourced in part',
        '. /opt/ros/humble/setup.bash',
    )


def _python(environment: Mapping[str, str], has_module: Callable[[str], bool]) -> Iterator[Finding]:
    distro = environment.get('ROS_DISTRO') or 'humble'
    missing = [
        name
        for name in ('rclpy', 'sensor_msgs', 'vision_msgs', 'diagnostic_msgs', 'launch_ros')
        if not has_module(name)
    ]
    if not missing:
        yield Finding(OK, 'ros.python', 'this Python finds rclpy and the message packages')
    elif 'rclpy' in missing:
        version = '.'.join(map(str, sys.version_info[:2]))
        yield Finding(
            PROBLEM,
            'ros.python',
            f'{sys.executable} (Python {version}) does not find rclpy: it is not the Python that '
            f'ROS 2 {distro} was made for, or its setup file was not sourced in this shell',
            f'. /opt/ros/{distro}/setup.bash, and leave virtual environments of another Python',
        )
    else:
        packages = ' '.join(f'ros-{distro}-{name.replace("_", "-")}' for name in missing)
        yield Finding(
            PROBLEM,
            'ros.python',
            f'this Python does not find {", ".join(missing)}',
            f'sudo apt install {packages}',
        )


def _packages(environment: Mapping[str, str]) -> Iterator[Finding]:
    searched = prefixes(environment)
    place = _place('jetson_infer', searched)
    if place:
        yield Finding(OK, 'ros.package', f'jetson_infer is installed in {place}')
    else:
        yield Finding(
            PROBLEM,
            'ros.package',
            f'ROS 2 does not find jetson_infer in any of the {len(searched)} folders of '
            'AMENT_PREFIX_PATH, so ros2 run and ros2 launch do not either',
            'colcon build --packages-select jetson_infer && . install/setup.bash',
        )
    rmw = rmw_of(environment)
    asked = 'RMW_IMPLEMENTATION' if environment.get('RMW_IMPLEMENTATION') else 'the default'
    if _place(rmw, searched):
        yield Finding(OK, 'ros.rmw', f'{rmw} ({asked})')
    else:
        distro = environment.get('ROS_DISTRO') or 'humble'
        yield Finding(
            PROBLEM,
            'ros.rmw',
            f'{rmw} ({asked}) is not installed: no node can start',
            f'sudo apt install ros-{distro}-{rmw.replace("_", "-")}, or unset RMW_IMPLEMENTATION',
        )


def _place(package: str, searched: list[Path]) -> Path | None:
    return next((prefix for prefix in searched if (prefix / PACKAGE_MARK / package).exists()), None)


def _domain(environment: Mapping[str, str], listens: Callable[[int], bool]) -> Iterator[Finding]:
    domain = domain_of(environment)
    if domain is None:
        yield Finding(
            PROBLEM,
            'ros.domain',
            f'ROS_DOMAIN_ID={environment["ROS_DOMAIN_ID"]} is no domain; it is a number from 0 to '
            f'{HIGHEST_DOMAIN}',
            'export ROS_DOMAIN_ID=0',
        )
        return
    if domain > HIGHEST_SAFE_DOMAIN:
        yield Finding(
            WARNING,
            'ros.domain',
            f'domain {domain}: its ports, from {7400 + 250 * domain} on, are among those that '
            'Linux hands out to any program, so now and then a node cannot start',
            f'export ROS_DOMAIN_ID=<0 to {HIGHEST_SAFE_DOMAIN}>, the same for all processes',
        )
    else:
        yield Finding(
            OK, 'ros.domain', f'domain {domain}; only processes of the same domain hear each other'
        )
    if listens(DAEMON_PORT + domain):
        yield Finding(
            OK,
            'ros.daemon',
            'the daemon of the ros2 command runs; it keeps the settings of its start, '
            'and `ros2 daemon stop` makes it forget them',
        )


def _reach(environment: Mapping[str, str]) -> str:
    """Return how far discovery reaches, in the words of ROS_AUTOMATIC_DISCOVERY_RANGE."""
    if environment.get('ROS_LOCALHOST_ONLY', '').strip() == '1':
        return 'LOCALHOST'
    asked = environment.get('ROS_AUTOMATIC_DISCOVERY_RANGE', '').strip().upper()
    return asked if asked and environment.get('ROS_DISTRO') != 'humble' else 'SUBNET'


def _discovery(environment: Mapping[str, str]) -> Iterator[Finding]:
    check, reach = 'ros.discovery', _reach(environment)
    if environment.get('ROS_DISTRO') == 'humble' and environment.get(
        'ROS_AUTOMATIC_DISCOVERY_RANGE'
    ):
        yield Finding(
            NOTE,
            check,
            'Humble does not know ROS_AUTOMATIC_DISCOVERY_RANGE',
            'export ROS_LOCALHOST_ONLY=1, to stay on this machine',
        )
    if reach == 'OFF':
        yield Finding(
            PROBLEM,
            check,
            'ROS_AUTOMATIC_DISCOVERY_RANGE=OFF: no node finds another, on this machine neither',
            'export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST   (or SUBNET)',
        )
    elif reach == 'LOCALHOST':
        peers = environment.get('ROS_STATIC_PEERS', '')
        beyond = f', and with {peers}' if peers else '; other machines are not heard'
        only = environment.get('ROS_LOCALHOST_ONLY', '').strip() == '1'
        variable = 'ROS_LOCALHOST_ONLY=1' if only else 'ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST'
        yield Finding(OK, check, f'{variable}: on this machine alone{beyond}')
    elif reach in ('SUBNET', 'SYSTEM_DEFAULT'):
        yield Finding(OK, check, 'processes find each other across the local network')
    else:
        yield Finding(
            PROBLEM,
            check,
            f'ROS_AUTOMATIC_DISCOVERY_RANGE={reach} is none of SUBNET, LOCALHOST, OFF, '
            'SYSTEM_DEFAULT',
            'export ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET',
        )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(('127.0.0.1', port)) == 0
