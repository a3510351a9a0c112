# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Opening a depth pipeline on the engine that fits the machine."""

from __future__ import annotations

from functools import partial

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.models import Model
from jetson_infer.engines.validation_gate import ValidationGate
from jetson_infer.pipeline.depth import DepthPipeline
from jetson_infer.pipeline.opening import NO_HOOKS, OpenHooks, open_pipeline

__all__ = ['open_depth']


def open_depth(
    model: Model,
    variant: VariantCard,
    *,
    engine: str = 'auto',
    threads: int = 0,
    build: str = 'never',
    hooks: OpenHooks = NO_HOOKS,
    gate: ValidationGate | None = None,
) -> DepthPipeline:
    """Load a variant on an engine and warm it up; on the thread that will close it.

    Another thread may use it, within the pipeline's ``current()``.

    :param engine: ``auto`` or an engine's name.
    :param threads: how many threads a CPU engine may use; 0 leaves it to the engine.
    :param build: ``never``, or ``allowed``: whether a missing engine is built now.
    :param hooks: told how far it is, and asked whether to stop.
    :param gate: what decides whether a variant may run on an engine; anything may unless given.
    :raises NotValidatedError: if the gate refuses.
    :raises JetsonInferError: if anything about it cannot work; nothing is left open then.
    """
    return open_pipeline(
        model,
        variant,
        partial(DepthPipeline, model, variant),
        engine=engine,
        threads=threads,
        build=build,
        hooks=hooks,
        gate=gate,
    )
