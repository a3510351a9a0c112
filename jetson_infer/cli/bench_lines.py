# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Lines that all texts of `jetson-infer bench` share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ['counts', 'heading', 'paced', 'ratio', 'row', 'title']


def heading(one: Mapping[str, Any]) -> list[str]:
    """Return what was measured, and the title of the times."""
    setting, network = one['setting'], 'x'.join(map(str, one['network_size']))
    return [
        f'{setting["model"]}, variant {one["variant"]} at {network}, on {one["engine"]}',
        f'{one["frames"]} frames of {setting["images"]}; objects: {one["detections"]:.0f}',
        '',
        title('ms'),
    ]


def title(name: str) -> str:
    """Return the title of a table of percentiles."""
    return f'  {name:<26}{"p50":>9}{"p95":>9}{"p99":>9}'


def paced(found: Mapping[str, Any]) -> list[str]:
    """Return what became of frames that came at a rate."""
    dropped = found['frames']['received'] - found['frames']['processed']
    what = f'{counts(found)}; {dropped or "none"} dropped'
    lines = [f'  at {found["rate_hz"]:g} Hz through the slot and the worker: {what}']
    return [*lines, *(row(name, values) for name, values in found['stages_ms'].items())]


def counts(holder: Mapping[str, Any]) -> str:
    """Return counters that are not 0, as a phrase."""
    return ', '.join(f'{count} {name}' for name, count in holder['frames'].items() if count)


def row(name: str, found: Mapping[str, float]) -> str:
    """Return a row of percentiles."""
    return f'  {name:<26}{found["p50"]:>9.3f}{found["p95"]:>9.3f}{found["p99"]:>9.3f}'


def ratio(found: Mapping[str, float]) -> str:
    """Return a ratio with its interval."""
    return (
        f'{found["value"]:.3f} (95 % interval {found["low"]:.3f} to {found["high"]:.3f}, '
        f'n = {found["count"]})'
    )
