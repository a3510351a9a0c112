# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A ladder, and the plan of one, as lines for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from jetson_infer.core.ladder import Ladder
from jetson_infer.toolchain.ladder.plan import Step
from jetson_infer.toolchain.ladder.table import about, columns, data_lines, rows, when_and_where

__all__ = ['ladder_lines', 'plan_lines', 'short_lines']

MARKS = {'front': '*', 'dominated': ' ', 'failed': '!'}
WIDE = 110


def ladder_lines(ladder: Ladder) -> list[str]:
    """Return a ladder: the table, what stands on its front, and on what it was measured."""
    lines = [f'{ladder.model}: {len(ladder.rungs)} rungs, the best first', '']
    lines += _table(ladder, short=False)
    for name, why in ladder.not_run.items():
        lines += _wrapped(f'  {name}: could not be run: {why}')
    lines += ['', *_wrapped(about(ladder))]
    lines += _wrapped('; '.join(data_lines(ladder)))
    lines += _wrapped(f'measured {when_and_where(ladder)}, {ladder.measured.frames} frames a rung')
    lines += [line for note in ladder.notes for line in _wrapped(f'note: {note}')]
    return lines


def short_lines(ladder: Ladder) -> list[str]:
    """Return quality and cost alone, and when and where they were measured."""
    return [*_table(ladder, short=True), *_wrapped(f'measured {when_and_where(ladder)}')]


def plan_lines(steps: Sequence[Step], told: str) -> list[str]:
    """Return what would be done."""
    width = max(len(str(step)) for step in steps)
    lines = [told, '']
    for number, step in enumerate(steps, 1):
        what = f'done: {step.done}' if step.done else 'to do'
        lines.append(f'  {number:>2}  {step!s:<{width}}  {what}')
    return lines


def _table(ladder: Ladder, short: bool) -> list[str]:
    titles, found = columns(ladder, short), rows(ladder, short)
    widths = [
        max(len(text) for text in column) for column in zip(titles, *(row.cells for row in found))
    ]

    def line(mark: str, cells: Sequence[str], end: str) -> str:
        parts = [
            f'{cell:<{width}}' if not place else f'{cell:>{width}}'
            for place, (cell, width) in enumerate(zip(cells, widths))
        ]
        return f'{mark} {"  ".join(parts)}  {end}'.rstrip()

    lines = [line(' ', titles, '')]
    for row in found:
        failed = row.kind == 'failed'
        lines.append(line(MARKS[row.kind], row.cells, 'FAILED' if failed else row.standing))
        if failed:
            lines += _wrapped(f'    {row.standing}')
    return lines


def _wrapped(text: str) -> list[str]:
    indent = ' ' * (len(text) - len(text.lstrip()) + 2)
    return textwrap.wrap(text, WIDE, subsequent_indent=indent)
