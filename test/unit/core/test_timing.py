# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from jetson_infer.core.timing import RateMeter, Ring, StageClock, StageStatistics


@pytest.mark.parametrize('count', [0, 1, 4, 5, 23])
def test_ring_keeps_the_newest_in_order(count):
    ring = Ring(5)
    for value in range(count):
        ring.add(value)
    assert ring.values().tolist() == list(range(count))[-5:]
    assert len(ring) == min(count, 5)


def test_stage_statistics_match_numpy_over_the_window():
    rng = np.random.default_rng(3)
    series = rng.gamma(2.0, 5.0, 700)
    statistics = StageStatistics(capacity=512)
    for value in series:
        statistics.add({'infer': value})
    result = statistics.percentiles()
    assert set(result) == {'infer'}
    expected = np.percentile(series[-512:], (50, 95, 99))
    np.testing.assert_allclose(
        (result['infer'].p50, result['infer'].p95, result['infer'].p99), expected
    )
    assert result['infer'].count == 512


def test_stage_statistics_refuse_an_unknown_stage():
    with pytest.raises(KeyError):
        StageStatistics().add({'lunch': 1.0})


def test_stages_of_a_clock_add_up_to_its_total():
    clock = StageClock(0)
    for stage in ('wait', 'preprocess', 'infer'):
        clock.mark(stage)
    clock.finish()
    times = dict(clock.milliseconds)
    assert times.pop('total') == pytest.approx(sum(times.values()))


def test_rate_of_a_regular_series_is_exact_and_falls_in_silence():
    meter = RateMeter(window_s=5.0)
    period = 1_000_000_000 // 20
    for index in range(200):
        meter.tick(index * period)
    last = 199 * period
    assert meter.rate_hz(last) == pytest.approx(20.0)
    assert meter.rate_hz(last + period) == pytest.approx(20.0)
    assert 0.0 < meter.rate_hz(last + 3_000_000_000) < 15.0
    assert meter.rate_hz(last + 6_000_000_000) == 0.0


def test_rate_needs_two_events():
    meter = RateMeter()
    assert meter.rate_hz(0) == 0.0
    meter.tick(0)
    assert meter.rate_hz(1) == 0.0
