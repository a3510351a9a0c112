# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A model's ladder: what each of its variants sees and costs on one machine, the best first.

``ladder_file`` reads and writes it; docs/ladder.md tells what users see of it.  What chooses
variants while a robot runs climbs up and down :meth:`Ladder.front`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

__all__ = [
    'COSTS',
    'QUALITY_STEP',
    'UNITS',
    'VERDICTS',
    'DataUsed',
    'Ladder',
    'Measured',
    'Quality',
    'Recall',
    'Rung',
    'RungDigests',
    'Times',
    'front_places',
]

VERDICTS = ('reference', 'passed', 'failed')
COSTS = ('energy', 'latency')
UNITS = {'energy': 'mJ a frame', 'latency': 'ms a frame'}

QUALITY_STEP = 0.005
"""Of the reference's AP50: what differs by less is chance on some hundred objects."""

_TITLES = {
    'onnx': 'its ONNX file',
    'reference': "the reference's ONNX file",
    'card': 'input, output or labels in the card',
    'thresholds': 'its thresholds',
}


@dataclass(frozen=True)
class Recall:
    """The recall of a class that people's safety depends on, at the working threshold.

    :param value: of the class's objects, the share found; None without objects.
    :param ratio: that over the reference's; None where the reference finds none.
    """

    value: float | None
    ratio: float | None


@dataclass(frozen=True)
class Quality:
    """What a variant sees.

    :param ap50: average precision at an overlap of 0.5, mean of the classes that have objects.
    :param ap: the mean of that from 0.50 to 0.95.
    :param ap50_ratio: ``ap50`` over the reference's.
    :param recall: of the classes that safety depends on, by label.
    """

    ap50: float
    ap: float
    ap50_ratio: float
    recall: Mapping[str, Recall] = field(default_factory=dict)

    @property
    def grade(self) -> int:
        """``ap50_ratio`` in :data:`QUALITY_STEP`, rounded: by it qualities are compared."""
        return round(self.ap50_ratio / QUALITY_STEP)


@dataclass(frozen=True)
class Times:
    """The median and the 95th percentile of a time, in milliseconds."""

    p50: float
    p95: float


@dataclass(frozen=True)
class RungDigests:
    """What a rung is about; a change of any of them makes it void.

    :param onnx: SHA-256 of the variant's ONNX file with its external data, in hex.
    :param reference: that of the reference.
    :param card: SHA-256 of what the card says of input, output, labels and the variant's size.
    :param thresholds: SHA-256 of what the variant has to hold.
    :param engine: with TensorRT, of the engine's key and plan; with ONNX Runtime, its version and
        the processor's kind, in words.
    """

    onnx: str
    reference: str
    card: str
    thresholds: str
    engine: str

    def changed_to(self, now: RungDigests) -> list[str]:
        """Name what is another one now, the engine aside, each as a noun phrase."""
        before, after = asdict(self), asdict(now)
        return [title for name, title in _TITLES.items() if before[name] != after[name]]


@dataclass(frozen=True)
class Rung:
    """One variant on one engine.

    :param variant: its name in the card.
    :param engine: ``tensorrt`` or ``onnxruntime``.
    :param engine_version: the engine's full version.
    :param precision: as the card says, or with TensorRT as found in the engine.
    :param size: width and height of its input.
    :param verdict: one of :data:`VERDICTS`; the reference is held to nothing.
    :param failures: the thresholds that it does not hold, a sentence each.
    :param quality: what it sees.
    :param pipeline_ms: a frame from the camera's bytes to boxes.
    :param session_ms: the network alone.
    :param energy_mj: what the device uses for a frame, in millijoules; None where nothing tells.
    :param device_memory_mb: what the pipeline takes of the device's memory, in MB; None on a CPU.
    :param digests: what all of that is about.
    """

    variant: str
    engine: str
    engine_version: str
    precision: str
    size: tuple[int, int]
    verdict: str
    failures: tuple[str, ...]
    quality: Quality
    pipeline_ms: Times
    session_ms: Times
    energy_mj: float | None
    device_memory_mb: float | None
    digests: RungDigests

    @property
    def valid(self) -> bool:
        """Whether it may run: it is the reference, or it passed."""
        return self.verdict != 'failed'

    def cost(self, kind: str) -> float:
        """Return what a frame costs.

        :param kind: one of :data:`COSTS`.
        """
        if kind == 'energy':
            return math.inf if self.energy_mj is None else self.energy_mj
        return self.pipeline_ms.p50


@dataclass(frozen=True)
class DataUsed:
    """Images that something was found on.

    :param name: the recording's or the folder's.
    :param part: which of its images, for a person.
    :param images: how many were used.
    :param digest: SHA-256 in hex of the images and of the choice.
    :param truth: what networks were held against, for a person; empty for calibration.
    """

    name: str
    part: str
    images: int
    digest: str
    truth: str = ''


@dataclass(frozen=True)
class Measured:
    """When and on what a ladder was measured.

    :param at: in UTC, as ISO 8601 has it.
    :param machine: what the machine is, for a person, in order.
    :param command: how to do it again.
    :param frames: how many frames each rung's times are of.
    """

    at: str
    machine: Mapping[str, str]
    command: str
    frames: int


@dataclass(frozen=True)
class Ladder:
    """All rungs of a model on one machine.

    A rung *dominates* another if it may run, sees at least as well (:attr:`Quality.grade`), costs
    at most as much, and is strictly better in one of the two.  Two that are equal in both do not
    dominate each other.  Costs are compared as they stand here, without any margin.

    :param model: the model's name.
    :param rungs: in the order of :func:`Ladder.ordered`.
    :param not_run: variants that could not be run, by name, with the reason.
    :param measured: when and on what.
    :param validation: the images that quality was found on.
    :param calibration: the images that variants were quantized with when this was measured; None
        where all of them were there before.
    :param notes: what a person should know, as sentences.
    """

    model: str
    rungs: tuple[Rung, ...]
    not_run: Mapping[str, str]
    measured: Measured
    validation: DataUsed
    calibration: DataUsed | None = None
    notes: tuple[str, ...] = ()

    @property
    def cost_kind(self) -> str:
        """Energy where it was measured of every rung; else latency, the pipeline's median."""
        known = bool(self.rungs) and all(rung.energy_mj is not None for rung in self.rungs)
        return 'energy' if known else 'latency'

    def cost(self, rung: Rung) -> float:
        """Return what a frame costs, in mJ or ms; see :attr:`cost_kind`."""
        return rung.cost(self.cost_kind)

    def ordered(self) -> Ladder:
        """Return the ladder with its rungs best first; of equal grade, the cheaper one first.

        Rungs that are equal in both stay in the order in which they are, which is the card's.
        """
        rungs = sorted(self.rungs, key=lambda rung: (-rung.quality.grade, self.cost(rung)))
        return replace(self, rungs=tuple(rungs))

    def front(self) -> tuple[Rung, ...]:
        """Return the rungs that may run and that no other dominates, from best to cheapest."""
        valid = [rung for rung in self.rungs if rung.valid]
        places = front_places(
            [rung.quality.grade for rung in valid], [self.cost(rung) for rung in valid]
        )
        return tuple(valid[place] for place in places)

    def dominated_by(self, rung: Rung) -> Rung | None:
        """Return a rung of the front that dominates this one: of several, the cheapest.

        A rung that may not run can be dominated too; None says nothing of whether it may run.
        """
        quality, cost = rung.quality.grade, self.cost(rung)
        for other in reversed(self.front()):
            better, cheaper = other.quality.grade - quality, cost - self.cost(other)
            if better >= 0 and cheaper >= 0 and (better > 0 or cheaper > 0):
                return other
        return None

    def cheapest(self, at_least: float) -> Rung | None:
        """Return the cheapest rung that may run and sees at least so well; None if none does.

        Of several at the same cost it is the best.  It need not stand on the front: where the limit
        lies within a grade, a dearer rung of that grade may be the only one above it.

        :param at_least: of ``ap50_ratio``, exactly; 1.0 is the reference's.
        """
        enough = [rung for rung in self.rungs if rung.valid and rung.quality.ap50_ratio >= at_least]
        if not enough:
            return None
        return min(enough, key=lambda rung: (self.cost(rung), -rung.quality.ap50_ratio))


def front_places(qualities: Sequence[float], costs: Sequence[float]) -> list[int]:
    """Return the places of what nothing else dominates, from best to cheapest.

    One thing dominates another if its quality is no lower, its cost no higher, and one of the two
    strictly better.  Equal ones do not dominate each other: all of them stay, in their order.

    >>> front_places([1.0, 0.9, 0.9, 0.8], [10.0, 5.0, 6.0, 5.0])
    [0, 1]

    :param qualities: ``(N,)``, more is better.
    :param costs: ``(N,)``, less is better.
    """
    order = sorted(range(len(costs)), key=lambda place: (-qualities[place], costs[place], place))
    kept: list[int] = []
    for place in order:
        if not kept:
            kept.append(place)
            continue
        last = kept[-1]
        twin = qualities[place] == qualities[last] and costs[place] == costs[last]
        # All that came before sees at least as well, and the last kept is the cheapest of it.
        if twin or costs[place] < costs[last]:
            kept.append(place)
    return kept
