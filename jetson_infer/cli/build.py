# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer build`: TensorRT engines of a model's variants, into this machine's cache."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jetson_infer.cli.build_text import built_text, engine_facts, plan_text
from jetson_infer.cli.build_view import LOOK_EVERY_S, open_view
from jetson_infer.cli.values import whole_number
from jetson_infer.cli.view import View
from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.build_request import PRECISIONS
from jetson_infer.engines.build_target import BuildTarget, FoundTarget, find_target
from jetson_infer.engines.cached_engine import CachedEngine
from jetson_infer.engines.engine_cache import EngineCache
from jetson_infer.engines.engine_order import EngineWish
from jetson_infer.engines.models import Model, find_model, load_model
from jetson_infer.engines.tensorrt.build_job import (
    BuildCancelled,
    BuildJob,
    BuildStatus,
    start_build,
)
from jetson_infer.engines.tensorrt.build_process import BUILDER
from jetson_infer.engines.validation_gate import validate_command
from jetson_infer.errors import JetsonInferError
from jetson_infer.toolchain.build_plan import BuildPlan, plan_build

__all__ = ['Builder', 'add_arguments', 'run']

ALL = 'all'
END_WITHIN_S = 20.0
"""How long a build that was interrupted has to end."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument('model', metavar='MODEL', help='model folder or name')
    parser.add_argument(
        '--variant',
        default='auto',
        metavar='NAME',
        help=f'one of its variants, or {ALL} (the best)',
    )
    parser.add_argument('--precision', choices=PRECISIONS, help='instead of what the card says')
    parser.add_argument(
        '--dla-core', type=whole_number(0, 7), metavar='N', help='build for this DLA core'
    )
    parser.add_argument(
        '--sparse', action='store_true', help='use weights of which two in four are zero'
    )
    parser.add_argument(
        '--workspace-mb',
        type=whole_number(1, 1 << 20),
        metavar='N',
        help='MiB that a layer may use while it runs',
    )
    parser.add_argument(
        '--optimization-level',
        type=whole_number(0, 5),
        metavar='N',
        help='0 builds fast, 5 runs fast',
    )
    parser.add_argument(
        '--dry-run', action='store_true', help='show the plan and build nothing; needs no GPU'
    )
    parser.add_argument('--force', action='store_true', help='build anew what is there')
    parser.add_argument('--json', action='store_true', help='print the result as JSON')


@dataclass(frozen=True)
class Builder:
    """What the verb builds with; tests bring their own.

    :param find: finds the GPU and TensorRT.
    :param function: what builds in the build process, as ``module:function``.
    """

    find: Callable[[], FoundTarget] = find_target
    function: str = BUILDER


def run(options: argparse.Namespace, builder: Builder | None = None) -> int:
    """Build, or show what would be built."""
    builder = builder or Builder()
    model = load_model(find_model(options.model))
    variants = _variants(model, options.variant)
    wish = EngineWish(
        precision=options.precision,
        dla_core=options.dla_core,
        sparsity=True if options.sparse else None,
        workspace_mb=options.workspace_mb,
        optimization_level=options.optimization_level,
    )
    found, cache = builder.find(), EngineCache()
    plans = [_plan(model, variant, wish, found, cache) for variant in variants]
    if options.dry_run:
        return _show(plans, options)
    target = found.require()
    outcomes = [
        _outcome(variant, plan, target, cache, options, builder.function)
        for variant, plan in zip(variants, plans)
    ]
    if options.json:
        _print_json({'engines': outcomes})
    return 1 if any('error' in outcome for outcome in outcomes) else 0


def _variants(model: Model, name: str) -> Sequence[VariantCard]:
    if name == ALL and ALL not in (variant.name for variant in model.card.variants):
        return model.card.variants
    return [model.variant(name)]


def _plan(
    model: Model, variant: VariantCard, wish: EngineWish, found: FoundTarget, cache: EngineCache
) -> BuildPlan | JetsonInferError:
    """Plan a variant, or say why it cannot be; one that fails does not keep the others from it."""
    try:
        return plan_build(model, variant, wish, found, cache)
    except JetsonInferError as error:
        return error


def _show(plans: Sequence[BuildPlan | JetsonInferError], options: argparse.Namespace) -> int:
    good = [plan for plan in plans if isinstance(plan, BuildPlan)]
    errors = [plan for plan in plans if not isinstance(plan, BuildPlan)]
    if options.json:
        _print_json(
            {'plans': [plan.as_dict() for plan in good], 'errors': [str(e) for e in errors]}
        )
    elif good:
        print('\n\n'.join(plan_text(plan, options.force) for plan in good))
    for error in errors:
        print(f'jetson-infer: {error}', file=sys.stderr)
    return 1 if errors else 0


def _outcome(
    variant: VariantCard,
    plan: BuildPlan | JetsonInferError,
    target: BuildTarget,
    cache: EngineCache,
    options: argparse.Namespace,
    function: str,
) -> dict[str, Any]:
    """Build a variant and say what came of it."""
    try:
        if not isinstance(plan, BuildPlan):
            raise plan
        for note in plan.notes:
            print(f'note: {note}', file=sys.stderr)
        engine = _build(plan, target, cache, options, function)
    except JetsonInferError as error:
        if options.debug:
            raise
        print(f'jetson-infer: {variant.name}: {error}', file=sys.stderr)
        return {'variant': variant.name, 'error': str(error)}
    reused = engine == plan.cached and not options.force
    if not options.json:
        print(built_text(engine, reused))
        print(f'  next          {validate_command(options.model, variant.name, "tensorrt")}')
    name = {'model': engine.model, 'variant': engine.variant}
    return {**name, **engine_facts(engine), 'reused': reused}


def _build(
    plan: BuildPlan,
    target: BuildTarget,
    cache: EngineCache,
    options: argparse.Namespace,
    function: str,
) -> CachedEngine:
    job = start_build(plan.order, target, cache, options.force, function)
    try:
        with open_view(plan, not options.json) as view:
            return _watch(job, view)
    except KeyboardInterrupt:
        _end(job)
        raise


def _watch(job: BuildJob, view: View[BuildStatus]) -> CachedEngine:
    while True:
        view.show(job.progress())
        try:
            return job.result(LOOK_EVERY_S)
        except TimeoutError:
            continue


def _end(job: BuildJob) -> None:
    """End a job that nobody waits for any more."""
    job.cancel()
    try:
        job.result(END_WITHIN_S)
    except BuildCancelled:
        print('jetson-infer: the build was cancelled; nothing is left of it', file=sys.stderr)
    except (JetsonInferError, TimeoutError) as error:
        print(f'jetson-infer: {error}', file=sys.stderr)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, indent=2))
