# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer bench --node`: real processes over real DDS."""

import json
import subprocess
import sys
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from brightness_model import write_brightness_model
from recording_writer import write_recording


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return write_brightness_model(tmp_path_factory.mktemp('models') / 'brightness')


def bench(*arguments):
    return subprocess.run(
        [sys.executable, '-m', 'jetson_infer.cli.main', 'bench', '--node', *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=110,
    )


def test_the_node_beside_a_subscriber_and_the_session(model, tmp_path):
    asked = ('--frames', 30, '--rounds', 3, '--rate', 20, '--size', '64x48', '--out', tmp_path)
    done = bench('--model', model, *asked, '--json')
    assert done.returncode == 0, done.stderr
    (node,) = json.loads(done.stdout)['nodes']
    assert node['sent'] == 2 * node['sent_to_node'] == 60
    assert node['images'] == '64x48 bgr8'
    frames = node['frames']
    assert frames['received'] == frames['processed'] + frames.get('replaced', 0)
    assert 1 <= node['answered'] <= frames['processed'] <= 30
    assert 1 <= node['subscriber_received'] <= 60
    costs = node['cpu_ms_per_frame']
    assert min(costs[name]['least'] for name in ('node', 'subscriber', 'bare_session')) > 0
    assert costs['node']['median'] > costs['bare_session']['median']
    assert [len(values) for values in node['cpu_ms_by_round'].values()] == [3, 3, 3, 3]
    assert 0 < node['answer_ms']['p50'] <= node['answer_ms']['p99']
    assert node['memory_mb']['before'] > 0
    assert set(node['stages_ms']) == {'wait', 'preprocess', 'infer', 'decode', 'publish', 'total'}
    assert json.loads((tmp_path / 'bench.json').read_text())['nodes'] == [node]
    texts = {e.text for e in ElementTree.parse(tmp_path / 'bench.svg').iter() if e.text}
    assert {'the node', 'an empty subscriber', 'infer', 'sent to answer heard'} <= texts


def test_two_settings_in_turn_one_of_them_a_recording(model, tmp_path):
    """A size of images that are made, and the compressed ones of a recording."""
    _, jpeg = cv2.imencode('.jpg', np.full((48, 64, 3), 200, np.uint8))
    walk = write_recording(tmp_path / 'walk', frames=5, images=[jpeg.tobytes()])
    asked = ('--frames', 12, '--rounds', 2, '--rate', 20, '--size', '128x96')
    done = bench('--model', model, *asked, '--compare', f'recording={walk}', '--json')
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    first, second = result['nodes']
    assert (first['images'], second['images']) == ('128x96 bgr8', 'recording walk')
    for node in (first, second):
        assert node['answered'] >= 2
        assert node['frames']['processed'] >= node['answered']
        assert node['sent_to_node'] == 12
    comparison = result['comparison']
    assert comparison['change'] == f'recording={walk}'
    for name in ('node_cpu', 'bare_session_cpu', 'answer'):
        ratio = comparison[name]
        assert 0 < ratio['low'] <= ratio['value'] <= ratio['high']
        assert ratio['count'] == 2


def test_a_model_that_the_node_refuses_ends_it_with_the_reason(model, tmp_path):
    done = bench('--model', tmp_path / 'missing')
    assert done.returncode == 1
    assert 'missing' in done.stderr
    assert 'Traceback' not in done.stderr
