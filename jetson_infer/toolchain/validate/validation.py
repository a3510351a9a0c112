# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Validating variants: run, compare, judge, and keep the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

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
from jetson_infer.engines.select import EngineChoice, choose_engine
from jetson_infer.engines.verdict_key import EngineIdentity, is_reference, make_verdict_key
from jetson_infer.engines.verdicts import StoredVerdict, VerdictStore
from jetson_infer.errors import ModelError
from jetson_infer.toolchain.validate.collect import Collected, Data, Progress, collect

__all__ = ['Validated', 'Validator', 'WorstFrame', 'check_model']

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


def check_model(model: Model) -> None:
    """Check that a model can be validated.

    :raises ModelError: if its task has no validation, or its first variant is no reference.
    """
    if model.card.task != 'detection':
        raise ModelError(
            f'{model.card.source}: validation is for detection models; this is a {model.card.task} '
            'model, and what prepares its inputs does not exist yet'
        )
    first = model.card.variants[0]
    if first.precision != 'fp32':
        raise ModelError(
            f'{model.card.source}: variants are held against the first one, which has to be fp32, '
            f'and {first.name} is {first.precision}: put the FP32 network before it'
        )


class Validator:
    """Validates variants of a model on the same data; the reference runs once.

    :param model: the model.
    :param data: the images.
    :param store: where verdicts are kept.
    :param progress: told of every frame.
    """

    def __init__(self, model: Model, data: Data, store: VerdictStore, progress: Progress) -> None:
        check_model(model)
        self._model = model
        self._data = data
        self._reference: Collected | None = None
        self._store = store
        self._progress = progress

    def choose(self, variant: VariantCard, engine: str) -> EngineChoice | None:
        """Return what would run a variant; None if it is the reference, held to nothing.

        :param engine: ``auto``, ``tensorrt`` or ``onnxruntime``.
        :raises JetsonInferError: if it cannot be run on that.
        """
        choice = choose_engine(self._model, variant, engine)
        return None if is_reference(self._model, variant, choice.cached) else choice

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
        key = make_verdict_key(self._model, variant, EngineIdentity.of(choice.cached))
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
        stored = StoredVerdict(key, verdict, self._facts(), comparison.to_json(), _now())
        return Validated(
            variant=variant,
            engine=found.engine,
            comparison=comparison,
            verdict=verdict,
            detections=found.detections,
            truth=truth,
            worst=self._worst(differences, truth, variant),
            median_ms=found.median_ms,
            stored=self._store.store(stored, choice.cached),
        )

    def _working_score(self, variant: VariantCard) -> float:
        own = variant.validation.score_threshold
        return self._model.card.output.defaults.score_threshold if own is None else own

    def _facts(self) -> dict[str, Any]:
        return {
            'name': self._data.dataset.path.name,
            'topic': self._data.dataset.topic,
            'digest': self._data.digest,
            'frames': len(self._data.indices),
            'truth': self._data.truth_kind,
        }

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


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec='seconds')
