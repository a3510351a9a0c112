# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The recording player as its users run it: a process of its own, over real DDS."""

import itertools
import signal
import subprocess
import sys
import threading
import time

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection2DArray

from recording_writer import IMAGE, NS, START_NS, TRUTH, write_recording
from ros_peer import wait_for

IMAGES = [b'\xff\xd8' + bytes([i]) * 30_000 + b'\xff\xd9' for i in range(40)]


@pytest.fixture(scope='module')
def walk(tmp_path_factory):
    path = tmp_path_factory.mktemp('recordings') / 'walk'
    return write_recording(path, frames=40, rate_hz=40.0, images=IMAGES)


class PlayerProcess:
    """A recording player that runs, and what it has said."""

    def __init__(self, *parameters, remap=()):
        parameters = ('wait_timeout_s:=60.0', *parameters)
        options = [part for p in parameters for part in ('-p', p)]
        options += [part for rule in remap for part in ('-r', rule)]
        self.process = subprocess.Popen(
            [
                sys.executable,
                '-m',
                'jetson_infer.ros.recording_player_node',
                '--ros-args',
                *options,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._output = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self):
        return ''.join(self._output)

    def end(self, timeout_s=60.0):
        """Wait for its end and return its exit code."""
        code = self.process.wait(timeout_s)
        self._reader.join(30.0)
        return code

    def _read(self):
        self._output.extend(iter(self.process.stdout.readline, ''))


@pytest.fixture
def play():
    made = []

    def start(*parameters, **options):
        made.append(PlayerProcess(*parameters, **options))
        return made[-1]

    yield start
    for player in made:
        # Politely: who is killed lingers in discovery, and in the tests that follow.
        if player.process.poll() is None:
            player.process.send_signal(signal.SIGINT)
            player.end()


def stamp_ns(header):
    return header.stamp.sec * NS + header.stamp.nanosec


def test_everything_arrives_once_in_order_and_it_ends_well(walk, peer, play):
    images = peer.hear(CompressedImage, IMAGE, reliable=False)
    truths = peer.hear(Detection2DArray, TRUTH)
    started_ns = time.time_ns()
    player = play(f'recording:={walk}', f'wait_for_topics:=["{IMAGE}", "{TRUTH}"]')
    assert player.end() == 0, player.output
    wait_for(lambda: len(images) == 40 and len(truths) == 40, f'40 of each\n{player.output}')
    assert [bytes(m.data) for m in images] == IMAGES
    stamps = [stamp_ns(m.header) for m in images]
    assert stamps == [stamp_ns(m.header) for m in truths]
    assert [stamp_ns(m.detections[0].header) for m in truths] == stamps
    assert [round((b - a) / 1e6) for a, b in itertools.pairwise(stamps)] == [25] * 39
    assert started_ns < stamps[0] < stamps[-1] < time.time_ns()
    assert f'{IMAGE}       40' in player.output
    assert 'lateness: median' in player.output


def test_topics_can_be_remapped_and_chosen(walk, peer, play):
    moved = peer.hear(CompressedImage, '/robot/front/compressed', reliable=False)
    truths = peer.hear(Detection2DArray, TRUTH)
    player = play(
        f'recording:={walk}',
        f'topics:=["{IMAGE}"]',
        f'wait_for_topics:=["{IMAGE}"]',
        'rate:=4',
        remap=[f'{IMAGE}:=/robot/front/compressed'],
    )
    assert player.end() == 0, player.output
    wait_for(lambda: len(moved) == 40)
    assert not truths


def test_qos_is_that_of_the_recording(walk, peer, play):
    play(f'recording:={walk}', 'loop:=true')
    node = peer.node
    for topic, reliability, durability in (
        (IMAGE, ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE),
        (TRUTH, ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE),
        ('/tf_static', ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL),
    ):
        found = wait_for(lambda t=topic: node.get_publishers_info_by_topic(t), f'{topic}')
        assert found[0].qos_profile.reliability == reliability
        assert found[0].qos_profile.durability == durability


def test_a_late_subscriber_gets_the_static_transform(walk, peer, play):
    images = peer.hear(CompressedImage, IMAGE, reliable=False)
    play(f'recording:={walk}', 'loop:=true')
    wait_for(lambda: images)
    transforms = peer.hear(TFMessage, '/tf_static', latched=True)
    wait_for(lambda: transforms, 'the static transform')
    assert transforms[0].transforms[0].child_frame_id == 'camera'


def test_with_a_clock_stamps_stay_as_recorded(walk, peer, play):
    clock = peer.hear(Clock, '/clock')
    images = peer.hear(CompressedImage, IMAGE, reliable=False)
    player = play(f'recording:={walk}', 'clock_hz:=50', f'wait_for_topics:=["{IMAGE}"]')
    assert player.end() == 0, player.output
    wait_for(lambda: len(images) == 40)
    assert [stamp_ns(m.header) for m in images] == [
        START_NS + i * NS // 40 - 5_000_000 for i in range(40)
    ]
    times = [m.clock.sec * NS + m.clock.nanosec for m in clock]
    assert times == sorted(times)
    assert START_NS <= times[0] < times[-1] <= START_NS + NS


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(walk, peer, play, number):
    images = peer.hear(CompressedImage, IMAGE, reliable=False)
    player = play(f'recording:={walk}', 'loop:=true')
    wait_for(lambda: len(images) > 5)
    player.process.send_signal(number)
    assert player.end() == 0, player.output
    assert 'Traceback' not in player.output


def test_the_status_tells_what_was_published(walk, peer, play):
    status = peer.hear(DiagnosticStatus, '/recording_player/status', latched=True)
    player = play(f'recording:={walk}', 'rate:=2.0', 'wait_for_observers:=1')
    assert player.end() == 0, player.output
    wait_for(lambda: status and status[-1].message == 'finished', 'the last status')
    values = {pair.key: pair.value for pair in status[-1].values}
    assert values[f'published{IMAGE}'] == '40'
    assert values['time_map/recorded_ns'] == str(START_NS)
    assert values['time_map/rate'] == '2.0'
    assert float(values['position_s']) == pytest.approx(0.975)
    assert next(s.message for s in status) == 'waiting'


@pytest.mark.parametrize(
    ('parameters', 'message'),
    [
        ([], "the parameter 'recording' is empty"),
        (['recording:=/nowhere/at/all'], "there is no recording '/nowhere/at/all'"),
        (['recording:={walk}', 'rate:=0'], 'rate'),
        (['recording:={walk}', 'topics:=["/nope"]'], "no topic '/nope'"),
        (['recording:={walk}', 'wait_for_topics:=["/nope"]'], "no topic '/nope'"),
        (['recording:={walk}', 'start_offset_s:=99.0'], 'cannot start at 99 s'),
        (['recording:={walk}', 'stamps:=yesterday'], 'stamps'),
    ],
)
def test_what_cannot_be_played_is_said_and_ends_with_1(walk, play, parameters, message):
    player = play(*(p.format(walk=walk) for p in parameters))
    assert player.end() == 1, player.output
    assert message in player.output
    assert 'Traceback' not in player.output


def test_a_type_that_is_not_installed_is_left_out_with_a_warning(tmp_path, peer, play):
    path = write_recording(tmp_path / 'walk', frames=4, storage='SQLITE3')
    import sqlite3

    with sqlite3.connect(next(path.glob('*.db3'))) as database:
        database.execute("UPDATE topics SET type = 'acme_msgs/msg/Rocket' WHERE name = ?", (TRUTH,))
    metadata = path / 'metadata.yaml'
    text = metadata.read_text()
    metadata.write_text(text.replace('vision_msgs/msg/Detection2DArray', 'acme_msgs/msg/Rocket'))
    images = peer.hear(CompressedImage, IMAGE, reliable=False)
    player = play(f'recording:={path}', f'wait_for_topics:=["{IMAGE}"]')
    assert player.end() == 0, player.output
    assert f'{TRUTH} (acme_msgs/msg/Rocket)' in player.output
    wait_for(lambda: len(images) == 4)
    asked = play(f'recording:={path}', f'topics:=["{TRUTH}"]')
    assert asked.end() == 1
    assert 'acme_msgs/msg/Rocket' in asked.output


def play_verb(*arguments):
    return subprocess.Popen(
        [sys.executable, '-m', 'jetson_infer.cli.main', 'play', *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_play_verb_plays_with_its_options(walk, peer):
    moved = peer.hear(CompressedImage, '/front/compressed', reliable=False)
    clock = peer.hear(Clock, '/clock')
    options = [
        '--rate',
        '2',
        '--topics',
        IMAGE,
        '--wait-for',
        IMAGE,
        '--clock',
        '--duration',
        '0.5',
    ]
    process = play_verb(walk, *options, '--remap', f'{IMAGE}:=/front/compressed')
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    wait_for(lambda: len(moved) == 21)
    assert stamp_ns(moved[0].header) == START_NS - 5_000_000
    wait_for(lambda: len(clock) > 1, 'the clock')


def test_the_play_verb_ends_with_its_player(walk, peer):
    images = peer.hear(CompressedImage, IMAGE, reliable=False)
    process = play_verb(walk, '--loop')
    wait_for(lambda: len(images) > 5)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert 'Traceback' not in output
    wait_for(lambda: not peer.node.get_publishers_info_by_topic(IMAGE), 'the end of the player')
