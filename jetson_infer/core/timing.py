# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How long the stages of a frame's way take, and how often frames come."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ['STAGES', 'Percentiles', 'RateMeter', 'Ring', 'StageClock', 'StageStatistics']

STAGES = ('wait', 'preprocess', 'infer', 'decode', 'publish', 'total')
"""The stages of a frame's way, in order: waiting for the worker, preparing the network's input,
inference, decoding the outputs, building and publishing the messages; and from reception to the
last publication."""


class Ring:
    """The newest values of a series, in one array that is allocated once.

    Not synchronized: its owner holds a lock around it.

    :param capacity: how many values are kept; at least 1.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f'capacity must be at least 1, not {capacity}')
        self._values = np.empty(capacity, np.float64)
        self._added = 0

    def add(self, value: float) -> None:
        """Append a value; the oldest one gives way when the ring is full."""
        self._values[self._added % len(self._values)] = value
        self._added += 1

    def __len__(self) -> int:
        return min(self._added, len(self._values))

    def values(self) -> npt.NDArray[np.float64]:
        """Return a copy of the values kept, float64 ``(N,)``, oldest first."""
        if self._added <= len(self._values):
            return self._values[: self._added].copy()
        return np.roll(self._values, -(self._added % len(self._values)))


@dataclass(frozen=True)
class Percentiles:
    """Percentiles of one stage over the newest frames, in milliseconds."""

    p50: float
    p95: float
    p99: float
    count: int


class StageClock:
    """The stage times of one frame, taken by marking the end of each stage.

    :param start_ns: when the frame was received, in nanoseconds of :func:`time.monotonic_ns`.
    """

    __slots__ = ('_last_ns', '_start_ns', 'milliseconds')

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns
        self._last_ns = start_ns
        self.milliseconds: dict[str, float] = {}

    def mark(self, stage: str) -> None:
        """End a stage: it lasted from the previous mark, or from the start, until now."""
        now_ns = time.monotonic_ns()
        self.milliseconds[stage] = (now_ns - self._last_ns) * 1e-6
        self._last_ns = now_ns

    def finish(self) -> None:
        """Note the total, from the start to the last mark."""
        self.milliseconds['total'] = (self._last_ns - self._start_ns) * 1e-6


class StageStatistics:
    """Stage times of the newest frames; safe to add to and to read from several threads.

    :param capacity: over how many frames percentiles are taken.
    :param stages: the names that may be added.
    """

    def __init__(self, capacity: int = 512, stages: Iterable[str] = STAGES) -> None:
        self._lock = threading.Lock()
        self._rings = {stage: Ring(capacity) for stage in stages}

    def add(self, milliseconds: Mapping[str, float]) -> None:
        """Add one frame's times by stage, in milliseconds.

        :raises KeyError: if a stage is not one of those given to the constructor.
        """
        with self._lock:
            for stage, value in milliseconds.items():
                self._rings[stage].add(value)

    def percentiles(self) -> dict[str, Percentiles]:
        """Return the percentiles of every stage that has values."""
        with self._lock:
            series = {stage: ring.values() for stage, ring in self._rings.items() if len(ring)}
        return {stage: _percentiles(values) for stage, values in series.items()}


def _percentiles(values: npt.NDArray[np.float64]) -> Percentiles:
    p50, p95, p99 = np.percentile(values, (50, 95, 99)).tolist()
    return Percentiles(p50, p95, p99, len(values))


class RateMeter:
    """How many events a second happened lately; safe to use from several threads.

    :param window_s: over how long the rate is taken, in seconds.
    :param capacity: at most so many events are remembered.
    """

    def __init__(self, window_s: float = 5.0, capacity: int = 1024) -> None:
        self._window_s = window_s
        self._lock = threading.Lock()
        self._ring = Ring(capacity)

    def tick(self, now_ns: int) -> None:
        """Note an event at a time in nanoseconds of a monotonic clock."""
        with self._lock:
            self._ring.add(now_ns * 1e-9)

    def rate_hz(self, now_ns: int) -> float:
        """Return the rate over the window that ends now; 0.0 with fewer than two events in it.

        Taken as intervals over the time they span, so that a regular series has its exact rate
        from its second event on; once events stop coming, the time since the last one counts too.
        """
        now_s = now_ns * 1e-9
        with self._lock:
            times = self._ring.values()
        times = times[times > now_s - self._window_s]
        if len(times) < 2:
            return 0.0
        intervals = len(times) - 1
        span = float(times[-1] - times[0])
        silence = now_s - float(times[-1])
        if span <= 0.0:
            return 0.0
        mean = span / intervals
        return intervals / (span + max(0.0, silence - mean))
