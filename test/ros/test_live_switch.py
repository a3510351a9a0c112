# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Another variant takes over from one frame to the next, while frames come.

By default every frame is sent when the one before was answered.  JETSON_INFER_SWITCH_FRAMES=1000
sends as many at 30 Hz, switches every second, and judges the gaps between the answers.
"""

import itertools
import os
import threading
import time

import pytest
import yaml
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters

from brightness_model import write_brightness_model
from detector_bench import Bench
from ros_peer import image_message, paint, wait_for

FRAMES = int(os.environ.get('JETSON_INFER_SWITCH_FRAMES', '0'))
RATE_HZ = 30.0


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


def variant_in_diagnostics(bench):
    bench.forget()
    return wait_for(
        lambda: next(
            (
                {pair.key: pair.value for pair in status.values}
                for report in bench.diagnostics
                for status in report.status
                if status.name.endswith('pipeline')
            ),
            None,
        ),
        'diagnostics',
    )


def value_of(bench, name):
    request = GetParameters.Request(names=[name])
    (value,) = bench.peer.call(GetParameters, '/detector/get_parameters', request).values
    return value.string_value


def test_a_set_takes_over_at_the_next_frame_and_is_told(start, peer, folder):
    bench = Bench(start, peer, folder)
    assert bench.set('variant', text('third')).successful
    assert variant_in_diagnostics(bench)['variant'] == 'third'
    assert variant_in_diagnostics(bench)['loaded'] == 'third'
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
    assert variant_in_diagnostics(bench)['variant'] == 'best'
    assert bench.infer(image_message(paint(0, 255, 0))).detections


def test_a_set_that_is_refused_for_another_value_switches_nothing(start, peer, folder):
    bench = Bench(start, peer, folder, floor_variant='second')
    result = bench.set('variant', text('third'))
    assert not result.successful
    assert 'below floor_variant' in result.reason
    assert variant_in_diagnostics(bench)['variant'] == 'best'


def test_kept_variants_are_loaded_while_configuring(start, peer, folder):
    bench = Bench(start, peer, folder, keep_loaded=3)
    assert sorted(variant_in_diagnostics(bench)['loaded'].split(', ')) == [
        'best',
        'second',
        'third',
    ]


def test_no_frame_is_lost_or_answered_twice(start, peer, folder):
    bench = Bench(start, peer, folder, keep_loaded=3 if FRAMES else 2)
    stop = threading.Event()
    results = []
    names = itertools.cycle(['second', 'third', 'best'])

    def switching():
        while not stop.is_set():
            results.append(bench.set('variant', text(next(names))).successful)
            stop.wait(1.0 if FRAMES else 0.02)

    switcher = threading.Thread(target=switching)
    switcher.start()
    try:
        sent = at_rate(bench) if FRAMES else one_by_one(bench)
    finally:
        stop.set()
        switcher.join()
    answered = [d.header.stamp.sec for d in bench.detections]
    assert answered == sent
    assert all(results)
    assert len(results) > 3


def one_by_one(bench):
    for number in range(60):
        bench.infer(image_message(paint(255, 0, 0), number=number))
    return [1000 + number for number in range(60)]


def at_rate(bench):
    """Send numbered frames at a rate; judge the gaps between the answers."""
    times = []
    begin = time.monotonic()
    for number in range(FRAMES):
        while time.monotonic() < begin + number / RATE_HZ:
            if len(bench.detections) > len(times):
                times += [time.monotonic()] * (len(bench.detections) - len(times))
            time.sleep(0.0005)
        bench.send(image_message(paint(255, 0, 0), number=number))
    wait_for(lambda: bench.counters()['received'] >= FRAMES, 'the last frame')
    wait_for(lambda: not bench.counters()['waiting'], 'its answer')
    assert bench.counters()['processed'] == FRAMES, bench.counters()
    wait_for(lambda: len(bench.detections) >= FRAMES, 'the last answer')
    longest = max(after - before for before, after in itertools.pairwise(times))
    print(f'longest gap {longest * RATE_HZ:.2f} frame times')
    assert longest <= 2 / RATE_HZ
    return [1000 + number for number in range(FRAMES)]
