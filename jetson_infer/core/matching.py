# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Which detections of a frame found which of its objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.detections import Detections
from jetson_infer.core.evaluation import IMAGE_BOXES, BoxKind, GroundTruth

__all__ = ['FrameMatch', 'match_frame']


@dataclass(frozen=True)
class FrameMatch:
    """One frame's detections beside its objects; rows of the detections and of the truth.

    :param pairs: ``(K, 2)``: row of the detection, row of the object that it found; without
        difficult objects.
    :param overlaps: float64 ``(K,)``: intersection over union of each pair.
    :param missed: rows of the objects that were not found and are not difficult.
    :param false: rows of the detections that found nothing.
    """

    pairs: npt.NDArray[np.intp]
    overlaps: npt.NDArray[np.float64]
    missed: npt.NDArray[np.intp]
    false: npt.NDArray[np.intp]


def match_frame(
    detections: Detections,
    truth: GroundTruth,
    min_score: float = 0.0,
    iou: float = 0.5,
    kind: BoxKind = IMAGE_BOXES,
) -> FrameMatch:
    """Match a frame's detections with its objects, as :class:`~.evaluation.Evaluation` does.

    By falling score, each detection takes the free object of its class that it overlaps most, one
    that is not difficult first.

    :param min_score: detections that score less are left out.
    :param iou: the intersection over union from which on an object is found.
    :param kind: what the boxes are.
    """
    rows = np.flatnonzero(detections.scores >= np.float32(min_score))
    rows = rows[np.argsort(-detections.scores[rows], kind='stable')]
    overlaps = kind.overlaps(detections.boxes[rows], truth.boxes)
    overlaps[detections.class_ids[rows][:, None] != truth.class_ids[None, :]] = -1.0
    plain = ~truth.difficult.astype(np.bool_)
    free = np.ones(len(plain), np.bool_)
    pairs: list[tuple[int, int]] = []
    kept: list[float] = []
    false: list[int] = []
    for row, values in zip(rows.tolist(), overlaps):
        found = _best(values, free & plain, iou)
        if found is None:
            found = _best(values, free & ~plain, iou)
        if found is None:
            false.append(row)
            continue
        free[found] = False
        if plain[found]:
            pairs.append((row, found))
            kept.append(float(values[found]))
    return FrameMatch(
        np.array(pairs, np.intp).reshape(-1, 2),
        np.array(kept, np.float64),
        np.flatnonzero(free & plain),
        np.array(false, np.intp),
    )


def _best(overlaps: npt.NDArray[Any], allowed: npt.NDArray[np.bool_], iou: float) -> int | None:
    values = np.where(allowed, overlaps, -1.0)
    if not len(values) or values.max() < iou:
        return None
    return int(np.flatnonzero(values == values.max())[-1])  # of equal ones the last, as COCO has it
