# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The command as a person types it: what it prints, where, and its exit code."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from jetson_infer.cli.main import VERBS
from recording_writer import IMAGE, TRUTH, write_recording

NO_ROS = {k: v for k, v in os.environ.items() if not k.startswith(('ROS_', 'AMENT_'))}


def command(*arguments, environment=None, **options):
    done = subprocess.run(
        [sys.executable, '-m', 'jetson_infer.cli.main', *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**NO_ROS, **(environment or {})},
        timeout=110,
        **options,
    )
    assert 'Traceback' not in done.stderr or '--debug' in arguments
    return done


@pytest.fixture
def walk(tmp_path):
    return write_recording(tmp_path / 'walk', frames=10, rate_hz=20.0)


def test_help_names_every_verb():
    done = command('--help')
    assert done.returncode == 0
    for verb in VERBS:
        assert f'\n    {verb} ' in done.stdout


@pytest.mark.parametrize('verb', VERBS)
def test_help_of_every_verb(verb):
    done = command(verb, '--help')
    assert done.returncode == 0
    assert done.stdout.startswith(f'usage: jetson-infer {verb}')


def test_no_verb_is_used_wrongly():
    assert command().returncode == 2


@pytest.mark.parametrize(
    'arguments',
    [
        ('fly',),
        ('play',),
        ('play', 'x', '--rate', '0'),
        ('play', 'x', '--rate', 'nan'),
        ('play', 'x', '--duration', '-1'),
        ('play', 'x', '--stamps', 'old'),
        ('demo', '--rate', 'fast'),
        ('demo', '--nonsense'),
    ],
)
def test_wrong_use_is_2_with_the_usage(arguments):
    done = command(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith('usage: jetson-infer')


def test_version():
    done = command('--version')
    assert done.returncode == 0
    assert done.stdout.startswith('jetson-infer 0.')


def test_a_failure_is_one_message_and_1(tmp_path):
    done = command('play', tmp_path / 'nowhere', '--info')
    assert done.returncode == 1
    assert done.stdout == ''
    assert done.stderr.startswith('jetson-infer: there is no recording')


def test_debug_shows_where(tmp_path):
    done = command('play', tmp_path / 'nowhere', '--info', '--debug')
    assert done.returncode == 1
    assert 'Traceback' in done.stderr
    assert 'RecordingError' in done.stderr


def test_info_for_people(walk):
    done = command('play', walk, '--info')
    assert done.returncode == 0
    lines = {words[0]: words[1:] for line in done.stdout.splitlines() if (words := line.split())}
    assert lines[IMAGE] == [
        'sensor_msgs/msg/CompressedImage',
        *['10', '20.0', 'Hz', 'best', 'effort'],
    ]
    assert lines['/tf_static'][-2:] == ['reliable,', 'latched']


def test_info_for_programs(walk):
    done = command('play', walk, '--info', '--json')
    told = json.loads(done.stdout)
    assert told['messages'] == 21
    assert told['duration_s'] == pytest.approx(0.45)
    topics = {topic['name']: topic for topic in told['topics']}
    assert topics[TRUTH]['count'] == 10
    assert topics[IMAGE]['qos']['reliable'] is False


def test_info_into_a_closed_pipe_is_no_traceback(walk):
    shell = f'{sys.executable} -m jetson_infer.cli.main play {walk} --info --json | true'
    done = subprocess.run(['bash', '-c', shell], capture_output=True, text=True, env=NO_ROS)
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize('verb', [('play', 'walk'), ('demo',)])
def test_without_ros_it_says_what_to_do(tmp_path, walk, verb):
    environment = {'PYTHONPATH': os.pathsep.join(p for p in sys.path if 'ros2' not in p)}
    done = command(*verb, environment=environment, cwd=tmp_path)
    assert done.returncode == 1
    assert 'there is no ROS 2 in this shell' in done.stderr
    assert 'make demo' in done.stderr


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_its_code(tmp_path, number):
    code = (
        'import sys, time, types, jetson_infer.cli.main as m\n'
        'module = types.SimpleNamespace(add_arguments=lambda p: None)\n'
        'def run(options): print("ready", flush=True); time.sleep(100)\n'
        'module.run = run\n'
        'sys.modules["jetson_infer.cli.play"] = module\n'
        'sys.exit(m.main(["play"]))\n'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == 'ready\n'
    time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert errors == ''
