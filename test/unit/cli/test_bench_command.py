# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer bench` as a person types it."""

import importlib.util
import json
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from brightness_model import write_brightness_model
from jetson_infer.cli.bench_watch import cpu_s
from jetson_infer.toolchain.bench.settings import BenchError
from recording_writer import write_recording


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return write_brightness_model(tmp_path_factory.mktemp('models') / 'brightness')


def bench(*arguments):
    done = subprocess.run(
        [sys.executable, '-m', 'jetson_infer.cli.main', 'bench', *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert 'Traceback' not in done.stderr
    return done


def test_text_json_and_picture(model, tmp_path):
    arguments = ('--model', model, '--frames', 6, '--size', '64x48', '--out', tmp_path / 'out')
    done = bench(*arguments, '--compare', 'size=128x96', '--rate', 200)
    assert done.returncode == 0, done.stderr
    for line in ('preprocess', 'bare session', 'CPU time outside session', 'at 200 Hz'):
        assert line in done.stdout
    assert 'size=128x96, as a ratio' in done.stdout
    assert (tmp_path / 'out/bench.svg').read_text().startswith('<svg')
    written = json.loads((tmp_path / 'out/bench.json').read_text())
    first, second = written['measurements']
    assert (first['setting']['size'], second['setting']['size']) == ('64x48', '128x96')
    assert first['paced']['frames']['received'] == 6
    assert written['comparison']['pipeline']['count'] == 6


def test_json_is_all_that_is_printed(model, tmp_path):
    _, jpeg = cv2.imencode('.jpg', np.full((48, 64, 3), 200, np.uint8))
    walk = write_recording(tmp_path / 'walk', frames=5, images=[jpeg.tobytes()])
    done = bench('--model', model, '--frames', 4, '--recording', walk, '--json')
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result['measurements'][0]['setting']['images'] == 'recording walk'
    assert result['measurements'][0]['frames'] == 4
    assert result['machine']['cores']


def test_the_bundled_model_is_measured_on_images_it_finds_something_in():
    done = bench('--frames', 4, '--json')
    assert done.returncode == 0, done.stderr
    (measurement,) = json.loads(done.stdout)['measurements']
    assert measurement['setting']['images'] == 'recording room_walk'
    assert measurement['detections'] >= 1


@pytest.mark.parametrize(
    'asked', [('--size', '64x48'), ('--encoding', 'rgb8'), ('--compare', 'size=64x48')]
)
def test_synthetic_images_are_taken_where_they_are_asked_for(asked):
    done = bench('--frames', 2, '--json', *asked)
    assert done.returncode == 0, done.stderr
    for measurement in json.loads(done.stdout)['measurements']:
        assert measurement['setting']['recording'] == ''


def test_frames_dropped_are_told_also_without_a_rate(model):
    done = bench('--model', model, '--frames', 6, '--size', '64x48')
    assert done.returncode == 0, done.stderr
    assert 'at 30 Hz' in done.stdout
    assert 'dropped' in done.stdout


@pytest.mark.parametrize(
    ('arguments', 'code', 'named'),
    [
        (('--frames', '1'), 2, '2 on'),
        (('--frames', 'many'), 2, 'many'),
        (('--rate', '0'), 2, 'above 0'),
        (('--size', 'big'), 1, 'WIDTHxHEIGHT'),
        (('--encoding', 'bgr'), 1, 'bgr8'),
        (('--threads', 'all'), 1, 'threads=all'),
        (('--model', 'nothing_like_it'), 1, 'nothing_like_it'),
        (('--variant', 'nothing_like_it'), 1, 'nothing_like_it'),
        (('--compare', 'speed=2'), 1, 'speed=2'),
        (('--recording', '/nowhere'), 1, '/nowhere'),
        (('--recording', 'room_walk', '--size', '64x48'), 1, 'size'),
        (('--recording', 'room_walk', '--compare', 'encoding=rgb8'), 1, 'encoding'),
        (('--encoding', 'nv12', '--size', '63x48'), 1, '63x48'),
    ],
)
def test_what_cannot_be_measured_is_named(model, arguments, code, named):
    default = () if '--model' in arguments else ('--model', model)
    done = bench(*default, *arguments)
    assert done.returncode == code
    assert named in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    'program',
    [
        'time.sleep(1.0)',
        'work()',
        't = threading.Thread(target=work); t.start(); t.join()',
    ],
    ids=['sleep', 'work', 'work in a thread'],
)
def test_cpu_clock_of_another_process_counts_work_and_not_sleep(program):
    code = (
        'import time, threading\n'
        'def work():\n  while time.process_time() < 0.4: pass\n'
        f'{program}\nprint(time.process_time(), flush=True)\ninput()'
    )
    with subprocess.Popen(
        [sys.executable, '-c', code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        spent = float(process.stdout.readline())  # by its own clock, start of Python included
        time.sleep(0.05)  # another process sees the time of whole ticks
        seconds = cpu_s(process.pid)
        process.communicate('\n')
    assert spent - 0.05 < seconds < spent + 0.3


def test_cpu_clock_of_no_process():
    with subprocess.Popen([sys.executable, '-c', '']) as process:
        pass
    with pytest.raises(BenchError, match=str(process.pid)):
        cpu_s(process.pid)


def test_node_without_ros_says_what_to_do(model):
    if importlib.util.find_spec('rclpy') is not None:
        pytest.skip('ROS 2 is here')
    done = bench('--node', '--model', model)
    assert done.returncode == 1
    assert 'no ROS 2' in done.stderr
