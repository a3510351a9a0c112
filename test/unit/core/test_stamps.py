# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from jetson_infer.core.stamps import StampKind, StampLog

WELL = {'unset': 0, 'repeated': 0, 'backwards': 0}


def logged(stamps):
    log = StampLog()
    for stamp in stamps:
        log.add(stamp)
    return log


@pytest.mark.parametrize(
    ('stamps', 'counts', 'wrong'),
    [
        ([], {}, StampKind.FORWARD),
        (range(5, 100), {}, StampKind.FORWARD),
        ([7] * 30, {'repeated': 29}, StampKind.REPEATED),
        ([0] * 30, {'unset': 30}, StampKind.UNSET),
        # Two cameras on one topic, one some milliseconds behind the other.
        ([s for n in range(10, 30) for s in (n + 5, n)], {'backwards': 20}, StampKind.BACKWARDS),
        # Two that are triggered at once.
        ([s for n in range(10, 30) for s in (n, n)], {'repeated': 20}, StampKind.REPEATED),
        # A recording of 40 images that is played three times.
        ([*range(100, 140)] * 3, {'backwards': 2}, StampKind.FORWARD),
        ([5, 6, 6, 7, 8], {'repeated': 1}, StampKind.FORWARD),
        ([5, 0, 6, 0, 4], {'unset': 2, 'backwards': 1}, StampKind.UNSET),
        # Trouble that has passed.
        ([7] * 30 + [*range(8, 40)], {'repeated': 29}, StampKind.FORWARD),
    ],
)
def test_stamps_that_do_not_go_forward_are_counted_and_judged(stamps, counts, wrong):
    log = logged(stamps)
    assert log.counts() == {**WELL, **counts}
    assert log.wrong() is wrong
