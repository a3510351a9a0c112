# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A build while it runs: live in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

from jetson_infer.cli.view import QuietView, View
from jetson_infer.dependencies import require
from jetson_infer.engines.build_times import ExpectedTime, duration
from jetson_infer.engines.tensorrt.build_job import BuildStatus
from jetson_infer.errors import MissingDependencyError
from jetson_infer.toolchain.build_plan import BuildPlan

__all__ = ['LOOK_EVERY_S', 'LiveView', 'PlainView', 'open_view']

LOOK_EVERY_S = 0.2
LINE_EVERY_S = 10.0
BAR_WIDTH = 16  # characters


class PlainView(View[BuildStatus]):
    """Prints a line when something new begins, and every ten seconds, on standard error.

    :param title: what is built.
    :param expected: how long it may take.
    """

    def __init__(self, title: str, expected: ExpectedTime | None = None) -> None:
        self._title = title
        self._expected = f'; expected {expected}' if expected else ''
        self._last: tuple[str, ...] = ()
        self._next = 0.0

    def show(self, status: BuildStatus) -> None:
        """Print a line if it tells something new, or none was printed for a while."""
        stage = (status.state, *(status.progress.phases[:1] if status.progress else ()))
        now = time.monotonic()
        if (stage == self._last and now < self._next) or status.is_final:
            return
        print(f'{self._title}: {status}{self._expected}', file=sys.stderr, flush=True)
        self._last, self._next, self._expected = stage, now + LINE_EVERY_S, ''


class LiveView(View[BuildStatus]):
    """Draws a spinner with the time that has passed, and a bar where the builder tells steps.

    :param title: what is built.
    :param expected: how long it may take.
    :param console: a ``rich`` console.
    """

    def __init__(self, title: str, expected: ExpectedTime | None, console: Any) -> None:
        progress = require('rich.progress', 'The live view')
        self._drawing = self._progress = progress.Progress(
            progress.SpinnerColumn(),
            progress.TextColumn('[bold]{task.fields[title]}'),
            progress.TimeElapsedColumn(),
            progress.TextColumn('{task.description}', markup=False),
            console=console,
            transient=True,
        )
        self._expected = f' (expected: about {duration(expected.seconds)})' if expected else ''
        self._task = self._progress.add_task('', total=1, title=title)

    def show(self, status: BuildStatus) -> None:
        """Draw the job as it is now."""
        self._progress.update(self._task, description=f'{_doing(status)}{self._expected}')

    def drawing(self) -> Any:
        """Return what is drawn now, for a ``rich`` console."""
        return self._progress.get_renderable()


def open_view(plan: BuildPlan, wanted: bool) -> View[BuildStatus]:
    """Return the view that fits where standard error goes.

    :param wanted: whether to show anything.
    """
    if not wanted:
        return QuietView()
    title = f'{plan.order.model} {plan.order.variant} {plan.order.request.precision}'
    if sys.stderr.isatty():
        try:
            console = require('rich.console', 'The live view').Console(stderr=True)
            return LiveView(title, plan.expected, console)
        except MissingDependencyError:
            return PlainView(title, plan.expected)
    return PlainView(title, plan.expected)


def _doing(status: BuildStatus) -> str:
    """Say what is done, without the time, which the view shows itself."""
    if status.waiting_for:
        return f'waiting for {status.waiting_for}'
    if status.state != 'building' or status.progress is None:
        return status.state
    step, steps = status.progress.step, status.progress.steps
    phase = (status.progress.phases or ('building',))[-1]
    if not steps:
        return phase
    filled = min(BAR_WIDTH, BAR_WIDTH * step // steps)
    return f'{"█" * filled}{"░" * (BAR_WIDTH - filled)} {phase} {step}/{steps}'
