# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Playing a recording: every message at its time, without drift, until the end or a stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.playback.read_ahead import ReadAhead
from jetson_infer.toolchain.playback.restamp import Restamper
from jetson_infer.toolchain.playback.time_map import TimeMap
from jetson_infer.toolchain.recordings import RawMessage, Recording

__all__ = ['PlaybackOptions', 'Player', 'Progress', 'Stamps']

LEAD_IN_NS = 300_000_000
"""From the start to the first message: time to read ahead, and for DDS to match the last reader."""

LOOP_GAP_NS = 100_000_000
"""From the last message of a pass to the first of the next."""


class Stamps(Enum):
    """What becomes of header stamps."""

    LIVE = 'live'
    """Moved, so that the recording appears to happen now."""
    RECORDED = 'recorded'
    """Left as they were recorded; for consumers that follow ``/clock``."""


@dataclass(frozen=True)
class PlaybackOptions:
    """What is played, and how.

    :param rate: how much faster than recorded; above 0.
    :param loop: whether to begin again at the end.
    :param topics: the topics to play; none for all.
    :param start_offset_s: how much of the beginning is left out, in recorded seconds.
    :param duration_s: how much is played, in recorded seconds; 0 for all.
    :param stamps: what becomes of header stamps.
    :param clock_hz: how often the recorded time is published; 0 for never.
    :raises ValueError: if a value is out of its range.
    """

    rate: float = 1.0
    loop: bool = False
    topics: tuple[str, ...] = ()
    start_offset_s: float = 0.0
    duration_s: float = 0.0
    stamps: Stamps = Stamps.LIVE
    clock_hz: float = 0.0

    def __post_init__(self) -> None:
        if not self.rate > 0.0:
            raise ValueError(f'rate must be above 0, not {self.rate}')
        for name in ('start_offset_s', 'duration_s', 'clock_hz'):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f'{name} must be at least 0, not {getattr(self, name)}')


@dataclass
class Progress:
    """How far a playback is; written by the player's thread, read by any.

    :param position_s: recorded seconds since the beginning of the range.
    :param passes: how many passes were begun.
    :param published: messages published by topic.
    :param lateness_ms: how late each message of the last pass was handed to the publisher.
    :param time_map: of the current pass; None before the first.
    """

    position_s: float = 0.0
    passes: int = 0
    published: dict[str, int] = field(default_factory=dict)
    lateness_ms: list[float] = field(default_factory=list)
    time_map: TimeMap | None = None

    def lateness_percentiles(self) -> tuple[float, float, float]:
        """Return the median, the 99th percentile and the maximum in ms; zeros before the first."""
        values = self.lateness_ms[:]
        if not values:
            return (0.0, 0.0, 0.0)
        p50, p99 = np.percentile(values, (50, 99))
        return (float(p50), float(p99), max(values))


class Player:
    """Plays a recording through a function that publishes serialized messages.

    :param recording: an open recording; used by the player's threads only while :meth:`play` runs.
    :param options: what is played, and how.
    :param publish: publishes the CDR bytes of a message: ``publish(topic, cdr)``.
    :param publish_clock: publishes a recorded time in ns; called ``clock_hz`` times a second.
    :raises RecordingError: if a topic is not in the recording, or nothing lies in the range.
    """

    def __init__(
        self,
        recording: Recording,
        options: PlaybackOptions,
        publish: Callable[[str, bytes], None],
        publish_clock: Callable[[int], None] | None = None,
    ) -> None:
        self._recording = recording
        self._options = options
        self._publish = publish
        self._publish_clock = publish_clock if options.clock_hz else None
        self._restamper = Restamper(recording.typestore)
        topics = recording.require_topics(options.topics) or list(recording.topics.values())
        self.topics = [topic for topic in topics if topic.count]
        self._start_ns, self._stop_ns = self._range()
        self.progress = Progress(published={topic.name: 0 for topic in self.topics})

    @property
    def duration_s(self) -> float:
        """The length of the range that is played, in recorded seconds."""
        return (self._stop_ns - self._start_ns) / 1e9

    def play(self, stop: threading.Event) -> None:
        """Play until the end (without ``loop``) or until ``stop`` is set.

        Messages are paced against the monotonic clock from the start of each pass, so that delays
        do not add up; a message that is late is published at once.

        :raises RecordingError: if the recording turns out to be damaged.
        """
        pass_length_ns = round((self._stop_ns - self._start_ns) / self._options.rate) + LOOP_GAP_NS
        due_ns = time.monotonic_ns() + LEAD_IN_NS
        while not stop.is_set():
            self._play_pass(due_ns, stop)
            if not self._options.loop:
                return
            due_ns += pass_length_ns

    def _range(self) -> tuple[int, int]:
        recording, options = self._recording, self._options
        if not self.topics:
            raise RecordingError(f'{recording.path}: there is nothing to play: no messages')
        start_ns = recording.start_ns + round(options.start_offset_s * 1e9)
        if start_ns > recording.end_ns:
            raise RecordingError(
                f'{recording.path}: cannot start at {options.start_offset_s:g} s; the recording is '
                f'{recording.duration_ns / 1e9:.3f} s long'
            )
        stop_ns = recording.end_ns
        if options.duration_s:
            stop_ns = min(stop_ns, start_ns + round(options.duration_s * 1e9))
        return start_ns, stop_ns

    def _play_pass(self, start_mono_ns: int, stop: threading.Event) -> None:
        to_wall_ns = time.time_ns() - time.monotonic_ns()
        pace = TimeMap(self._start_ns, start_mono_ns, self._options.rate)
        progress = self.progress
        progress.passes += 1
        progress.lateness_ms = []
        progress.time_map = TimeMap(self._start_ns, start_mono_ns + to_wall_ns, self._options.rate)
        clock_due_ns = start_mono_ns
        with ReadAhead(self._read(progress.time_map), lambda m: len(m.cdr)) as messages:
            for message in messages:
                due_ns = max(pace.to_live(message.log_ns), start_mono_ns)
                while self._publish_clock and clock_due_ns <= due_ns:
                    if not _wait_until(clock_due_ns, stop):
                        return
                    self._publish_clock(pace.to_recorded(clock_due_ns))
                    clock_due_ns += round(1e9 / self._options.clock_hz)
                if not _wait_until(due_ns, stop):
                    return
                late_ns = time.monotonic_ns() - due_ns
                self._publish(message.topic, message.cdr)
                progress.published[message.topic] += 1
                progress.lateness_ms.append(late_ns / 1e6)
                progress.position_s = max(0, message.log_ns - self._start_ns) / 1e9

    def _read(self, time_map: TimeMap) -> Iterator[RawMessage]:
        """Yield the messages of a pass, their stamps moved where they shall be."""
        move = time_map.to_live if self._options.stamps is Stamps.LIVE else None
        for message in self._read_recorded():
            if move is not None:
                type_name = self._recording.topics[message.topic].type
                message = message._replace(cdr=self._restamper(message.cdr, type_name, move))
            yield message

    def _read_recorded(self) -> Iterator[RawMessage]:
        latched = [topic.name for topic in self.topics if topic.qos.transient_local]
        if latched and self._options.start_offset_s:
            # What late subscribers would have been given at that time, such as static transforms.
            yield from self._recording.raw(latched, None, self._start_ns)
        names = [topic.name for topic in self.topics]
        whole = not self._options.start_offset_s and not self._options.duration_s
        if whole:
            yield from self._recording.raw(names)
        else:
            yield from self._recording.raw(names, self._start_ns, self._stop_ns + 1)


def _wait_until(mono_ns: int, stop: threading.Event) -> bool:
    """Wait for a monotonic time; False if stopped before."""
    remaining_s = (mono_ns - time.monotonic_ns()) / 1e9
    return not (stop.wait(remaining_s) if remaining_s > 0 else stop.is_set())
