# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The tests on a GPU where there is none: skipped, or failing where there has to be one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jetson_infer.cuda.probe import why_none

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(not why_none(), reason='there is a GPU here')
@pytest.mark.parametrize(('required', 'code'), [('', 0), ('required', 1)])
def test_a_missing_gpu_is_a_failure_where_one_is_required(required, code):
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'test/gpu/test_pool.py'],
        cwd=ROOT,
        env={**os.environ, 'JETSON_INFER_GPU': required},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ('this may not be skipped' in done.stdout) == bool(required)
    assert why_none().splitlines()[0][:40] in done.stdout or not required
