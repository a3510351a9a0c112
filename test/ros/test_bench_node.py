# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer bench --node`: real processes over real DDS."""

import json
import subprocess
import sys

import pytest

from brightness_model import write_brightness_model


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return write_brightness_model(tmp_path_factory.mktemp('models') / 'brightness')


FEW_ROUNDS = """
import sys
from jetson_infer.cli import bench_node, main
bench_node.ROUNDS = 3  # of 3.4 s each; more are for the statistics
sys.exit(main.main(sys.argv[1:]))
"""


def bench(*arguments):
    return subprocess.run(
        [sys.executable, '-c', FEW_ROUNDS, 'bench', '--node', *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=110,
    )


def test_the_node_beside_a_subscriber_and_the_session(model):
    done = bench('--model', model, '--frames', 30, '--rate', 20, '--json')
    assert done.returncode == 0, done.stderr
    node = json.loads(done.stdout)['node']
    assert node['sent'] == 2 * node['sent_to_node'] == 60
    frames = node['frames']
    assert frames['received'] == frames['processed'] + frames.get('replaced', 0)
    assert 1 <= node['answered'] <= frames['processed'] <= 30
    assert 1 <= node['subscriber_received'] <= 60
    costs = node['cpu_ms_per_frame']
    # Which is the dearest one is what is measured; a machine with other work may find otherwise.
    assert all(costs[name]['median'] > 0 for name in ('node', 'subscriber', 'bare_session'))
    assert set(node['stages_ms']) == {'wait', 'preprocess', 'infer', 'decode', 'publish', 'total'}


def test_a_model_that_the_node_refuses_ends_it_with_the_reason(model, tmp_path):
    done = bench('--model', tmp_path / 'missing')
    assert done.returncode == 1
    assert 'missing' in done.stderr
    assert 'Traceback' not in done.stderr
