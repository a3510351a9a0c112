# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What went wrong with single frames: present for a while, and in the log once in a while."""

import pytest

from jetson_infer.core.arrivals import Problem
from jetson_infer.ros.problems import ProblemLog


class Rig:
    """A log of problems on a clock that is set by hand."""

    def __init__(self):
        self.now_s = 1000.0
        self.lines = []
        self.problems = ProblemLog(
            self.lines.append, period_s=10.0, memory_s=5.0, now_s=lambda: self.now_s
        )


@pytest.fixture
def rig():
    return Rig()


def test_a_problem_is_present_until_it_passes(rig):
    assert rig.problems.present() is None
    rig.problems.report('bad_step', 'step 10')
    rig.now_s += 4.9
    assert rig.problems.present() == Problem('bad_step', 'step 10')
    rig.now_s += 0.2
    assert rig.problems.present() is None


def test_a_failure_goes_before_what_was_rejected_since(rig):
    rig.problems.report('failed', 'the engine failed')
    rig.now_s += 3.0
    rig.problems.report('bad_step', 'step 10')
    rig.problems.report('zero_size', '0x0')
    assert rig.problems.present() == Problem('failed', 'the engine failed')
    rig.now_s += 3.0
    assert rig.problems.present().kind in ('bad_step', 'zero_size')
    rig.problems.report('bad_step', 'step 11')
    assert rig.problems.present() == Problem('bad_step', 'step 11')


def test_each_kind_is_logged_once_in_a_while_with_the_number_of_those_between(rig):
    for _ in range(5):
        rig.problems.report('bad_step', 'step 10')
        rig.problems.report('zero_size', '0x0')
        rig.now_s += 1.0
    assert rig.lines == ['step 10', '0x0']
    rig.now_s += 5.0
    rig.problems.report('bad_step', 'step 12')
    assert rig.lines[2:] == ['step 12 (and 4 more of this kind)']
