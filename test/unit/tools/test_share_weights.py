# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Networks whose weights were put into one file compute what they computed before."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from jetson_infer.engines.onnx_file import read_onnx
from quantizable import stack

onnx = pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')

TOOL = Path(__file__).resolve().parents[3] / 'tools/train/share_weights.py'


@pytest.fixture
def main():
    spec = importlib.util.spec_from_file_location('share_weights', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def outputs(path):
    given = {'x': np.random.default_rng(0).normal(size=(1, 2, 6, 8)).astype(np.float32)}
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return session.run(None, given)[0]


def test_equal_weights_are_kept_once_and_nothing_else_changes(tmp_path, main):
    first, second = stack(tmp_path / 'first.onnx'), stack(tmp_path / 'second.onnx')
    other = onnx.load(second)
    other.graph.node[1].op_type = 'Sigmoid'
    onnx.save(other, second)
    before = [outputs(path) for path in (first, second)]
    sizes = [path.stat().st_size for path in (first, second)]
    assert main([str(tmp_path), 'first.onnx', 'second.onnx', '--into', 'both.weights']) == 0
    weights = tmp_path / 'both.weights'
    assert weights.stat().st_size < 1.1 * sizes[0]
    assert all(path.stat().st_size < 0.2 * size for path, size in zip((first, second), sizes))
    assert [read_onnx(path).external for path in (first, second)] == [(weights,)] * 2
    for path, expected in zip((first, second), before):
        onnx.checker.check_model(str(path), full_check=True)
        assert np.array_equal(outputs(path), expected)
    # Once more is the same.
    content = weights.read_bytes(), first.read_bytes()
    assert main([str(tmp_path), 'first.onnx', 'second.onnx', '--into', 'both.weights']) == 0
    assert (weights.read_bytes(), first.read_bytes()) == content
