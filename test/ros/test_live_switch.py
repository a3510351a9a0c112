# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Another variant takes over from one frame to the next, while frames come.

Every frame is sent when the one before was answered, so that nothing hangs on how fast the machine
is.  tools/benchmarks/live_switch.py sends at 30 Hz and measures the gaps between the answers.
"""

import itertools
import threading

import pytest
import yaml
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters

from brightness_model import write_brightness_model
from detector_bench import Bench
from ros_peer import image_message, paint


@pytest.fixture
def folder(tmp_path):
    """A model with three variants that work and one whose file is no network."""
    folder = write_brightness_model(tmp_path / 'brightness')
    card = yaml.safe_load((folder / 'model.yaml').read_text())
    first = card['variants'][0]
    (folder / 'broken.onnx').write_bytes(b'not a network')
    card['variants'] = [
        {**first, 'name': 'best'},
        {**first, 'name': 'second'},
        {**first, 'name': 'third'},
        {**first, 'name': 'broken', 'onnx': 'broken.onnx'},
    ]
    (folder / 'model.yaml').write_text(yaml.safe_dump(card))
    return folder


def text(value):
    return ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)


def wait_told(bench, **wanted):
    """Wait until the diagnostics tell this."""
    bench.forget()
    bench.status(lambda status, values: wanted.items() <= values.items())


def value_of(bench, name):
    request = GetParameters.Request(names=[name])
    (value,) = bench.peer.call(GetParameters, '/detector/get_parameters', request).values
    return value.string_value


def test_a_set_takes_over_at_the_next_frame_and_is_told(start, peer, folder):
    bench = Bench(start, peer, folder)
    assert bench.set('variant', text('third')).successful
    wait_told(bench, variant='third', loaded='third')
    found = bench.infer(image_message(paint(255, 0, 0)))
    assert [d.results[0].hypothesis.class_id for d in found.detections] == ['red']


def test_the_live_thresholds_hold_for_the_new_variant(start, peer, folder):
    bench = Bench(start, peer, folder)
    strict = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=0.9)
    assert bench.set('score_threshold', strict).successful
    assert bench.set('variant', text('second')).successful
    assert not bench.infer(image_message(paint(200, 0, 0))).detections


def test_one_that_cannot_be_loaded_leaves_the_old_one_running_and_is_refused(start, peer, folder):
    bench = Bench(start, peer, folder)
    result = bench.set('variant', text('broken'))
    assert not result.successful
    assert 'broken cannot be loaded, best goes on' in result.reason
    assert 'broken.onnx' in result.reason
    assert value_of(bench, 'variant') == 'auto'
    wait_told(bench, variant='best', loaded='best')
    assert bench.infer(image_message(paint(0, 255, 0))).detections


def test_a_set_that_is_refused_for_another_value_switches_nothing(start, peer, folder):
    bench = Bench(start, peer, folder, floor_variant='second')
    result = bench.set('variant', text('third'))
    assert not result.successful
    assert 'below floor_variant' in result.reason
    wait_told(bench, variant='best', loaded='best')


def test_kept_variants_are_loaded_while_configuring(start, peer, folder):
    bench = Bench(start, peer, folder, keep_loaded=3)
    _, values = bench.status(lambda status, values: 'loaded' in values)
    assert sorted(values['loaded'].split(', ')) == ['best', 'second', 'third']


def test_no_frame_is_lost_or_answered_twice(start, peer, folder):
    bench = Bench(start, peer, folder, keep_loaded=2)
    stop = threading.Event()
    results = []
    names = itertools.cycle(['second', 'third', 'best'])

    def switching():
        while not stop.is_set():
            results.append(bench.set('variant', text(next(names))).successful)
            stop.wait(0.02)

    switcher = threading.Thread(target=switching)
    switcher.start()
    sent = 0
    try:
        while switcher.is_alive() and (sent < 60 or len(results) < 4):
            bench.infer(image_message(paint(255, 0, 0), number=sent))
            sent += 1
    finally:
        stop.set()
        switcher.join()
    assert [d.header.stamp.sec for d in bench.detections] == [1000 + n for n in range(sent)]
    assert len(results) >= 4
    assert all(results)
