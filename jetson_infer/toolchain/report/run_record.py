# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What was seen of a run while it ran: the observer's lines, one after another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.playback.time_map import TimeMap

__all__ = ['STAGES', 'DetectedObject', 'Published', 'Reported', 'RunRecord']

STAGES = ('wait', 'preprocess', 'infer', 'decode', 'publish')
"""The stages of a frame's way through the node that add up to its total."""

PERCENTILES = ('p50', 'p95', 'p99')


@dataclass(frozen=True)
class DetectedObject:
    """One object of a detections message.

    :param label: its class.
    :param score: 0 to 1.
    :param box: ``x_min, y_min, x_max, y_max`` in pixels of the image.
    """

    label: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Published:
    """One detections message.

    :param stamp_ns: the stamp of its image, as played.
    :param received_ns: when it was received.
    :param objects: what was found, in the message's order.
    """

    stamp_ns: int
    received_ns: int
    objects: tuple[DetectedObject, ...]

    @property
    def latency_ms(self) -> float:
        """From the image's stamp to the reception of what was found in it."""
        return (self.received_ns - self.stamp_ns) / 1e6


@dataclass(frozen=True)
class Reported:
    """One diagnostics message of the detector.

    :param received_ns: when it was received.
    :param level: 0 ok, 1 warning, 2 error.
    :param message: its summary.
    :param values: its key-value pairs.
    :param playing: whether the recording was being played; before and after, a detector without
        input has reason to warn.
    """

    received_ns: int
    level: int
    message: str
    values: Mapping[str, str]
    playing: bool = True

    @property
    def warning(self) -> str:
        """What is wrong while the recording is played; empty if nothing."""
        return self.message if self.level > 0 and self.playing else ''

    def number(self, key: str) -> float | None:
        """Return a value as a number; None where it is not there or not one."""
        try:
            return float(self.values[key])
        except (KeyError, ValueError):
            return None

    def latency(self, stage: str) -> dict[str, float]:
        """Return the percentiles of a stage in ms, as far as they were reported."""
        found = {p: self.number(f'latency_ms/{stage}/{p}') for p in PERCENTILES}
        return {name: value for name, value in found.items() if value is not None}

    def counters(self) -> dict[str, int]:
        """Return every frame counter by its name without ``frames/``."""
        return {
            key.partition('/')[2]: int(value)
            for key, value in self.values.items()
            if key.startswith('frames/') and value.isdigit()
        }


@dataclass
class RunRecord:
    """A run, as far as it has come.

    :param published: the detections messages, in the order of their reception.
    :param reports: the detector's diagnostics, in the order of their reception.
    :param playback: the player's latest status.
    :param end: why the run ended; empty while it runs.
    """

    published: list[Published] = field(default_factory=list)
    reports: list[Reported] = field(default_factory=list)
    playback: dict[str, str] = field(default_factory=dict)
    end: str = ''

    def feed(self, line: str) -> None:
        """Take in one line of the observer's.

        :raises RecordingError: if it is not one; the message quotes it.
        """
        try:
            event = json.loads(line)
            self._take(event.pop('kind'), event)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RecordingError(
                f'not a line of the observer ({type(error).__name__}: {error}): {line[:200]!r}'
            ) from error

    @property
    def latest(self) -> Reported | None:
        """The newest diagnostics."""
        return self.reports[-1] if self.reports else None

    @property
    def counters(self) -> dict[str, int]:
        """The newest frame counters."""
        return self.latest.counters() if self.latest else {}

    @property
    def time_map(self) -> TimeMap | None:
        """How recorded stamps became those of the run; None before the first message."""
        try:
            return TimeMap(
                int(self.playback['time_map/recorded_ns']),
                int(self.playback['time_map/live_ns']),
                float(self.playback['time_map/rate']),
            )
        except KeyError:
            return None

    def frames_played(self, topic: str) -> int:
        """Return how many messages of a topic the player has published."""
        return int(self.playback.get(f'published{topic}', '0'))

    def _take(self, kind: str, event: dict[str, Any]) -> None:
        received_ns = int(event['received'])
        if kind == 'detections':
            objects = tuple(
                DetectedObject(str(label), float(score), (x0, y0, x1, y1))
                for label, score, (x0, y0, x1, y1) in event['objects']
            )
            self.published.append(Published(int(event['stamp']), received_ns, objects))
        elif kind == 'diagnostics':
            values = {str(key): str(value) for key, value in event['values'].items()}
            level, message = int(event['level']), str(event['message'])
            playing = self.playback.get('state') == 'playing'
            self.reports.append(Reported(received_ns, level, message, values, playing))
        elif kind == 'playback':
            self.playback = dict(event['values'])
        elif kind == 'end':
            self.end = str(event['reason'])
        else:
            raise ValueError(f'unknown kind {kind!r}')
