# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A rung of what was found of a variant: its verdict's figures and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.ladder import Quality, Recall, Rung
from jetson_infer.core.validation import DetectionComparison, truth_from_reference
from jetson_infer.core.verdict import Verdict
from jetson_infer.engines.cached_engine import CachedEngine
from jetson_infer.engines.engine_layers import PrecisionFound
from jetson_infer.engines.ladders import digests_of
from jetson_infer.engines.models import Model
from jetson_infer.engines.verdict_key import EngineIdentity
from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.ladder.measure import Costs
from jetson_infer.toolchain.validate.validation import Validator

__all__ = ['Found', 'compare_alone', 'make_rung']


@dataclass(frozen=True)
class Found:
    """What validation found of a variant.

    :param variant: which.
    :param verdict: None for the reference.
    :param figures: of the comparison, as JSON has them; None for the reference.
    :param cached: the TensorRT engine that runs it; None for ONNX Runtime.
    """

    variant: VariantCard
    verdict: Verdict | None
    figures: Mapping[str, Any] | None
    cached: CachedEngine | None


def compare_alone(model: Model, validator: Validator) -> dict[str, Any]:
    """Return the reference's figures where nothing was compared with it, as JSON has them.

    :raises JetsonInferError: if it cannot run.
    """
    reference, data = validator.reference, validator.data
    score = model.card.output.defaults.score_threshold
    comparing = DetectionComparison(model.card.labels, score)
    truth = data.truth or [truth_from_reference(one, score) for one in reference.detections]
    for objects, found in zip(truth, reference.detections):
        comparing.add_frame(objects, found, found)
    return comparing.result().to_json()


def make_rung(model: Model, found: Found, costs: Costs, comparison: Mapping[str, Any]) -> Rung:
    """Put a rung together.

    :param comparison: the figures of any comparison with the reference, for the reference's own.
    :raises RecordingError: if the reference finds nothing, so that nothing can be compared.
    """
    variant, cached = found.variant, found.cached
    figures = found.figures or {**comparison, 'variant': comparison['reference']}
    verdict = 'reference'
    failures: tuple[str, ...] = ()
    if found.verdict is not None:
        verdict = 'passed' if found.verdict.passed else 'failed'
        failures = tuple(check.sentence for check in found.verdict.failures)
    identity = EngineIdentity.of(cached)
    return Rung(
        variant=variant.name,
        engine=identity.kind,
        engine_version=identity.version,
        precision=_precision(variant, cached),
        size=variant.size,
        verdict=verdict,
        failures=failures,
        quality=_quality(figures, tuple(variant.validation.safety)),
        pipeline_ms=costs.pipeline_ms,
        session_ms=costs.session_ms,
        energy_mj=costs.energy_mj,
        device_memory_mb=costs.device_memory_mb,
        digests=digests_of(model, variant.name, cached),
    )


def _quality(figures: Mapping[str, Any], safety: tuple[str, ...]) -> Quality:
    before, after = figures['reference'], figures['variant']
    if not before['ap50']:
        raise RecordingError(
            'the reference finds nothing of what is in the images, so that nothing can be compared '
            'with it: the topic, the labels or the working threshold do not fit the model'
        )
    recall = {}
    for label in safety:
        own, first = (side['classes'][label]['recall'] for side in (after, before))
        recall[label] = Recall(own, round(own / first, 6) if first and own is not None else None)
    ap50 = after['ap50'] or 0.0
    return Quality(ap50, after['ap'] or 0.0, round(ap50 / before['ap50'], 6), recall)


def _precision(variant: VariantCard, cached: CachedEngine | None) -> str:
    """Return the precision that was found in an engine; else the card's."""
    try:
        return PrecisionFound(**cached.build['precision']).found if cached else variant.precision
    except (KeyError, TypeError):  # an engine that was built before precisions were noted
        return variant.precision
