# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Validating variants: run, compare, judge, and keep the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.detections import Detections
from jetson_infer.core.evaluation import GroundTruth
from jetson_infer.core.validation import (
    Comparison,
    DetectionComparison,
    FrameDifference,
    truth_from_reference,
)
from jetson_infer.core.verdict import Verdict, judge
from jetson_infer.engines.models import Model
from jetson_infer.engines.select import EngineChoice
from jetson_infer.engines.verdicts import VerdictStore
from jetson_infer.errors import JetsonInferError
from jetson_infer.toolchain.validate.chosen import Progress
from jetson_infer.toolchain.validate.collect import Collected, Data, collect
from jetson_infer.toolchain.validate.validating import Refuse, Validating

__all__ = ['Validated', 'Validator', 'WorstFrame']

MISSED_SAFETY, MISSED, FALSE = 4.0, 2.0, 1.0
"""What a difference weighs when the worst frames are chosen."""


@dataclass(frozen=True)
class WorstFrame:
    """A frame in which the variant does worse than its reference.

    :param place: its place among the images that were used.
    :param difference: what it does otherwise.
    :param badness: what that weighs; above 0.
    """

    place: int
    difference: FrameDifference
    badness: float


@dataclass(frozen=True)
class Validated:
    """One variant's validation.

    :param variant: which.
    :param engine: what ran it, for a person.
    :param comparison: all figures.
    :param verdict: the figures against the card's thresholds.
    :param detections: what it found in each image.
    :param truth: what both were held against, in each image.
    :param worst: frames in which it does worse, the worst first.
    :param median_ms: the median time of a frame, from its bytes to boxes.
    :param stored: where the verdict lies.
    """

    variant: VariantCard
    engine: str
    comparison: Comparison
    verdict: Verdict
    detections: Sequence[Detections]
    truth: Sequence[GroundTruth]
    worst: Sequence[WorstFrame]
    median_ms: float
    stored: Path


class Validator(Validating):
    """Validates variants of a detection model; the reference's detections are kept.

    :param model: the model.
    :param data: the images.
    :param store: where verdicts are kept.
    :param progress: told of every frame.
    """

    def __init__(self, model: Model, data: Data, store: VerdictStore, progress: Progress) -> None:
        super().__init__(model, store, progress)
        self._data = data
        self._reference: Collected | None = None

    @property
    def data(self) -> Data:
        """The images, without those that the reference could not use."""
        return self._data

    @property
    def reference(self) -> Collected:
        """What the reference finds; it runs when this is first asked for.

        :raises JetsonInferError: if it cannot run.
        """
        if self._reference is None:
            first = self._model.card.variants[0]
            found = collect(self._model, first, 'onnxruntime', self._data, self._progress)
            kept = [
                each
                for index, each in zip(self._data.indices, found.detections)
                if index not in found.rejected
            ]
            self._data = self._data.without(found.rejected)
            self._reference = replace(found, detections=kept)
        return self._reference

    def validate(self, variant: VariantCard, choice: EngineChoice) -> Validated:
        """Run a variant, compare it with the reference, judge it and keep the verdict.

        :param choice: of :meth:`choose`.
        :raises JetsonInferError: if it cannot run, or the verdict cannot be kept.
        """
        key = self._key(variant, choice)
        reference = self.reference
        found = collect(self._model, variant, choice.engine, self._data, self._progress)
        score = self._working_score(variant)
        truth = self._data.truth
        if truth is None:
            truth = tuple(truth_from_reference(each, score) for each in reference.detections)
        comparing = DetectionComparison(self._model.card.labels, score)
        differences = [
            comparing.add_frame(*each)
            for each in zip(truth, reference.detections, found.detections)
        ]
        comparison = comparing.result()
        verdict = judge(comparison, variant.validation)
        return Validated(
            variant=variant,
            engine=found.engine,
            comparison=comparison,
            verdict=verdict,
            detections=found.detections,
            truth=truth,
            worst=self._worst(differences, truth, variant),
            median_ms=found.median_ms,
            stored=self._keep(key, verdict, comparison, choice),
        )

    def validate_all(
        self, variants: Sequence[VariantCard], engine: str, refuse: Refuse
    ) -> list[Validated]:
        """Validate variants one after the other.

        :param engine: ``auto``, ``tensorrt`` or ``onnxruntime``.
        :param refuse: told of a variant that cannot be run, which keeps no other from it.
        """
        results = []
        for variant, choice in self.choose_all(variants, engine, refuse):
            try:
                results.append(self.validate(variant, choice))
            except JetsonInferError as error:
                refuse(variant.name, error)
        return results

    def _working_score(self, variant: VariantCard) -> float:
        own = variant.validation.score_threshold
        return self._model.card.output.defaults.score_threshold if own is None else own

    def _worst(
        self,
        differences: Sequence[FrameDifference],
        truth: Sequence[GroundTruth],
        variant: VariantCard,
    ) -> list[WorstFrame]:
        labels = self._model.card.labels
        safety = [labels.index(label) for label in variant.validation.safety]
        frames = []
        for place, (difference, objects) in enumerate(zip(differences, truth)):
            ids = objects.class_ids[difference.newly_missed]
            weights = np.where(np.isin(ids, safety), MISSED_SAFETY, MISSED)
            badness = float(weights.sum()) + difference.iou_lost
            badness += FALSE * max(0, difference.more_false)
            if badness > 0.0:
                frames.append(WorstFrame(place, difference, badness))
        return sorted(frames, key=lambda frame: -frame.badness)
