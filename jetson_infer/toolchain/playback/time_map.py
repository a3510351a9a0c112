# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The mapping between a recording's time and the time in which it is played."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ['TimeMap']


@dataclass(frozen=True)
class TimeMap:
    """Maps recorded times to live ones: ``live = live_ns + (recorded - recorded_ns) / rate``.

    A pure function of the recorded time, so that messages which shared a stamp when they were
    recorded (an image and its ground truth) share one when they are played, and the age that a
    message had when it was recorded is kept.

    :param recorded_ns: a recorded time, in ns since the epoch.
    :param live_ns: the live time at which it is played, in ns since the epoch.
    :param rate: how much faster than recorded; above 0.
    """

    recorded_ns: int
    live_ns: int
    rate: float = 1.0

    def to_live(self, recorded_ns: int) -> int:
        """Return the live time of a recorded one, rounded to a nanosecond."""
        elapsed = recorded_ns - self.recorded_ns
        # A float would round elapsed times above 2**53 ns (104 days); stay exact where it is free.
        return self.live_ns + (elapsed if self.rate == 1.0 else round(elapsed / self.rate))

    def to_recorded(self, live_ns: int) -> int:
        """Return the recorded time of a live one; exact at rate 1, else to about ``rate`` ns."""
        elapsed = live_ns - self.live_ns
        return self.recorded_ns + (elapsed if self.rate == 1.0 else round(elapsed * self.rate))
