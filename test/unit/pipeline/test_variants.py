# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Switching between loaded variants while frames come."""

import contextlib
import itertools
import threading
import time

import numpy as np
import pytest

from jetson_infer.core.accounting import FrameAccount
from jetson_infer.core.images import wrap_image
from jetson_infer.errors import InternalError, SessionError
from jetson_infer.pipeline.runner import (
    FrameRunner,
    RunnerHooks,
    RunnerSettings,
    RunnerStopped,
)
from jetson_infer.pipeline.variants import LoadedVariants

PIXELS = np.zeros((4, 6, 3), np.uint8)
WAIT_S = 30.0


class Named:
    """A pipeline that answers with its name, and knows when and where it is used and closed."""

    def __init__(self, name, seconds=0.0):
        self.name = name
        self.seconds = seconds
        self.limits = None
        self.threads = set()
        self.closed = 0
        self.busy = False
        self.opened_on = threading.current_thread().name
        self.closed_on = ''

    def process(self, image, clock):
        assert not self.closed, 'used after it was closed'
        self.busy = True
        self.threads.add(threading.current_thread().name)
        time.sleep(self.seconds)
        clock.mark('infer')
        self.busy = False
        return self.name

    def close(self):
        assert not self.busy
        self.closed_on = threading.current_thread().name
        self.closed += 1


class Rig:
    def __init__(self, keep=1, seconds=0.0, opening_s=0.0):
        self.made = []
        self.delivered = []
        self.opening_s = opening_s
        self.seconds = seconds
        self.gate = threading.Event()
        self.gate.set()
        self.at_gate = threading.Event()
        self.account = FrameAccount()
        self.runner = FrameRunner(
            lambda: self.make('a'),
            self.account,
            RunnerHooks(
                deliver=lambda frame, result, clock: self.delivered.append(
                    (frame.context, result, time.monotonic())
                ),
                age_ms=lambda frame: 0.0,
                on_problem=lambda kind, text: None,
                on_failure=lambda error: None,
            ),
            RunnerSettings(),
        )
        self.variants = LoadedVariants(
            self.runner, lambda name: lambda: self.open(name), 'a', self.made[0], keep
        )

    def make(self, name):
        self.made.append(Named(name, self.seconds))
        return self.made[-1]

    def open(self, name):
        if name == 'broken':
            raise SessionError('no such engine')
        time.sleep(self.opening_s)
        self.at_gate.set()
        assert self.gate.wait(WAIT_S)
        return self.make(name)

    def switch(self, name):
        self.variants.switch(name, lambda pipeline: setattr(pipeline, 'limits', 'the limits'))

    def send(self, number):
        self.runner.receive(lambda: wrap_image('bgr8', 6, 4, 18, False, PIXELS), 0, number)

    def ask(self, number):
        self.send(number)
        assert self.runner.drain(WAIT_S)
        return self.delivered[-1][:2]

    def alive(self):
        """Return the names of those that are open, once what is to be closed has been."""
        with contextlib.suppress(RunnerStopped):
            self.runner.open(Settled)
        return [pipeline.name for pipeline in self.made if not pipeline.closed]


class Settled:
    """Opened after all that was asked for before."""

    def close(self):
        pass


def wait_for(condition):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def switching():
    """Return a function that switches on a thread of its own."""
    threads = []

    def begin(rig, name):
        threads.append(threading.Thread(target=rig.switch, args=(name,)))
        threads[-1].start()
        return threads[-1]

    yield begin
    for thread in threads:
        thread.join(WAIT_S)
        assert not thread.is_alive()


@pytest.fixture
def rig():
    made = Rig()
    yield made
    made.runner.stop()
    assert made.alive() == []
    assert all(pipeline.closed == 1 for pipeline in made.made)


def test_the_next_frame_is_the_new_variants_and_the_old_one_is_closed(rig):
    assert rig.ask(1) == (1, 'a')
    rig.switch('b')
    assert rig.ask(2) == (2, 'b')
    assert rig.alive() == ['b']
    assert rig.made[-1].limits == 'the limits'
    assert (rig.variants.current, rig.variants.loaded) == ('b', ('b',))


def test_pipelines_are_used_on_the_workers_thread_and_opened_and_closed_on_the_loaders(rig):
    rig.ask(1)
    rig.switch('b')
    rig.ask(2)
    rig.runner.stop()
    assert {name for pipeline in rig.made for name in pipeline.threads} == {'jetson_infer worker'}
    for pipeline in rig.made:
        assert pipeline.opened_on == pipeline.closed_on == 'jetson_infer loader'


def test_neither_frames_nor_the_one_who_switches_wait_for_the_old_one_to_be_closed(rig):
    closing, go_on = threading.Event(), threading.Event()
    close = rig.made[0].close

    def slowly():
        closing.set()
        assert go_on.wait(WAIT_S)
        close()

    rig.made[0].close = slowly
    rig.switch('b')
    assert closing.wait(WAIT_S)
    assert rig.variants.loaded == ('b',)
    assert [rig.ask(number) for number in range(5)] == [(number, 'b') for number in range(5)]
    go_on.set()
    assert rig.alive() == ['b']


def test_one_that_fails_to_close_is_told_of_and_the_others_are_closed(rig, caplog):
    first, close = rig.made[0], rig.made[0].close

    def fail():
        close()
        raise SessionError('it does not let go')

    first.close = fail
    rig.switch('b')
    rig.switch('c')
    assert rig.alive() == ['c']
    assert 'it does not let go' in caplog.text
    assert rig.ask(1) == (1, 'c')


def test_a_runner_that_stops_while_one_is_opened_closes_that_one_too(rig):
    rig.gate.clear()
    refused = []

    def switch():
        with pytest.raises(RunnerStopped) as error:
            rig.switch('b')
        refused.append(error.value)

    switcher = threading.Thread(target=switch)
    switcher.start()
    assert rig.at_gate.wait(WAIT_S)
    threading.Timer(0.05, rig.gate.set).start()
    rig.runner.stop()
    switcher.join(WAIT_S)
    assert len(refused) == 1
    assert [pipeline.name for pipeline in rig.made] == ['a', 'b']
    assert rig.alive() == []


def test_what_cannot_be_opened_leaves_the_old_one_in_force(rig):
    with pytest.raises(SessionError, match='no such engine'):
        rig.switch('broken')
    assert rig.ask(1) == (1, 'a')
    assert rig.variants.current == 'a'
    assert rig.alive() == ['a']


def test_a_switch_to_the_one_in_force_opens_nothing(rig):
    rig.switch('a')
    assert len(rig.made) == 1


def test_kept_variants_are_not_opened_again_and_the_oldest_goes():
    rig = Rig(keep=2)
    for name in ('b', 'a', 'b', 'c', 'b'):
        rig.switch(name)
    assert [pipeline.name for pipeline in rig.made] == ['a', 'b', 'c']
    assert sorted(rig.alive()) == ['b', 'c']
    assert rig.variants.loaded == ('b', 'c')
    rig.runner.stop()
    assert rig.alive() == []


def test_preloading_fills_what_may_be_kept_and_changes_nothing_else():
    rig = Rig(keep=3)
    rig.variants.preload(['a', 'broken', 'b', 'c', 'd'])
    assert sorted(rig.variants.loaded) == ['a', 'b', 'c']
    assert rig.variants.current == 'a'
    assert rig.ask(1) == (1, 'a')
    rig.runner.stop()
    assert rig.alive() == []


def test_frames_under_way_end_where_they_began_and_none_is_lost():
    rig = Rig(keep=2, seconds=0.004, opening_s=0.02)
    names = itertools.cycle('bca')
    stop = threading.Event()

    def switching():
        while not stop.is_set():
            rig.switch(next(names))

    switcher = threading.Thread(target=switching)
    switcher.start()
    asked, seen, until_s = 0, set(), time.monotonic() + WAIT_S
    while asked < 100 or (seen != set('abc') and time.monotonic() < until_s):
        seen.add(rig.ask(asked)[1])
        asked += 1
    stop.set()
    switcher.join()
    rig.runner.stop()
    assert [number for number, *_ in rig.delivered] == list(range(asked))
    assert seen == {name for _, name, _ in rig.delivered} == set('abc')
    assert rig.alive() == []


def test_opening_holds_neither_frames_nor_switches_between_loaded_ones_up(switching):
    rig = Rig(keep=2)
    rig.switch('b')
    rig.gate.clear()
    switcher = switching(rig, 'c')
    wait_for(lambda: rig.variants.opening == 'c')
    assert [rig.ask(number) for number in range(10)] == [(number, 'b') for number in range(10)]
    rig.switch('a')
    assert rig.ask(10) == (10, 'a')
    rig.gate.set()
    switcher.join()
    assert rig.ask(11) == (11, 'c')
    assert (rig.variants.opening, rig.variants.loaded) == ('', ('c', 'a'))
    rig.runner.stop()


def test_what_was_made_ready_and_not_switched_to_is_closed():
    rig = Rig()
    with rig.variants.ready('b'):
        assert sorted(rig.alive()) == ['a', 'b']
        assert rig.ask(1) == (1, 'a')
    assert rig.alive() == ['a']
    rig.runner.stop()


def test_what_is_ready_stays_loaded_whatever_is_switched_to():
    rig = Rig(keep=2)
    rig.switch('b')
    with rig.variants.ready('c'):
        for name in 'abab':
            rig.switch(name)
        assert sorted(rig.alive()) == ['a', 'b', 'c']
        rig.switch('c')
    assert rig.variants.loaded == ('c', 'b')
    assert [pipeline.name for pipeline in rig.made] == ['a', 'b', 'c']
    rig.runner.stop()


def test_two_who_want_the_same_variant_open_it_once(switching):
    rig = Rig()
    rig.gate.clear()
    switchers = [switching(rig, 'b') for _ in range(2)]
    wait_for(lambda: rig.variants.opening == 'b')
    rig.gate.set()
    for switcher in switchers:
        switcher.join()
    assert [pipeline.name for pipeline in rig.made] == ['a', 'b']
    assert rig.ask(1) == (1, 'b')
    rig.runner.stop()


def test_a_runner_that_stops_while_one_is_ready_has_closed_it():
    rig = Rig()
    with rig.variants.ready('b'):
        rig.runner.stop()
    assert rig.alive() == []
    assert all(pipeline.closed == 1 for pipeline in rig.made)


def test_after_the_runner_has_stopped_a_switch_is_refused():
    rig = Rig()
    rig.runner.stop()
    with pytest.raises(InternalError, match='after the last'):
        rig.switch('b')
    assert rig.alive() == []
