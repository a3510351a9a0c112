# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The demo as a person starts it, and the observer that it relies on."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.qos import DurabilityPolicy, QoSProfile
from vision_msgs.msg import BoundingBox2D, Detection2D, Detection2DArray, ObjectHypothesisWithPose

from demo_runs import write_pictures
from ros_peer import wait_for

FRAMES = 51


@pytest.fixture(scope='module')
def walk(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp('recordings') / 'walk', FRAMES)


# --- the observer ---


class Observer:
    """A demo_observer that runs, and the events it has written."""

    def __init__(self, events):
        self._events = events
        options = ['-p', f'events_file:={events}', '-p', 'detector:=/arm/detector']
        module = 'jetson_infer.ros.demo_observer_node'
        self.process = subprocess.Popen(
            [sys.executable, '-m', module, '--ros-args', *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def events(self):
        text = self._events.read_text() if self._events.exists() else ''
        return [json.loads(line) for line in text.split('\n')[:-1]]

    def of(self, kind):
        return [event for event in self.events if event['kind'] == kind]


@pytest.fixture
def observer(tmp_path):
    made = Observer(tmp_path / 'events.jsonl')
    yield made
    if made.process.poll() is None:
        made.process.kill()
    made.process.communicate()


@pytest.fixture
def detections(peer):
    return peer.publisher(Detection2DArray, '/detections', matched=0)


@pytest.fixture
def status(peer):
    profile = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    made = peer.node.create_publisher(DiagnosticStatus, '/player_status', profile)
    yield made
    peer.node.destroy_publisher(made)


def detections_message():
    message = Detection2DArray()
    message.header.stamp.sec, message.header.stamp.nanosec = 12, 34
    found = Detection2D(bbox=BoundingBox2D(size_x=20.0, size_y=10.0))
    found.bbox.center.position.x, found.bbox.center.position.y = 50.0, 40.0
    for label, score in (('cat', 0.25), ('dog', 0.75)):
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id, result.hypothesis.score = label, score
        found.results.append(result)
    message.detections.append(found)
    return message


def test_the_observer_follows_a_run_to_its_end(peer, observer, detections, status):
    diagnostics = peer.node.create_publisher(DiagnosticArray, '/diagnostics', 10)
    wait_for(lambda: status.get_subscription_count() == 1, 'the observer')
    assert detections.get_subscription_count() == 1
    status.publish(DiagnosticStatus(message='playing', values=[KeyValue(key='state', value='x')]))
    detections.publish(detections_message())
    report = DiagnosticStatus(level=b'\x01', name='/arm/detector: pipeline', message='slow')
    report.values.append(KeyValue(key='frames/received', value='1'))
    other = DiagnosticStatus(name='/leg/detector: pipeline')

    def tell():
        diagnostics.publish(DiagnosticArray(status=[other, report]))
        return len(observer.of('diagnostics')) > 1

    wait_for(tell)
    wait_for(lambda: observer.of('detections'))
    status.publish(DiagnosticStatus(values=[KeyValue(key='state', value='finished')]))

    def ended():
        diagnostics.publish(DiagnosticArray(status=[report]))
        time.sleep(0.1)
        return observer.process.poll() is not None

    wait_for(ended, 'the end of the observer')
    assert observer.process.returncode == 0
    event = observer.of('detections')[0]
    assert event['stamp'] == 12_000_000_034
    assert event['objects'] == [['dog', 0.75, [40.0, 35.0, 60.0, 45.0]]]
    event = observer.of('diagnostics')[0]
    assert (event['level'], event['message']) == (1, 'slow')
    assert event['values'] == {'frames/received': '1'}
    assert observer.events[-1]['reason'] == 'finished'
    peer.node.destroy_publisher(diagnostics)


def test_the_observer_notices_that_the_player_is_gone(peer, observer, detections):
    profile = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    status = peer.node.create_publisher(DiagnosticStatus, '/player_status', profile)
    wait_for(lambda: status.get_subscription_count() == 1, 'the observer')
    status.publish(DiagnosticStatus(values=[KeyValue(key='state', value='playing')]))
    wait_for(lambda: observer.of('playback'))
    peer.node.destroy_publisher(status)
    assert observer.process.wait(60.0) == 1
    assert observer.events[-1]['reason'] == 'player_lost'


def test_the_observer_notices_that_it_is_not_alone(peer, observer, detections):
    another = peer.node.create_publisher(Detection2DArray, '/detections', 1)
    assert observer.process.wait(60.0) == 1
    assert observer.events[-1]['reason'] == 'not_alone'
    peer.node.destroy_publisher(another)


# --- the whole demo ---


class Demo:
    """A demo that runs as a person starts it."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'jetson_infer.cli.main', 'demo', *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def end(self, timeout_s):
        code = self.process.wait(timeout_s)
        self._reader.join(30.0)
        return code, ''.join(self.lines), self.process.stderr.read()

    def _read(self):
        self.lines.extend(iter(self.process.stdout.readline, ''))


def processes_of(folder):
    """Return the processes that a demo with this output folder has started."""
    found = []
    for name in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{name}/environ', 'rb') as file:
                if f'ROS_LOG_DIR={folder}/'.encode() in file.read():
                    found.append(int(name))
        except (OSError, PermissionError):
            continue  # it has ended, or is another user's
    return found


@pytest.fixture
def start(monkeypatch):
    monkeypatch.delenv('ROS_LOG_DIR', raising=False)
    made = []

    def start_demo(*arguments):
        made.append(Demo(*arguments))
        return made[-1]

    yield start_demo
    for demo in made:
        if demo.process.poll() is None:
            demo.process.send_signal(signal.SIGINT)
            demo.process.wait(60.0)


def test_the_demo_counts_every_frame_and_leaves_its_report(walk, model_folder, tmp_path, start):
    out = tmp_path / 'out'
    demo = start('--recording', walk, '--model', model_folder, '--out', out, '--json')
    code, output, errors = demo.end(100.0)
    assert code == 0, errors
    summary = json.loads(output)
    counters, frames = summary['counters'], summary['frames']
    assert frames['played'] == FRAMES
    # Images are sent best effort: on a busy machine the first may miss a process that just met.
    assert FRAMES - 1 <= counters['received'] <= FRAMES
    # What a hiccup costs is counted.
    assert counters['processed'] + counters['replaced'] == counters['received']
    assert frames['processed'] == counters['processed'] >= 0.8 * FRAMES
    assert frames['share'] == pytest.approx(frames['processed'] / FRAMES, abs=0.001)
    assert summary['latency_ms']['p50'] > 0
    assert set(summary['stages_ms']) >= {'wait', 'preprocess', 'infer', 'decode', 'publish'}
    assert FRAMES - 1 <= summary['accuracy']['objects'] <= FRAMES
    for name in ('report.html', 'detections.webm', 'summary.json', 'log.txt'):
        assert (out / name).stat().st_size > 0
    assert processes_of(out) == []


@pytest.mark.parametrize('moment', ['start', 'run'])
def test_an_interrupted_demo_ends_everything(walk, model_folder, tmp_path, start, moment):
    out = tmp_path / 'out'
    demo = start('--recording', walk, '--model', model_folder, '--out', out, '--plain')
    sign = 'starting' if moment == 'start' else '/ 2.5 s'
    wait_for(lambda: any(sign in line for line in demo.lines), sign, 60.0)
    demo.process.send_signal(signal.SIGINT)
    code, output, errors = demo.end(100.0)
    assert code == 130
    assert f'interrupted; kept in {out}: ' in output
    assert errors == ''
    assert processes_of(out) == []


def test_a_killed_demo_leaves_no_process_behind(walk, model_folder, tmp_path, start):
    out = tmp_path / 'out'
    demo = start('--recording', walk, '--model', model_folder, '--out', out, '--plain')
    wait_for(lambda: any('/ 2.5 s' in line for line in demo.lines), 'the run', 60.0)
    assert len(processes_of(out)) == 4
    demo.process.kill()
    wait_for(lambda: not processes_of(out), 'their end')


def test_a_detector_that_cannot_start_is_told(walk, model_folder, tmp_path, start):
    params = tmp_path / 'params.yaml'
    params.write_text(
        f'/**: {{ros__parameters: {{model: {model_folder}, score_threshold: 1.5}}}}\n'
    )
    out = tmp_path / 'out'
    demo = start('--recording', walk, '--params-file', params, '--out', out, '--plain')
    code, _, errors = demo.end(100.0)
    assert code == 1
    assert 'the detector did not become active' in errors
    assert '1.5' in errors
    assert 'Traceback' not in errors
    assert processes_of(out) == []


def test_a_model_that_is_not_there_is_told_before_anything_starts(walk, tmp_path, start):
    demo = start('--recording', walk, '--model', '/no/such/model', '--out', tmp_path, '--plain')
    code, output, errors = demo.end(60.0)
    assert (code, output) == (1, '')
    assert '/no/such/model' in errors
