# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How often messages come, and what becomes of them over long enough to tell."""

from __future__ import annotations

import statistics
import threading
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ['CountWindow', 'Rhythm', 'Span']


class Rhythm:
    """When messages come; safe to use from several threads.

    :param began_s: since when they may come, in seconds of a clock that never goes back.
    """

    def __init__(self, began_s: float) -> None:
        self._lock = threading.Lock()
        self._last_s = began_s
        self._heard = False
        self._periods_s: deque[float] = deque(maxlen=9)

    def hear(self, now_s: float) -> None:
        """Note that a message has come."""
        with self._lock:
            if self._heard:
                self._periods_s.append(now_s - self._last_s)
            self._heard = True
            self._last_s = now_s

    def silent_s(self, now_s: float) -> float:
        """Return for how long none has come, in seconds."""
        with self._lock:
            return now_s - self._last_s

    def period_s(self) -> float:
        """Return the median time between the latest ones, in seconds; 0.0 before the second."""
        with self._lock:
            periods_s = list(self._periods_s)
        return statistics.median(periods_s) if periods_s else 0.0


class Span(NamedTuple):
    """What counters grew by.

    :param counts: by how much, by name.
    :param seconds: over how long.
    """

    counts: Mapping[str, int]
    seconds: float


class CountWindow:
    """The latest values of counters that only grow.

    :param memory_s: for how long they are kept, in seconds.
    """

    def __init__(self, memory_s: float = 10.0) -> None:
        self._memory_s = memory_s
        self._looks: deque[tuple[float, dict[str, int]]] = deque()

    def add(self, now_s: float, counts: Mapping[str, int]) -> None:
        """Note the counters' values."""
        self._looks.append((now_s, dict(counts)))
        while now_s - self._looks[0][0] > self._memory_s and len(self._looks) > 2:
            self._looks.popleft()

    def latest(self) -> Span:
        """Return what came since the values before the latest; all of it where those are none."""
        return self._since(-2)

    def with_least(self, name: str, least: int) -> Span:
        """Return the shortest span up to now in which a counter grew by so much, or the longest."""
        for index in range(len(self._looks) - 2, -1, -1):
            span = self._since(index)
            if span.counts.get(name, 0) >= least:
                return span
        return self._since(0)

    def _since(self, index: int) -> Span:
        now_s, counts = self._looks[-1]
        if -index > len(self._looks):
            return Span(counts, 0.0)
        then_s, before = self._looks[index]
        return Span({name: n - before.get(name, 0) for name, n in counts.items()}, now_s - then_s)
