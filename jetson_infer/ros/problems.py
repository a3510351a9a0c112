# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Problems of single frames: in the log once in a while, in the diagnostics until they pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from jetson_infer.core.arrivals import FAILED, Problem

__all__ = ['ProblemLog']


class ProblemLog:
    """Remembers what went wrong lately and logs each kind of it at most every so often.

    Safe to use from several threads.

    :param log: writes a warning.
    :param period_s: the least time between two log lines of one kind, in seconds.
    :param memory_s: how long a problem counts as present after it was last seen, in seconds.
    :param now_s: the time in seconds, on a clock that never goes back.
    """

    def __init__(
        self,
        log: Callable[[str], None],
        period_s: float = 10.0,
        memory_s: float = 5.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._now_s = now_s
        self._period_s = period_s
        self._memory_s = memory_s
        self._lock = threading.Lock()
        self._logged: dict[str, float] = {}
        self._unlogged: dict[str, int] = {}
        self._latest: dict[str, tuple[float, str]] = {}

    def report(self, kind: str, message: str) -> None:
        """Take note of a problem.

        :param kind: the fixed word that it is counted under.
        :param message: what happened this time.
        """
        now = self._now_s()
        with self._lock:
            self._latest[kind] = (now, message)
            if now - self._logged.get(kind, float('-inf')) < self._period_s:
                self._unlogged[kind] = self._unlogged.get(kind, 0) + 1
                return
            self._logged[kind] = now
            more = self._unlogged.pop(kind, 0)
        self._log(f'{message} (and {more} more of this kind)' if more else message)

    def present(self) -> Problem | None:
        """Return what went wrong lately: the latest failure, else the latest of any kind."""
        since = self._now_s() - self._memory_s
        with self._lock:
            recent = [
                (kind == FAILED, seen, kind, message)
                for kind, (seen, message) in self._latest.items()
                if seen > since
            ]
        if not recent:
            return None
        _, _, kind, message = max(recent)
        return Problem(kind, message)
