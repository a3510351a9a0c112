# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Python and the libraries the package uses: there, new enough, importable."""

from __future__ import annotations

import importlib
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

from jetson_infer.dependencies import OPTIONAL_MODULES, OptionalModule, pip_install, require
from jetson_infer.errors import MissingDependencyError
from jetson_infer.toolchain.doctor.findings import NOTE, OK, PROBLEM, WARNING, Finding

__all__ = ['USES', 'Use', 'check_software', 'declared_minimums']


@dataclass(frozen=True)
class Use:
    """What a library is for.

    :param purpose: what does not work without it.
    :param needed: whether a node that runs a network needs it.
    :param gpu: whether it is of use on a machine with an NVIDIA GPU only, so that its absence is
        worth a note and no warning.
    """

    purpose: str
    needed: bool
    gpu: bool = False


USES = {
    'numpy': Use('everything', True),
    'yaml': Use('model cards', True),
    'cv2': Use('images: conversion, resizing, JPEG', True),
    'onnxruntime': Use('running networks on the CPU, and the FP32 reference', True),
    'tensorrt': Use('running networks on a GPU', False, gpu=True),
    'pycuda': Use('running networks on a GPU', False, gpu=True),
    'cuda': Use('CUDA graphs and priorities on a GPU', False, gpu=True),
    'pynvml': Use('the power of a GPU while it is measured', False, gpu=True),
    'onnx': Use('quantizing networks', False),
    'rosbags': Use('recordings: demo, play', False),
    'jinja2': Use("the demo's report", False),
    'rich': Use("the demo's live view, and colours here", False),
}
"""Every library by the name it is imported under."""

_ALWAYS = {
    'numpy': OptionalModule('numpy', 'python3-numpy'),
    'yaml': OptionalModule('PyYAML', 'python3-yaml'),
}


def declared_minimums() -> Mapping[str, str]:
    """Return the lowest version of each distribution that the installed package asks for.

    :return: versions by the distribution's name in lower case; empty where jetson_infer runs from
        its sources and was not installed.
    """
    try:
        lines = metadata.requires('jetson_infer') or []
    except metadata.PackageNotFoundError:
        return {}
    found = (re.match(r'([\w.-]+)\s*>=\s*([\d.]+)', line) for line in lines)
    return {match[1].lower(): match[2] for match in found if match}


def check_software(minimums: Mapping[str, str] | None = None) -> list[Finding]:
    """Import every library and compare its version with the lowest that will do.

    :param minimums: see :func:`declared_minimums`, which is asked unless they are given.
    """
    known = declared_minimums() if minimums is None else minimums
    findings = [
        Finding(OK, 'software.python', f'Python {platform.python_version()} ({sys.executable})')
    ]
    if not known:
        findings.append(
            Finding(
                NOTE,
                'software.jetson_infer',
                'jetson_infer runs from its sources: the versions it needs are not known here',
                'colcon build --packages-select jetson_infer && . install/setup.bash',
            )
        )
    libraries = {**_ALWAYS, **OPTIONAL_MODULES}
    order = sorted(libraries, key=lambda name: list(USES).index(name) if name in USES else 99)
    return findings + [_library(name, libraries[name], known) for name in order]


def _library(name: str, source: OptionalModule, minimums: Mapping[str, str]) -> Finding:
    check, use = f'software.{name}', USES.get(name, Use('', False))
    bad = PROBLEM if use.needed else WARNING
    missing = NOTE if use.gpu else bad
    lowest = minimums.get(source.pip.lower(), '')
    wanted = f'{source.pip}>={lowest}' if lowest else source.pip
    try:
        version = _version(name, source)
    except MissingDependencyError as error:
        said = error.remedy.partition('; ')[2]
        if not said:
            return Finding(
                missing, check, f'{name} is not installed; needed for {use.purpose}', source.remedy
            )
        return Finding(bad, check, f'{name}: {said}; needed for {use.purpose}', source.remedy)
    except Exception as error:  # noqa: BLE001 - a library built for another NumPy raises anything
        return Finding(
            bad,
            check,
            f'{name} cannot be imported ({type(error).__name__}: {error}); needed for '
            f'{use.purpose}',
            pip_install(f"--force-reinstall '{wanted}'"),
        )
    if lowest and version and _numbers(version) < _numbers(lowest):
        return Finding(
            bad,
            check,
            f'{name} {version} is older than {lowest}, the oldest that is tested; needed for '
            f'{use.purpose}',
            pip_install(f"'{wanted}'"),
        )
    limit = f' (at least {lowest})' if lowest else ''
    return Finding(OK, check, f'{name} {version or "of unknown version"}{limit}: {use.purpose}')


def _version(name: str, source: OptionalModule) -> str:
    """Import a library and return its version; empty if it does not tell.

    :raises MissingDependencyError: if it is not there.
    """
    if name in OPTIONAL_MODULES:
        module = require(name, USES[name].purpose if name in USES else 'This')
    else:
        module = importlib.import_module(name)
    version = getattr(module, '__version__', '')
    if isinstance(version, str) and version:
        return version
    try:
        return metadata.version(source.pip)
    except metadata.PackageNotFoundError:
        return ''


def _numbers(version: str) -> tuple[int, ...]:
    """Return a version's leading numbers, three of them: enough to compare releases."""
    leading = re.match(r'\d+(?:\.\d+)*', version)
    numbers = [int(part) for part in leading[0].split('.')] if leading else []
    return tuple([*numbers, 0, 0, 0][:3])
