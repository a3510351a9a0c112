# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The machine: processor, memory, and whether it is a Jetson."""

from __future__ import annotations

import re
from pathlib import Path

from jetson_infer.toolchain.doctor.findings import (
    NOTE,
    OK,
    WARNING,
    Finding,
    read_text,
)

__all__ = ['check_machine', 'core_count']

LITTLE_MEMORY_MB = 500
"""Below it, loading a network and its libraries may fail or make the machine swap."""

JETPACK = {'35': '5', '36': '6', '38': '7'}
"""NVIDIA's JetPack by L4T's first number."""


def check_machine(root: Path = Path('/')) -> list[Finding]:
    """Tell what machine this is.

    :param root: the root of the file system to look at.
    """
    return [_processor(root), _memory(root), *_jetson(root)]


def core_count(root: Path = Path('/')) -> float:
    """Return how many cores may be used: those online, or a container's share of them."""
    listed = len(re.findall(r'^processor\s*:', read_text(root / 'proc/cpuinfo'), re.MULTILINE))
    online = sum(
        int(last or first) - int(first) + 1
        for first, last in re.findall(
            r'(\d+)(?:-(\d+))?', read_text(root / 'sys/devices/system/cpu/online')
        )
    )
    cores = float(online or listed or 1)
    quota = read_text(root / 'sys/fs/cgroup/cpu.max').split()
    if len(quota) == 2 and quota[0].isdigit() and int(quota[1] or 0) > 0:
        cores = min(cores, int(quota[0]) / int(quota[1]))
    return cores


def _processor(root: Path) -> Finding:
    text = read_text(root / 'proc/cpuinfo')
    named = re.search(r'^(?:model name|Hardware|Model)\s*:\s*(.+)$', text, re.MULTILINE)
    name = named[1].strip() if named else 'processor of unknown name'
    cores = core_count(root)
    load = (read_text(root / 'proc/loadavg').split() or ['?'])[0]
    what = f'{name}: {cores:g} cores, load average {load}'
    if load != '?' and float(load) > cores:
        return Finding(
            NOTE,
            'machine.processor',
            f'{what}: more is to be done than the cores can do, so frames wait and are replaced',
            'see what takes the time: top',
        )
    return Finding(OK, 'machine.processor', what)


def _memory(root: Path) -> Finding:
    values = dict(re.findall(r'^(\w+):\s*(\d+) kB', read_text(root / 'proc/meminfo'), re.MULTILINE))
    total, free = (int(values.get(name, 0)) / 1024 for name in ('MemTotal', 'MemAvailable'))
    what = f'memory: {free:.0f} MB of {total:.0f} MB available'
    if free < LITTLE_MEMORY_MB:
        return Finding(
            WARNING,
            'machine.memory',
            f'{what}; a node with a network needs some {LITTLE_MEMORY_MB} MB',
            'end what is not needed; see what takes it: ps aux --sort=-rss | head',
        )
    return Finding(OK, 'machine.memory', what)


def _jetson(root: Path) -> list[Finding]:
    model = read_text(root / 'proc/device-tree/model')
    if not re.search('jetson|tegra', model, re.IGNORECASE):
        board = f' ({model})' if model else ''
        return [Finding(OK, 'machine.jetson', f'not a Jetson{board}')]
    found = re.search(
        r'R(\d+) \(release\), REVISION: ([\d.]+)', read_text(root / 'etc/nv_tegra_release')
    )
    if not found:
        return [
            Finding(
                WARNING,
                'machine.jetson',
                f'{model}, but /etc/nv_tegra_release does not tell its L4T version: a container '
                'that was not given the file, or not a JetPack system',
                'docker run --runtime nvidia -v /etc/nv_tegra_release:/etc/nv_tegra_release:ro ...',
            )
        ]
    jetpack = JETPACK.get(found[1])
    system = f', JetPack {jetpack}' if jetpack else ''
    return [Finding(OK, 'machine.jetson', f'{model}, L4T {found[1]}.{found[2]}{system}')]
