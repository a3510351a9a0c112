# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What was measured on a device, as plain values for a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from jetson_infer.cuda.device import Device
from jetson_infer.cuda.energy import Meter
from jetson_infer.toolchain.bench.bare_network import BareRun
from jetson_infer.toolchain.bench.spread import percentiles, ratio_of_medians

__all__ = ['Measured', 'Overlapped', 'Throughput', 'describe_device', 'measure_throughput']

ENERGY_S = 2.0
"""How long energy is measured: the counter moves some ten times a second."""


class Measured(Protocol):
    """What is described."""

    device: Device
    device_stages: list[Mapping[str, float]]
    graph: list[BareRun]
    kernels: list[BareRun]

    @property
    def transfer(self) -> str:
        """How bytes cross between the host and the device."""

    @property
    def why_no_graph(self) -> str:
        """Why an inference is not queued in one call; empty where it is."""


@dataclass(frozen=True)
class Throughput:
    """Frames one after the other, as fast as they can be taken.

    :param seconds: all of them took.
    :param periods_ms: the times between the ends of two frames.
    :param cpu_ms: CPU time of the process for a frame.
    """

    seconds: float
    periods_ms: tuple[float, ...]
    cpu_ms: float

    @property
    def frames(self) -> int:
        """How many there were."""
        return len(self.periods_ms) + 1

    @property
    def hz(self) -> float:
        """Frames a second."""
        return self.frames / self.seconds


class Overlapped(Protocol):
    """What runs frames as fast as it can."""

    def run_overlapped(self, frames: int) -> Throughput:
        """Run that many frames through the pipeline."""

    def run_back_to_back(self, count: int) -> float:
        """Run that many inferences alone, and return the seconds."""


def describe_device(measured: Measured) -> dict[str, Any]:
    """Return the device's own times, and the network alone in both ways of queueing it.

    Times are in milliseconds, and in microseconds where the name says so.
    """
    stages = measured.device_stages
    graph, kernels = measured.graph, measured.kernels
    found: dict[str, Any] = {
        'name': measured.device.name,
        'compute_capability': '.'.join(map(str, measured.device.compute_capability)),
        'transfer': measured.transfer,
        'stages_ms': {
            name: percentiles([stage[name] for stage in stages])
            for name in (stages[0] if stages else ())
        },
        'why_no_graph': measured.why_no_graph,
    }
    if graph:
        found['as_pipeline'] = _described(graph)
        found['by_kernels'] = _described(kernels)
        found['kernels_to_graph'] = {
            'call': vars(ratio_of_medians([r.call for r in kernels], [r.call for r in graph])),
            'wall': vars(ratio_of_medians([r.wall for r in kernels], [r.wall for r in graph])),
        }
    return found


def measure_throughput(subject: Overlapped, frames: int, meter: Meter | None) -> dict[str, Any]:
    """Run frames as fast as they can be taken; with a meter, again and longer, for its counter.

    :param frames: how many, at least 2.
    """
    run = subject.run_overlapped(frames)
    found: dict[str, Any] = {
        'frames': run.frames,
        'pipeline_hz': round(run.hz, 2),
        'bare_hz': round(frames / subject.run_back_to_back(frames), 2),
        'period_ms': percentiles(run.periods_ms),
        'cpu_ms': round(run.cpu_ms, 3),
    }
    if meter is not None:
        count = max(frames, int(ENERGY_S * run.hz))
        meter.start()
        subject.run_overlapped(count)
        used = meter.stop()
        found['energy'] = {
            'source': meter.source,
            'seconds': round(used.seconds, 3),
            'watts': round(used.watts, 2),
            'frames': count,
            'millijoules_a_frame': round(used.joules * 1e3 / count, 3),
        }
    return found


def _described(runs: Sequence[BareRun]) -> dict[str, Any]:
    return {
        'call_us': percentiles([run.call * 1e3 for run in runs]),
        'wall_ms': percentiles([run.wall for run in runs]),
        'device_ms': percentiles([run.device for run in runs]),
        'cpu_ms': percentiles([run.cpu for run in runs]),
    }
