# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""config/diagnostics_aggregator.yaml: what diagnostic_aggregator would make of it."""

from pathlib import Path

import pytest
import rclpy

from brightness_model import write_brightness_model
from detector_bench import Bench

CONFIG = Path(__file__).resolve().parents[2] / 'config/diagnostics_aggregator.yaml'
NODE = 'analyzers'  # diagnostic_aggregator's node reads its parameters under this name


@pytest.fixture
def parameters(ros):
    """The file's parameters, as a node of that name gets them."""
    node = rclpy.create_node(
        NODE,
        cli_args=['--ros-args', '--params-file', str(CONFIG)],
        automatically_declare_parameters_from_overrides=True,
    )
    yield {name: parameter.value for name, parameter in node.get_parameters_by_prefix('').items()}
    node.destroy_node()


def heard_by(parameters, name):
    """Return the analyzers that take a status, by the rules of the GenericAnalyzer."""
    found = []
    for key, kind in parameters.items():
        analyzer, _, rest = key.rpartition('.')
        if rest != 'type':
            continue
        assert kind == 'diagnostic_aggregator/GenericAnalyzer'
        contains = parameters.get(f'{analyzer}.contains', [])
        begins = parameters.get(f'{analyzer}.startswith', [])
        plain = name.lstrip('/')
        if any(text in plain for text in contains) or any(plain.startswith(b) for b in begins):
            found.append(analyzer)
    return found


def test_the_parameters_are_those_that_the_aggregator_reads(parameters):
    assert parameters['path'] == 'robot'
    assert parameters['pub_rate'] > 0
    assert parameters['inference.path'] == 'inference'
    assert parameters['inference.timeout'] > 1.0, 'the nodes report once a second'


def test_every_status_of_a_node_is_under_one_heading(parameters, start, peer, tmp_path):
    bench = Bench(start, peer, write_brightness_model(tmp_path / 'brightness'))
    bench.status(lambda status, values: values.get('state') == 'active')
    names = {status.name for array in list(bench.diagnostics) for status in array.status}
    assert names
    for name in names:
        assert heard_by(parameters, name) == ['inference'], name
    assert heard_by(parameters, 'camera_driver: connection') == []
