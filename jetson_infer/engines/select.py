# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Choosing the engine that runs a model's variant on this machine, and opening it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import NamedTuple

from jetson_infer.core.cards import VariantCard
from jetson_infer.cuda.opening import open_device
from jetson_infer.cuda.probe import why_none
from jetson_infer.engines.build_target import BuildTarget, find_target
from jetson_infer.engines.cached_engine import CachedEngine
from jetson_infer.engines.engine_cache import EngineCache
from jetson_infer.engines.engine_order import EngineOrder, order_engine
from jetson_infer.engines.models import Model
from jetson_infer.engines.onnxruntime.session import OnnxRuntimeSession
from jetson_infer.engines.session import Session
from jetson_infer.engines.tensorrt.build_job import BuildJob, start_build
from jetson_infer.engines.tensorrt.build_process import BUILDER
from jetson_infer.engines.tensorrt.session import TensorRtSession
from jetson_infer.engines.validation_gate import ValidationGate
from jetson_infer.errors import (
    CardError,
    EngineBuildError,
    EngineError,
    ModelError,
    ParameterError,
    SessionError,
)

__all__ = [
    'BUILDS',
    'ENGINES',
    'BuildPolicy',
    'EngineChoice',
    'OpenedSession',
    'choose_engine',
    'open_session',
]

ENGINES = ('auto', 'tensorrt', 'onnxruntime')
BUILDS = ('never', 'allowed')

_POLL_S = 0.1


@dataclass(frozen=True)
class BuildPolicy:
    """Whether a missing engine is built here and now, which takes minutes.

    :param build: one of :data:`BUILDS`.
    :param report: told how far the build is, as a phrase, whenever that changes.
    :param cancelled: whether to stop; asked ten times a second.
    :param builder: what builds, as ``module:function``; see :func:`start_build`.
    """

    build: str = 'never'
    report: Callable[[str], None] = lambda text: None
    cancelled: Callable[[], bool] = lambda: False
    builder: str = BUILDER


@dataclass(frozen=True)
class EngineChoice:
    """What runs a variant on this machine.

    :param engine: ``tensorrt`` or ``onnxruntime``.
    :param why: why it is this one, as a clause for a person.
    :param order: with ``tensorrt``, what was looked for.
    :param cached: with ``tensorrt``, the engine found in the cache.
    :param unvalidated: why it should not run, though it may; empty where all is well, or nobody
        asked.
    """

    engine: str
    why: str
    order: EngineOrder | None = None
    cached: CachedEngine | None = None
    unvalidated: str = ''


class OpenedSession(NamedTuple):
    """A session, which the caller closes, why it is this engine, and why it should not run."""

    session: Session
    why: str
    unvalidated: str = ''


def choose_engine(
    model: Model,
    variant: VariantCard,
    engine: str = 'auto',
    policy: BuildPolicy | None = None,
    target: BuildTarget | None = None,
    gate: ValidationGate | None = None,
) -> EngineChoice:
    """Choose the engine of a variant, and build it where that is allowed.

    ``auto`` takes TensorRT where there is a GPU and an engine of this variant for it that may run,
    or one may be built; ONNX Runtime on the CPU otherwise.

    :param engine: one of :data:`ENGINES`.
    :param policy: whether to build; not unless given.
    :param target: the GPU and the version of TensorRT; those of this machine unless given.
    :param gate: what decides whether a variant may run on an engine; anything may unless given.
    :raises SessionError: if there is no such engine.
    :raises NotValidatedError: if the gate refuses, with the command that validates.
    :raises EngineBuildError: if TensorRT is asked for and cannot run here, or the build failed.
    :raises EngineError: if TensorRT is asked for and there is no engine that may be used, with the
        command that builds one.
    """
    if engine not in ENGINES:
        raise SessionError(f'there is no engine {engine!r}; there are {", ".join(ENGINES)}')
    policy = policy or BuildPolicy()
    if policy.build not in BUILDS:
        raise ParameterError('engine_build', f"'{policy.build}' is none of {', '.join(BUILDS)}")
    if engine == 'onnxruntime':
        return _admitted(EngineChoice(engine, 'it was asked for'), model, variant, gate)
    try:
        asked = 'it was asked for' if engine != 'auto' else ''
        choice = _tensorrt(model, variant, policy, target or _this_machine(), asked)
        return _admitted(choice, model, variant, gate)
    except (SessionError, CardError, ModelError) as error:
        if engine == 'tensorrt' or policy.cancelled():
            raise
        return _admitted(EngineChoice('onnxruntime', str(error)), model, variant, gate)


def open_session(
    model: Model,
    variant: VariantCard,
    engine: str = 'auto',
    threads: int = 0,
    policy: BuildPolicy | None = None,
    gate: ValidationGate | None = None,
) -> OpenedSession:
    """Open a variant in an engine.

    A TensorRT session opens the GPU for itself, current on this thread until it is closed there.

    :param engine: one of :data:`ENGINES`; see :func:`choose_engine`.
    :param threads: CPU threads of an engine that runs on the CPU; 0 for automatic.
    :param gate: what decides whether a variant may run on an engine; anything may unless given.
    :raises SessionError: if there is no such engine, or it cannot load the file.
    :raises NotValidatedError: if the gate refuses.
    :raises MissingDependencyError: if the engine is not installed.
    :raises DeviceError: if the GPU cannot be used.
    :raises DeviceMemoryError: if the GPU has not enough memory.
    """
    choice = choose_engine(model, variant, engine, policy, gate=gate)
    session: Session
    if choice.cached is None or choice.order is None:
        session = OnnxRuntimeSession(model.files[variant.name], threads)
    else:
        session = _open_tensorrt(choice.cached, choice.order)
    return OpenedSession(session, choice.why, choice.unvalidated)


def _admitted(
    choice: EngineChoice, model: Model, variant: VariantCard, gate: ValidationGate | None
) -> EngineChoice:
    """Return the choice if the gate admits it, with its warning."""
    if gate is None:
        return choice
    return replace(choice, unvalidated=gate.admit(model, variant, choice.cached))


def _this_machine() -> BuildTarget:
    missing = why_none()
    if missing:
        raise EngineBuildError(f'TensorRT cannot run here: {missing}')
    return find_target().require()


def _tensorrt(
    model: Model, variant: VariantCard, policy: BuildPolicy, target: BuildTarget, asked: str
) -> EngineChoice:
    """Find the engine, or build it.

    :raises SessionError: if there is none.
    """
    order = order_engine(model, variant)
    cache = EngineCache()
    try:
        cached = cache.find(order.model, order.variant, order.key(target), order.repair)
        return EngineChoice(
            'tensorrt', asked or f'an engine for {target.gpu} is there', order, cached
        )
    except EngineError:
        if policy.build == 'never':
            raise
    built = _wait_for(start_build(order, target, cache, builder=policy.builder), policy)
    why = asked or f'an engine for {target.gpu} was built'
    return EngineChoice('tensorrt', why, order, built)


def _wait_for(job: BuildJob, policy: BuildPolicy) -> CachedEngine:
    told = ''
    while True:
        progress = str(job.progress())
        if progress != told:
            told = progress
            policy.report(progress)
        if policy.cancelled():
            job.cancel()
        with suppress(TimeoutError):
            return job.result(_POLL_S)


def _open_tensorrt(cached: CachedEngine, order: EngineOrder) -> TensorRtSession:
    """Open an engine on a GPU of its own."""
    plan = cached.read_plan(order.repair)
    with ExitStack() as owned:
        device = owned.enter_context(open_device())
        owned.enter_context(device.current())
        return TensorRtSession(
            plan,
            device,
            source=str(cached.folder),
            dla_core=order.request.dla_core,
            owned=owned.pop_all(),
        )
