# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A lock between processes, whose holder can be told and whose waiting can be ended.

The kernel holds it (``flock``), so a process that dies, however it dies, leaves nothing behind.
The file says who holds the lock and stays when it is free: a file that is deleted could be locked
twice, once under its name and once without one.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from jetson_infer.engines.file_failures import explained
from jetson_infer.errors import EngineError

__all__ = ['FileLock', 'LockHolder']

_LOOK_EVERY_S = 0.1
_LARGEST_NOTE = 4096  # bytes


@dataclass(frozen=True)
class LockHolder:
    """Who holds a lock.

    :param pid: the process, as its own machine or container counts.
    :param host: the machine's name.
    :param since: when it took the lock, in s since 1970.
    :param purpose: what for, as a noun phrase or a sentence's end.
    """

    pid: int
    host: str
    since: float
    purpose: str

    def __str__(self) -> str:
        when = time.strftime('%H:%M:%S', time.localtime(self.since))
        where = '' if self.host == socket.gethostname() else f' on {self.host}'
        seconds = max(0, round(time.time() - self.since))
        return f'process {self.pid}{where}, {self.purpose}, since {when} ({seconds} s)'


class FileLock:
    """A lock that one thread of one process on the machine holds at a time.

    :param path: its file; made with its folder where missing.
    :param purpose: what it is taken for; others are told.
    """

    def __init__(self, path: Path, purpose: str) -> None:
        self.path = path
        self._purpose = purpose
        self._file: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._file is not None

    def acquire(
        self,
        cancelled: Callable[[], bool] = lambda: False,
        waiting: Callable[[LockHolder | None], None] = lambda holder: None,
        timeout_s: float | None = None,
    ) -> bool:
        """Take the lock, waiting until it is free.

        :param cancelled: asked ten times a second while waiting; true ends it.
        :param waiting: told as often who holds the lock; None where that cannot be read.
        :param timeout_s: how long to wait; 0 only tries; None waits for ever.
        :return: whether the lock was taken.
        :raises EngineError: if the file cannot be made or the file system has no locks.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        file = self._open()
        try:
            while not self._try(file):
                if cancelled() or (deadline is not None and time.monotonic() >= deadline):
                    return False
                waiting(self.holder())
                time.sleep(_LOOK_EVERY_S)
            self._sign(file)
            self._file, file = file, -1
            return True
        finally:
            if file >= 0:
                os.close(file)

    def release(self) -> None:
        """Free the lock; does nothing where it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def holder(self) -> LockHolder | None:
        """Return who took the lock last, whether or not it is held still; None if unknown."""
        try:
            note = self.path.read_bytes()[:_LARGEST_NOTE]
            return LockHolder(**json.loads(note))
        except (OSError, ValueError, TypeError):  # half written by the one who has just taken it
            return None

    def _open(self) -> int:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise EngineError(explained(error, self.path, 'no lock can be taken')) from error

    def _try(self, file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EINTR):
                return False
            raise EngineError(
                f'{self.path}: its file system has no locks ({error.strerror}); set '
                '$JETSON_INFER_CACHE to a folder on a local disk'
            ) from error
        return True

    def _sign(self, file: int) -> None:
        holder = LockHolder(os.getpid(), socket.gethostname(), time.time(), self._purpose)
        try:
            os.ftruncate(file, 0)
            os.pwrite(file, json.dumps(asdict(holder)).encode(), 0)
        except OSError as error:  # a full disk: found here, before minutes of work
            raise EngineError(explained(error, self.path, 'no lock can be taken')) from error

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
