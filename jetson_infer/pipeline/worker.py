# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The thread that processes frames."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, Protocol, TypeVar

from jetson_infer.pipeline.latest_slot import LatestSlot
from jetson_infer.pipeline.loader import fulfil

__all__ = ['Processor', 'Worker']

_LOGGER = logging.getLogger(__name__)

S = TypeVar('S')
T = TypeVar('T')
T_contra = TypeVar('T_contra', contravariant=True)


class Processor(Protocol[T_contra]):
    """What a worker does with an item; made, used and closed on the worker's thread only.

    An item is begun, and the oldest one begun is finished; where a device does the work in between,
    several may be under way.  An exception ends the worker.
    """

    @property
    def depth(self) -> int:
        """How many items may be under way at once, at least 1."""

    @property
    def patience_s(self) -> float:
        """How long the oldest item under way will surely take still; 0 if that is not known."""

    def begin(self, item: T_contra) -> None:
        """Take one item up, whatever is wrong with it."""

    def finish(self) -> None:
        """Wait for the oldest item under way and end it, whatever is wrong with it."""

    def close(self) -> None:
        """Give up what is under way and release what the processor holds."""


class Worker(Generic[T]):
    """Runs a processor on a thread of its own, always on the newest item.

    While the device works on one item, the thread waits for the next one as long as the device is
    sure to be busy, and begins it: its preparation overlaps the work on the one before.

    The processor is made on that thread, and makes its device current there; what pipelines are
    opened and closed with is the loader's (`loader.py`).

    :param open_processor: makes the processor; may take long (a network is loaded) and may raise.
    :param name: the thread's name.
    :param on_failure: called on the worker's thread with the exception that ended it, and with
        the item that was waiting and that nobody will process, or None.
    :raises Exception: whatever `open_processor` raised; nothing is left running then.
    """

    def __init__(
        self,
        open_processor: Callable[[], Processor[T]],
        *,
        name: str,
        on_failure: Callable[[BaseException, T | None], None],
    ) -> None:
        self._slot: LatestSlot[T] = LatestSlot()
        self._idle = threading.Condition()
        self._pending = 0  # submitted and not ended
        self._calls: list[tuple[Callable[[], None], Future[Any]]] = []
        self._ended = False  # no call is taken any more
        self._under_way = 0  # begun and not finished; the worker's own
        self._on_failure = on_failure
        self._opening: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(open_processor,), name=name, daemon=True
        )
        self._thread.start()
        try:
            self._opening.result()
        except BaseException:
            # Also when the wait itself is interrupted: what is being opened is then closed again.
            self._slot.close()
            self._thread.join()
            raise

    def submit(self, item: T) -> T | None:
        """Leave an item for the worker, without waiting for it.

        :return: the item that was displaced and that nobody will process: an older one, or the
            given one when the worker has stopped; None when none was.
        """
        with self._idle:
            self._pending += 1
        displaced = self._slot.put(item)
        if displaced is not None:
            self._finish(1)
        return displaced

    def drain(self, timeout_s: float) -> bool:
        """Wait until everything submitted was processed; tell whether that came to pass."""
        with self._idle:
            return self._idle.wait_for(lambda: self._pending == 0, timeout_s)

    def call(self, work: Callable[[], S]) -> Future[S]:
        """Have something done on the worker's thread when no item is under way.

        :return: what comes of it; cancelled if the worker stops before.
        """
        future: Future[S] = Future()
        with self._idle:
            if self._ended:
                future.cancel()
                return future
            self._calls.append((lambda: fulfil(future, work), future))
        self._slot.wake()
        return future

    def stop(self) -> T | None:
        """End the thread after the item in hand; may be called twice, not from the worker.

        :return: an item that was waiting and that nobody will process.
        """
        left = self._slot.close()
        if left is not None:
            self._finish(1)
        self._thread.join()
        return left

    def _finish(self, items: int) -> None:
        with self._idle:
            self._pending -= items
            self._idle.notify_all()

    def _run(self, open_processor: Callable[[], Processor[T]]) -> None:
        try:
            processor = open_processor()
        except BaseException as error:  # noqa: BLE001 - the constructor raises it to its caller
            self._opening.set_exception(error)
            return
        self._opening.set_result(None)
        try:
            self._serve(processor)
        except BaseException as error:
            _LOGGER.exception('the worker thread ended')
            left = self._slot.close()
            self._finish(self._under_way + (left is not None))
            self._on_failure(error, left)
        finally:
            self._give_up_calls()
            processor.close()

    def _serve(self, processor: Processor[T]) -> None:
        while True:
            if self._calls and not self._under_way:
                self._run_calls()
            item = None
            if not self._calls:
                item = self._slot.take(processor.patience_s if self._under_way else None)
            if item is not None:
                self._under_way += 1
                processor.begin(item)
                # The last reference to a frame keeps its message's buffer alive.
                del item
                if self._under_way < processor.depth:
                    continue
            elif not self._under_way:
                if self._slot.closed:
                    return
                continue
            processor.finish()
            self._under_way -= 1
            self._finish(1)

    def _run_calls(self) -> None:
        with self._idle:
            calls = list(self._calls)
            self._calls.clear()
        for run, _ in calls:
            run()

    def _give_up_calls(self) -> None:
        with self._idle:
            self._ended = True
            calls = list(self._calls)
            self._calls.clear()
        for _, future in calls:
            future.cancel()
