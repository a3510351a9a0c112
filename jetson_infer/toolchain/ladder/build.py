# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Building a rung's TensorRT engine, where the cache has none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.build_target import FoundTarget
from jetson_infer.engines.cached_engine import CachedEngine
from jetson_infer.engines.engine_cache import EngineCache
from jetson_infer.engines.engine_order import EngineWish
from jetson_infer.engines.models import Model
from jetson_infer.engines.tensorrt.build_job import BuildJob, start_build
from jetson_infer.errors import JetsonInferError
from jetson_infer.toolchain.build_plan import plan_build

__all__ = ['build_engine']

LOOK_EVERY_S = 0.2
END_WITHIN_S = 20.0
"""How long a build that was interrupted has to end."""


def build_engine(
    model: Model,
    variant: VariantCard,
    found: FoundTarget,
    builder: str,
    told: Callable[[float, str], None],
) -> tuple[CachedEngine, bool]:
    """Return a variant's engine, and whether it was built now.

    :param found: the GPU and TensorRT to build for.
    :param builder: what builds in the build process, as ``module:function``.
    :param told: given how much is done, 0 to 1, and what is being done.
    :raises EngineBuildError: if it cannot be built.
    :raises JetsonInferError: if the variant cannot be built anywhere, or the cache not be written.
    """
    cache = EngineCache()
    plan = plan_build(model, variant, EngineWish(), found, cache)
    if plan.cached is not None:
        return plan.cached, False
    job = start_build(plan.order, found.require(), cache, builder=builder)
    try:
        return _watch(job, plan.expected.seconds if plan.expected else None, told), True
    except BaseException:
        # Nobody waits for it any more, whatever the reason; nothing is left of it.
        job.cancel()
        with suppress(JetsonInferError, TimeoutError):
            job.result(END_WITHIN_S)
        raise


def _watch(
    job: BuildJob, expected_s: float | None, told: Callable[[float, str], None]
) -> CachedEngine:
    """Wait for a build; how much of it is done is what its expected time says."""
    looked = 0
    while True:
        passed_s = looked * LOOK_EVERY_S
        told(min(0.99, passed_s / expected_s) if expected_s else 0.0, str(job.progress()))
        try:
            return job.result(LOOK_EVERY_S)
        except TimeoutError:
            looked += 1
