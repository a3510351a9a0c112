# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What one variant finds in a dataset's images, as a node would find it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.evaluation import GroundTruth
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.models import Model
from jetson_infer.errors import FrameRejected, RecordingError
from jetson_infer.pipeline.open_detection import open_detection
from jetson_infer.toolchain.dataset import Dataset, relabelled
from jetson_infer.toolchain.validate.chosen import ChosenImages, Progress, digest_of, notes_on

__all__ = ['Collected', 'Data', 'collect', 'read_data']

LOWEST_SCORE = 0.05
"""What scores less is left out of average precision; it decides nothing there."""
MOST_DETECTIONS = 300


@dataclass(frozen=True)
class Data(ChosenImages):
    """Which images of a dataset are used, and what is known of them.

    :param truth: what is in each, classes by the model's labels; None where the dataset has none
        that the model knows.
    """

    truth: tuple[GroundTruth, ...] | None = None

    @property
    def truth_kind(self) -> str:
        """What the variants are held against, for a person."""
        return 'ground truth' if self.truth is not None else "the reference's own detections"

    def without(self, rejected: Mapping[int, str]) -> Data:
        """Return the data without images that cannot be used after all.

        :param rejected: why, by the place in the dataset.
        :raises RecordingError: if none is left.
        """
        if not rejected:
            return self
        told = self.told_of(rejected)
        kept = [place for place, index in enumerate(self.indices) if index not in rejected]
        return replace(
            self,
            indices=tuple(self.indices[place] for place in kept),
            truth=None if self.truth is None else tuple(self.truth[place] for place in kept),
            notes=(*self.notes, told),
        )


def read_data(dataset: Dataset, labels: Sequence[str], frames: int | None = None) -> Data:
    """Choose a dataset's images and read what is in them.

    :param labels: the model's.
    :param frames: how many images, spread evenly; None for all.
    :raises RecordingError: if there are none, or the truth knows none of the model's labels.
    """
    count = dataset.count
    wanted = None
    if frames is not None and frames < count:
        wanted = {round(float(place)) for place in np.linspace(0, count - 1, frames)}
    indices: list[int] = []
    truth: list[GroundTruth | None] = []
    for sample in dataset.frames(wanted):
        indices.append(sample.index)
        truth.append(sample.truth)
    notes = notes_on(dataset)
    indices, known = _with_truth(dataset, labels, indices, truth, notes)
    return Data(dataset, tuple(indices), digest_of(dataset, indices), tuple(notes), known)


def _with_truth(
    dataset: Dataset,
    labels: Sequence[str],
    indices: list[int],
    truth: list[GroundTruth | None],
    notes: list[str],
) -> tuple[list[int], tuple[GroundTruth, ...] | None]:
    """Return the images to use and what is in them; those without a truth only if none has one."""
    if not dataset.has_truth:
        return indices, None
    source = dataset.labels_of_truth
    unknown = [label for label in source if label not in labels]
    if source and len(unknown) == len(source):
        raise RecordingError(
            f'{dataset.path}: its ground truth is about {_some(source)}, and the model knows none '
            f'of these; it knows {_some(labels)}. Give the labels the names that the card uses'
        )
    if unknown:
        notes.append(
            f'the ground truth has labels that the model has not; they are left out: '
            f'{_some(unknown)}'
        )
    silent = [label for label in labels if label not in source]
    if silent:
        notes.append(f'the ground truth says nothing of {_some(silent)}')
    pairs = [(index, each) for index, each in zip(indices, truth) if each is not None]
    if not pairs:
        raise RecordingError(
            f'{dataset.path}: none of the {len(indices)} images has ground truth, though others '
            'have; take all of them, or their stamps do not agree'
        )
    if len(pairs) < len(indices):
        notes.append(f'{len(indices) - len(pairs)} images without ground truth are left out')
    known = tuple(relabelled(each, source, labels) for _, each in pairs)
    return [index for index, _ in pairs], known


@dataclass(frozen=True)
class Collected:
    """What a variant finds.

    :param detections: in each image, down to low scores; nothing where the image was rejected.
    :param rejected: why an image cannot be used, by its place in the dataset.
    :param engine: what ran it, for a person.
    :param median_ms: the median time of a frame, from its bytes to boxes.
    """

    detections: Sequence[Detections]
    rejected: Mapping[int, str]
    engine: str
    median_ms: float


def collect(
    model: Model, variant: VariantCard, engine: str, data: Data, progress: Progress
) -> Collected:
    """Run a variant over the images, through the pipeline that nodes use.

    :param engine: ``tensorrt`` or ``onnxruntime``.
    :raises JetsonInferError: if it cannot run, or fails on an image.
    """
    pipeline = open_detection(model, variant, engine=engine)
    try:
        pipeline.limits = evaluation_limits(pipeline.limits)
        found: list[Detections] = []
        rejected: dict[int, str] = {}
        times_ms: list[float] = []
        what = f'{variant.name} on {engine}'
        for sample in data.dataset.frames(set(data.indices)):
            progress(what, len(found), len(data.indices))
            clock = StageClock(time.monotonic_ns())
            try:
                found.append(_owned(pipeline.process(sample.image, clock)))
            except FrameRejected as error:
                rejected[sample.index] = f'{sample.name}: {error}'
                found.append(Detections.empty())
                continue
            clock.finish()
            times_ms.append(clock.milliseconds['total'])
        progress(what, len(found), len(data.indices))
        median_ms = float(np.median(times_ms)) if times_ms else math.nan
        return Collected(found, rejected, pipeline.engine, median_ms)
    finally:
        pipeline.close()


def evaluation_limits(card: DetectionLimits) -> DetectionLimits:
    """Return limits that keep what scores little, which average precision is also made of."""
    return replace(
        card,
        score_threshold=min(card.score_threshold, LOWEST_SCORE),
        max_detections=max(card.max_detections, MOST_DETECTIONS),
    )


def _owned(found: Detections) -> Detections:
    """Return detections that share no memory with the pipeline's buffers."""
    return Detections(found.boxes.copy(), found.scores.copy(), found.class_ids.copy())


def _some(labels: Sequence[str]) -> str:
    return ', '.join(labels[:8]) + (f' and {len(labels) - 8} more' if len(labels) > 8 else '')
