# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Times of layers, put together over runs, and as ONNX Runtime's profiler tells them."""

import json
import tempfile

import numpy as np
import pytest

import networks
from jetson_infer.engines.layer_times import LayerSample, LayerTimes, NetworkTimes, by_kind, gather
from jetson_infer.engines.onnxruntime.node_times import read_trace, time_nodes
from jetson_infer.engines.onnxruntime.session import OnnxRuntimeSession
from jetson_infer.errors import SessionError

KINDS = {'a': ('Conv', 'fp16'), 'b': ('Copy', '')}


def test_samples_of_several_runs_are_put_together_in_their_order():
    runs = [
        [LayerSample('b', 1), LayerSample('a', 2), LayerSample('b', 3)],
        [LayerSample('b', 10), LayerSample('a', 20), LayerSample('b', 30)],
        [LayerSample('b', 100), LayerSample('a', 200)],
    ]
    found = gather(runs, KINDS.__getitem__)
    assert [(one.name, one.times_ms) for one in found] == [
        ('b', (1, 10, 100)),
        ('a', (2, 20, 200)),
        ('b', (3, 30)),
    ]
    assert (found[1].kind, found[1].precision) == ('Conv', 'fp16')
    assert NetworkTimes('x', found, (1.0,)).total_ms == 10 + 20 + 16.5
    assert by_kind(found) == {'Copy': 26.5, 'Conv': 20}


def test_a_layer_of_unknown_kind_is_counted_as_such():
    assert by_kind([LayerTimes('x', '', '', (1.0,))]) == {'unknown': 1.0}


@pytest.fixture(scope='module')
def network(tmp_path_factory):
    pytest.importorskip('onnxruntime')
    return networks.convolving(tmp_path_factory.mktemp('network') / 'n.onnx')


def test_every_node_that_runs_is_timed_in_every_run(network):
    image = np.random.default_rng(0).random((1, 3, 96, 96), np.float32)
    times = time_nodes(network, 1, {'image': image}, 4)
    assert {len(layer.times_ms) for layer in times.layers} == {4}
    convolutions = [layer for layer in times.layers if layer.kind == 'Conv']
    assert len(convolutions) == 4
    assert {layer.precision for layer in convolutions} == {'fp32'}
    # Four convolutions are what there is to do: they are most of it, and no more than all of it.
    # A machine under load may halt between the nodes of a run, but not in every run.
    spent_ms = np.sum([layer.times_ms for layer in convolutions], axis=0)
    assert (spent_ms < times.observed_ms).all()
    assert (spent_ms / times.observed_ms).max() > 0.3


def test_nothing_is_left_on_disk_or_noted_without_being_asked(network, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    time_nodes(network, 1, {'image': np.zeros((1, 3, 96, 96), np.float32)}, 1)
    with OnnxRuntimeSession(network) as session:
        session.bind({}).run()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    'text', ['', '{', '[1]', '{}', '[]', json.dumps([{'name': 'model_run', 'ts': 1, 'dur': 2}])]
)
def test_what_is_no_profile_is_refused(tmp_path, text):
    (tmp_path / 'trace.json').write_text(text)
    with pytest.raises(SessionError, match="ONNX Runtime's profile"):
        read_trace(tmp_path / 'trace.json')
    with pytest.raises(SessionError):
        read_trace(tmp_path / 'missing.json')


def test_a_closed_session_has_no_trace(network, tmp_path):
    session = OnnxRuntimeSession(network, trace=tmp_path / 'nodes')
    session.close()
    with pytest.raises(SessionError, match='closed'):
        session.end_trace()
