# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How well what was published fits what is there, class by class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jetson_infer.core.detections import Detections
from jetson_infer.core.evaluation import ClassResult, Evaluation, GroundTruth
from jetson_infer.toolchain.report.run_record import DetectedObject
from jetson_infer.toolchain.report.run_result import RunResult, TrueObject

__all__ = ['Accuracy', 'ClassAccuracy', 'measure_accuracy', 'to_detections']


@dataclass(frozen=True)
class ClassAccuracy:
    """One class's accuracy, or the mean of all of them.

    :param label: the class.
    :param ap50: average precision at IoU 0.5; None where there is no object to find.
    :param ap: the mean of it at IoU 0.5, 0.55, ... 0.95.
    :param recall: ascending, at IoU 0.5.
    :param precision: at those recalls.
    :param point: recall and precision at the working score; None where that cannot be told.
    :param objects: true objects, difficult ones aside.
    :param found: those that were found with at least the working score.
    :param false: objects of at least that score that match no true one.
    """

    label: str
    ap50: float | None
    ap: float | None
    recall: Sequence[float]
    precision: Sequence[float]
    point: tuple[float, float] | None
    objects: int
    found: int
    false: int


@dataclass(frozen=True)
class Accuracy:
    """The accuracy of a run.

    :param classes: of every class that occurs, in alphabetical order.
    :param mean: the means over the classes that have objects; objects are summed.
    """

    classes: tuple[ClassAccuracy, ...]
    mean: ClassAccuracy


def measure_accuracy(result: RunResult) -> Accuracy:
    """Evaluate every frame of a run that has a truth, by the rules of COCO.

    A frame that was lost is one in which nothing was found.
    """
    ids = {label: number for number, label in enumerate(result.labels)}
    evaluation = Evaluation(result.labels)
    for frame in result.frames:
        if frame.truth is not None:
            evaluation.add_frame(to_detections(frame.objects, ids), _to_truth(frame.truth, ids))
    means = evaluation.average_precisions().mean(axis=0)
    pairs = zip(evaluation.result(0.5).classes, means)
    score = result.working_score
    classes = tuple(_class_accuracy(item, float(ap), score) for item, ap in pairs)
    return Accuracy(classes, _mean(classes))


def to_detections(objects: Sequence[DetectedObject], ids: Mapping[str, int]) -> Detections:
    """Return objects as arrays.

    :param ids: the class indices by label.
    """
    return Detections(
        np.array([o.box for o in objects], np.float32).reshape(-1, 4),
        np.array([o.score for o in objects], np.float32),
        np.array([ids[o.label] for o in objects], np.int32),
    )


def _to_truth(objects: Sequence[TrueObject], ids: Mapping[str, int]) -> GroundTruth:
    return GroundTruth(
        np.array([o.box for o in objects], np.float32).reshape(-1, 4),
        np.array([ids[o.label] for o in objects], np.int32),
        np.array([o.difficult for o in objects], np.bool_),
    )


def _class_accuracy(item: ClassResult, mean_precision: float, score: float) -> ClassAccuracy:
    # Matching goes by falling score, so that a higher threshold leaves the matches above it alone.
    shown = int(np.count_nonzero(item.scores >= np.float32(score)))
    point = None
    found = 0
    if shown and item.objects:
        point = (float(item.recall[shown - 1]), float(item.precision[shown - 1]))
        found = round(point[0] * item.objects)
    return ClassAccuracy(
        item.label,
        _known(item.average_precision),
        _known(mean_precision),
        item.recall.tolist() if item.objects else [],
        item.precision.tolist() if item.objects else [],
        point,
        item.objects,
        found,
        shown - found,
    )


def _mean(classes: Sequence[ClassAccuracy]) -> ClassAccuracy:
    known = [item for item in classes if item.objects]
    return ClassAccuracy(
        'mean of classes',
        _known(_average([item.ap50 or 0.0 for item in known])),
        _known(_average([item.ap or 0.0 for item in known])),
        [],
        [],
        None,
        sum(item.objects for item in classes),
        sum(item.found for item in classes),
        sum(item.false for item in classes),
    )


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float('nan')


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
