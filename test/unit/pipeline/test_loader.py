# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import threading
from concurrent.futures import CancelledError

import pytest

from jetson_infer.pipeline.loader import Loader

WAIT_S = 30


@pytest.fixture
def loader():
    made = Loader('the loader')
    yield made
    made.stop(lambda: None)


def test_all_is_done_in_order_on_one_thread_of_that_name(loader):
    done = []

    def work(number):
        done.append((number, threading.current_thread().name))
        return number

    futures = [loader.submit(lambda n=n: work(n)) for n in range(5)]
    assert [future.result(WAIT_S) for future in futures] == list(range(5))
    loader.stop(lambda: work(5))
    assert done == [(number, 'the loader') for number in range(6)]


@pytest.mark.parametrize('kind', [OSError, SystemExit])
def test_what_fails_is_raised_to_who_asked_and_the_next_is_done(loader, kind):
    def fail():
        raise kind('no such file')

    failed, after = loader.submit(fail), loader.submit(lambda: 'done')
    with pytest.raises(kind, match='no such file'):
        failed.result(WAIT_S)
    assert after.result(WAIT_S) == 'done'


def test_stopping_waits_for_what_is_done_calls_off_the_rest_and_ends_with_the_last(loader):
    begun, go_on, order = threading.Event(), threading.Event(), []

    def slowly():
        begun.set()
        assert go_on.wait(WAIT_S)
        order.append('slow')

    slow = loader.submit(slowly)
    never = loader.submit(lambda: order.append('never'))
    assert begun.wait(WAIT_S)
    threading.Timer(0.05, go_on.set).start()
    loader.stop(lambda: order.append('last'))
    loader.stop(lambda: order.append('twice'))
    assert slow.done()
    for future in (never, loader.submit(lambda: order.append('late'))):
        with pytest.raises(CancelledError):
            future.result(WAIT_S)
    assert order == ['slow', 'last']
