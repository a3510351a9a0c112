# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a whole node cost, round by round, beside an empty subscriber and the bare session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from jetson_infer.toolchain.bench.settings import BenchSetting
from jetson_infer.toolchain.bench.spread import percentiles, ratio_of_medians

__all__ = ['NodeCost', 'compared_nodes']


@dataclass
class NodeCost:
    """One node's costs; CPU times in ms a frame, a value a round.

    :param setting: what was measured.
    :param node: the node's process.
    :param subscriber: an empty subscriber's to the same images.
    :param bare_session: the network alone, in a process without ROS.
    :param answers_ms: by round, how long each answer took: from the publication of an image to the
        arrival of its detections at the publisher.
    :param memory_mb: the node's resident memory as its first round began and as its last one ended.
    """

    setting: BenchSetting
    node: list[float] = field(default_factory=list)
    subscriber: list[float] = field(default_factory=list)
    bare_session: list[float] = field(default_factory=list)
    answers_ms: list[Sequence[float]] = field(default_factory=list)
    memory_mb: tuple[float, float] = (0.0, 0.0)

    @property
    def answered(self) -> int:
        """How many images were answered."""
        return sum(map(len, self.answers_ms))

    def rounds(self) -> dict[str, list[float]]:
        """Return the CPU times by name, with what the node costs beyond the other two."""
        found = {
            'node': self.node,
            'subscriber': self.subscriber,
            'bare_session': self.bare_session,
        }
        beyond = [node - other - bare for node, other, bare in zip(*found.values())]
        return {**found, 'difference': beyond}

    def as_dict(self) -> dict[str, Any]:
        """Return all of it for a program."""
        before, after = self.memory_mb
        return {
            'setting': self.setting.as_dict(),
            'images': self.setting.images,
            'answered': self.answered,
            'answer_ms': percentiles([ms for one in self.answers_ms for ms in one]),
            'cpu_ms_per_frame': {name: _spread(values) for name, values in self.rounds().items()},
            'cpu_ms_by_round': {
                name: [round(value, 3) for value in values]
                for name, values in self.rounds().items()
            },
            'memory_mb': {'before': round(before, 1), 'after': round(after, 1)},
        }


def compared_nodes(first: NodeCost, second: NodeCost) -> dict[str, Any]:
    """Return the second one's costs as ratios to the first one's; their rounds are the pairs."""
    return {
        'change': second.setting.difference(first.setting),
        'node_cpu': vars(ratio_of_medians(second.node, first.node)),
        'bare_session_cpu': vars(ratio_of_medians(second.bare_session, first.bare_session)),
        'answer': vars(ratio_of_medians(_medians(second), _medians(first))),
    }


def _medians(cost: NodeCost) -> list[float]:
    return [median(answers) for answers in cost.answers_ms]


def _spread(values: Sequence[float]) -> Mapping[str, float]:
    return {
        'median': round(median(values), 3),
        'least': round(min(values), 3),
        'most': round(max(values), 3),
    }
