# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor's view of the transport, with invented profiles, kernels and shared memory."""

import fcntl
import os
from pathlib import Path

import pytest

from jetson_infer.toolchain.doctor.findings import NOTE, OK, PROBLEM, WARNING
from jetson_infer.toolchain.doctor.shared_memory import dead_segments, judge_room
from jetson_infer.toolchain.doctor.transport import check_transport, profile_folder

SHIPPED = Path(__file__).resolve().parents[3] / 'config' / 'dds'
FASTDDS = {
    'ROS_DISTRO': 'humble',
    'RMW_IMPLEMENTATION': 'rmw_fastrtps_cpp',
    'FASTRTPS_DEFAULT_PROFILES_FILE': str(SHIPPED / 'fastdds_shm.xml'),
}
CYCLONEDDS = {
    'ROS_DISTRO': 'humble',
    'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp',
    'CYCLONEDDS_URI': f'file://{SHIPPED / "cyclonedds.xml"}',
}


@pytest.fixture
def root(tmp_path):
    settings = {
        'net/core/rmem_max': 1 << 30,
        'net/ipv4/ipfrag_high_thresh': 1 << 28,
        'net/ipv4/ipfrag_time': 3,
    }
    for name, value in settings.items():
        sysctl(tmp_path, name, value)
    (tmp_path / 'dev/shm').mkdir(parents=True)
    return tmp_path


def sysctl(root, name, value):
    path = root / 'proc/sys' / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{value}\n')


def found(environment, root):
    return {finding.check: finding for finding in check_transport(environment, root)}


def levels(environment, root):
    return {check: finding.level for check, finding in found(environment, root).items()}


@pytest.mark.parametrize('environment', [FASTDDS, CYCLONEDDS], ids=['fastdds', 'cyclonedds'])
def test_shipped_profile_and_a_prepared_kernel_are_well(environment, root):
    ok = levels(environment, root)
    ok.pop('transport.shared_memory', None)  # of this machine
    assert set(ok.values()) == {OK}
    assert 'transport.fragments' in ok


def test_shipped_profiles_are_found():
    assert profile_folder({}) == SHIPPED


@pytest.mark.parametrize('environment', [FASTDDS, CYCLONEDDS], ids=['fastdds', 'cyclonedds'])
def test_warns_without_a_profile_and_gives_the_export(environment, root):
    variable = next(name for name in environment if name.endswith(('_FILE', '_URI')))
    without = {name: value for name, value in environment.items() if name != variable}
    finding = found(without, root)['transport.profile']
    assert finding.level == WARNING
    assert finding.remedy == f'export {variable}={environment[variable]}'


def test_fastdds_is_the_default(root):
    assert 'FASTRTPS_DEFAULT_PROFILES_FILE' in found({}, root)['transport.profile'].what


@pytest.mark.parametrize('name', ['FASTRTPS_DEFAULT_PROFILES_FILE', 'CYCLONEDDS_URI'])
@pytest.mark.parametrize('content', [None, '<not xml'], ids=['missing', 'broken'])
def test_a_profile_that_cannot_be_read_is_a_problem(name, content, root, tmp_path):
    path = tmp_path / 'mine.xml'
    if content is not None:
        path.write_text(content)
    environment = {**(FASTDDS if name.startswith('FAST') else CYCLONEDDS), name: str(path)}
    finding = found(environment, root)['transport.profile']
    assert finding.level == PROBLEM
    assert str(path) in finding.what


def test_a_small_segment_is_warned_of(root, tmp_path):
    path = tmp_path / 'small.xml'
    text = (SHIPPED / 'fastdds_shm.xml').read_text()
    path.write_text(text.replace('<segment_size>67108864', '<segment_size>1048576'))
    environment = {**FASTDDS, 'FASTRTPS_DEFAULT_PROFILES_FILE': str(path)}
    finding = found(environment, root)['transport.profile']
    assert finding.level == WARNING
    assert '1.0 MB' in finding.what


def test_settings_of_cyclonedds_may_be_in_the_variable_itself(root):
    environment = {**CYCLONEDDS, 'CYCLONEDDS_URI': '<CycloneDDS/>'}
    assert found(environment, root)['transport.profile'].level == NOTE


def test_small_socket_buffer_is_a_problem_for_cyclonedds_alone(root):
    sysctl(root, 'net/core/rmem_max', 212992)
    finding = found(CYCLONEDDS, root)['transport.receive_buffer']
    assert finding.level == PROBLEM
    assert '0.2 MB' in finding.what
    assert finding.remedy == 'sudo sysctl -w net.core.rmem_max=67108864'
    assert found(FASTDDS, root)['transport.receive_buffer'].level == NOTE
    sysctl(root, 'net/core/rmem_max', 4 << 20)
    assert found(CYCLONEDDS, root)['transport.receive_buffer'].level == WARNING


def test_kernel_settings_for_other_machines_are_told_with_the_commands(root):
    sysctl(root, 'net/ipv4/ipfrag_high_thresh', 4 << 20)
    sysctl(root, 'net/ipv4/ipfrag_time', 30)
    finding = found(FASTDDS, root)['transport.fragments']
    assert finding.level == NOTE
    assert 'ipfrag_high_thresh=134217728' in finding.remedy
    assert 'ipfrag_time=3' in finding.remedy


def test_who_stays_on_the_machine_need_not_set_the_kernel_for_others(root):
    sysctl(root, 'net/ipv4/ipfrag_time', 30)
    assert 'transport.fragments' not in found({**FASTDDS, 'ROS_LOCALHOST_ONLY': '1'}, root)


def test_no_shared_memory_is_a_problem(root):
    (root / 'dev/shm').rmdir()
    assert found(FASTDDS, root)['transport.shared_memory'].level == PROBLEM


@pytest.mark.parametrize(
    ('free', 'level'), [(64 << 20, PROBLEM), (200_000_000, WARNING), (1 << 30, OK)]
)
def test_room_is_compared_with_the_need(free, level):
    finding = judge_room('/dev/shm', free)
    assert finding.level == level
    assert f'{free / 1e6:.0f} MB free' in finding.what


def test_segments_without_a_living_owner_are_found_and_left(root):
    folder = root / 'dev/shm'
    for name in ('fastrtps_dead', 'fastrtps_alive', 'fastdds_dead'):
        (folder / name).write_bytes(bytes(1_000_000))
        (folder / f'{name}_el').touch()
    (folder / 'other_el').touch()
    before = sorted(os.listdir(folder))
    with (folder / 'fastrtps_alive_el').open('rb') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert [path.name for path in dead_segments(folder)] == ['fastrtps_dead', 'fastdds_dead']
        finding = found(FASTDDS, root)['transport.dead_segments']
    assert finding.level == WARNING
    assert finding.what.startswith('2 segments of dead Fast DDS processes hold 2 MB')
    assert 'rm fastrtps_dead* fastdds_dead*' in finding.remedy
    assert sorted(os.listdir(folder)) == before


def test_an_unknown_rmw_is_said_not_to_be_known(root):
    findings = found({'RMW_IMPLEMENTATION': 'rmw_zenoh_cpp'}, root)
    assert findings['transport.profile'].level == NOTE
