# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Validating variants of depth models: run, compare, judge, and keep the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.depth_validation import DepthCompared, judge_depth
from jetson_infer.core.verdict import Verdict
from jetson_infer.engines.models import Model
from jetson_infer.engines.select import EngineChoice
from jetson_infer.engines.verdict_key import VerdictKey
from jetson_infer.engines.verdicts import VerdictStore
from jetson_infer.errors import InternalError, JetsonInferError
from jetson_infer.toolchain.validate.chosen import Progress
from jetson_infer.toolchain.validate.depth_data import DepthData
from jetson_infer.toolchain.validate.depth_lockstep import DepthMeasured, DepthRan, Lockstep
from jetson_infer.toolchain.validate.depth_worst import DepthFrame
from jetson_infer.toolchain.validate.validating import Refuse, Validating

__all__ = ['DepthValidated', 'DepthValidator']


@dataclass(frozen=True)
class DepthValidated:
    """One variant's validation.

    :param variant: which.
    :param engine: what ran it, for a person.
    :param comparison: all figures.
    :param verdict: the figures against the card's thresholds.
    :param worst: frames in which it differs most from the reference, the worst first.
    :param median_ms: the median time of a frame, from its bytes to depth.
    :param stored: where the verdict lies.
    """

    variant: VariantCard
    engine: str
    comparison: DepthCompared
    verdict: Verdict
    worst: Sequence[DepthFrame]
    median_ms: float
    stored: Path

    @property
    def unit(self) -> str:
        """What the network's own depth is counted in, for a person."""
        return 'own unit' if self.variant.depth_validation.align == 'median' else 'm'


class DepthValidator(Validating):
    """Validates variants of a depth model, all at once.

    :param model: the model.
    :param data: the images.
    :param store: where verdicts are kept.
    :param progress: told of every frame.
    """

    def __init__(
        self, model: Model, data: DepthData, store: VerdictStore, progress: Progress
    ) -> None:
        super().__init__(model, store, progress)
        self._whole = self._data = data
        self._reference: DepthRan | None = None

    @property
    def data(self) -> DepthData:
        """The images, without those that the reference could not use."""
        return self._data

    @property
    def reference(self) -> DepthRan:
        """How the reference ran; it runs alone where that is asked for before any variant.

        :raises JetsonInferError: if it cannot run.
        """
        if self._reference is None:
            self._run([], _never)
        if self._reference is None:
            raise InternalError('the reference ran, and nothing was noted of it')
        return self._reference

    def validate_all(
        self, variants: Sequence[VariantCard], engine: str, refuse: Refuse
    ) -> list[DepthValidated]:
        """Run variants beside the reference, judge them and keep the verdicts.

        The reference runs once, unless the device's memory does not hold all variants together:
        then it runs once for as many as it holds.

        :param engine: ``auto``, ``tensorrt`` or ``onnxruntime``.
        :param refuse: told of a variant that cannot be run, which keeps no other from it.
        :return: in the variants' order.
        :raises JetsonInferError: if the reference cannot run, or the data cannot be used.
        """
        keys: dict[str, tuple[VerdictKey, EngineChoice]] = {}
        left: list[tuple[VariantCard, str]] = []
        for variant, choice in self.choose_all(variants, engine, refuse):
            try:
                keys[variant.name] = self._key(variant, choice), choice
            except JetsonInferError as error:
                refuse(variant.name, error)
            else:
                left.append((variant, choice.engine))
        found: dict[str, DepthMeasured] = {}
        while left:
            measured, left = self._run(left, refuse)
            found.update(measured)
        results = []
        for variant in variants:
            if variant.name in found:
                key, choice = keys[variant.name]
                try:
                    results.append(self._judge(variant, found[variant.name], key, choice))
                except JetsonInferError as error:
                    refuse(variant.name, error)
        return results

    def _run(
        self, variants: Sequence[tuple[VariantCard, str]], refuse: Refuse
    ) -> tuple[dict[str, DepthMeasured], list[tuple[VariantCard, str]]]:
        lockstep = Lockstep(self._model, self._whole, self._progress)
        reference, measured, waiting = lockstep.run(variants, refuse)
        if measured or not variants:  # else it broke off, and not all images were looked at
            self._reference = reference
            usable = self._whole.without(lockstep.rejected)
            self._data = usable.without_truth(lockstep.unfit)
        return measured, waiting

    def _judge(
        self, variant: VariantCard, found: DepthMeasured, key: VerdictKey, choice: EngineChoice
    ) -> DepthValidated:
        verdict = judge_depth(found.comparison, variant.depth_validation)
        return DepthValidated(
            variant=variant,
            engine=found.ran.engine,
            comparison=found.comparison,
            verdict=verdict,
            worst=found.worst,
            median_ms=found.ran.median_ms,
            stored=self._keep(key, verdict, found.comparison, choice),
        )


def _never(name: str, error: JetsonInferError) -> None:
    raise error
