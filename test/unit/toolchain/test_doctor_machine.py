# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor's view of a machine, on invented ones."""

import pytest

from jetson_infer.toolchain.doctor.findings import NOTE, OK, WARNING
from jetson_infer.toolchain.doctor.machine import check_machine, core_count

ORIN = 'NVIDIA Jetson Orin Nano Developer Kit\0'
RELEASE = '# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n'


def write(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


@pytest.fixture
def machine(tmp_path):
    cpus = ''.join(f'processor\t: {n}\nmodel name\t: Test CPU\n\n' for n in range(4))
    write(tmp_path, 'proc/cpuinfo', cpus)
    write(tmp_path, 'proc/loadavg', '1.50 1.00 0.50 1/100 1234\n')
    write(tmp_path, 'proc/meminfo', 'MemTotal: 8192000 kB\nMemAvailable: 4096000 kB\n')
    return tmp_path


def found(root):
    return {finding.check: finding for finding in check_machine(root)}


def test_tells_processor_and_memory(machine):
    findings = found(machine)
    assert {finding.level for finding in findings.values()} == {OK}
    assert findings['machine.processor'].what == 'Test CPU: 4 cores, load average 1.50'
    assert findings['machine.memory'].what == 'memory: 4000 MB of 8000 MB available'
    assert 'not a Jetson' in findings['machine.jetson'].what


@pytest.mark.parametrize(
    ('online', 'quota', 'cores'),
    [
        ('0-3', 'max 100000', 4),
        ('0-1', 'max 100000', 2),
        ('0,2-3', '', 3),
        ('0', '', 1),
        ('0-3', '150000 100000', 1.5),
        ('0-3', '900000 100000', 4),
        ('', '', 4),
    ],
)
def test_counts_the_cores_that_may_be_used(machine, online, quota, cores):
    write(machine, 'sys/devices/system/cpu/online', f'{online}\n')
    write(machine, 'sys/fs/cgroup/cpu.max', f'{quota}\n')
    assert core_count(machine) == cores


def test_tells_of_a_busy_machine(machine):
    write(machine, 'proc/loadavg', '4.20 1.00 0.50 1/100 1234\n')
    finding = found(machine)['machine.processor']
    assert finding.level == NOTE
    assert '4 cores, load average 4.20' in finding.what


def test_warns_of_little_memory(machine):
    write(machine, 'proc/meminfo', 'MemTotal: 8192000 kB\nMemAvailable: 204800 kB\n')
    finding = found(machine)['machine.memory']
    assert (finding.level, 'memory: 200 MB of 8000 MB' in finding.what) == (WARNING, True)


def test_knows_a_jetson_and_its_release(machine):
    write(machine, 'proc/device-tree/model', ORIN)
    write(machine, 'etc/nv_tegra_release', RELEASE)
    finding = found(machine)['machine.jetson']
    expected = 'NVIDIA Jetson Orin Nano Developer Kit, L4T 36.4.3, JetPack 6'
    assert (finding.level, finding.what) == (OK, expected)


def test_warns_of_a_jetson_without_its_release_file(machine):
    write(machine, 'proc/device-tree/model', ORIN)
    finding = found(machine)['machine.jetson']
    assert finding.level == WARNING
    assert 'nv_tegra_release' in finding.remedy


def test_other_boards_are_no_jetsons(machine):
    write(machine, 'proc/device-tree/model', 'Raspberry Pi 5 Model B Rev 1.0\0')
    assert 'not a Jetson (Raspberry Pi 5 Model B Rev 1.0)' in found(machine)['machine.jetson'].what


def test_an_empty_file_system_is_told_and_not_died_of(tmp_path):
    assert 'processor of unknown name: 1 cores' in found(tmp_path)['machine.processor'].what
