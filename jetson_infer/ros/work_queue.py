# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Work that takes too long for the executor's thread, in the order in which it was asked for."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ['WorkQueue']

_LOGGER = logging.getLogger(__name__)

T = TypeVar('T')


class _Work:
    def __init__(self, do: Callable[[], Any], called_off: str) -> None:
        self.do = do
        self.done: Future[Any] = Future()
        self.called_off = called_off


class WorkQueue:
    """Does one piece of work after the other, on a thread that is there while there is any.

    Work that is called off is done all the same: whoever wrote it asks :meth:`called_off` before
    what takes long and before what cannot be undone, and so leaves nothing half done.

    :param name: the thread's name.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._waiting: deque[_Work] = deque()
        self._now: _Work | None = None
        self._thread: threading.Thread | None = None
        self._closed = ''

    def submit(self, do: Callable[[], T]) -> Future[T]:
        """Have something done after everything that was submitted before.

        :return: what comes of it; its callbacks run on the thread that does the work.
        """
        with self._changed:
            work = _Work(do, self._closed)
            self._waiting.append(work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        return work.done

    def is_here(self) -> bool:
        """Tell whether the caller is work of this queue."""
        return threading.current_thread() is self._thread

    def call_off(self, why: str) -> None:
        """Call everything off that was submitted so far; does not wait for it.

        :param why: for a person, as a clause: ``the node was cleaned up meanwhile``.
        """
        with self._changed:
            for work in (*self._waiting, *filter(None, [self._now])):
                work.called_off = work.called_off or why

    def close(self, why: str) -> None:
        """Call everything off, whatever may be submitted still among it."""
        with self._changed:
            self._closed = why
            self.call_off(why)

    def wait_idle(self, timeout_s: float | None = None) -> bool:
        """Wait until there is no work; tell whether that came to pass.  Not for work itself."""
        with self._changed:
            return self._changed.wait_for(lambda: self._thread is None, timeout_s)

    def called_off(self) -> Callable[[], str]:
        """Return a function that tells on any thread why the caller, work, was called off.

        It tells nothing where the caller is no work of this queue, or was not called off.
        """
        work = self._now if self.is_here() else None
        return lambda: work.called_off if work is not None else ''

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._thread = None
                    self._changed.notify_all()
                    return
                work = self._now = self._waiting.popleft()
            try:
                work.done.set_result(work.do())
            except BaseException as error:
                _LOGGER.exception('%s: the work failed', self._name)
                work.done.set_exception(error)
            finally:
                self._now = None
