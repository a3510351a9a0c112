# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Who is let into a transition, who waits, and who is turned away."""

import threading
import time

import pytest

from jetson_infer.ros.transition_gate import TransitionGate, TransitionRefused
from ros_peer import WAIT_S, wait_for


class Machine:
    """Stands for the state machine: settled in a primary state, or not."""

    def __init__(self):
        self.settled = True
        self.gate = TransitionGate(lambda: self.settled)

    def begin(self, name='configure'):
        assert self.gate.enter(name) is False
        self.settled = False

    def end(self):
        self.settled = True
        self.gate.leave()


@pytest.fixture
def machine():
    return Machine()


def in_thread(call):
    """Run on a thread; return it and the list that gets what was returned or raised."""
    result = []

    def work():
        try:
            result.append(call())
        except TransitionRefused as refusal:
            result.append(refusal)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, result


def test_one_after_the_other(machine):
    for _ in range(3):
        machine.begin()
        assert not machine.gate.wait_idle(0.0)
        machine.end()
        assert machine.gate.wait_idle(0.0)


def test_a_second_one_is_told_what_is_under_way_and_since_when(machine):
    machine.begin()
    time.sleep(0.15)
    with pytest.raises(
        TransitionRefused, match=r"cannot activate now: 'configure' has been .* \d+\.\d s"
    ):
        machine.gate.enter('activate')
    assert machine.gate.elapsed_s >= 0.15
    assert not machine.gate.cancelled
    machine.end()
    assert machine.gate.elapsed_s == 0.0


def test_who_comes_when_the_state_is_reached_waits_for_the_end(machine):
    machine.begin()
    machine.settled = True  # the state machine has told the world, the transition has not left
    thread, result = in_thread(lambda: machine.gate.enter('activate'))
    time.sleep(0.1)
    assert not result
    machine.gate.leave()
    thread.join(WAIT_S)
    assert result == [False]
    assert not machine.gate.wait_idle(0.0)


def test_who_comes_before_the_state_machine_moves_is_refused_when_it_does(machine):
    assert machine.gate.enter('configure') is False
    thread, result = in_thread(lambda: machine.gate.enter('configure'))
    time.sleep(0.05)
    assert not result
    machine.settled = False
    thread.join(WAIT_S)
    assert 'under way' in str(result[0])


def test_the_last_one_calls_off_what_is_under_way_and_comes_next(machine):
    machine.begin()
    assert machine.gate.enter('shut down', last=True) is True
    assert machine.gate.cancelled
    for name, last in (('shut down', True), ('activate', False)):
        with pytest.raises(TransitionRefused, match='a shutdown was asked for already'):
            machine.gate.enter(name, last=last)
    thread, result = in_thread(lambda: machine.gate.wait_turn('shut down'))
    time.sleep(0.05)
    assert not result
    machine.end()
    thread.join(WAIT_S)
    assert result == [None]
    assert not machine.gate.cancelled, 'that was meant for the one before'
    machine.end()
    assert machine.gate.enter('configure') is False, 'a shutdown that failed is not the end'


def test_a_closed_gate_lets_nobody_in_and_turns_away_who_waits(machine):
    machine.begin()
    assert machine.gate.enter('shut down', last=True) is True
    thread, result = in_thread(lambda: machine.gate.wait_turn('shut down'))
    machine.gate.close()
    assert machine.gate.cancelled
    assert not machine.gate.wait_idle(0.05)
    machine.end()
    thread.join(WAIT_S)
    assert 'the node is ending' in str(result[0])
    wait_for(lambda: machine.gate.wait_idle(0.0))
    assert machine.gate.cancelled
    with pytest.raises(TransitionRefused, match='the node is ending'):
        machine.gate.enter('configure')


def test_never_two_at_once_whoever_pushes(machine):
    inside, most, done = [], [], []

    def push():
        while len(done) < 300:
            try:
                machine.gate.enter('push')
            except TransitionRefused:
                continue
            inside.append(1)
            machine.settled = False
            most.append(len(inside))
            inside.pop()
            machine.end()
            done.append(1)

    threads = [threading.Thread(target=push) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert not any(thread.is_alive() for thread in threads)
    assert max(most) == 1
    assert len(done) >= 300
    assert machine.gate.wait_idle(0.0)
