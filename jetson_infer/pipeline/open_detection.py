# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Opening the detection pipeline that fits the engine."""

from __future__ import annotations

from contextlib import ExitStack

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.models import Model
from jetson_infer.engines.session import DeviceSession, Session
from jetson_infer.engines.validation_gate import ValidationGate
from jetson_infer.pipeline.detection import DetectionPipeline
from jetson_infer.pipeline.device_detection import DeviceDetectionPipeline
from jetson_infer.pipeline.device_lanes import DEFAULT_LARGEST_IMAGE, DeviceMemory
from jetson_infer.pipeline.opening import NO_HOOKS, OpenHooks, open_pipeline

__all__ = ['open_detection']


def open_detection(
    model: Model,
    variant: VariantCard,
    *,
    engine: str = 'auto',
    threads: int = 0,
    build: str = 'never',
    largest_image: tuple[int, int] = DEFAULT_LARGEST_IMAGE,
    hooks: OpenHooks = NO_HOOKS,
    gate: ValidationGate | None = None,
) -> DetectionPipeline | DeviceDetectionPipeline:
    """Load a variant on an engine and warm it up; on the thread that will close it.

    Another thread may use it, within the pipeline's ``current()``.

    :param engine: ``auto`` or an engine's name.
    :param threads: how many threads a CPU engine may use; 0 leaves it to the engine.
    :param build: ``never``, or ``allowed``: whether a missing engine is built now.
    :param largest_image: width and height of the largest image that device memory is laid out for;
        larger ones are prepared on the host.
    :param hooks: told how far it is, and asked whether to stop.
    :param gate: what decides whether a variant may run on an engine; anything may unless given.
    :raises NotValidatedError: if the gate refuses.
    :raises JetsonInferError: if anything about it cannot work; nothing is left open then.
    """

    def make(session: Session) -> DetectionPipeline | DeviceDetectionPipeline:
        if not isinstance(session, DeviceSession):
            return DetectionPipeline(model, variant, session)
        memory = DeviceMemory(largest_image=largest_image)
        owned = ExitStack()
        owned.callback(session.close)
        return DeviceDetectionPipeline(model, variant, session, session.device, memory, owned)

    return open_pipeline(
        model,
        variant,
        make,
        engine=engine,
        threads=threads,
        build=build,
        hooks=hooks,
        gate=gate,
    )
