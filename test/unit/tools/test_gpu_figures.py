# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The program that takes the figures of a GPU, rehearsed on the host twin."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / 'tools/benchmarks/gpu_figures.py'
PARTS = {
    'pipeline fp16 64x48', 'pipeline fp16 96x70', 'pipeline fp16 at the pace of a camera',
    'pipeline fp16 beside busy processes', 'cold configure', 'allocations', 'profile',
    'preprocessing', 'FP32 outputs', 'rounds', 'AP50 of FP16', 'pipeline yolov8n_like fp32',
}  # fmt: skip


def run(folder, *arguments):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        env={
            **os.environ,
            'PYTHONPATH': str(ROOT),
            'JETSON_INFER_CACHE': str(folder / 'cache'),
            'JETSON_INFER_RECORDING_PATH': str(ROOT / 'recordings'),
        },
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope='module')
def inputs(tmp_path_factory):
    for module in ('onnxruntime', 'rosbags', 'onnx'):
        pytest.importorskip(module)
    folder = tmp_path_factory.mktemp('figures')
    code, said = run(folder, '--prepare', 'in', '--network', 64, 64, '--images', 4)
    assert code == 0, said
    return folder


def test_every_part_of_it_runs(inputs):
    also = 'out.work/yolov8n_like:fp32'
    code, said = run(inputs, '--inputs', 'in', '--twin', '--out', 'out', '--also', also)
    found = json.loads((inputs / 'out' / 'figures.json').read_text())
    assert code == 0, said
    assert {name for name in found['parts'] if not name.startswith('build ')} == PARTS
    verdicts = [line for part in found['parts'].values() for line in part.get('verdicts', ())]
    assert {line['number'] for line in verdicts} == set('123456')
    # What means something on the twin too:
    for line in verdicts:
        if line['number'] in '45':
            assert line['passed'], line
    table = (inputs / 'out' / 'figures.md').read_text()
    verdict_rows, _, others = table.partition('\n| model |')
    assert verdict_rows.count('\n| ') == len(verdicts) + 1
    assert [line.split(' | ')[2] for line in others.splitlines()[2:]] == ['fp16', 'fp16', 'fp32']
    assert not [path for path in (inputs / 'out').iterdir() if path.is_dir()]
    assert all(line['what'] in table for line in verdicts)


def test_a_run_that_has_no_time_names_what_it_left_out(inputs):
    code, _ = run(inputs, '--inputs', 'in', '--twin', '--out', 'short', '--minutes', '0.0001')
    found = json.loads((inputs / 'short' / 'figures.json').read_text())
    assert code == 1
    assert all('left_out' in part for part in found['parts'].values())
    assert 's were left, and it needs' in (inputs / 'short' / 'figures.md').read_text()
