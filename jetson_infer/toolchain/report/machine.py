# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a measurement was made on: the machine and the versions, as far as they can be told."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from jetson_infer import __version__

__all__ = ['describe_machine']

DISTRIBUTIONS = (
    ('NumPy', ('numpy',)),
    ('OpenCV', ('opencv-python-headless', 'opencv-python', 'opencv-contrib-python')),
    ('ONNX Runtime', ('onnxruntime', 'onnxruntime-gpu')),
    ('TensorRT', ('tensorrt',)),
)


def describe_machine(root: Path = Path('/')) -> dict[str, str]:
    """Return what the machine is, in the order in which a person asks.

    :param root: where ``proc`` and ``etc`` are.
    """
    facts = {
        'machine': _model(root),
        'processor': _processor(root),
        'cores': _cores(),
        'memory': _memory(root),
        'system': _system(root),
        'ROS 2': _ros(),
        'Python': platform.python_version(),
        'jetson_infer': __version__,
    }
    for name, distributions in DISTRIBUTIONS:
        facts[name] = next(filter(None, map(_version, distributions)), '')
    return {name: fact for name, fact in facts.items() if fact}


def _model(root: Path) -> str:
    """Return the board's name, as Jetsons tell it."""
    return _read(root / 'proc/device-tree/model').rstrip('\x00')


def _processor(root: Path) -> str:
    for line in _read(root / 'proc/cpuinfo').splitlines():
        key, _, value = line.partition(':')
        if key.strip() in ('model name', 'Model'):
            return value.strip()
    return platform.processor() or platform.machine()


def _cores() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    return f'{usable} of {os.cpu_count()}' if usable != os.cpu_count() else str(usable)


def _memory(root: Path) -> str:
    for line in _read(root / 'proc/meminfo').splitlines():
        if line.startswith('MemTotal:'):
            return f'{int(line.split()[1]) / 1024**2:.1f} GiB'
    return ''


def _system(root: Path) -> str:
    release = dict(
        line.split('=', 1) for line in _read(root / 'etc/os-release').splitlines() if '=' in line
    )
    name = release.get('PRETTY_NAME', '').strip('"')
    return ', '.join(filter(None, (name, f'{platform.system()} {platform.release()}')))


def _ros() -> str:
    distro = os.environ.get('ROS_DISTRO', '')
    return ', '.join(filter(None, (distro.capitalize(), os.environ.get('RMW_IMPLEMENTATION', ''))))


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ''


def _read(path: Path) -> str:
    try:
        return path.read_text(errors='replace')
    except OSError:
        return ''  # not every system has it
