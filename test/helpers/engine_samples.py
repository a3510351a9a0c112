# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Keys and plans for tests of the engine cache, and code run by others and on other disks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from jetson_infer.engines.engine_key import EngineKey

ROOT = Path(__file__).parents[2]
MODEL, VARIANT = 'scene_detector', 'fp16_640'
REPAIR = 'jetson-infer build scene_detector --variant fp16_640'
KEY = EngineKey(
    'ab' * 32, '10.3.0', 'Orin', (8, 7), 16, 'fp16', flags={'sparsity': False, 'tf32': False}
)
NOBODY = 65534
BECOME_NOBODY = f"""
import os
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
"""
"""Code that goes on as a user without rights; after the imports, as it may not read those."""


def start(code: str, *arguments: object, before: Sequence[str] = ()) -> subprocess.Popen:
    """Start Python code in a process of its own that finds the package and these helpers.

    :param before: a command that runs another one.
    """
    return subprocess.Popen(
        [*before, sys.executable, '-c', code, *map(str, arguments)],
        env={**os.environ, 'PYTHONPATH': f'{ROOT}{os.pathsep}{ROOT / "test/helpers"}'},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(code: str, *arguments: object, before: Sequence[str] = ()) -> str:
    """Run Python code in a process of its own and return what it printed."""
    process = start(code, *arguments, before=before)
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return printed


def small_disk(folder: Path, kilobytes: int) -> list[str]:
    """Return the command that runs another one where a folder is a small disk of its own."""
    before = ['unshare', '--map-root-user', '--mount']
    try:
        possible = subprocess.run([*before, 'true'], capture_output=True, check=False).returncode
    except FileNotFoundError:
        possible = 1
    if possible != 0:
        pytest.skip('mounting a small disk needs unshare and user namespaces')
    mount = f'mount -t tmpfs -o size={kilobytes}k tmpfs {folder} && exec "$@"'
    return [*before, 'bash', '-c', mount, 'bash']
