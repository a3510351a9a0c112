# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Profiles: on ONNX Runtime for real, on TensorRT's stand-in, and how they are shown."""

import itertools
import json
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import fake_tensorrt
import networks
from jetson_infer.cli.profile_text import as_text
from jetson_infer.engines.layer_times import LayerTimes, NetworkTimes
from jetson_infer.engines.models import load_model
from jetson_infer.engines.select import OpenedSession
from jetson_infer.engines.tensorrt.session import TensorRtSession
from jetson_infer.toolchain.profile.picture import SHOWN, draw, shortened
from jetson_infer.toolchain.profile.result import as_dict, as_trace
from jetson_infer.toolchain.profile.subject import profile_variant

LAYERS = [
    {'Name': 'conv & "co"', 'LayerType': 'CaskConvolution',
     'Inputs': [{'Format/Datatype': 'Row major linear FP16 format'}]},
    {'Name': 'copy', 'LayerType': 'Reformat'},
]  # fmt: skip
PLAN = {
    'io': [['image', 'in', 'FLOAT', [1, 3, 64, 64]], ['doubled', 'out', 'FLOAT', [1, 3, 64, 64]]],
    'scratch': 512,
    'layers': LAYERS,
}


@pytest.fixture
def model(tmp_path):
    return load_model(networks.write_model(tmp_path / 'tiny'))


@pytest.fixture
def on_tensorrt(monkeypatch):
    """Opens the stand-in's engine in ONNX Runtime's place."""
    monkeypatch.setitem(sys.modules, 'tensorrt', fake_tensorrt.fake_module('10.3.0', monkeypatch))
    monkeypatch.setattr(fake_tensorrt, 'device_of_fakes', [fake_tensorrt.NumberedDevice()])
    device = fake_tensorrt.device_of_fakes[-1]
    opened = []

    def open_one(model, variant, engine, threads, **changes):
        opened.append(changes)
        session = TensorRtSession(json.dumps({**PLAN, **changes}).encode(), device)
        return OpenedSession(session, 'it was asked for')

    with device.current():
        yield open_one
    assert device.live() == {}
    device.close()


@pytest.fixture
def profile(model, on_tensorrt):
    times, why = profile_variant(model, model.variant(), runs=4, open_one=on_tensorrt)
    return as_dict(model, model.variant(), times, why), times


def test_on_onnx_runtime(model):
    pytest.importorskip('onnxruntime')
    times, why = profile_variant(model, model.variant(), 'onnxruntime', runs=3)
    found = as_dict(model, model.variant(), times, why)
    assert why == 'it was asked for'
    assert found['runs'] == 3 == len(times.alone_ms)
    assert {'ReduceSum', 'Add'} <= set(found['kinds_ms'])
    assert sum(layer['share'] for layer in found['layers']) == pytest.approx(1, abs=1e-4)
    assert json.loads(json.dumps(found)) == found


def test_on_tensorrt_layers_have_precisions_and_the_whole_is_a_graph(profile):
    found, times = profile
    assert [(layer['precision'], layer['ms']) for layer in found['layers']] == [
        ('fp16', 0.25),
        ('', 0.5),
    ]
    assert found['layers_ms'] == 0.75
    assert found['precisions_ms'] == {'none': 0.5, 'fp16': 0.25}
    assert found['alone'].startswith('as one CUDA graph')
    assert len(times.alone_ms) == len(times.observed_ms) == 4


def test_where_there_is_no_graph_it_says_so(model, on_tensorrt):
    def open_one(*arguments):
        return on_tensorrt(*arguments, uncapturable=True)

    times, _ = profile_variant(model, model.variant(), runs=2, open_one=open_one)
    assert times.alone.startswith('kernel by kernel (')


def test_the_text_tells_the_longest_first_and_what_they_sum_to(profile):
    lines = as_text(profile[0], 0, 80).splitlines()
    assert 'copy' in lines[4]
    assert '66.7%' in lines[4]
    assert 'conv & "co"' in lines[5]
    assert '100.0%' in lines[5]
    assert '0.7500 ms  all layers together' in '\n'.join(lines)
    assert 'by precision: moves data, or not told 66.7%, fp16 33.3%' in lines
    assert '1 more (--most 0 shows all)' in as_text(profile[0], 1, 80)


def test_the_trace_lays_layers_end_to_end(profile):
    trace = as_trace(profile[1], 'tiny')
    complete = [event for event in trace['traceEvents'] if event['ph'] == 'X']
    for row, count in ((1, 2), (2, 8)):
        events = [event for event in complete if event['tid'] == row]
        assert len(events) == count
        for before, after in itertools.pairwise(events):
            assert after['ts'] == pytest.approx(before['ts'] + before['dur'])
    named = [e for e in trace['traceEvents'] if e['ph'] == 'M' and e['name'] == 'thread_name']
    assert {event['tid'] for event in named} == {1, 2}
    assert complete[0]['dur'] == 250


def test_the_picture_shows_the_longest_and_sums_the_rest(profile, model):
    layers = tuple(LayerTimes(f'layer {n} <&>', 'Conv', 'int8', (n + 1.0,)) for n in range(40))
    times = NetworkTimes('tensorrt 9', layers, (900.0,), (800.0,), 'as a graph')
    for found in (profile[0], as_dict(model, model.variant(), times, '')):
        root = ElementTree.fromstring(draw(found))
        texts = [element.text for element in root.iter() if element.tag.endswith('text')]
        bars = [element for element in root.iter() if element.get('rx') == '2']
        assert len(bars) == min(SHOWN, len(found['layers']))
        assert found['layers'][-1]['name'] in texts
    assert '10 more layers, together' in texts
    widths = [float(bar.get('width')) for bar in bars]
    assert widths[0] / widths[-1] == pytest.approx(40 / 11, rel=0.01)


def test_names_keep_their_ends():
    assert shortened('short', 10) == 'short'
    assert shortened('abcdefghijklmnop', 10) == 'abc…klmnop'
    assert len(shortened('x' * 300, 48)) == 48
