# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The ``validation`` section of a model card: what a variant has to hold against its reference.

The section stands at the card's top level for all variants, or in a variant, key by key before the
former.  ``validation_parser`` reads it; docs/validation.md explains every key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

__all__ = ['SafetyLimits', 'ValidationThresholds']


@dataclass(frozen=True)
class SafetyLimits:
    """What holds for one class that people's safety depends on, at the working threshold.

    :param min_recall_ratio: the variant's recall over the reference's, at least.
    :param max_newly_missed: of the objects that the reference finds, the share that the variant
        misses, at most.
    :param max_missed_rate: of all objects, the share that the variant misses, at most.
    :param min_objects: with fewer objects of the class in the data nothing is proved.
    """

    min_recall_ratio: float = 0.99
    max_newly_missed: float = 0.03
    max_missed_rate: float = 1.0
    min_objects: int = 20


@dataclass(frozen=True)
class ValidationThresholds:
    """What a variant has to hold against its reference on recorded data.

    :param safety: the classes that people's safety depends on, each with its limits.
    :param min_ap50_ratio: the mean over the classes of AP50, over the reference's, at least.
    :param min_box_iou_ratio: the mean overlap of found boxes with the objects, over the
        reference's, at least.
    :param min_objects: with fewer objects of all classes together in the data nothing is proved.
    :param score_threshold: from which score on an object counts as found; None for the card's own
        working threshold.
    """

    safety: Mapping[str, SafetyLimits] = field(default_factory=dict)
    min_ap50_ratio: float = 0.99
    min_box_iou_ratio: float = 0.97
    min_objects: int = 20
    score_threshold: float | None = None

    def digest(self) -> str:
        """Return the SHA-256 of all of it, in hex: equal for equal thresholds alone."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
