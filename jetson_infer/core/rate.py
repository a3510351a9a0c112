# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Thinning out a stream of frames to a rate."""

from __future__ import annotations

__all__ = ['RateLimiter']

_SLACK = 0.25


class RateLimiter:
    """Admits frames so that their mean rate stays at or below a limit.

    Due times advance by whole periods and not from the last admission, so that a camera whose
    period does not divide the limit's still yields the limit on average.  A frame may come a
    quarter of a period before it is due: camera jitter would otherwise cost every other frame.
    """

    def __init__(self) -> None:
        self._due_ns = 0.0
        self._period_ns = 0.0

    def admit(self, now_ns: int, max_rate_hz: float) -> bool:
        """Tell whether the frame that arrives now should be processed.

        :param now_ns: the time of arrival, in nanoseconds of a monotonic clock.
        :param max_rate_hz: the limit in force; 0 admits every frame.  It may change between calls.
        """
        if max_rate_hz <= 0.0:
            self._period_ns = 0.0
            return True
        period_ns = 1e9 / max_rate_hz
        if period_ns != self._period_ns:
            self._period_ns = period_ns
            self._due_ns = float(now_ns)
        if now_ns < self._due_ns - _SLACK * period_ns:
            return False
        # After a pause the stream starts anew instead of catching up in a burst.
        late = now_ns - self._due_ns >= period_ns
        self._due_ns = (now_ns if late else self._due_ns) + period_ns
        return True
