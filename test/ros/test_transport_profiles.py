# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files' DDS profiles, and whose they give way to."""

import os
from pathlib import Path

import pytest
from launch import LaunchContext

from jetson_infer.ros.transport_profiles import transport_profiles

FILES = {
    'FASTRTPS_DEFAULT_PROFILES_FILE': 'fastdds_shm.xml',
    'CYCLONEDDS_URI': 'cyclonedds.xml',
}


@pytest.fixture
def environment(monkeypatch):
    """No profile of the user's; what is set is taken back."""
    for variable in FILES:
        monkeypatch.setenv(variable, '')
        monkeypatch.delenv(variable)
    return monkeypatch


def launched():
    """Return what a process that is launched now finds."""
    context = LaunchContext()
    for action in transport_profiles():
        action.visit(context)
    return {variable: os.environ.get(variable) for variable in FILES}


def test_without_a_profile_of_the_users_ours_are_given(environment):
    for variable, value in launched().items():
        path = Path(value.removeprefix('file://'))
        assert path.name == FILES[variable]
        assert path.is_file()


@pytest.mark.parametrize('variable', FILES)
def test_a_profile_of_the_users_is_kept(environment, variable):
    environment.setenv(variable, '/home/robot/mine.xml')
    found = launched()
    assert found.pop(variable) == '/home/robot/mine.xml'
    ((other, value),) = found.items()
    assert value.endswith(FILES[other])
