# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from jetson_infer.core.rate import RateLimiter

SECOND = 1_000_000_000


def admitted(arrivals_ns, limit_hz):
    limiter = RateLimiter()
    return [now for now in arrivals_ns if limiter.admit(int(now), limit_hz)]


@pytest.mark.parametrize('camera_hz', [10, 15, 29.97, 30, 60])
@pytest.mark.parametrize('limit_hz', [1, 7, 10, 15, 20, 25])
@pytest.mark.parametrize('jitter_ms', [0.0, 3.0])
def test_mean_rate_is_the_smaller_of_camera_and_limit(camera_hz, limit_hz, jitter_ms):
    rng = np.random.default_rng(7)
    arrivals = np.arange(0, 60, 1 / camera_hz) * SECOND
    arrivals = arrivals + rng.uniform(0, jitter_ms * 1e6, len(arrivals))
    rate = len(admitted(arrivals, limit_hz)) / 60
    assert rate == pytest.approx(min(camera_hz, limit_hz), rel=0.03, abs=1 / 60)


def test_zero_admits_everything():
    assert len(admitted(range(100), 0.0)) == 100


def test_no_burst_after_a_pause():
    times = [0.0, 0.1, 10.0, 10.01, 10.02, 10.03, 10.1]
    assert admitted([t * SECOND for t in times], 10.0) == [
        t * SECOND for t in (0.0, 0.1, 10.0, 10.1)
    ]


def test_a_new_limit_takes_effect_at_once():
    limiter = RateLimiter()
    assert limiter.admit(0, 1.0)
    assert not limiter.admit(SECOND // 10, 1.0)
    assert limiter.admit(SECOND // 5, 20.0)
    assert limiter.admit(SECOND // 4, 20.0)
