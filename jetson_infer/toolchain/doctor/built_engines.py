# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The cache of built engines: what lies there, what of it runs here, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from jetson_infer.engines.build_target import BuildTarget, FoundTarget, find_target
from jetson_infer.engines.cached_engine import CachedEngine
from jetson_infer.engines.engine_cache import CacheEntry, EngineCache, EngineNotCached
from jetson_infer.engines.engine_order import order_engine
from jetson_infer.engines.file_failures import megabytes
from jetson_infer.engines.models import CARD_FILE, default_search_path, load_model
from jetson_infer.errors import EngineError, JetsonInferError
from jetson_infer.toolchain.doctor.findings import NOTE, OK, WARNING, Finding

__all__ = ['check_engines']


def check_engines(
    found: FoundTarget | None = None,
    cache: EngineCache | None = None,
    search_path: Sequence[Path] | None = None,
) -> list[Finding]:
    """Tell what the cache holds, and for which models an engine is missing.

    :param found: the GPU and TensorRT; those of this machine unless given.
    :param cache: the cache; this user's unless given.
    :param search_path: the folders whose sub-folders are models; those that a node looks in unless
        given.
    """
    found = found or find_target()
    cache = cache or EngineCache()
    entries = cache.entries(digest=True)
    findings = [_summary(cache, entries)]
    findings += [_entry(entry, found) for entry in entries]
    if found.target is not None:
        folders = default_search_path() if search_path is None else search_path
        findings += _missing(cache, found.target, folders)
    return findings


def _summary(cache: EngineCache, entries: Sequence[CacheEntry]) -> Finding:
    timings = [file.stat().st_size for file in (cache.root / 'timing').glob('*.timing')]
    size = sum(entry.size_bytes for entry in entries)
    what = f'{cache.engines}: {len(entries)} engines, {megabytes(size)}'
    if timings:
        what += f'; timings that make builds faster, {megabytes(sum(timings))}'
    return Finding(OK if entries else NOTE, 'engines.cache', what)


def _entry(entry: CacheEntry, found: FoundTarget) -> Finding:
    check = f'engines.{entry.folder.parent.name}/{entry.folder.name}'
    if entry.engine is None:
        return Finding(WARNING, check, entry.problem, f'rm -r {entry.folder}, and build it again')
    engine = entry.engine
    what = (
        f'{engine.model}, variant {engine.variant}, {engine.key.precision}, '
        f'{megabytes(entry.size_bytes)}, built {engine.build.get("at", "some time ago")}'
    )
    if found.target is None:
        made_for = f'for {engine.key.gpu} and TensorRT {engine.key.tensorrt}'
        return Finding(NOTE, check, f'{what} {made_for}; nothing here runs engines')
    differences = _differences(engine, found.target)
    if differences:
        return Finding(
            NOTE,
            check,
            f'{what}, does not run here: {"; ".join(differences)}',
            f'if no other machine uses this cache: rm -r {entry.folder}',
        )
    return Finding(OK, check, f'{what}; runs here')


def _differences(engine: CachedEngine, target: BuildTarget) -> list[str]:
    """Return in what the machine that an engine was built on differs from this one."""
    here = replace(
        engine.key,
        tensorrt=target.tensorrt,
        gpu=target.gpu,
        compute_capability=target.compute_capability,
        multiprocessors=target.multiprocessors,
    )
    return engine.key.differences(here)


def _missing(cache: EngineCache, target: BuildTarget, folders: Sequence[Path]) -> Iterator[Finding]:
    """Yield a finding for every model whose best variant has no engine that may be used here."""
    seen = set()
    for folder in folders:
        for card in sorted(folder.glob(f'*/{CARD_FILE}')):
            name = card.parent.name
            if name in seen:
                continue
            seen.add(name)
            finding = _model(cache, target, name, card.parent)
            if finding is not None:
                yield finding


def _model(cache: EngineCache, target: BuildTarget, name: str, folder: Path) -> Finding | None:
    check = f'engines.{name}'
    try:
        model = load_model(folder)
        order = order_engine(model, model.variant())
    except JetsonInferError:
        return None  # what is wrong with the model is told where models are
    try:
        cache.find(order.model, order.variant, order.key(target), order.repair, digest=False)
    except EngineNotCached:
        return Finding(
            NOTE,
            check,
            f'{name}: no engine of its best variant, {order.variant}, for this GPU; with engine '
            'auto it runs on the CPU',
            order.repair,
        )
    except EngineError as error:
        return Finding(WARNING, check, f'{name}: {error}', order.repair)
    return None
