# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The making of a ladder while it goes on: a bar a step in a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from jetson_infer.cli.view import View
from jetson_infer.dependencies import require
from jetson_infer.errors import MissingDependencyError
from jetson_infer.toolchain.ladder.plan import Step

__all__ = ['BarView', 'LadderView', 'LineView', 'QuietLadderView', 'open_ladder_view']

LINE_EVERY_S = 10.0
DRAW_EVERY_S = 0.1


class LadderView(View[float]):
    """Told of every step; see :class:`~jetson_infer.toolchain.ladder.progress.LadderReport`."""

    _title = ''

    def begin(self, step: Step, number: int, total: int) -> None:
        """Show that a step begins."""
        self._title = f'{number:>2}/{total}  {step}'

    def progress(self, fraction: float, what: str) -> None:
        """Show how much of it is done, and what is being done."""
        del what
        self.show(fraction)

    def end(self, outcome: str) -> None:
        """Show what came of it."""

    def show(self, status: float) -> None:
        """Show how much of the step is done."""


class QuietLadderView(LadderView):
    """Shows nothing."""


class LineView(LadderView):
    """Prints a line a step, and one every ten seconds of a longer one, on standard error.

    :param clock: tells the time, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._next = 0.0

    def begin(self, step: Step, number: int, total: int) -> None:
        """See :meth:`LadderView.begin`."""
        super().begin(step, number, total)
        self._began = self._clock()
        self._next = self._began + LINE_EVERY_S

    def progress(self, fraction: float, what: str) -> None:
        """See :meth:`LadderView.progress`."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + LINE_EVERY_S
        left = ''
        if fraction > 0.02:
            left = f', about {(now - self._began) * (1 / fraction - 1):.0f} s left'
        self._print(f'{self._title}: {what}, {fraction:.0%}{left}')

    def end(self, outcome: str) -> None:
        """See :meth:`LadderView.end`."""
        self._print(f'{self._title}: {outcome} ({self._clock() - self._began:.1f} s)')

    def _print(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


class BarView(LadderView):
    """Draws a bar with the remaining time for the step at hand; ended ones stay as lines.

    :param console: a ``rich`` console.
    """

    def __init__(self, console: Any) -> None:
        progress = require('rich.progress', 'The progress bars')
        self._console = console
        self._drawing = self._bars = progress.Progress(
            progress.SpinnerColumn(),
            progress.TextColumn('{task.description}', markup=False),
            progress.BarColumn(),
            progress.TextColumn('{task.percentage:>3.0f}%'),
            progress.TimeRemainingColumn(),
            progress.TextColumn('{task.fields[what]}', markup=False, style='dim'),
            console=console,
            transient=True,
        )
        self._task: Any = None
        self._began = self._next = 0.0

    def begin(self, step: Step, number: int, total: int) -> None:
        """See :meth:`LadderView.begin`."""
        super().begin(step, number, total)
        self._began, self._next = time.monotonic(), 0.0
        self._task = self._bars.add_task(self._title, total=1.0, what='')

    def progress(self, fraction: float, what: str) -> None:
        """See :meth:`LadderView.progress`."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + DRAW_EVERY_S
            self._bars.update(self._task, completed=fraction, what=what)

    def end(self, outcome: str) -> None:
        """See :meth:`LadderView.end`."""
        self._bars.remove_task(self._task)
        seconds = time.monotonic() - self._began
        took = f' ({seconds:.1f} s)' if seconds >= 1.0 else ''
        self._console.print(f'{self._title}: {outcome}{took}', markup=False, highlight=False)


def open_ladder_view(wanted: bool) -> LadderView:
    """Return the view for where standard error goes.

    :param wanted: whether to show anything.
    """
    if not wanted:
        return QuietLadderView()
    if sys.stderr.isatty():
        try:
            return BarView(require('rich.console', 'The progress bars').Console(stderr=True))
        except MissingDependencyError:
            pass  # lines do
    return LineView()
