# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Reading ahead of time, so that a slow disk or a packed chunk does not delay a message."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

__all__ = ['ReadAhead']

T = TypeVar('T')


class ReadAhead(Generic[T]):
    """Runs an iterable in a thread of its own and hands its items on; a context manager.

    :param source: what to run ahead of the consumer.
    :param size_of: the size of an item in bytes.
    :param max_bytes: how much may wait for the consumer; one item may exceed it alone.
    """

    def __init__(
        self, source: Iterable[T], size_of: Callable[[T], int], max_bytes: int = 64 * 1024 * 1024
    ) -> None:
        self._source = source
        self._size_of = size_of
        self._max_bytes = max_bytes
        self._items: deque[T] = deque()
        self._bytes = 0
        self._ended = False
        self._closed = False
        self._error: Exception | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name='read_ahead', daemon=True)

    def __enter__(self) -> ReadAhead[T]:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def __iter__(self) -> Iterator[T]:
        """Yield the items in order; what the source raised is raised after the items before it."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._ended or self._closed)
                if not self._items:
                    if self._error is not None:
                        raise self._error
                    return
                item = self._items.popleft()
                self._bytes -= self._size_of(item)
                self._changed.notify_all()
            yield item

    def _run(self) -> None:
        try:
            for item in self._source:
                if not self._put(item):
                    return
        except Exception as error:  # noqa: BLE001 - raised again where the items are consumed
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _put(self, item: T) -> bool:
        size = self._size_of(item)
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or not self._items or self._bytes + size <= self._max_bytes
            )
            if self._closed:
                return False
            self._items.append(item)
            self._bytes += size
            self._changed.notify_all()
        return True
