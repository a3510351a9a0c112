# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The thread that opens and closes pipelines while another one processes frames."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

__all__ = ['Loader', 'fulfil']

S = TypeVar('S')


def fulfil(future: Future[S], work: Callable[[], S]) -> None:
    """Do what a future stands for, unless it was cancelled, and tell it what came of that."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - raised to whoever asks the future
        future.set_exception(error)


class Loader:
    """Does one thing after the other on a thread of its own, until it is stopped.

    One thread opens whatever a runner uses and closes it too: what PyCUDA made is released through
    the context object that it was made with, which belongs to the thread that asked for it.

    :param name: the thread's name.
    """

    def __init__(self, name: str) -> None:
        self._lock = threading.Lock()
        self._ended = False
        self._last: Callable[[], None] = lambda: None
        self._asked: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], S]) -> Future[S]:
        """Have something done after everything that was submitted before.

        :return: what comes of it; cancelled if the loader is stopped before.
        """
        future: Future[S] = Future()
        with self._lock:
            if self._ended:
                future.cancel()
            else:
                self._asked.put((future, work))
        return future

    def stop(self, last: Callable[[], None]) -> None:
        """End the thread after what it is doing; may be called twice, not from the loader.

        :param last: done on the thread before it ends; what was submitted and not begun is not.
        """
        with self._lock:
            if not self._ended:
                self._ended, self._last = True, last
                self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            future, work = asked
            if self._ended:
                future.cancel()
            fulfil(future, work)
            # Else it would hold a pipeline that is closed meanwhile until the next work comes.
            del asked, future, work
        self._last()
