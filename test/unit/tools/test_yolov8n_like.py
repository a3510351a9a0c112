# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks' network has the size of the one whose architecture it has."""

import importlib.util
from pathlib import Path

import pytest

from jetson_infer.toolchain.bench.open_subject import open_subject
from jetson_infer.toolchain.bench.settings import BenchSetting

PROGRAM = Path(__file__).parents[3] / 'tools/benchmarks/yolov8n_like.py'


@pytest.fixture(scope='module')
def program():
    spec = importlib.util.spec_from_file_location('yolov8n_like', PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_parameters_and_operations_at_640x640(program):
    network, graph = program.make_network((640, 640), 0, -8.0)
    (output,) = network.graph.output
    assert [d.dim_value for d in output.type.tensor_type.shape.dim] == [1, 84, 8400]
    # Published: 3.2 million parameters, 8.7 GFLOP.
    assert graph.parameters / 1e6 == pytest.approx(3.15, abs=0.05)
    assert 2 * graph.multiply_adds / 1e9 == pytest.approx(8.7, abs=0.1)


def test_the_folder_runs_and_finds_something_in_noise(program, tmp_path):
    program.write_model(tmp_path / 'model', (128, 96))
    with open_subject(BenchSetting(str(tmp_path / 'model'), size=(128, 96))) as subject:
        assert subject.network_size == (128, 96)
        assert subject.run_pipeline(0).found > 0


def test_the_hollow_one_finds_the_same_whatever_it_sees(program, tmp_path):
    program.write_model(tmp_path / 'model', (128, 96), empty=True)
    with open_subject(BenchSetting(str(tmp_path / 'model'), size=(128, 96))) as subject:
        assert subject.run_pipeline(0).found == subject.run_pipeline(1).found > 0
