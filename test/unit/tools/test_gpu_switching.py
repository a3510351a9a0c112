# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The program that switches variants without ROS, rehearsed on ONNX Runtime."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / 'tools/benchmarks/gpu_switching.py'


def test_frames_are_counted_while_variants_change(tmp_path):
    pytest.importorskip('onnxruntime')
    out = tmp_path / 'found.json'
    # So slow that a frame is answered before the next one comes, on any machine that tests run on.
    done = subprocess.run(
        [
            sys.executable, str(PROGRAM), 'scene_detector', '--engine', 'onnxruntime',
            '--frames', '12', '--rate', '2', '--every', '0.7', '--json', str(out),
        ],
        capture_output=True, text=True, cwd=tmp_path,
        env={
            **os.environ,
            'PYTHONPATH': str(ROOT),
            'JETSON_INFER_MODEL_PATH': str(ROOT / 'models'),
        },
    )  # fmt: skip
    results = json.loads(out.read_text())
    assert [found['keep_loaded'] for found in results] == [1, 3]
    for found in results:
        assert found['twice'] == 0
        assert found['in_order']
        assert found['problems'] == []
        assert found['switches'] > 0
        assert len(found['variants']) == 3
    lost = sum(found['lost'] for found in results)
    assert done.returncode == bool(lost), done.stdout + done.stderr
