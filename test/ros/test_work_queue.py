# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Work that is done in order, on a thread that is there while there is any."""

import logging
import threading

import pytest

from jetson_infer.ros.work_queue import WorkQueue
from ros_peer import WAIT_S, wait_for


@pytest.fixture
def queue():
    made = WorkQueue('queue under test')
    yield made
    made.close('the test has ended')
    assert made.wait_idle(WAIT_S)
    wait_for(lambda: 'queue under test' not in [thread.name for thread in threading.enumerate()])


class Held:
    """Work that has begun and goes on until it is let."""

    def __init__(self, queue):
        self.queue = queue
        self.begun, self.let = threading.Event(), threading.Event()
        self.future = queue.submit(self)
        assert self.begun.wait(WAIT_S)

    def __call__(self):
        why = self.queue.called_off()
        self.begun.set()
        assert self.let.wait(WAIT_S)
        return why()


def test_work_is_done_in_order_and_one_at_a_time(queue):
    done = []
    held = Held(queue)
    futures = [queue.submit(lambda n=n: done.append(n) or n) for n in range(20)]
    assert not queue.wait_idle(0)
    assert done == []
    held.let.set()
    assert [future.result(WAIT_S) for future in futures] == list(range(20))
    assert done == list(range(20))


def test_what_is_called_off_is_what_was_submitted_before(queue):
    held = Held(queue)
    waiting = queue.submit(lambda: queue.called_off()())
    queue.call_off('something else came')
    later = queue.submit(lambda: queue.called_off()())
    held.let.set()
    assert held.future.result(WAIT_S) == 'something else came'
    assert waiting.result(WAIT_S) == 'something else came'
    assert later.result(WAIT_S) == ''


def test_the_first_reason_stays_and_a_closed_queue_calls_off_whatever_comes(queue):
    held = Held(queue)
    queue.call_off('the first')
    queue.close('closed')
    held.let.set()
    assert held.future.result(WAIT_S) == 'the first'
    assert queue.submit(lambda: queue.called_off()()).result(WAIT_S) == 'closed'


def test_only_work_is_called_off(queue):
    held = Held(queue)
    queue.call_off('the reason')
    assert queue.called_off()() == ''
    assert not queue.is_here()
    held.let.set()
    assert queue.submit(queue.is_here).result(WAIT_S)


def test_work_that_fails_is_logged_and_the_next_is_done(queue):
    logged = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())
    logger = logging.getLogger('jetson_infer.ros.work_queue')
    logger.addHandler(handler)
    try:
        failing = queue.submit(lambda: 1 // 0)
        assert queue.submit(lambda: 'done').result(WAIT_S) == 'done'
    finally:
        logger.removeHandler(handler)
    with pytest.raises(ZeroDivisionError):
        failing.result(WAIT_S)
    assert logged == ['queue under test: the work failed']
