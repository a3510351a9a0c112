# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How long each layer of a network takes, as its engine tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

__all__ = ['LayerSample', 'LayerTimes', 'NetworkTimes', 'by_kind', 'gather']


class LayerSample(NamedTuple):
    """One layer in one run: its name, and its time in milliseconds."""

    name: str
    ms: float


@dataclass(frozen=True)
class LayerTimes:
    """One layer over all runs.

    :param name: the engine's name for it, often made of the names of several nodes.
    :param kind: the engine's word for what it is: ``Conv``, ``CaskConvolution``; empty: not told.
    :param precision: what it computes in, as :class:`~jetson_infer.engines.engine_layers
        .EngineLayer` says; empty: nothing, or not told.
    :param times_ms: its time in each run, in milliseconds.
    """

    name: str
    kind: str
    precision: str
    times_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """The median of its times."""
        return median(self.times_ms)


@dataclass(frozen=True)
class NetworkTimes:
    """All layers of a network, in the order in which they run, and the network as a whole.

    :param engine: what runs it, for a person.
    :param layers: its layers.
    :param observed_ms: each run in which layers were timed, as a whole, on the host's clock.
    :param alone_ms: runs in which nothing was timed but the whole, in turn with the others.
    :param alone: how those were run, for a person.
    """

    engine: str
    layers: tuple[LayerTimes, ...]
    observed_ms: tuple[float, ...]
    alone_ms: tuple[float, ...] = ()
    alone: str = ''
    notes: tuple[str, ...] = field(default=())

    @property
    def total_ms(self) -> float:
        """The sum of the layers' medians."""
        return sum(layer.median_ms for layer in self.layers)


def gather(
    runs: Iterable[Sequence[LayerSample]], describe: Callable[[str], tuple[str, str]]
) -> tuple[LayerTimes, ...]:
    """Put the samples of several runs together, layer by layer, in the first run's order.

    Layers of one name are told apart by how often it came before in the run.

    :param describe: tells a layer's kind and precision by its name.
    """
    found: dict[tuple[str, int], list[float]] = {}
    for run in runs:
        seen: Counter[str] = Counter()
        for name, ms in run:
            found.setdefault((name, seen[name]), []).append(ms)
            seen[name] += 1
    return tuple(
        LayerTimes(name, *describe(name), tuple(times)) for (name, _), times in found.items()
    )


def by_kind(layers: Iterable[LayerTimes]) -> Mapping[str, float]:
    """Return the sum of medians of each kind of layer, in milliseconds, the largest first."""
    sums: Counter[str] = Counter()
    for layer in layers:
        sums[layer.kind or 'unknown'] += layer.median_ms  # type: ignore[assignment] # a sum of ms
    return dict(sorted(sums.items(), key=lambda item: -item[1]))
