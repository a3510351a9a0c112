# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What gpu_figures.py found, side by side, as Markdown for docs/benchmarks.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

PRECISIONS = ('int8', 'fp16', 'bf16', 'fp32')


def tables(found: Mapping[str, Any]) -> str:
    """Return both tables, as far as there is anything to tell."""
    parts = found['parts'].values()
    shown = [precision_table(parts), layer_table(parts)]
    return ''.join('\n' + table for table in shown if table)


def precision_table(parts: Iterable[Mapping[str, Any]]) -> str:
    """Return every engine's own time, and what share of the FP16 engine's that is."""
    timed = [part for part in parts if 'bare_session_ms' in part and 'precision' in part]
    if not timed:
        return ''
    bare = {
        (part['model'], part['size']): part['bare_session_ms']['p50']
        for part in timed
        if part['precision'] == 'fp16'
    }
    rows = ['| model | image | precision | engine, ms | of FP16 | pipeline, ms |',
            '|---|---|---|---:|---:|---:|']  # fmt: skip
    for part in timed:
        own, whole = part['bare_session_ms']['p50'], part['pipeline_ms']['p50']
        fp16 = bare.get((part['model'], part['size']))
        ratio = f'{own / fp16:.2f}' if fp16 else '-'
        named = f'{part["model"]} | {part["size"]} | {part["precision"]}'
        rows.append(f'| {named} | {own:.3f} | {ratio} | {whole:.3f} |')
    return '\n'.join(rows) + '\n'


def layer_table(parts: Iterable[Mapping[str, Any]]) -> str:
    """Return how many layers of each kind every engine has in each precision."""
    rows = []
    for part in parts:
        counts = Counter(
            (layer['kind'], layer['precision'])
            for layer in part.get('layers', ())
            if part.get('engine_of') and layer['precision'] in PRECISIONS
        )
        for kind in sorted({kind for kind, _ in counts}):
            numbers = ' | '.join(str(counts[kind, each]) for each in PRECISIONS)
            rows.append(f'| {part["engine_of"]} | {kind} | {numbers} |')
    if not rows:
        return ''
    head = f'| engine | layers | {" | ".join(PRECISIONS)} |\n|---|---|{"---:|" * len(PRECISIONS)}\n'
    return head + '\n'.join(rows) + '\n'
