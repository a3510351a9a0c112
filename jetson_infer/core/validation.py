# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How a variant's detections compare with its reference's on the same frames, in figures.

Both are held against the same objects: the ground truth, or where there is none what the reference
itself is sure of (:func:`truth_from_reference`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.detections import Detections
from jetson_infer.core.evaluation import IMAGE_BOXES, BoxKind, Evaluation, GroundTruth
from jetson_infer.core.matching import FrameMatch, match_frame

__all__ = [
    'DOUBT',
    'ClassFigures',
    'Comparison',
    'DetectionComparison',
    'Figures',
    'FrameDifference',
    'truth_from_reference',
]

DOUBT = 0.05
"""How far from the working threshold the reference has to score to be sure, either way."""


def truth_from_reference(
    reference: Detections, working_score: float, kind: BoxKind = IMAGE_BOXES
) -> GroundTruth:
    """Return the reference's detections as the objects of a frame without ground truth.

    Those that score less than :data:`DOUBT` above or below the working threshold are difficult:
    they may be found or not, for there a network that is as good tips over as well.  What scores
    less is none.
    """
    rows = np.flatnonzero(reference.scores >= np.float32(working_score - DOUBT))
    doubtful = reference.scores[rows] < np.float32(working_score + DOUBT)
    return kind.truth(reference.boxes[rows], reference.class_ids[rows], doubtful)


@dataclass(frozen=True)
class ClassFigures:
    """One class, at an intersection over union of 0.5 unless said otherwise.

    :param label: the class.
    :param objects: how many there are, difficult ones aside.
    :param ap50: average precision; NaN without objects.
    :param ap: the mean of it at 0.50, 0.55, ... 0.95; NaN without objects.
    :param found: objects that were found at the working threshold.
    :param false: detections at the working threshold that found nothing.
    :param curve_recall: ``(N,)``, rising, at all scores.
    :param curve_precision: ``(N,)``, at those recalls.
    """

    label: str
    objects: int
    ap50: float
    ap: float
    found: int
    false: int
    curve_recall: Sequence[float] = ()
    curve_precision: Sequence[float] = ()

    @property
    def missed(self) -> int:
        """Objects that were not found at the working threshold."""
        return self.objects - self.found

    @property
    def recall(self) -> float:
        """Of the objects, the share found at the working threshold; NaN without objects."""
        return self.found / self.objects if self.objects else math.nan

    @property
    def missed_rate(self) -> float:
        """Of the objects, the share missed at the working threshold; NaN without objects."""
        return 1.0 - self.recall


@dataclass(frozen=True)
class Figures:
    """One output over all frames.

    :param classes: one a label, in their order.
    :param box_iou: mean overlap of the boxes that found an object with it; NaN without any.
    :param box_error: median and 95th percentile over those boxes of how far off they are, by their
        :class:`~.evaluation.BoxKind`; NaN without any.
    :param unit: of the errors: ``px`` in images, ``m`` from above.
    """

    classes: tuple[ClassFigures, ...]
    box_iou: float
    box_error: tuple[float, float]
    unit: str = 'px'

    @property
    def ap50(self) -> float:
        """The mean over the classes that have objects; NaN without any."""
        return _mean([each.ap50 for each in self.classes if each.objects])

    @property
    def ap(self) -> float:
        """The mean over the classes that have objects; NaN without any."""
        return _mean([each.ap for each in self.classes if each.objects])

    def of(self, label: str) -> ClassFigures:
        """Return a class's figures."""
        return next(each for each in self.classes if each.label == label)

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON has them; NaN as null."""
        return {
            'ap50': _known(self.ap50),
            'ap': _known(self.ap),
            'box_iou': _known(self.box_iou),
            f'box_error_{self.unit}': [_known(value) for value in self.box_error],
            'classes': {
                each.label: {
                    'objects': each.objects,
                    'ap50': _known(each.ap50),
                    'ap': _known(each.ap),
                    'recall': _known(each.recall),
                    'missed': each.missed,
                    'false': each.false,
                }
                for each in self.classes
            },
        }


@dataclass(frozen=True)
class FrameDifference:
    """What of one frame the variant does otherwise than its reference.

    :param newly_missed: rows of the truth: found by the reference, missed by the variant.
    :param newly_found: rows of the truth: missed by the reference, found by the variant.
    :param more_false: how many more detections of the variant than of the reference found nothing;
        may be negative.
    :param iou_lost: by how much the boxes of objects that both found overlap these less, summed.
    """

    newly_missed: npt.NDArray[np.intp]
    newly_found: npt.NDArray[np.intp]
    more_false: int
    iou_lost: float


@dataclass(frozen=True)
class Comparison:
    """A variant beside its reference over all frames.

    :param frames: how many.
    :param working_score: from which score on an object counts as found.
    :param reference: the reference's figures.
    :param candidate: the variant's.
    :param newly_missed: by label: objects that the reference found and the variant missed.
    :param newly_found: by label: objects that the variant found and the reference missed.
    """

    frames: int
    working_score: float
    reference: Figures
    candidate: Figures
    newly_missed: dict[str, int]
    newly_found: dict[str, int]

    def newly_missed_rate(self, label: str) -> float:
        """Of the objects that the reference found, the share that the variant missed, or NaN."""
        found = self.reference.of(label).found
        return self.newly_missed[label] / found if found else math.nan

    def to_json(self) -> dict[str, Any]:
        """Return all figures as JSON has them; NaN as null."""
        return {
            'frames': self.frames,
            'working_score': self.working_score,
            'reference': self.reference.to_json(),
            'variant': self.candidate.to_json(),
            'newly_missed': dict(self.newly_missed),
            'newly_found': dict(self.newly_found),
        }


class DetectionComparison:
    """Collects frames and compares.

    :param labels: the class names, by class index.
    :param working_score: from which score on an object counts as found; average precision takes all
        detections that are given.
    :param kind: what the boxes are.
    """

    def __init__(
        self, labels: Sequence[str], working_score: float, kind: BoxKind = IMAGE_BOXES
    ) -> None:
        self._labels = tuple(labels)
        self._working_score = working_score
        self._frames = 0
        self._reference = _Collected(self._labels, kind)
        self._candidate = _Collected(self._labels, kind)
        self._newly_missed = np.zeros(len(self._labels), np.intp)
        self._newly_found = np.zeros(len(self._labels), np.intp)

    def add_frame(
        self, truth: GroundTruth, reference: Detections, candidate: Detections
    ) -> FrameDifference:
        """Add one frame, and tell what the variant does otherwise in it."""
        self._frames += 1
        before = self._reference.add(reference, truth, self._working_score)
        after = self._candidate.add(candidate, truth, self._working_score)
        found_before, found_after = (
            set(before.pairs[:, 1].tolist()),
            set(after.pairs[:, 1].tolist()),
        )
        missed = np.array(sorted(found_before - found_after), np.intp)
        found = np.array(sorted(found_after - found_before), np.intp)
        np.add.at(self._newly_missed, truth.class_ids[missed], 1)
        np.add.at(self._newly_found, truth.class_ids[found], 1)
        ious = [
            dict(zip(match.pairs[:, 1].tolist(), match.overlaps.tolist()))
            for match in (before, after)
        ]
        lost = sum(max(0.0, ious[0][row] - ious[1][row]) for row in found_before & found_after)
        return FrameDifference(missed, found, len(after.false) - len(before.false), lost)

    def result(self) -> Comparison:
        """Return the figures of all frames that were added so far."""
        return Comparison(
            self._frames,
            self._working_score,
            self._reference.figures(),
            self._candidate.figures(),
            dict(zip(self._labels, self._newly_missed.tolist())),
            dict(zip(self._labels, self._newly_found.tolist())),
        )


class _Collected:
    """One side's frames."""

    def __init__(self, labels: Sequence[str], kind: BoxKind) -> None:
        self._kind = kind
        self._evaluation = Evaluation(labels, kind)
        self._found = np.zeros(len(labels), np.intp)
        self._false = np.zeros(len(labels), np.intp)
        self._overlaps: list[npt.NDArray[np.float64]] = [np.empty(0)]
        self._errors: list[npt.NDArray[np.float64]] = [np.empty(0)]

    def add(self, detections: Detections, truth: GroundTruth, working_score: float) -> FrameMatch:
        self._evaluation.add_frame(detections, truth)
        match = match_frame(detections, truth, working_score, kind=self._kind)
        rows, objects = match.pairs[:, 0], match.pairs[:, 1]
        np.add.at(self._found, truth.class_ids[objects], 1)
        np.add.at(self._false, detections.class_ids[match.false], 1)
        self._overlaps.append(match.overlaps)
        self._errors.append(self._kind.errors(detections.boxes[rows], truth.boxes[objects]))
        return match

    def figures(self) -> Figures:
        precisions = self._evaluation.average_precisions()
        classes = tuple(
            ClassFigures(
                item.label,
                item.objects,
                item.average_precision,
                float(precisions[:, index].mean()),
                int(self._found[index]),
                int(self._false[index]),
                item.recall.tolist() if item.objects else (),
                item.precision.tolist() if item.objects else (),
            )
            for index, item in enumerate(self._evaluation.result(0.5).classes)
        )
        overlaps, errors = np.concatenate(self._overlaps), np.concatenate(self._errors)
        if not len(overlaps):
            return Figures(classes, math.nan, (math.nan, math.nan), self._kind.unit)
        median, p95 = np.percentile(errors, (50, 95)).tolist()
        return Figures(classes, float(overlaps.mean()), (median, p95), self._kind.unit)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
