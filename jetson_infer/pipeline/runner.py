# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Frames in, results out: the account, the rate, the worker and the clock of one pipeline.

A node's callback calls :meth:`FrameRunner.receive`, which never waits; frames are processed on the
worker's thread, and pipelines opened and closed on the loader's, beside them.  Nothing here knows
ROS, so a benchmark runs frames exactly as a node does.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from jetson_infer.core.accounting import FrameAccount, FrameTicket, Outcome
from jetson_infer.core.arrivals import FUTURE_MS
from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.rate import RateLimiter
from jetson_infer.core.timing import RateMeter, StageClock, StageStatistics
from jetson_infer.errors import DeviceError, FrameRejected, InternalError
from jetson_infer.pipeline.frame import Frame
from jetson_infer.pipeline.loader import Loader
from jetson_infer.pipeline.pipelines import OverlappingPipeline, Pipeline, overlapping
from jetson_infer.pipeline.worker import Worker

__all__ = ['FrameRunner', 'RunnerHooks', 'RunnerSettings', 'RunnerStopped']

_LOGGER = logging.getLogger(__name__)

R = TypeVar('R')
T = TypeVar('T')


class RunnerStopped(InternalError):
    """Something was to be done after the last frame."""


@dataclass(frozen=True)
class RunnerSettings:
    """What may change from frame to frame.

    :param max_rate_hz: frames above this mean rate are shed; 0 processes every frame.
    :param stale_after_ms: frames older than this when their turn comes are left out, and those
        from the future, of which nobody can say how old they are, are rejected; 0 never.
    """

    max_rate_hz: float = 0.0
    stale_after_ms: float = 0.0


@dataclass(frozen=True)
class RunnerHooks(Generic[R]):
    """What the runner's owner does.

    :param deliver: publishes a frame's result; on the worker's thread.
    :param age_ms: how old a frame's image is by the clock that stamped it, in milliseconds.
    :param on_problem: told of every frame that was rejected or failed: a fixed word and what
        happened; on either thread, so it must be quick and safe to call from both.
    :param on_failure: told that the worker has ended and why; on the worker's thread.
    """

    deliver: Callable[[Frame, R, StageClock], None]
    age_ms: Callable[[Frame], float]
    on_problem: Callable[[str, str], None]
    on_failure: Callable[[BaseException], None]


class FrameRunner(Generic[R]):
    """Takes frames as they come and has the newest one processed.

    :param open_pipeline: loads, verifies, allocates and warms up; on the loader's thread, where the
        pipeline is closed too.  What it raises, the constructor raises.
    :param account: where frames are counted; outlives the runner.
    """

    def __init__(
        self,
        open_pipeline: Callable[[], Pipeline[R] | OverlappingPipeline[R]],
        account: FrameAccount,
        hooks: RunnerHooks[R],
        settings: RunnerSettings,
    ) -> None:
        self.settings = settings
        self.account = account
        self.statistics = StageStatistics()
        self.rate_in = RateMeter()
        self.rate_out = RateMeter()
        self._hooks = hooks
        self._limiter = RateLimiter()
        self._opened: dict[int, Pipeline[R] | OverlappingPipeline[R]] = {}  # the loader's own
        self._loader = Loader('jetson_infer loader')
        try:
            self._worker: Worker[Frame] = Worker(
                lambda: self._open_first(open_pipeline),
                name='jetson_infer worker',
                on_failure=self._worker_failed,
            )
        except BaseException:
            self._loader.stop(self._close_all)
            raise

    def receive(
        self, wrap: Callable[[], ImageView | CompressedView], stamp_ns: int, context: Any
    ) -> None:
        """Count, check and hand over one frame; never waits for the worker.

        :param wrap: makes the view on the message's data; raises FrameRejected if it cannot.
        :param stamp_ns: the time the message says it was captured at.
        :param context: returned with the result.
        """
        received_ns = time.monotonic_ns()
        ticket = self.account.open()
        self.rate_in.tick(received_ns)
        if not self._limiter.admit(received_ns, self.settings.max_rate_hz):
            ticket.close(Outcome.SHED)
            return
        try:
            image = wrap()
        except FrameRejected as rejection:
            ticket.close(Outcome.REJECTED, rejection.reason)
            self._hooks.on_problem(rejection.reason, str(rejection))
            return
        except Exception as error:  # noqa: BLE001 - a defect of ours; the next frame gets its chance
            self._fail(ticket, error)
            return
        frame = Frame(image, received_ns, stamp_ns, ticket, context)
        displaced = self._worker.submit(frame)
        if displaced is not None:
            displaced.ticket.close(Outcome.SHED if displaced is frame else Outcome.REPLACED)

    def between_frames(self, work: Callable[[], T]) -> T:
        """Do something on the worker's thread between two frames, and wait for it.

        :raises RunnerStopped: if the runner has stopped.
        :raises Exception: whatever `work` raises.
        """
        return _result(self._worker.call(work))

    def open(
        self, open_pipeline: Callable[[], Pipeline[R] | OverlappingPipeline[R]]
    ) -> Pipeline[R] | OverlappingPipeline[R]:
        """Open a pipeline that is to process frames later, and wait for it; frames go on.

        It is closed by :meth:`release`, or with the runner.

        :param open_pipeline: called on the loader's thread, one after the other.
        :raises RunnerStopped: if the runner has stopped.
        :raises Exception: whatever `open_pipeline` raises.
        """

        def work() -> Pipeline[R] | OverlappingPipeline[R]:
            pipeline = open_pipeline()
            self._opened[id(pipeline)] = pipeline
            return pipeline

        return _result(self._loader.submit(work))

    def swap(self, pipeline: Pipeline[R] | OverlappingPipeline[R]) -> None:
        """Have an opened pipeline process the frames from the next one on; wait until it does.

        :raises RunnerStopped: if the runner has stopped.
        :raises DeviceError: if its device is lost; the one before goes on.
        """
        self.between_frames(lambda: self._processor.swap(pipeline))

    def release(self, pipeline: Pipeline[R] | OverlappingPipeline[R]) -> None:
        """Have an opened pipeline that processes no frames closed, without waiting for it.

        It is closed before another one is opened: giving memory back may take milliseconds, which
        neither frames nor whoever switches have to wait for.
        """
        if self._processor.uses(pipeline):
            raise InternalError('the pipeline that processes the frames was to be closed')
        self._loader.submit(lambda: self._close(pipeline))

    def drain(self, timeout_s: float) -> bool:
        """Wait until no frame is waiting or in work; tell whether that came to pass."""
        return self._worker.drain(timeout_s)

    def stop(self) -> None:
        """End the worker after the frame in hand and close all pipelines; may be called twice.

        One that is being opened is waited for.
        """
        left = self._worker.stop()
        if left is not None:
            left.ticket.close(Outcome.SHED)
        self._loader.stop(self._close_all)

    def _open_first(
        self, open_pipeline: Callable[[], Pipeline[R] | OverlappingPipeline[R]]
    ) -> _FrameProcessor[R]:
        self._processor = _FrameProcessor(self.open(open_pipeline), self)
        return self._processor

    def _close(self, pipeline: Pipeline[R] | OverlappingPipeline[R]) -> None:
        del self._opened[id(pipeline)]
        try:
            pipeline.close()
        except Exception:
            # Nobody waits for it, and frames do not depend on it.
            _LOGGER.exception('a pipeline could not be closed; what it held may be held still')

    def _close_all(self) -> None:
        for pipeline in reversed(list(self._opened.values())):
            self._close(pipeline)

    def _worker_failed(self, error: BaseException, left: Frame | None) -> None:
        if left is not None:
            left.ticket.close(Outcome.FAILED)
        self._hooks.on_failure(error)

    def _fail(self, ticket: FrameTicket, error: Exception) -> None:
        ticket.close(Outcome.FAILED)
        _LOGGER.debug('a frame failed', exc_info=error)
        self._hooks.on_problem('failed', f'{type(error).__name__}: {error}')

    def _guarded(self, ticket: FrameTicket, work: Callable[[], T]) -> T | None:
        """Do a step of a frame's way and return what came of it; None if that ended its way.

        A failing frame costs that frame; whatever went wrong, the next one gets its chance.  Only
        where the device itself is lost is there nothing to go on with.
        """
        try:
            return work()
        except FrameRejected as rejection:
            ticket.close(Outcome.REJECTED, rejection.reason)
            self._hooks.on_problem(rejection.reason, str(rejection))
        except BaseException as error:
            if isinstance(error, DeviceError) or not isinstance(error, Exception):
                ticket.close(Outcome.FAILED)
                raise
            self._fail(ticket, error)
        return None

    def _begin(self, pipeline: OverlappingPipeline[R], frame: Frame) -> _UnderWay | None:
        clock = StageClock(frame.received_ns)
        clock.mark('wait')
        if self._is_stale(frame):
            frame.ticket.close(Outcome.STALE)
            return None

        def work() -> _UnderWay:
            self._check_future(frame)
            return _UnderWay(frame, clock, pipeline.begin(frame.image, clock))

        return self._guarded(frame.ticket, work)

    def _is_stale(self, frame: Frame) -> bool:
        limit_ms = self.settings.stale_after_ms
        return limit_ms > 0.0 and self._hooks.age_ms(frame) > limit_ms

    def _check_future(self, frame: Frame) -> None:
        if self.settings.stale_after_ms > 0.0:
            age_ms = self._hooks.age_ms(frame)
            if age_ms < -FUTURE_MS:
                raise FrameRejected(
                    'future_stamp',
                    f'an image is stamped {-age_ms * 1e-3:.1f} s ahead of this clock, so that '
                    'stale_after_ms cannot judge it; synchronize the clocks',
                )

    def _finish(self, pipeline: OverlappingPipeline[R], under_way: _UnderWay) -> None:
        frame, clock, pending = under_way

        def work() -> bool:
            self._hooks.deliver(frame, pipeline.finish(pending, clock), clock)
            return True

        if self._guarded(frame.ticket, work):
            clock.finish()
            frame.ticket.close(Outcome.PROCESSED)
            self.statistics.add(clock.milliseconds)
            self.rate_out.tick(time.monotonic_ns())


class _UnderWay(NamedTuple):
    """A frame that the pipeline has begun.

    :param pending: what the pipeline needs back to finish it.
    """

    frame: Frame
    clock: StageClock
    pending: Any


def _result(future: Future[T]) -> T:
    try:
        return future.result()
    except CancelledError:
        raise RunnerStopped('something was to be done after the last frame') from None


class _FrameProcessor(Generic[R]):
    """Binds a pipeline to its runner, and is current with it on the worker's thread."""

    def __init__(self, pipeline: Pipeline[R] | OverlappingPipeline[R], runner: FrameRunner[R]):
        self._runner = runner
        self._under_way: deque[_UnderWay | None] = deque()  # None: its way has ended already
        self._current = ExitStack()
        self.swap(pipeline)

    @property
    def depth(self) -> int:
        return self._pipeline.depth

    @property
    def patience_s(self) -> float:
        return self._pipeline.patience_s if self._under_way[0] is not None else 0.0

    def begin(self, item: Frame) -> None:
        self._under_way.append(self._runner._begin(self._pipeline, item))

    def finish(self) -> None:
        under_way = self._under_way.popleft()
        if under_way is not None:
            self._runner._finish(self._pipeline, under_way)

    def close(self) -> None:
        for under_way in filter(None, self._under_way):
            under_way.frame.ticket.close(Outcome.FAILED)
        self._under_way.clear()
        self._current.close()

    def swap(self, pipeline: Pipeline[R] | OverlappingPipeline[R]) -> None:
        taken = overlapping(pipeline)
        with ExitStack() as stack:
            stack.enter_context(taken.current())
            self._given, self._pipeline = pipeline, taken
            before, self._current = self._current, stack.pop_all()
        before.close()

    def uses(self, pipeline: Pipeline[R] | OverlappingPipeline[R]) -> bool:
        return self._given is pipeline
