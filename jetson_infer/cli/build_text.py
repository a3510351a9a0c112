# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What `jetson-infer build` plans and has built, as text for a person and as facts for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from jetson_infer.core.shape_profiles import ShapeProfile
from jetson_infer.engines.build_request import BuildRequest
from jetson_infer.engines.build_times import duration
from jetson_infer.engines.cached_engine import CachedEngine
from jetson_infer.engines.engine_layers import EngineLayer, PrecisionFound
from jetson_infer.engines.file_failures import megabytes
from jetson_infer.errors import InternalError
from jetson_infer.toolchain.build_plan import BuildPlan

__all__ = ['built_text', 'engine_facts', 'plan_text']

SHOWN_LAYERS = 10
UNKNOWN = 'unknown'


def plan_text(plan: BuildPlan, force: bool = False) -> str:
    """Return what would be done, as lines."""
    order, request, found = plan.order, plan.order.request, plan.found
    device = found.device
    gpu = UNKNOWN
    if device is not None:
        capability = '.'.join(map(str, device.compute_capability))
        gpu = (
            f'{device.name}, compute capability {capability}, '
            f'{device.multiprocessors} multiprocessors'
        )
    rows = {
        'ONNX file': f'{order.onnx.path}',
        '': f'SHA-256 {order.onnx.digest[:12]}..., {_external(plan)}',
        'inputs': ', '.join(map(str, order.onnx.inputs)),
        'precision': request.precision,
        'TensorRT': found.tensorrt or UNKNOWN,
        'GPU': gpu,
        'DLA core': 'none' if request.dla_core is None else str(request.dla_core),
        'profiles': _profiles(request.profiles),
        'flags': _flags(request),
        'key': plan.key.digest()[:12] if plan.key else f'{UNKNOWN}, as what it is made of is',
        'engine': str(plan.folder or f'{UNKNOWN}, as the key is; below {plan.cache}'),
        'there is': _there(plan, force),
        'expected time': _expected(plan),
    }
    lines = [f'{order.model}, variant {order.variant}:']
    lines += [f'  {name:<14}{value}' for name, value in rows.items()]
    lines += [f'  unknown       {text}' for text in found.unknown]
    lines += [f'  note          {text}' for text in plan.notes]
    return '\n'.join(lines)


def built_text(engine: CachedEngine, reused: bool) -> str:
    """Return what was built and the precision that is found in it, as lines."""
    how = 'was there already' if reused else f'built in {duration(_seconds(engine))}'
    found = precision_of(engine)
    lines = [
        f'{engine.model}, variant {engine.variant}: {how}',
        f'  engine        {engine.folder} ({megabytes(engine.plan_bytes)})',
        f'  log           {engine.log}',
        f'  precision     {found}' if found else f'  precision     {UNKNOWN}',
    ]
    layers = _layers(engine)
    if found and layers:
        above = {layer.name: layer for layer in layers if layer.name in found.above}
        lines += [
            f'    {layer.precision:<12}{layer.kind}: {layer.name}'
            for layer in list(above.values())[:SHOWN_LAYERS]
        ]
        lines.append(f'  every layer   {engine.layers}')
    if found and found.is_missing:
        lines.append(
            f'warning: {found.asked} was asked for and no layer has it: the engine is not what its '
            'name says; the log may tell why'
        )
    return '\n'.join(lines)


def engine_facts(engine: CachedEngine) -> dict[str, Any]:
    """Return what was built, as :mod:`json` writes it."""
    found = precision_of(engine)
    return {
        'folder': str(engine.folder),
        'plan_bytes': engine.plan_bytes,
        'plan_sha256': engine.plan_digest,
        'key_digest': engine.key.digest(),
        'key': engine.key.to_json(),
        'build': dict(engine.build),
        'precision_found': found.found if found else UNKNOWN,
        'precision_missing': found.is_missing if found else None,
        'layers': [layer.to_json() for layer in _layers(engine)],
    }


def precision_of(engine: CachedEngine) -> PrecisionFound | None:
    """Return the precision that was found when the engine was built; None if it was not noted."""
    values: Any = engine.build.get('precision')
    try:
        return PrecisionFound(values['asked'], dict(values['counts']), tuple(values['above']))
    except (KeyError, TypeError, ValueError):
        return None


def _layers(engine: CachedEngine) -> Sequence[EngineLayer]:
    if not engine.layers.exists():
        return ()
    return [EngineLayer.from_json(value) for value in json.loads(engine.layers.read_bytes())]


def _seconds(engine: CachedEngine) -> float:
    seconds = engine.build.get('seconds')
    if not isinstance(seconds, (int, float)):
        raise InternalError(f'{engine.folder}: a build without its seconds')
    return float(seconds)


def _external(plan: BuildPlan) -> str:
    files = plan.order.onnx.external
    if not files:
        return 'without external data'
    return f'with its external data in {", ".join(file.name for file in files)}'


def _profiles(profiles: Sequence[ShapeProfile]) -> str:
    if not profiles:
        return 'none: every input has one shape'
    return '\n                '.join(map(str, profiles))


def _flags(request: BuildRequest) -> str:
    """Return the settings that are not the builder's own."""
    usual = BuildRequest(request.onnx, request.precision).flags()
    told = [
        name.replace('_', ' ') if value is True else f'{name.replace("_", " ")} {json.dumps(value)}'
        for name, value in request.flags().items()
        if value != usual[name]
    ]
    return ', '.join(told) or "none; TensorRT's own limits and level"


def _there(plan: BuildPlan, force: bool) -> str:
    if plan.key is None:
        return f'{UNKNOWN}, as the key is'
    if plan.cached is not None:
        will = 'it would be built anew' if force else 'it would be taken; --force builds it anew'
        return f'a whole engine, built {plan.cached.build.get("at", "some time ago")}: {will}'
    return f'an engine that may not be used: {plan.problem}' if plan.problem else 'nothing'


def _expected(plan: BuildPlan) -> str:
    if plan.expected is not None:
        return str(plan.expected)
    if plan.key is None:
        return f'{UNKNOWN}: minutes, as a rule; the GPU decides'
    return f'{UNKNOWN}: minutes, as a rule; no engine of this network was built here before'
