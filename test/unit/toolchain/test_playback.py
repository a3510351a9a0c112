# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import itertools
import threading
import time

import pytest

from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.message_definitions import make_typestore
from jetson_infer.toolchain.playback import player as player_module
from jetson_infer.toolchain.playback.player import LEAD_IN_NS, PlaybackOptions, Player, Stamps
from jetson_infer.toolchain.playback.read_ahead import ReadAhead
from jetson_infer.toolchain.playback.restamp import HeaderPlace, Restamper
from jetson_infer.toolchain.playback.time_map import TimeMap
from jetson_infer.toolchain.recordings import Recording
from recording_writer import IMAGE, NS, START_NS, TRUTH, Messages, write_recording


class Collector:
    """What a publisher is given, with the monotonic time it was given."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes, int]] = []
        self.clock: list[int] = []

    def publish(self, topic: str, cdr: bytes) -> None:
        self.messages.append((topic, cdr, time.monotonic_ns()))

    def publish_clock(self, now_ns: int) -> None:
        self.clock.append(now_ns)

    def of(self, topic: str) -> list[tuple[bytes, int]]:
        return [(cdr, at) for name, cdr, at in self.messages if name == topic]


def stamp_ns(header) -> int:
    return header.stamp.sec * NS + header.stamp.nanosec


class Clock(threading.Event):
    """Time that passes where a player waits, and where a publisher takes it; never by itself.

    It stands in for the machine's clocks, and for the event that stops the player.
    """

    WALL_NS = 1_700_000_000 * NS

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 7 * NS

    def monotonic_ns(self) -> int:
        return self.now_ns

    def time_ns(self) -> int:
        return self.WALL_NS + self.now_ns

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.now_ns += round(timeout * NS)
        return self.is_set()


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(player_module, 'time', made)
    return made


def play(path, **options) -> tuple[Collector, Player, Recording]:
    collector = Collector()
    recording = Recording.open(path)
    options = PlaybackOptions(**options)
    player = Player(recording, options, collector.publish, collector.publish_clock)
    player.play(threading.Event())
    return collector, player, recording


# --- time map ---


@pytest.mark.parametrize('rate', [1.0, 0.5, 2.0, 3.7])
def test_time_map_is_affine_and_turns_back(rate):
    time_map = TimeMap(START_NS, START_NS + 123_456_789_012_345_678, rate)
    assert time_map.to_live(START_NS) == START_NS + 123_456_789_012_345_678
    for elapsed in (-5_000_000, 0, 1, 999_999_999, 3_600 * NS):
        live = time_map.to_live(START_NS + elapsed)
        assert live - time_map.live_ns == pytest.approx(elapsed / rate, abs=1)
        assert abs(time_map.to_recorded(live) - START_NS - elapsed) <= rate


# --- restamping ---


def test_header_places():
    restamper = Restamper(make_typestore('humble'))
    assert restamper.place('sensor_msgs/msg/CompressedImage') is HeaderPlace.FIRST
    assert restamper.place('sensor_msgs/msg/PointCloud2') is HeaderPlace.FIRST
    assert restamper.place('vision_msgs/msg/Detection2DArray') is HeaderPlace.INSIDE
    assert restamper.place('tf2_msgs/msg/TFMessage') is HeaderPlace.INSIDE
    assert restamper.place('std_msgs/msg/String') is HeaderPlace.NONE
    assert restamper.place('acme_msgs/msg/Rocket') is HeaderPlace.NONE


@pytest.mark.parametrize('little_endian', [True, False])
def test_restamping_moves_every_header_and_nothing_else(little_endian):
    typestore = make_typestore('humble')
    make = Messages(typestore)
    restamp = Restamper(typestore)
    image = make.image(START_NS, b'payload')
    truth = make.truth(START_NS, [('dog', 0.5, (1, 2, 3, 4)), ('cat', 0.4, (5, 6, 7, 8))])
    transform = make.transform(START_NS)
    for message, headers in (
        (image, lambda m: [m.header]),
        (truth, lambda m: [m.header, *(d.header for d in m.detections)]),
        (transform, lambda m: [t.header for t in m.transforms]),
    ):
        kind = message.__msgtype__
        cdr = bytes(typestore.serialize_cdr(message, kind, little_endian=little_endian))
        moved = typestore.deserialize_cdr(restamp(cdr, kind, lambda s: s + 1_500_000_000), kind)
        assert [stamp_ns(h) for h in headers(moved)] == [START_NS + 1_500_000_000] * len(
            headers(message)
        )
        for header in headers(moved):
            header.stamp.sec -= 1
            header.stamp.nanosec -= 500_000_000
        assert bytes(typestore.serialize_cdr(moved, kind)) == bytes(
            typestore.serialize_cdr(message, kind)
        )


def test_a_stamp_that_is_not_set_stays_so():
    typestore = make_typestore('humble')
    make = Messages(typestore)
    restamp = Restamper(typestore)
    for message in (make.image(0, b'x'), make.transform(0)):
        kind = message.__msgtype__
        cdr = bytes(typestore.serialize_cdr(message, kind))
        assert restamp(cdr, kind, lambda s: s + NS) == cdr


# --- reading ahead ---


def test_read_ahead_keeps_order_and_its_bound():
    produced = []

    def source():
        for i in range(50):
            produced.append(i)
            yield i

    received = []
    with ReadAhead(source(), lambda _: 10, max_bytes=50) as items:
        for item in items:
            received.append(item)
            # Five wait, one is in hand here, one in the producer's.
            assert len(produced) - len(received) <= 6
    assert received == list(range(50))


def test_read_ahead_raises_after_what_came_before():
    def source():
        yield 1
        raise RecordingError('cut')

    with ReadAhead(source(), lambda _: 1) as items:
        received = iter(items)
        assert next(received) == 1
        with pytest.raises(RecordingError, match='cut'):
            next(received)


def test_read_ahead_ends_when_its_consumer_leaves():
    def source():
        while True:
            yield 1

    before = set(threading.enumerate())
    with ReadAhead(source(), lambda _: 1, max_bytes=10) as items:
        next(iter(items))
    assert set(threading.enumerate()) <= before


# --- playing ---


def test_messages_come_at_their_times_and_in_order(tmp_path):
    path = write_recording(tmp_path / 'walk', frames=20, rate_hz=40.0)
    began_ns = time.monotonic_ns()
    collector, player, recording = play(path)
    images = collector.of(IMAGE)
    assert len(images) == 20
    late_s = [(at - began_ns) / 1e9 - i / 40.0 for i, (_, at) in enumerate(images)]
    assert all(late > 0.0 for late in late_s)  # late on a machine under load; never early
    assert player.progress.published == {IMAGE: 20, TRUTH: 20, '/tf_static': 1}
    assert player.progress.position_s == pytest.approx(19 / 40.0)
    assert len(player.progress.lateness_ms) == 41
    recording.close()


def test_a_delay_is_caught_up_with_and_does_not_add_up(tmp_path, clock):
    """Each publication takes 1 ms, and one takes 110 ms."""
    path = write_recording(tmp_path / 'walk', frames=20, rate_hz=40.0)
    at_ms = []

    def publish(topic: str, cdr: bytes) -> None:
        at_ms.append((clock.now_ns - began_ns) / 1e6)
        clock.now_ns += 110_000_000 if len(at_ms) == 5 else 1_000_000

    with Recording.open(path) as recording:
        player = Player(recording, PlaybackOptions(topics=(IMAGE,)), publish)
        began_ns = clock.now_ns
        player.play(clock)
        first_ms = at_ms[0]
        log_ms = [(raw.log_ns - recording.start_ns) / 1e6 for raw in recording.raw([IMAGE])]
    assert first_ms >= LEAD_IN_NS / 1e6
    late_ms = [at - due - LEAD_IN_NS / 1e6 for at, due in zip(at_ms, log_ms)]
    # Four came due in the 110 ms; they go out one after the other, and the next are on time.
    assert late_ms == pytest.approx([0.0] * 5 + [85.0, 61.0, 37.0, 13.0] + [0.0] * 11, abs=1e-3)
    assert player.progress.lateness_ms == pytest.approx(late_ms, abs=1e-3)


def test_live_stamps_keep_ages_and_stay_equal_between_topics(tmp_path, clock):
    path = write_recording(tmp_path / 'walk', frames=5)
    collector, published_ns = Collector(), []

    def publish(topic: str, cdr: bytes) -> None:
        collector.publish(topic, cdr)
        if topic == IMAGE:
            published_ns.append(clock.time_ns())

    recording = Recording.open(path)
    began_ns = clock.time_ns()
    Player(recording, PlaybackOptions(rate=2.0), publish).play(clock)
    kinds = {t.name: t.type for t in recording.topics.values()}
    decode = recording.typestore.deserialize_cdr
    images = [stamp_ns(decode(c, kinds[IMAGE]).header) for c, _ in collector.of(IMAGE)]
    truths = [decode(c, kinds[TRUTH]) for c, _ in collector.of(TRUTH)]
    assert images == [stamp_ns(t.header) for t in truths]
    assert [stamp_ns(t.detections[0].header) for t in truths] == images
    assert began_ns < images[0] < clock.time_ns()
    # 20 Hz at twice the rate.
    assert [b - a for a, b in itertools.pairwise(images)] == [25_000_000] * 4
    # Recorded 5 ms after its stamp, played at twice the rate.
    assert [at - stamp for stamp, at in zip(images, published_ns)] == [2_500_000] * 5
    recording.close()


def test_recorded_stamps_and_the_clock(tmp_path):
    path = write_recording(tmp_path / 'walk', frames=10)
    with Recording.open(path) as original:
        recorded = [raw.cdr for raw in original.raw([IMAGE])]
    collector, _, recording = play(path, stamps=Stamps.RECORDED, clock_hz=100.0)
    assert [cdr for cdr, _ in collector.of(IMAGE)] == recorded
    times = collector.clock
    assert times[0] == START_NS
    assert {b - a for a, b in itertools.pairwise(times)} == {10_000_000}
    assert times[-1] == START_NS + 450_000_000
    recording.close()


def test_a_part_begins_with_what_was_latched_before(tmp_path):
    path = write_recording(tmp_path / 'walk', frames=20)
    collector, player, recording = play(path, start_offset_s=0.5, duration_s=0.2)
    assert next(name for name, _, _ in collector.messages) == '/tf_static'
    assert player.progress.published == {'/tf_static': 1, IMAGE: 5, TRUTH: 5}
    assert player.duration_s == pytest.approx(0.2)
    recording.close()


def test_only_the_topics_asked_for(tmp_path):
    path = write_recording(tmp_path / 'walk', frames=3)
    collector, player, recording = play(path, topics=(TRUTH,))
    assert {name for name, _, _ in collector.messages} == {TRUTH}
    assert player.progress.published == {TRUTH: 3}
    recording.close()


def test_looping_ends_when_stopped(tmp_path):
    path = write_recording(tmp_path / 'walk', frames=4, rate_hz=40.0)
    collector = Collector()
    stop = threading.Event()
    with Recording.open(path) as recording:
        player = Player(recording, PlaybackOptions(loop=True), collector.publish)
        thread = threading.Thread(target=player.play, args=(stop,))
        thread.start()
        deadline = time.monotonic() + 60
        while player.progress.passes < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        stop.set()
        thread.join(timeout=60)
        assert not thread.is_alive()
    count = len(collector.messages)
    time.sleep(0.1)
    assert len(collector.messages) == count
    assert player.progress.passes >= 3
    stamps = [
        recording.typestore.deserialize_cdr(cdr, 'sensor_msgs/msg/CompressedImage').header
        for cdr, _ in collector.of(IMAGE)
    ]
    times = [stamp_ns(header) for header in stamps]
    assert times == sorted(times)


def test_a_damaged_recording_ends_the_playback_with_its_error(tmp_path):
    import sqlite3

    path = write_recording(tmp_path / 'walk', storage='SQLITE3', frames=4)
    with sqlite3.connect(next(path.glob('*.db3'))) as database:
        database.execute('DELETE FROM messages WHERE id > 5')
    with pytest.raises(RecordingError, match='promises 9 messages and holds 5'):
        play(path)


@pytest.mark.parametrize(
    ('options', 'error', 'message'),
    [
        ({'rate': 0.0}, ValueError, 'rate must be above 0'),
        ({'rate': float('nan')}, ValueError, 'rate must be above 0'),
        ({'start_offset_s': -1.0}, ValueError, 'start_offset_s must be at least 0'),
        ({'start_offset_s': 9.0}, RecordingError, 'cannot start at 9 s'),
        ({'topics': ('/nope',)}, RecordingError, "no topic '/nope'"),
    ],
)
def test_what_cannot_be_played_is_refused_before(tmp_path, options, error, message):
    path = write_recording(tmp_path / 'walk', frames=3)
    with pytest.raises(error, match=message):
        play(path, **options)


def test_no_message_in_the_range_is_refused(tmp_path):
    path = write_recording(tmp_path / 'walk', frames=0)
    with pytest.raises(RecordingError, match='no messages'):
        play(path, topics=(IMAGE,))
