# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Measuring in turn, frame by frame: the pipeline and the bare session, or two settings."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jetson_infer.dependencies import require
from jetson_infer.toolchain.bench.settings import BenchError
from jetson_infer.toolchain.bench.spread import Ratio, percentiles, ratio_of_medians
from jetson_infer.toolchain.bench.subject import FrameCost, Subject

__all__ = ['Measurement', 'measure', 'resident_mb', 'single_opencv_thread']

WARM_UP = 5


@dataclass
class Measurement:
    """What one subject cost, frame by frame.

    :param pipeline: every frame's cost on the whole way.
    :param bare_wall: the bare session's time beside it, in ms.
    :param bare_cpu: the bare session's CPU time beside it, in ms.
    :param memory_mb: resident memory before the first and after the last frame, in MB.
    """

    subject: Subject
    pipeline: list[FrameCost] = field(default_factory=list)
    bare_wall: list[float] = field(default_factory=list)
    bare_cpu: list[float] = field(default_factory=list)
    memory_mb: tuple[float, float] = (0.0, 0.0)

    @property
    def wall(self) -> list[float]:
        """The pipeline's times, in ms."""
        return [cost.wall for cost in self.pipeline]

    @property
    def ratio(self) -> Ratio:
        """Pipeline to bare session, at the median of the wall times."""
        return ratio_of_medians(self.wall, self.bare_wall)

    @property
    def cpu_ratio(self) -> Ratio:
        """Pipeline to bare session, at the median of the CPU times.

        The one to trust on a machine that others use too: they lengthen wall times at random.
        """
        return ratio_of_medians([cost.cpu for cost in self.pipeline], self.bare_cpu)

    def stages(self) -> dict[str, list[float]]:
        """Return the times of every stage, in ms, in the order of the way."""
        return {
            name: [cost.stages[name] for cost in self.pipeline] for name in self.pipeline[0].stages
        }

    def as_dict(self) -> dict[str, Any]:
        """Return everything for a program; times in ms, memory in MB."""
        subject, before, after = self.subject, *self.memory_mb
        return {
            'setting': subject.setting.as_dict(),
            'variant': subject.variant,
            'engine': subject.engine,
            'why': subject.why,
            'network_size': list(subject.network_size),
            'frames': len(self.pipeline),
            'detections': percentiles([cost.found for cost in self.pipeline])['p50'],
            'stages_ms': {name: percentiles(values) for name, values in self.stages().items()},
            'pipeline_ms': percentiles(self.wall),
            'bare_session_ms': percentiles(self.bare_wall),
            'pipeline_to_bare': vars(self.ratio),
            'pipeline_to_bare_cpu': vars(self.cpu_ratio),
            'cpu_ms': percentiles([cost.cpu for cost in self.pipeline]),
            'cpu_outside_session_ms': percentiles([cost.cpu_outside for cost in self.pipeline]),
            'bare_session_cpu_ms': percentiles(self.bare_cpu),
            'memory_mb': {'before': round(before, 1), 'after': round(after, 1)},
            **subject.details(),
        }


def measure(
    subjects: Sequence[Subject],
    frames: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Measurement]:
    """Run every subject's pipeline and bare session once a frame.

    Who comes first changes from frame to frame, so that a drift of the machine and what one leaves
    in the caches for the next falls on all alike.

    :param progress: called with how many frames are done, and of how many.
    """
    found = [Measurement(subject) for subject in subjects]
    for number in range(WARM_UP):
        for subject in subjects:
            subject.run_pipeline(number)
            subject.run_bare()
    for subject in subjects:
        subject.forget()
    before = resident_mb()
    for number in range(frames):
        turns: list[Callable[[], None]] = []
        for measurement in found:
            turns += [_pipeline_turn(measurement, number), _bare_turn(measurement)]
        start = number % len(turns)
        for turn in turns[start:] + turns[:start]:
            turn()
        progress(number + 1, frames)
    after = resident_mb()
    for measurement in found:
        measurement.memory_mb = before, after
    return found


def _pipeline_turn(measurement: Measurement, number: int) -> Callable[[], None]:
    return lambda: measurement.pipeline.append(measurement.subject.run_pipeline(number))


def _bare_turn(measurement: Measurement) -> Callable[[], None]:
    def turn() -> None:
        wall, cpu = measurement.subject.run_bare()
        measurement.bare_wall.append(wall)
        measurement.bare_cpu.append(cpu)

    return turn


def resident_mb(pid: int | None = None) -> float:
    """Return a process's resident memory, in MB.

    :param pid: the process; None for this one, whose largest so far is told where `/proc` is not.
    :raises BenchError: if it is another's and cannot be read.
    """
    try:
        fields = Path(f'/proc/{pid or "self"}/statm').read_text().split()
    except OSError as error:
        if pid is not None:
            raise BenchError(f'the memory of process {pid} cannot be read: {error}') from error
        unit = 1e6 if sys.platform == 'darwin' else 1e3
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return int(fields[1]) * resource.getpagesize() / 1e6


def single_opencv_thread() -> None:
    """Keep OpenCV to the calling thread: CPU time is then the work, not the waking of helpers."""
    require('cv2', 'Preparing images').setNumThreads(1)
