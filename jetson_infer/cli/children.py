# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A child process and all that it starts: begun together, ended together, none left over."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

__all__ = ['ProcessGroup']

_PR_SET_CHILD_SUBREAPER = 36

ESCALATION = ((signal.SIGINT, 1.6), (signal.SIGTERM, 0.6), (signal.SIGKILL, 0.5))
"""What the group gets, and how long is waited for its end then, in s.

All of them get each signal, as from a terminal: `launch` takes it for granted that what it has
started received the SIGINT that it received.
"""


class ProcessGroup:
    """A command in a process group of its own; a context manager that ends the whole group.

    A terminal's Ctrl-C does not reach the group: the one who started it decides how it ends.

    :param command: what to run.
    :param environment: its whole environment.
    :param log: the file that gets its output; None leaves it on the terminal.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path | None = None
    ) -> None:
        _adopt_orphans()
        self._log = log.open('wb') if log is not None else None
        try:
            self._process = subprocess.Popen(
                list(command),
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT if self._log is not None else None,
                start_new_session=True,
            )
        except BaseException:
            if self._log is not None:
                self._log.close()
            raise

    @property
    def pid(self) -> int:
        """The child's process id, which is its group's too."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The child's exit code; None while it runs."""
        return self._process.poll()

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait for the child to end by itself, and return its exit code; None if it did not."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End the group: politely, then by force; within three seconds; may be called twice."""
        for number, grace_s in ESCALATION:
            if not self._alive():
                break
            _signal_group(self._process.pid, number)
            self._wait(grace_s)
        if self._log is not None:
            self._log.close()

    def _wait(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while self._alive() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _alive(self) -> bool:
        """Tell whether any process of the group is left, and bury those that have ended."""
        if self.exit_code is None:
            return True
        try:
            while os.waitpid(-self._process.pid, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass  # none of the group is our child; a grandchild may still be its parent's
        return _signal_group(self._process.pid, 0)

    def __enter__(self) -> ProcessGroup:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _Deaf():
            self.end()


class _Deaf:
    """Holds back interrupts for a moment: a second Ctrl-C must not leave children behind."""

    _NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __enter__(self) -> None:
        self._before = {n: signal.signal(n, signal.SIG_IGN) for n in self._NUMBERS}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _adopt_orphans() -> None:
    """Become the parent of grandchildren whose parent dies, so that they can be buried (Linux)."""
    if sys.platform.startswith('linux'):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _signal_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True
