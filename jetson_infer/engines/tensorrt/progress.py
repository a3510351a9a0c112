# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A build's progress, as TensorRT 10 and later tell it, and the way to stop one."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from typing import Any

from jetson_infer.engines.built_plan import BuildProgress
from jetson_infer.engines.tensorrt.api import trt

__all__ = ['PhaseTracker', 'attach_monitor']

Report = Callable[[BuildProgress], None]


class PhaseTracker:
    """The phases that are open, outermost first; called from TensorRT's threads.

    An exception of ``report`` cannot pass through TensorRT: it stops the build and is raised by
    :meth:`check`.

    :param report: is told about every step.
    :param cancelled: whether the build is to stop; asked after every step.
    """

    def __init__(self, report: Report, cancelled: Callable[[], bool]) -> None:
        self._report = report
        self._cancelled = cancelled
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._stage = ''
        self._open: dict[str, tuple[int, int]] = {}
        self._failure: BaseException | None = None
        self.stopped = False

    @property
    def seconds(self) -> float:
        """Since the tracker was made."""
        return time.monotonic() - self._began

    def enter(self, stage: str) -> None:
        """Begin one of our own stages; ends all phases of the one before.

        :raises BaseException: what ``report`` raised.
        """
        with self._lock:
            self._stage = stage
            self._open.clear()
        self._tell()
        self.check()

    def start(self, name: str, steps: int) -> None:
        """Open a phase within those that are open."""
        with self._lock:
            self._open[name] = (0, steps)
        self._tell()

    def step(self, name: str, step: int) -> bool:
        """Note that a step is done; return whether to go on."""
        with self._lock:
            if name in self._open:
                self._open[name] = (step + 1, self._open[name][1])
        self._tell()
        self.stopped = self.stopped or self._failure is not None or self._ask()
        return not self.stopped

    def finish(self, name: str) -> None:
        """Close a phase."""
        with self._lock:
            self._open.pop(name, None)
        self._tell()

    def check(self) -> None:
        """Raise what ``report`` or ``cancelled`` raised."""
        if self._failure is not None:
            raise self._failure

    def _tell(self) -> None:
        with self._lock:
            phases = (self._stage, *self._open)
            step, steps = next(reversed(self._open.values()), (0, 0))
            progress = BuildProgress(phases, step, steps, self.seconds)
        try:
            self._report(progress)
        except BaseException as failure:  # noqa: BLE001 - raised by check()
            self._failure = self._failure or failure

    def _ask(self) -> bool:
        try:
            return self._cancelled()
        except BaseException as failure:  # noqa: BLE001 - raised by check()
            self._failure = self._failure or failure
            return True


def attach_monitor(config: trt.IBuilderConfig, tracker: PhaseTracker) -> bool:
    """Have TensorRT tell the tracker about its phases; return whether this version does."""
    if not hasattr(trt, 'IProgressMonitor') or not hasattr(config, 'progress_monitor'):
        return False
    config.progress_monitor = _bridge(trt.IProgressMonitor)(tracker)
    return True


@functools.cache
def _bridge(base: Any) -> Any:
    """Derive a class from IProgressMonitor, which exists once the module is imported."""

    class Bridge(base):
        def __init__(self, tracker: PhaseTracker) -> None:
            base.__init__(self)
            self._tracker = tracker

        def phase_start(self, phase_name: str, parent_phase: str, num_steps: int) -> None:
            self._tracker.start(phase_name, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            return self._tracker.step(phase_name, step)

        def phase_finish(self, phase_name: str) -> None:
            self._tracker.finish(phase_name)

    return Bridge
