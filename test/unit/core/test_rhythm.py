# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from jetson_infer.core.rhythm import CountWindow, Rhythm, Span


def test_silence_and_period_of_a_stream():
    rhythm = Rhythm(100.0)
    assert (rhythm.silent_s(103.0), rhythm.period_s()) == (3.0, 0.0)
    rhythm.hear(105.0)
    assert (rhythm.silent_s(106.0), rhythm.period_s()) == (1.0, 0.0), 'one message has no period'
    for now_s in (108.5, 112.0, 115.5):
        rhythm.hear(now_s)
    assert (rhythm.silent_s(118.0), rhythm.period_s()) == (2.5, 3.5)


def test_a_long_pause_does_not_change_a_streams_period():
    rhythm = Rhythm(0.0)
    for number in range(10):
        rhythm.hear(0.5 * number)
    rhythm.hear(600.0)
    assert rhythm.period_s() == pytest.approx(0.5)


def test_counters_since_the_last_look_and_over_enough():
    window = CountWindow()
    window.add(0.0, {'received': 100})
    assert window.latest() == Span({'received': 100}, 0.0)
    assert window.with_least('received', 4).counts == {'received': 0}
    for second in range(1, 9):
        window.add(float(second), {'received': 100 + second, 'processed': second // 4})
    assert window.latest() == Span({'received': 1, 'processed': 1}, 1.0)
    assert window.with_least('received', 4) == Span({'received': 4, 'processed': 1}, 4.0)
    assert window.with_least('received', 50) == Span({'received': 8, 'processed': 2}, 8.0)
    window.add(9.0, {'received': 140, 'processed': 30})
    assert window.with_least('received', 4) == window.latest()


def test_counters_of_long_ago_are_forgotten():
    window = CountWindow(memory_s=10.0)
    for second in range(100):
        window.add(float(second), {'received': second})
    assert window.with_least('received', 50) == Span({'received': 10}, 10.0)
