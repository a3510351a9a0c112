# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What validating is, whatever a network finds: choosing engines, and keeping verdicts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.verdict import Verdict
from jetson_infer.engines.models import Model
from jetson_infer.engines.select import EngineChoice, choose_engine
from jetson_infer.engines.verdict_key import (
    EngineIdentity,
    VerdictKey,
    is_reference,
    make_verdict_key,
)
from jetson_infer.engines.verdicts import StoredVerdict, VerdictStore
from jetson_infer.errors import JetsonInferError, ModelError
from jetson_infer.toolchain.validate.chosen import ChosenImages, Progress

__all__ = ['Figures', 'Outcome', 'Ran', 'Refuse', 'Validating', 'check_model']

Refuse = Callable[[str, JetsonInferError], None]
"""Told of a variant that cannot be run, by name, and why."""

_REASONS = {
    'cloud_detection': 'for whose outputs there is no decoder yet',
    'policy': 'and there are no figures of how good commands are',
}


class Figures(Protocol):
    """All figures of a variant beside its reference."""

    def to_json(self) -> dict[str, Any]:
        """Return them as JSON has them."""


class Ran(Protocol):
    """What is known of the reference's run."""

    @property
    def engine(self) -> str:
        """What ran it, for a person."""

    @property
    def median_ms(self) -> float:
        """The median time of a frame, from its bytes to the result."""


class Outcome(Ran, Protocol):
    """What is known of a variant's validation."""

    @property
    def variant(self) -> VariantCard:
        """Which."""

    @property
    def verdict(self) -> Verdict:
        """The figures against the card's thresholds."""

    @property
    def comparison(self) -> Figures:
        """All figures."""

    @property
    def stored(self) -> Path:
        """Where the verdict lies."""


def check_model(model: Model) -> None:
    """Check that a model can be validated.

    :raises ModelError: if its task has no validation, or its first variant is no reference.
    """
    task = model.card.task
    if task not in ('detection', 'depth'):
        raise ModelError(
            f'{model.card.source}: validation is for detection and depth models; this is a {task} '
            f'model, {_REASONS.get(task, "and nothing runs these yet")}'
        )
    first = model.card.variants[0]
    if first.precision != 'fp32':
        raise ModelError(
            f'{model.card.source}: variants are held against the first one, which has to be fp32, '
            f'and {first.name} is {first.precision}: put the FP32 network before it'
        )


class Validating(ABC):
    """Validates variants of a model on the same data; the reference runs once.

    :param model: the model.
    :param store: where verdicts are kept.
    :param progress: told of every frame.
    :raises ModelError: as :func:`check_model`.
    """

    def __init__(self, model: Model, store: VerdictStore, progress: Progress) -> None:
        check_model(model)
        self._model = model
        self._store = store
        self._progress = progress

    @property
    @abstractmethod
    def data(self) -> ChosenImages:
        """The images, without those that the reference could not use."""

    @property
    @abstractmethod
    def reference(self) -> Ran:
        """How the reference ran; it runs when this is first asked for.

        :raises JetsonInferError: if it cannot run.
        """

    @abstractmethod
    def validate_all(
        self, variants: Sequence[VariantCard], engine: str, refuse: Refuse
    ) -> Sequence[Outcome]:
        """Validate variants, and keep their verdicts.

        :param engine: ``auto``, ``tensorrt`` or ``onnxruntime``.
        :param refuse: told of a variant that cannot be run, which keeps no other from it.
        :return: in the variants' order.
        :raises JetsonInferError: if the reference cannot run, or the data cannot be used.
        """

    def choose(self, variant: VariantCard, engine: str) -> EngineChoice | None:
        """Return what would run a variant; None if it is the reference, held to nothing.

        :param engine: ``auto``, ``tensorrt`` or ``onnxruntime``.
        :raises JetsonInferError: if it cannot be run on that.
        """
        choice = choose_engine(self._model, variant, engine)
        return None if is_reference(self._model, variant, choice.cached) else choice

    def choose_all(
        self, variants: Sequence[VariantCard], engine: str, refuse: Refuse
    ) -> list[tuple[VariantCard, EngineChoice]]:
        """Return what would run each variant, the reference left out.

        :param refuse: told of those that cannot be run.
        """
        chosen = []
        for variant in variants:
            try:
                choice = self.choose(variant, engine)
            except JetsonInferError as error:
                refuse(variant.name, error)
                continue
            if choice is not None:
                chosen.append((variant, choice))
        return chosen

    def _key(self, variant: VariantCard, choice: EngineChoice) -> VerdictKey:
        """Return what a verdict will be about; asked for before a run, not after it.

        A file that changes meanwhile makes the verdict void then.

        :raises ModelError: if an ONNX file cannot be read.
        """
        return make_verdict_key(self._model, variant, EngineIdentity.of(choice.cached))

    def _keep(
        self, key: VerdictKey, verdict: Verdict, figures: Figures, choice: EngineChoice
    ) -> Path:
        """Keep a verdict with its figures and return where.

        :raises EngineError: if it cannot be written.
        """
        now = datetime.now(timezone.utc).isoformat(timespec='seconds')
        stored = StoredVerdict(key, verdict, self._facts(), figures.to_json(), now)
        return self._store.store(stored, choice.cached)

    def _facts(self) -> Mapping[str, Any]:
        return {
            'name': self.data.dataset.path.name,
            'topic': self.data.dataset.topic,
            'digest': self.data.digest,
            'frames': len(self.data.indices),
            'truth': self.data.truth_kind,
        }
