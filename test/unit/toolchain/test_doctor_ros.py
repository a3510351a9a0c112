# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor's view of the shell's ROS 2, with invented installations and environments."""

import os

import pytest

from jetson_infer.toolchain.doctor import ros_setup
from jetson_infer.toolchain.doctor.findings import NOTE, OK, PROBLEM, WARNING
from jetson_infer.toolchain.doctor.ros_setup import check_ros, domain_of, stays_here


@pytest.fixture
def environment(tmp_path):
    for prefix, packages in {
        'ros': ('rmw_fastrtps_cpp', 'rmw_cyclonedds_cpp'),
        'install': ('jetson_infer',),
    }.items():
        index = tmp_path / prefix / 'share/ament_index/resource_index/packages'
        index.mkdir(parents=True)
        for package in packages:
            (index / package).touch()
    return {
        'ROS_DISTRO': 'humble',
        'AMENT_PREFIX_PATH': os.pathsep.join([str(tmp_path / 'install'), str(tmp_path / 'ros')]),
    }


def found(environment, missing=(), daemon=()):
    findings = check_ros(environment, lambda name: name not in missing, daemon.__contains__)
    return {finding.check: finding for finding in findings}


def test_a_whole_installation_is_well(environment):
    findings = found(environment)
    assert {finding.level for finding in findings.values()} == {OK}
    assert 'rmw_fastrtps_cpp (the default)' in findings['ros.rmw'].what
    assert 'ros.daemon' not in findings


def test_no_ros_is_a_warning_because_the_toolchain_works():
    findings = found({})
    assert [(check, finding.level) for check, finding in findings.items()] == [
        ('ros.distribution', WARNING)
    ]


@pytest.mark.parametrize(
    ('missing', 'named'),
    [
        (('rclpy', 'sensor_msgs'), 'does not find rclpy'),
        (('vision_msgs',), 'does not find vision_msgs'),
    ],
)
def test_a_python_that_lacks_ros_is_a_problem(environment, missing, named):
    finding = found(environment, missing)['ros.python']
    assert finding.level == PROBLEM
    assert named in finding.what


def test_missing_message_packages_come_with_the_command(environment):
    remedy = found(environment, ('vision_msgs', 'launch_ros'))['ros.python'].remedy
    assert remedy == 'sudo apt install ros-humble-vision-msgs ros-humble-launch-ros'


def test_a_workspace_that_is_not_sourced_is_a_problem(environment):
    environment['AMENT_PREFIX_PATH'] = environment['AMENT_PREFIX_PATH'].split(os.pathsep)[1]
    finding = found(environment)['ros.package']
    assert finding.level == PROBLEM
    assert 'install/setup.bash' in finding.remedy


def test_an_rmw_that_is_not_installed_is_a_problem(environment):
    finding = found({**environment, 'RMW_IMPLEMENTATION': 'rmw_zenoh_cpp'})['ros.rmw']
    assert finding.level == PROBLEM
    assert 'ros-humble-rmw-zenoh-cpp' in finding.remedy


@pytest.mark.parametrize(
    ('domain', 'level'),
    [('', OK), ('0', OK), ('101', OK), ('102', WARNING), ('233', PROBLEM), ('x', PROBLEM)],
)
def test_judges_the_domain(environment, domain, level):
    assert found({**environment, 'ROS_DOMAIN_ID': domain})['ros.domain'].level == level


def test_domain_is_a_number_or_none():
    assert domain_of({}) == 0
    assert domain_of({'ROS_DOMAIN_ID': ' 7 '}) == 7
    assert domain_of({'ROS_DOMAIN_ID': '-1'}) is None


def test_tells_of_the_daemon_of_the_domain(environment):
    environment['ROS_DOMAIN_ID'] = '7'
    assert 'ros.daemon' in found(environment, daemon=(11518,))
    assert 'ros.daemon' not in found(environment, daemon=(11511,))


@pytest.mark.parametrize(
    ('distro', 'variables', 'level', 'stays'),
    [
        ('humble', {}, OK, False),
        ('humble', {'ROS_LOCALHOST_ONLY': '1'}, OK, True),
        ('humble', {'ROS_LOCALHOST_ONLY': '0'}, OK, False),
        ('jazzy', {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}, OK, True),
        ('jazzy', {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'localhost'}, OK, True),
        (
            'jazzy',
            {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'ROS_STATIC_PEERS': '10.0.0.2'},
            OK,
            False,
        ),
        ('jazzy', {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'OFF'}, PROBLEM, True),
        ('jazzy', {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'HERE'}, PROBLEM, False),
    ],
)
def test_judges_how_far_discovery_reaches(environment, distro, variables, level, stays):
    environment = {**environment, 'ROS_DISTRO': distro, **variables}
    assert found(environment)['ros.discovery'].level == level
    assert stays_here(environment) == stays


def test_says_what_humble_does_not_know(environment):
    environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    findings = check_ros(environment, lambda name: True, lambda port: False)
    assert NOTE in {finding.level for finding in findings if finding.check == 'ros.discovery'}
    assert not stays_here(environment)


def test_ros_sourced_in_part_is_warned_of(environment):
    del environment['ROS_DISTRO']
    assert found(environment)['ros.distribution'].level == WARNING


def test_listens_asks_the_port_itself():
    with ros_setup.socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        port = server.getsockname()[1]
        assert not ros_setup._listens(port)
        server.listen()
        assert ros_setup._listens(port)
