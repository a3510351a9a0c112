# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the stamps of a stream go forward, as those of one camera do."""

from __future__ import annotations

import enum
import threading
from collections import Counter, deque
from collections.abc import Mapping

__all__ = ['StampKind', 'StampLog']

RECENT = 16
"""How many of the latest stamps are judged together."""

LEAST_SHARE = 0.25
"""Which share of the latest stamps has to be wrong, at the least, to say so."""


class StampKind(enum.Enum):
    """How a stamp compares with the one before it."""

    FORWARD = 'forward'
    UNSET = 'unset'
    """Zero: its publisher does not stamp."""
    REPEATED = 'repeated'
    BACKWARDS = 'backwards'


class StampLog:
    """Counts stamps that do not go forward; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._before_ns = 0
        self._recent: deque[StampKind] = deque(maxlen=RECENT)
        self._counts = dict.fromkeys(StampKind, 0)

    def add(self, stamp_ns: int) -> None:
        """Note the next message's stamp, in nanoseconds."""
        with self._lock:
            kind = self._kind(stamp_ns)
            self._before_ns = stamp_ns or self._before_ns
            self._recent.append(kind)
            self._counts[kind] += 1

    def _kind(self, stamp_ns: int) -> StampKind:
        if not stamp_ns:
            return StampKind.UNSET
        if not self._before_ns or stamp_ns > self._before_ns:
            return StampKind.FORWARD
        return StampKind.REPEATED if stamp_ns == self._before_ns else StampKind.BACKWARDS

    def counts(self) -> Mapping[str, int]:
        """Return how many stamps were unset, repeated and backwards so far, by these words."""
        with self._lock:
            return {kind.value: n for kind, n in self._counts.items() if kind.value != 'forward'}

    def wrong(self) -> StampKind:
        """Return what is wrong with many of the latest stamps; FORWARD when nothing is.

        One that repeats or goes back is nothing yet: a recording that is played in a loop goes
        back once a round.
        """
        with self._lock:
            least = max(2.0, LEAST_SHARE * len(self._recent))
            kinds = Counter(kind for kind in self._recent if kind is not StampKind.FORWARD)
        if not kinds:
            return StampKind.FORWARD
        ((kind, count),) = kinds.most_common(1)
        return kind if count >= least else StampKind.FORWARD
