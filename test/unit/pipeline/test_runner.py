# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import threading
import time

import numpy as np
import pytest

from jetson_infer.core.accounting import FrameAccount, Outcome
from jetson_infer.core.images import wrap_image
from jetson_infer.errors import DeviceError, FrameRejected, SessionError
from jetson_infer.pipeline.pipelines import OverlappingPipeline
from jetson_infer.pipeline.runner import FrameRunner, RunnerHooks, RunnerSettings

PIXELS = np.zeros((4, 6, 3), np.uint8)


def wrap():
    return wrap_image('bgr8', 6, 4, 18, False, PIXELS)


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


class Gated:
    """A pipeline that waits at a gate, and raises what it is told to."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.raising = []
        self.closed = 0

    def process(self, image, clock):
        self.entered.set()
        assert self.gate.wait(30)
        if self.raising:
            raise self.raising.pop(0)
        clock.mark('infer')
        return image.width

    def close(self):
        self.closed += 1


class Rig:
    """A runner with everything it tells written down."""

    def __init__(self, pipeline=None, **settings):
        self.pipeline = pipeline or Gated()
        self.account = FrameAccount()
        self.delivered = []
        self.problems = []
        self.failures = []
        self.age_ms = 0.0
        self.runner = FrameRunner(
            lambda: self.pipeline,
            self.account,
            RunnerHooks(
                deliver=lambda frame, result, clock: self.delivered.append(
                    (frame.context, frame.stamp_ns, result)
                ),
                age_ms=lambda frame: self.age_ms,
                on_problem=lambda kind, message: self.problems.append((kind, message)),
                on_failure=self.failures.append,
            ),
            RunnerSettings(**settings),
        )

    def receive(self, context=None, stamp_ns=0, wrapper=wrap):
        self.runner.receive(wrapper, stamp_ns, context)

    def outcome(self, outcome):
        return self.account.counts().outcomes[outcome]


@pytest.fixture
def rig():
    made = Rig()
    yield made
    made.pipeline.gate.set()
    made.runner.stop()


def test_a_frame_is_processed_delivered_counted_and_timed(rig):
    rig.receive('header', stamp_ns=5)
    assert rig.runner.drain(30)
    assert rig.delivered == [('header', 5, 6)]
    assert rig.outcome(Outcome.PROCESSED) == 1
    times = rig.runner.statistics.percentiles()
    assert {'wait', 'infer', 'total'} <= set(times)
    assert times['total'].p50 >= times['infer'].p50


def test_frames_that_come_while_the_worker_is_busy_replace_each_other(rig):
    rig.pipeline.gate.clear()
    rig.receive(1)
    assert rig.pipeline.entered.wait(30)
    for context in (2, 3, 4):
        rig.receive(context)
    assert rig.account.counts().waiting == 2
    rig.pipeline.gate.set()
    assert rig.runner.drain(30)
    assert [context for context, _, _ in rig.delivered] == [1, 4]
    assert rig.outcome(Outcome.REPLACED) == 2
    assert rig.account.counts().waiting == 0


def test_a_frame_that_cannot_be_wrapped_is_rejected_by_reason(rig):
    def bad():
        raise FrameRejected('bad_step', 'step 10 is less than the 18 bytes of a row')

    rig.receive(wrapper=bad)
    counts = rig.account.counts()
    assert dict(counts.rejected) == {'bad_step': 1}
    assert rig.problems == [('bad_step', 'step 10 is less than the 18 bytes of a row')]


def test_a_defect_in_wrapping_costs_that_frame_only(rig):
    def broken():
        raise ZeroDivisionError('oops')

    rig.receive(wrapper=broken)
    counts = rig.account.counts()
    assert counts.waiting == 0
    assert counts.as_dict()['failed'] == 1
    assert rig.problems == [('failed', 'ZeroDivisionError: oops')]


@pytest.mark.parametrize(
    ('error', 'outcome', 'kind'),
    [
        (FrameRejected('truncated_data', 'cut'), Outcome.REJECTED, 'truncated_data'),
        (SessionError('the engine failed'), Outcome.FAILED, 'failed'),
        (ZeroDivisionError('oops'), Outcome.FAILED, 'failed'),
    ],
)
def test_a_failing_frame_costs_that_frame_only(rig, error, outcome, kind):
    rig.pipeline.raising = [error]
    rig.receive(1)
    assert rig.runner.drain(30)
    rig.receive(2)
    assert rig.runner.drain(30)
    assert [context for context, _, _ in rig.delivered] == [2]
    assert rig.outcome(outcome) == 1
    assert [problem[0] for problem in rig.problems] == [kind]
    assert rig.failures == []


def test_stale_frames_are_left_out(rig):
    rig.runner.settings = RunnerSettings(stale_after_ms=100.0)
    for age in (50.0, 150.0, 99.0):
        rig.age_ms = age
        rig.receive(age)
        assert rig.runner.drain(30)
    assert [context for context, _, _ in rig.delivered] == [50.0, 99.0]
    assert rig.outcome(Outcome.STALE) == 1


def test_frames_from_the_future_are_rejected_where_age_counts(rig):
    rig.age_ms = -3600_000.0
    rig.receive(1)
    assert rig.runner.drain(30)
    rig.runner.settings = RunnerSettings(stale_after_ms=100.0)
    for age in (-3600_000.0, -500.0):
        rig.age_ms = age
        rig.receive(age)
        assert rig.runner.drain(30)
    assert [context for context, _, _ in rig.delivered] == [1, -500.0]
    assert dict(rig.account.counts().rejected) == {'future_stamp': 1}
    ((kind, message),) = rig.problems
    assert kind == 'future_stamp'
    assert '3600.0 s ahead' in message


def test_frames_above_the_rate_are_shed():
    rig = Rig(max_rate_hz=0.001)
    for context in range(5):
        rig.receive(context)
        rig.runner.drain(30)
    rig.runner.stop()
    assert rig.outcome(Outcome.SHED) == 4
    assert len(rig.delivered) == 1


def test_after_stop_frames_are_shed_and_the_pipeline_is_closed_once(rig):
    rig.pipeline.gate.clear()
    rig.receive(1)
    assert rig.pipeline.entered.wait(30)
    rig.receive(2)
    # The gate opens when the worker has been told to stop, however late that is.
    stopping = threading.Thread(target=rig.runner.stop)
    stopping.start()
    until(lambda: rig.runner._worker._slot.closed)
    rig.pipeline.gate.set()
    stopping.join()
    rig.runner.stop()
    rig.receive(3)
    assert rig.pipeline.closed == 1
    assert [context for context, _, _ in rig.delivered] == [1]
    assert rig.outcome(Outcome.SHED) == 2
    assert rig.account.counts().waiting == 0


@pytest.mark.parametrize('kind', [DeviceError, SystemExit])
def test_a_worker_that_ends_is_told_and_every_frame_has_an_outcome(rig, kind):
    rig.pipeline.gate.clear()
    rig.pipeline.raising = [kind('unplugged')]
    rig.receive(1)
    assert rig.pipeline.entered.wait(30)
    rig.receive(2)
    rig.pipeline.gate.set()
    until(lambda: rig.failures)
    assert [str(error) for error in rig.failures] == ['unplugged']
    assert rig.outcome(Outcome.FAILED) == 2
    assert rig.account.counts().waiting == 0


class TwoLanes(OverlappingPipeline):
    """A pipeline whose device is lost when the first of two frames under way is finished."""

    depth = 2
    patience_s = 30.0

    def __init__(self):
        self.begun = threading.Semaphore(0)

    def begin(self, image, clock):
        self.begun.release()

    def finish(self, pending, clock):
        raise DeviceError('unplugged')

    def close(self):
        pass


def test_frames_under_way_on_a_device_that_is_lost_have_an_outcome():
    rig = Rig(TwoLanes())
    for context in (1, 2):
        rig.receive(context)
        assert rig.pipeline.begun.acquire(timeout=30)
    assert rig.runner.drain(30)
    rig.runner.stop()
    assert [str(error) for error in rig.failures] == ['unplugged']
    assert rig.outcome(Outcome.FAILED) == 2
    assert rig.account.counts().waiting == 0


def test_what_cannot_be_opened_is_raised():
    def fail():
        raise SessionError('not an ONNX file')

    hooks = RunnerHooks(lambda *_: None, lambda _: 0.0, lambda *_: None, lambda _: None)
    with pytest.raises(SessionError, match='not an ONNX file'):
        FrameRunner(fail, FrameAccount(), hooks, RunnerSettings())
