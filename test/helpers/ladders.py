# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Builders of ladders: rungs of a quality and a cost, and all else that a ladder has."""

from __future__ import annotations

from typing import Any

from jetson_infer.core.ladder import (
    DataUsed,
    Ladder,
    Measured,
    Quality,
    Recall,
    Rung,
    RungDigests,
    Times,
)


def rung(name: str, quality: float, ms: float, **changes: Any) -> Rung:
    """Return a rung of an AP50 ratio and a median latency in ms."""
    failed = changes.get('verdict') == 'failed'
    values: dict[str, Any] = {
        'variant': name,
        'engine': 'onnxruntime',
        'engine_version': '1.20.0',
        'precision': 'fp32',
        'size': (64, 48),
        'verdict': 'passed',
        'failures': ('AP50 is too low',) if failed else (),
        'quality': Quality(0.5, 0.4, quality, {'person': Recall(0.9, None)}),
        'pipeline_ms': Times(ms, ms),
        'session_ms': Times(ms / 2, ms),
        'energy_mj': None,
        'device_memory_mb': None,
        'digests': RungDigests('a', 'b', 'c', 'd', 'onnxruntime 1.20.0 x86_64'),
        **changes,
    }
    return Rung(**values)


def ladder(*rungs: Rung, **changes: Any) -> Ladder:
    """Return a ladder of rungs, put in order."""
    values: dict[str, Any] = {
        'model': 'known',
        'rungs': rungs,
        'not_run': {},
        'measured': Measured('2026-01-02T03:04:05+00:00', {'processor': 'abacus'}, 'ladder', 10),
        'validation': DataUsed('walk', 'all images', 30, 'd' * 64, 'ground truth'),
        **changes,
    }
    return Ladder(**values).ordered()
