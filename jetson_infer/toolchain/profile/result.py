# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a profile found, as plain values: for programs, for text, and for trace viewers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.layer_times import NetworkTimes, by_kind
from jetson_infer.engines.models import Model
from jetson_infer.toolchain.bench.spread import percentiles

__all__ = ['as_dict', 'as_trace']

MEDIANS, RUNS = 1, 2  # rows of the trace


def as_dict(model: Model, variant: VariantCard, times: NetworkTimes, why: str) -> dict[str, Any]:
    """Return everything for a program; times in milliseconds, layers in the order they run in."""
    total = times.total_ms
    return {
        'model': model.card.name,
        'variant': variant.name,
        'network_size': list(variant.size),
        'engine': times.engine,
        'why': why,
        'runs': len(times.observed_ms),
        'layers_ms': round(total, 6),
        'observed_ms': percentiles(times.observed_ms),
        'outside_layers_ms': round(median(times.observed_ms) - total, 6),
        'alone_ms': percentiles(times.alone_ms),
        'alone': times.alone,
        'notes': list(times.notes),
        'kinds_ms': {kind: round(ms, 6) for kind, ms in by_kind(times.layers).items()},
        'precisions_ms': _by_precision(times),
        'layers': [
            {
                'name': layer.name,
                'kind': layer.kind,
                'precision': layer.precision,
                'ms': round(layer.median_ms, 6),
                'p5': round(float(np.percentile(layer.times_ms, 5)), 6),
                'p95': round(float(np.percentile(layer.times_ms, 95)), 6),
                'share': round(layer.median_ms / total, 6) if total else 0.0,
            }
            for layer in times.layers
        ],
    }


def as_trace(times: NetworkTimes, title: str) -> dict[str, Any]:
    """Return the layers as Chrome's trace events, which https://ui.perfetto.dev shows.

    Engines tell how long a layer takes, and not when it began: layers are laid end to end in their
    order.  One row shows the medians, the other every run.

    :param title: the name over both rows.
    """
    events: list[dict[str, Any]] = [
        _metadata('process_name', 0, f'{title}: {times.engine}'),
        _metadata('thread_name', MEDIANS, f'medians of {len(times.observed_ms)} runs'),
        _metadata('thread_name', RUNS, 'every run'),
    ]
    begin_us = 0.0
    for layer in times.layers:
        events.append(_event(layer.name, layer.kind, layer.precision, begin_us, layer.median_ms))
        begin_us += layer.median_ms * 1e3
    begin_us = 0.0
    for run in range(len(times.observed_ms)):
        for layer in times.layers:
            if run < len(layer.times_ms):
                ms = layer.times_ms[run]
                event = _event(layer.name, layer.kind, layer.precision, begin_us, ms)
                events.append({**event, 'tid': RUNS})
                begin_us += ms * 1e3
    return {'displayTimeUnit': 'ms', 'traceEvents': events}


def _event(name: str, kind: str, precision: str, begin_us: float, ms: float) -> dict[str, Any]:
    """Return a complete event of the Trace Event Format; its times are microseconds."""
    return {
        'name': name,
        'cat': precision or 'moves data',
        'ph': 'X',
        'ts': round(begin_us, 3),
        'dur': round(ms * 1e3, 3),
        'pid': 1,
        'tid': MEDIANS,
        'args': {'kind': kind, 'precision': precision},
    }


def _metadata(what: str, row: int, name: str) -> dict[str, Any]:
    return {'name': what, 'ph': 'M', 'pid': 1, 'tid': row, 'args': {'name': name}}


def _by_precision(times: NetworkTimes) -> Mapping[str, float]:
    sums: dict[str, float] = {}
    for layer in times.layers:
        key = layer.precision or 'none'
        sums[key] = sums.get(key, 0.0) + layer.median_ms
    ordered: Sequence[tuple[str, float]] = sorted(sums.items(), key=lambda item: -item[1])
    return {precision: round(ms, 6) for precision, ms in ordered}
