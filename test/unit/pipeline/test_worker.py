# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import threading
import time
from concurrent.futures import CancelledError

import pytest

from jetson_infer.pipeline.worker import Worker


class Recorder:
    """A processor that notes what it was given and on which thread."""

    depth = 1
    patience_s = 0.0

    def __init__(self, gate=None):
        self.items = []
        self.threads = {threading.get_ident()}
        self.closed = 0
        self.gate = gate
        self.entered = threading.Event()

    def begin(self, item):
        self.threads.add(threading.get_ident())
        self.entered.set()
        if self.gate is not None:
            assert self.gate.wait(30)
        if item == 'poison':
            raise OSError('the device is gone')
        self.items.append(item)

    def finish(self):
        self.threads.add(threading.get_ident())

    def close(self):
        self.threads.add(threading.get_ident())
        self.closed += 1


def start(processor_factory, on_failure=lambda error, left: None):
    return Worker(processor_factory, name='test', on_failure=on_failure)


def open_when_stopping(worker, gate):
    """Open a gate as soon as the worker has been told to stop, however late that is."""

    def watch():
        while not worker._slot.closed:
            time.sleep(0.001)
        gate.set()

    threading.Thread(target=watch, daemon=True).start()


def test_opened_used_and_closed_on_one_thread_that_is_not_the_callers():
    made = []
    worker = start(lambda: made.append(Recorder()) or made[0])
    assert worker.submit(1) is None
    assert worker.drain(30)
    assert worker.stop() is None
    assert made[0].items == [1]
    assert made[0].closed == 1
    assert len(made[0].threads) == 1
    assert threading.get_ident() not in made[0].threads


def test_a_busy_worker_gets_the_newest_item_only():
    gate = threading.Event()
    recorder = Recorder(gate)
    worker = start(lambda: recorder)
    worker.submit(1)
    assert recorder.entered.wait(30)
    assert worker.submit(2) is None
    assert worker.submit(3) == 2
    assert worker.submit(4) == 3
    assert not worker.drain(0.01)
    gate.set()
    assert worker.drain(30)
    worker.stop()
    assert recorder.items == [1, 4]


def test_what_cannot_be_opened_is_raised_to_the_caller_and_leaves_no_thread():
    before = set(threading.enumerate())

    def fail():
        raise OSError('no such model')

    with pytest.raises(OSError, match='no such model'):
        start(fail)
    assert set(threading.enumerate()) <= before


def test_stop_returns_what_was_waiting_and_may_be_called_twice():
    gate = threading.Event()
    recorder = Recorder(gate)
    worker = start(lambda: recorder)
    worker.submit(1)
    assert recorder.entered.wait(30)
    worker.submit(2)
    open_when_stopping(worker, gate)
    assert worker.stop() == 2
    assert worker.stop() is None
    assert worker.submit(3) == 3
    assert worker.drain(0.0)
    assert recorder.items == [1]
    assert recorder.closed == 1


def test_a_processor_that_raises_ends_the_worker_and_says_so():
    failures = []
    failed = threading.Event()

    def on_failure(error, left):
        failures.append((str(error), left))
        failed.set()

    gate = threading.Event()
    recorder = Recorder(gate)
    worker = start(lambda: recorder, on_failure)
    worker.submit('poison')
    assert recorder.entered.wait(30)
    worker.submit('late')
    gate.set()
    assert failed.wait(30)
    worker.stop()
    assert failures == [('the device is gone', 'late')]
    assert recorder.closed == 1
    assert worker.drain(0.0)


class Device:
    """A processor that has two items under way, and says what happened in which order."""

    depth = 2

    def __init__(self, patience_s):
        self.patience_s = patience_s
        self.events = []
        self.under_way = []
        self.begun = threading.Semaphore(0)

    def begin(self, item):
        self.events.append(f'begin {item}')
        self.under_way.append(item)
        self.begun.release()

    def finish(self):
        item = self.under_way.pop(0)
        if item == 'poison':
            raise OSError('the device is gone')
        self.events.append(f'finish {item}')

    def close(self):
        self.events.append(f'close with {len(self.under_way)} under way')


def test_an_item_that_comes_while_the_device_is_busy_is_begun_before_the_first_is_finished():
    device = Device(patience_s=30.0)
    worker = start(lambda: device)
    for item in (1, 2, 3):
        worker.submit(item)
        assert device.begun.acquire(timeout=30)
    worker.stop()
    assert device.events == [
        'begin 1',
        'begin 2',
        'finish 1',
        'begin 3',
        'finish 2',
        'finish 3',
        'close with 0 under way',
    ]


def test_without_another_item_the_first_is_finished_when_patience_ends():
    device = Device(patience_s=0.05)
    worker = start(lambda: device)
    worker.submit(1)
    assert worker.drain(30)
    assert device.events == ['begin 1', 'finish 1']
    worker.stop()


def test_drain_waits_for_all_that_is_under_way_even_if_the_worker_fails():
    failures = []
    device = Device(patience_s=30.0)
    worker = start(lambda: device, lambda error, left: failures.append(left))
    worker.submit('poison')
    assert device.begun.acquire(timeout=30)
    worker.submit(2)
    assert worker.drain(30)
    worker.stop()
    assert failures == [None]
    assert device.events == ['begin poison', 'begin 2', 'close with 1 under way']


def test_a_call_that_a_worker_ends_before_is_cancelled():
    gate = threading.Event()
    recorder = Recorder(gate)
    worker = start(lambda: recorder)
    worker.submit('poison')
    assert recorder.entered.wait(30)
    called = worker.call(lambda: recorder.items.append('called'))
    gate.set()
    with pytest.raises(CancelledError):
        called.result(timeout=30)
    worker.stop()
    assert recorder.items == []
    with pytest.raises(CancelledError):
        worker.call(lambda: None).result(timeout=30)


def test_a_call_asked_for_before_the_end_is_carried_out_before_it():
    gate = threading.Event()
    recorder = Recorder(gate)
    worker = start(lambda: recorder)
    worker.submit('item')
    assert recorder.entered.wait(30)
    called = worker.call(lambda: recorder.items.append('called'))
    open_when_stopping(worker, gate)
    worker.stop()
    called.result(timeout=30)
    assert recorder.items == ['item', 'called']
