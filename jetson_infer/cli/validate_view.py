# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A validation while it runs: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from jetson_infer.dependencies import require
from jetson_infer.errors import MissingDependencyError

__all__ = ['ProgressView']

LINE_EVERY_S = 10.0
DRAW_EVERY_S = 0.1


class ProgressView:
    """Shows how many frames of what are done, on standard error; a context manager.

    :param wanted: whether to show anything.
    :param unit: what is counted, in the singular.
    """

    def __init__(self, wanted: bool, unit: str = 'frame') -> None:
        self._wanted = wanted
        self._unit = unit
        self._bars: Any = None
        self._task: Any = None
        self._what = ''
        self._next = 0.0
        self._stack = ExitStack()
        if wanted and sys.stderr.isatty():
            try:
                self._bars = _bars(unit)
            except MissingDependencyError:
                self._bars = None  # plain lines do

    def show(self, what: str, done: int, total: int) -> None:
        """Show that so many frames of something are done."""
        if not self._wanted:
            return
        now = time.monotonic()
        new = what != self._what
        if not (new or done == total or now >= self._next):
            return
        if self._bars is not None:
            if new:
                self._task = self._bars.add_task(what, total=total)
            self._bars.update(self._task, completed=done)
            self._next = now + DRAW_EVERY_S
        else:
            print(f'{what}: {self._unit} {done} of {total}', file=sys.stderr, flush=True)
            self._next = now + LINE_EVERY_S
        self._what = what

    def __enter__(self) -> ProgressView:
        if self._bars is not None:
            self._stack.enter_context(self._bars)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()


def _bars(unit: str) -> Any:
    progress = require('rich.progress', 'The progress bar')
    console = require('rich.console', 'The progress bar').Console(stderr=True)
    return progress.Progress(
        progress.TextColumn('{task.description}', markup=False),
        progress.BarColumn(),
        progress.TextColumn(f'{{task.completed}}/{{task.total}} {unit}s'),
        progress.TimeRemainingColumn(),
        console=console,
        transient=True,
    )
