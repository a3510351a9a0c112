# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import threading

import pytest

from jetson_infer.core.accounting import FrameAccount, Outcome
from jetson_infer.errors import InternalError


def test_every_frame_is_accounted_for_while_threads_open_and_close():
    account = FrameAccount()
    outcomes = list(Outcome)

    def work(offset):
        for index in range(500):
            ticket = account.open()
            outcome = outcomes[(index + offset) % len(outcomes)]
            ticket.close(outcome, 'bad_step' if outcome is Outcome.REJECTED else '')
            account.counts()  # raises when the account does not balance

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = account.counts()
    assert counts.received == 2000
    assert counts.waiting == 0
    assert sum(counts.outcomes.values()) == 2000


def test_open_frames_are_waiting():
    account = FrameAccount()
    first, _second = account.open(), account.open()
    assert account.counts().waiting == 2
    first.close(Outcome.PROCESSED)
    assert account.counts().waiting == 1


def test_a_frame_has_one_outcome_only():
    ticket = FrameAccount().open()
    ticket.close(Outcome.REPLACED)
    with pytest.raises(InternalError, match='replaced is now processed'):
        ticket.close(Outcome.PROCESSED)


@pytest.mark.parametrize(('outcome', 'reason'), [('REJECTED', ''), ('FAILED', 'bad_step')])
def test_a_reason_goes_with_a_rejected_frame_only(outcome, reason):
    account = FrameAccount()
    with pytest.raises(InternalError):
        account.open().close(Outcome[outcome], reason)
    assert account.counts().waiting == 1


def test_counters_are_published_by_name():
    account = FrameAccount()
    account.open().close(Outcome.REJECTED, 'bad_step')
    account.open()
    assert account.counts().as_dict() == {
        'received': 2,
        'processed': 0,
        'replaced': 0,
        'stale': 0,
        'rejected': 1,
        'rejected/bad_step': 1,
        'shed': 0,
        'failed': 0,
        'waiting': 1,
    }
