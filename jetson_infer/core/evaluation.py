# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How good detections are: average precision by the rules of COCO.

Within a frame and a class, detections are matched to objects greedily by score, each to the free
object that it overlaps most, if by at least the threshold.  Average precision is the mean of the
interpolated precision at 101 recalls (Lin et al., Microsoft COCO, 2014; the reference is
pycocotools).  Difficult objects are COCO's ignored ones: missing one costs nothing, and finding
one, once, gains nothing.

What a box is, in an image or seen from above, is the :class:`BoxKind`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from jetson_infer.core.boxes import iou_matrix
from jetson_infer.core.detections import Detections

__all__ = [
    'COCO_IOUS',
    'COCO_RECALLS',
    'IMAGE_BOXES',
    'KITTI_RECALLS',
    'BoxKind',
    'ClassResult',
    'Evaluation',
    'EvaluationResult',
    'GroundTruth',
]

COCO_IOUS = tuple(float(iou) for iou in np.linspace(0.5, 0.95, 10))
COCO_RECALLS = tuple(float(recall) for recall in np.linspace(0.0, 1.0, 101))
KITTI_RECALLS = tuple(place / 40 for place in range(1, 41))
"""The recalls of KITTI's AP40, as tables of detectors in point clouds have it (Simonelli et al.,
Disentangling monocular 3D object detection, 2019): without recall 0, which costs nothing."""

Boxes = npt.NDArray[Any]


@dataclass(frozen=True)
class GroundTruth:
    """The objects that are really in one frame.

    :param boxes: ``(M, 4)``; ``x_min, y_min, x_max, y_max`` in pixels of the same image as the
        detections'.
    :param class_ids: integers ``(M,)``, indices into the labels.
    :param difficult: bool ``(M,)``: objects, such as hardly visible ones, that need not be found.
    :raises ValueError: if a shape does not fit.
    """

    COLUMNS: ClassVar[int] = 4

    boxes: Boxes
    class_ids: npt.NDArray[Any]
    difficult: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        count = len(self.class_ids)
        for name, shape in (
            ('boxes', (count, self.COLUMNS)),
            ('class_ids', (count,)),
            ('difficult', (count,)),
        ):
            actual = getattr(self, name).shape
            if actual != shape:
                raise ValueError(f'{name} must have shape {shape}, not {actual}')


@dataclass(frozen=True)
class BoxKind:
    """What boxes are, to whoever compares them.

    :param truth: the type of a frame's objects.
    :param overlaps: intersection over union of every pair: ``(N, C), (M, C)`` to float64
        ``(N, M)``.
    :param errors: how far off boxes are from the objects that they found: ``(K, C), (K, C)`` to
        float64 ``(K,)``.
    :param unit: of the errors.
    """

    truth: type[GroundTruth]
    overlaps: Callable[[Boxes, Boxes], npt.NDArray[np.float64]]
    errors: Callable[[Boxes, Boxes], npt.NDArray[np.float64]]
    unit: str


def _edges_off(found: Boxes, real: Boxes) -> npt.NDArray[np.float64]:
    return np.asarray(np.abs(found.astype(np.float64) - real).max(axis=1, initial=0.0))


IMAGE_BOXES = BoxKind(GroundTruth, iou_matrix, _edges_off, 'px')
"""``x_min, y_min, x_max, y_max`` in an image's pixels; their error is that of the worst edge."""


@dataclass(frozen=True)
class ClassResult:
    """One class at one threshold of overlap.

    :param label: the class's label.
    :param objects: how many objects there are that are not difficult.
    :param detections: how many detections there are that did not find difficult objects.
    :param average_precision: 0 to 1; NaN where there are no objects.
    :param scores: ``(detections,)``, falling.
    :param precision: ``(detections,)``: of the detections of that score and more, the share that
        found an object.
    :param recall: ``(detections,)``: of the objects, the share found by detections of that score
        and more; NaN where there are none.
    """

    label: str
    objects: int
    detections: int
    average_precision: float
    scores: npt.NDArray[np.float64]
    precision: npt.NDArray[np.float64]
    recall: npt.NDArray[np.float64]


@dataclass(frozen=True)
class EvaluationResult:
    """All classes at one threshold of overlap.

    :param iou: the intersection over union from which on a detection has found an object.
    :param frames: how many frames were evaluated.
    :param classes: one result a label, in their order.
    """

    iou: float
    frames: int
    classes: tuple[ClassResult, ...]

    @property
    def mean_average_precision(self) -> float:
        """The mean over the classes that have objects; NaN where there are none."""
        values = [result.average_precision for result in self.classes if result.objects]
        return float(np.mean(values)) if values else float('nan')


@dataclass(frozen=True)
class _Frame:
    """What one frame and class leave behind: enough to match at any threshold."""

    scores: npt.NDArray[np.float64]  # falling
    overlaps: npt.NDArray[np.float64]  # detections x objects, difficult objects last
    difficult: npt.NDArray[np.bool_]


class Evaluation:
    """Collects frames and tells how good their detections are.

    :param labels: the class names, by class index.
    :param kind: what the boxes are.
    """

    def __init__(self, labels: Sequence[str], kind: BoxKind = IMAGE_BOXES) -> None:
        self.labels = tuple(labels)
        self._kind = kind
        self._count = 0
        self._frames: list[list[_Frame]] = [[] for _ in self.labels]

    def add_frame(self, detections: Detections, truth: GroundTruth) -> None:
        """Add one frame, including one without objects or detections.

        Of detections of equal scores the earlier row is the better.  Classes beyond the labels are
        left out.
        """
        self._count += 1
        present = np.union1d(detections.class_ids, truth.class_ids)
        for class_id in present[(present >= 0) & (present < len(self.labels))].tolist():
            found = np.flatnonzero(detections.class_ids == class_id)
            found = found[np.argsort(-detections.scores[found], kind='stable')]
            real = np.flatnonzero(truth.class_ids == class_id)
            real = real[np.argsort(truth.difficult[real], kind='stable')]
            self._frames[class_id].append(
                _Frame(
                    detections.scores[found].astype(np.float64),
                    self._kind.overlaps(detections.boxes[found], truth.boxes[real]),
                    truth.difficult[real].astype(np.bool_),
                )
            )

    def result(self, iou: float = 0.5, recalls: Sequence[float] = COCO_RECALLS) -> EvaluationResult:
        """Evaluate all frames that were added so far.

        :param iou: the threshold of intersection over union; above 0, at most 1.
        :param recalls: average precision is the mean of the interpolated precision at these.
        :raises ValueError: if the threshold is out of its range.
        """
        if not 0.0 < iou <= 1.0:
            raise ValueError(f'iou must lie above 0 and at most at 1, not {iou}')
        classes = tuple(
            _evaluate(label, frames, iou, recalls)
            for label, frames in zip(self.labels, self._frames)
        )
        return EvaluationResult(iou, self._count, classes)

    def average_precisions(self, ious: Sequence[float] = COCO_IOUS) -> npt.NDArray[np.float64]:
        """Return the average precision at several thresholds, ``(len(ious), classes)``.

        The mean over the first axis is COCO's AP of each class, 50 to 95; a class without objects
        is NaN.
        """
        return np.array(
            [[each.average_precision for each in self.result(iou).classes] for iou in ious]
        )


def _evaluate(
    label: str, frames: Sequence[_Frame], iou: float, recalls: Sequence[float]
) -> ClassResult:
    objects = sum(int(np.count_nonzero(~frame.difficult)) for frame in frames)
    matches = [_match(frame, iou) for frame in frames]
    scores = np.concatenate([np.empty(0), *(frame.scores for frame in frames)])
    correct = np.concatenate([np.empty(0, np.bool_), *(match[0] for match in matches)])
    counted = np.concatenate([np.empty(0, np.bool_), *(match[1] for match in matches)])
    scores, correct = scores[counted], correct[counted]
    order = np.argsort(-scores, kind='stable')
    hits = np.cumsum(correct[order])
    precision = hits / np.arange(1, len(hits) + 1)
    recall = hits / objects if objects else np.full(len(hits), np.nan)
    return ClassResult(
        label,
        objects,
        len(scores),
        _average_precision(precision, recall, recalls) if objects else float('nan'),
        scores[order],
        precision,
        recall,
    )


def _match(frame: _Frame, iou: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Match one frame's detections of one class.

    :return: of every detection whether it found an object that is not difficult, and whether it
        counts, which one that found a difficult object does not.
    """
    correct = np.zeros(len(frame.scores), np.bool_)
    counted = np.ones(len(frame.scores), np.bool_)
    plain = int(np.count_nonzero(~frame.difficult))
    free = np.ones(len(frame.difficult), np.bool_)
    for row in np.flatnonzero((frame.overlaps >= iou).any(axis=1)):
        overlaps = np.where(free, frame.overlaps[row], -1.0)
        for objects, hit in ((slice(0, plain), True), (slice(plain, None), False)):
            part = overlaps[objects]
            if len(part) and part.max() >= iou:
                # Of equal overlaps the last, as the reference has it.
                best = int(np.flatnonzero(part == part.max())[-1])
                free[best + (objects.start or 0)] = False
                correct[row], counted[row] = hit, hit
                break
    return correct, counted


def _average_precision(
    precision: npt.NDArray[np.float64], recall: npt.NDArray[np.float64], recalls: Sequence[float]
) -> float:
    """Return the mean of the interpolated precision at recalls; 0 beyond the last one reached."""
    # Interpolated: the best precision at this recall or any higher one.
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(best[np.searchsorted(recall, recalls, side='left')].mean())
