# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What building a variant's engine would do, before it is done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.build_target import FoundTarget
from jetson_infer.engines.build_times import ExpectedTime, expected_time
from jetson_infer.engines.cached_engine import CachedEngine, EngineNotCached
from jetson_infer.engines.engine_cache import EngineCache
from jetson_infer.engines.engine_key import EngineKey
from jetson_infer.engines.engine_order import EngineOrder, EngineWish, order_engine
from jetson_infer.engines.file_failures import megabytes
from jetson_infer.engines.models import Model
from jetson_infer.errors import EngineBuildError, EngineError
from jetson_infer.toolchain.quantize.check import QUANTIZED, check_quantized, told

__all__ = ['BuildPlan', 'plan_build']

_OLDEST = 8  # major version of TensorRT
_ROOM = 3
"""A plan is about as large as its weights, and a build keeps timings and a log beside it."""


@dataclass(frozen=True)
class BuildPlan:
    """What is to be built, for what, and what is in its place now.

    :param order: the request and all of the key that does not depend on the machine.
    :param found: the GPU and TensorRT of this machine, as far as they are known.
    :param key: the engine's key; None where the machine's part of it is unknown.
    :param cache: the folder of all engines.
    :param folder: where the engine lies or will lie; None where the key is unknown.
    :param cached: the engine that is there already and will be taken.
    :param problem: why what is there may not be used; empty if nothing is there.
    :param expected: how long the build may take; None where nothing is known of it.
    :param notes: what a person should know before building.
    """

    order: EngineOrder
    found: FoundTarget
    key: EngineKey | None
    cache: Path
    folder: Path | None
    cached: CachedEngine | None
    problem: str
    expected: ExpectedTime | None
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as what :mod:`json` writes."""
        request = self.order.request
        return {
            'model': self.order.model,
            'variant': self.order.variant,
            'onnx': str(self.order.onnx.path),
            'onnx_digest': self.order.onnx.digest,
            'onnx_inputs': [str(spec) for spec in self.order.onnx.inputs],
            'precision': request.precision,
            'profiles': [profile.to_json() for profile in request.profiles],
            'flags': request.flags(),
            'dla_core': request.dla_core,
            'tensorrt': self.found.tensorrt,
            'gpu': self.found.device.name if self.found.device else None,
            'unknown': list(self.found.unknown),
            'key': self.key.to_json() if self.key else None,
            'key_digest': self.key.digest() if self.key else None,
            'folder': str(self.folder) if self.folder else None,
            'cached': self.cached is not None,
            'problem': self.problem,
            'expected_seconds': self.expected.seconds if self.expected else None,
            'expected_basis': self.expected.basis if self.expected else None,
            'notes': list(self.notes),
            'command': self.order.repair,
        }


def plan_build(
    model: Model,
    variant: VariantCard,
    wish: EngineWish,
    found: FoundTarget,
    cache: EngineCache,
) -> BuildPlan:
    """Plan the build of a variant's engine; changes nothing, and needs no GPU.

    :param wish: what is wanted otherwise than the card says.
    :param found: the GPU and TensorRT to build for.
    :raises JetsonInferError: if the variant cannot be built anywhere, with the reason.
    """
    order = order_engine(model, variant, wish)
    quantization = _check_quantization(order, found)
    key, folder, cached, problem, expected = None, None, None, '', None
    if found.target is not None:
        key = order.key(found.target)
        folder = cache.folder(order.model, order.variant, key)
        try:
            cached = cache.find(order.model, order.variant, key)
        except EngineNotCached:
            problem = ''
        except EngineError as error:
            problem = str(error)
        built = [entry.engine for entry in cache.entries() if entry.engine is not None]
        expected = expected_time(built, key)
    notes = (
        *quantization,
        *_wish_notes(model, variant, wish, order),
        *_room_notes(order, cache),
    )
    return BuildPlan(order, found, key, cache.engines, folder, cached, problem, expected, notes)


def _check_quantization(order: EngineOrder, found: FoundTarget) -> tuple[str, ...]:
    """Look for quantization that TensorRT does not take, before minutes of work.

    :return: what the oldest supported version would not take, where the version is not known.
    :raises EngineBuildError: if this version does not take the file, with the nodes' names.
    """
    if not any(name in order.onnx.operators for name in QUANTIZED):
        return ()
    major = int(found.tensorrt.partition('.')[0]) if found.tensorrt else _OLDEST
    findings = check_quantized(order.onnx.path, major)
    if not findings:
        return ()
    text = f'{order.onnx.path}: TensorRT {found.tensorrt or "8.6"} does not take'
    if found.tensorrt:
        raise EngineBuildError(f'{text} this quantized network:{told(findings)}')
    return (f'{text} it, newer versions may:{told(findings)}',)


def _wish_notes(
    model: Model, variant: VariantCard, wish: EngineWish, order: EngineOrder
) -> Iterator[str]:
    """Say that nodes look for what the card says, where that is not what is built."""
    try:
        usual = order_engine(model, variant)
    except EngineBuildError as error:
        yield f'nodes look for what {model.card.source} says, which cannot be built: {error}'
        return
    built, asked = order.request, usual.request
    differing = [
        name.replace('_', ' ')
        for name in ('precision', 'dla_core', 'sparsity', 'workspace_bytes', 'optimization_level')
        if getattr(built, name) != getattr(asked, name)
    ]
    if differing:
        yield (
            f'nodes look for what {model.card.source} says, which differs in '
            f'{", ".join(differing)}: they will not take this engine before the card says so too'
        )


def _room_notes(order: EngineOrder, cache: EngineCache) -> Iterator[str]:
    """Say that the disk may be too small, before minutes of work."""
    weights = [order.onnx.path, *order.onnx.external]
    needed = _ROOM * sum(file.stat().st_size for file in weights)
    for place in (cache.root, *cache.root.parents):
        if place.is_dir():
            free = shutil.disk_usage(place).free
            if free < needed:
                yield (
                    f'{place} has {megabytes(free)} free, and the build may need '
                    f'{megabytes(needed)}'
                )
            return
