# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What making a ladder would do: on which images, in which steps, and what is done already."""

from __future__ import annotations

from dataclasses import dataclass

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.build_target import FoundTarget, find_target
from jetson_infer.engines.engine_cache import EngineCache
from jetson_infer.engines.engine_order import order_engine
from jetson_infer.engines.models import Model
from jetson_infer.engines.select import ENGINES
from jetson_infer.engines.verdict_key import EngineIdentity, is_reference, make_verdict_key
from jetson_infer.engines.verdicts import StoredVerdict, VerdictStore
from jetson_infer.errors import JetsonInferError, ModelError, RecordingError, SessionError
from jetson_infer.toolchain.dataset import Dataset
from jetson_infer.toolchain.ladder.split import split_in_time
from jetson_infer.toolchain.ladder.workspace import Source, made_from, sources_of
from jetson_infer.toolchain.quantize.write import variant_name
from jetson_infer.toolchain.validate.validating import check_model

__all__ = [
    'Images',
    'Step',
    'check_detector',
    'choose_engine_kind',
    'choose_images',
    'held_verdict',
    'is_rung_of_reference',
    'plan_steps',
]


@dataclass(frozen=True)
class Step:
    """One step.

    :param kind: ``quantize``, ``build``, ``validate``, ``measure`` or ``write``.
    :param subject: of which variant; empty for all.
    :param done: why it need not be done; empty where it has to be.
    """

    kind: str
    subject: str = ''
    done: str = ''

    def __str__(self) -> str:
        return f'{self.kind} {self.subject}'.strip()


@dataclass(frozen=True)
class Images:
    """Which images serve for what.

    :param calibration: to quantize with; None where nothing is to be quantized.
    :param validation: to validate on, and to measure with.
    :param whole: the digest of the recording that calibration images come from; empty without.
    :param told: how they were chosen, as a sentence for a person.
    """

    calibration: Dataset | None
    validation: Dataset
    whole: str
    told: str


def choose_images(model: Model, recording: Dataset, calibration: Dataset | None) -> Images:
    """Keep the images that calibrate from those that validate.

    :param recording: what to validate on.
    :param calibration: what to quantize with; without it the recording is split in time, unless
        all quantized variants are there and come from elsewhere.
    :raises RecordingError: if both are the same images, or there are too few to split.
    """
    if calibration is not None:
        if calibration.digest == recording.digest:
            raise RecordingError(
                f'{calibration.path} and {recording.path} hold the same images: what a network was '
                'calibrated with proves nothing of it. Give another --calibration, or none: then '
                'the recording is split in time'
            )
        told = (
            f'{calibration.path.name} calibrates ({calibration.count} images), '
            f'{recording.path.name} validates ({recording.count} images)'
        )
        return Images(calibration, recording, calibration.digest, told)
    before = [made for _, made in made_from(model) if made.recording == recording.digest]
    if any(not made.part for made in before):
        raise RecordingError(
            f'{recording.path}: the quantized variants of {model.folder} were calibrated with all '
            'of it, so that it proves nothing of them; give another recording'
        )
    if not before and not any(source.missing for source in sources_of(model)):
        told = f'{recording.path.name} validates ({recording.count} images); nothing is quantized'
        return Images(None, recording, '', told)
    first, last = split_in_time(recording)
    told = (
        f'{recording.path.name} is split in time: {first} calibrate, {last} validate, those '
        'between serve for neither'
    )
    return Images(first, last, recording.digest, told)


def choose_engine_kind(engine: str, found: FoundTarget | None = None) -> str:
    """Return what runs the rungs: TensorRT where it is, for ``auto``; ONNX Runtime elsewhere.

    :param engine: one of :data:`~jetson_infer.engines.select.ENGINES`.
    :raises EngineBuildError: if TensorRT is asked for and not there.
    """
    if engine not in ENGINES:
        raise SessionError(f'there is no engine {engine!r}; there are {", ".join(ENGINES)}')
    if engine == 'onnxruntime':
        return engine
    found = found or find_target()
    if engine == 'tensorrt':
        found.require()
    return 'onnxruntime' if found.target is None else 'tensorrt'


def held_verdict(
    model: Model, variant: VariantCard, engine: str, store: VerdictStore, data: str
) -> StoredVerdict | None:
    """Return the verdict that still holds of a variant, found on the same images; or None.

    :param engine: ``tensorrt`` or ``onnxruntime``.
    :param data: the images' digest.
    """
    try:
        cached = None
        if engine == 'tensorrt':
            order = order_engine(model, variant)
            key = order.key(find_target().require())
            cached = EngineCache().find(order.model, order.variant, key)
        stored = store.find(make_verdict_key(model, variant, EngineIdentity.of(cached)))
    except JetsonInferError:
        return None  # it is built, validated or complained about when its turn comes
    return stored if stored is not None and stored.data.get('digest') == data else None


def check_detector(model: Model) -> None:
    """Check that a ladder can be made of a model.

    :raises ModelError: if it has no reference, or is for another task.
    """
    if model.card.task != 'detection':
        raise ModelError(
            f'{model.card.source}: ladders are of detection models; this is a {model.card.task} '
            'model: quantize, validate and bench do its parts one by one'
        )
    check_model(model)


def plan_steps(model: Model, engine: str, store: VerdictStore, data: str) -> list[Step]:
    """Return all steps in their order; those that are done say why.

    :param engine: ``tensorrt`` or ``onnxruntime``.
    :param data: the digest of the images that validate.
    :raises ModelError: if the model has no reference, or is for another task.
    """
    check_detector(model)
    steps = [_quantize_step(model, source) for source in sources_of(model)]
    names = [variant.name for variant in model.card.variants]
    for source in sources_of(model):
        names += [variant_name(source.variant, kind) for kind in reversed(source.missing)]
    if engine == 'tensorrt':
        steps += [Step('build', name) for name in names]
    validating = [_validate_step(model, name, engine, store, data) for name in names]
    references = {
        each.name for each in model.card.variants if is_rung_of_reference(model, each, engine)
    }
    if all(step.done for step in validating if step.subject not in references):
        validating = [
            step if step.done else Step('validate', step.subject, 'the reference, held to nothing')
            for step in validating
        ]
    return [*steps, *validating, Step('measure'), Step('write')]


def is_rung_of_reference(model: Model, variant: VariantCard, engine: str) -> bool:
    """Tell whether a variant on an engine is what all others are held against."""
    return engine == 'onnxruntime' and is_reference(model, variant, None)


def _validate_step(model: Model, name: str, engine: str, store: VerdictStore, data: str) -> Step:
    variant = next((each for each in model.card.variants if each.name == name), None)
    if variant is None or is_rung_of_reference(model, variant, engine):
        return Step('validate', name)
    held = held_verdict(model, variant, engine, store, data)
    return Step('validate', name, f'its verdict of {held.at} holds' if held else '')


def _quantize_step(model: Model, source: Source) -> Step:
    name = source.variant.name
    if source.missing:
        return Step('quantize', name)
    made = dict(made_from(model)).get(name)
    if made is None:
        return Step('quantize', name, 'the card has its INT8 and mixed variants')
    part = f', {made.part}' if made.part else ''
    return Step('quantize', name, f'done before, with {made.name}{part}')
