# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How the doctor's findings look: coloured and wrapped in a terminal, one line each elsewhere."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from types import ModuleType

from jetson_infer.dependencies import require
from jetson_infer.errors import MissingDependencyError
from jetson_infer.toolchain.doctor.findings import (
    NOTE,
    OK,
    PROBLEM,
    WARNING,
    Finding,
    Section,
    count,
)

__all__ = ['plain_lines', 'show', 'verdict']

MARKS = {OK: '✓', NOTE: '·', WARNING: '!', PROBLEM: '✗'}
ASCII_MARKS = {OK: 'ok', NOTE: '--', WARNING: '!!', PROBLEM: 'XX'}
STYLES = {OK: 'green', NOTE: 'cyan', WARNING: 'bold yellow', PROBLEM: 'bold red'}
WIDEST = 110


def show(sections: Sequence[Section]) -> None:
    """Print the findings, with colours if this is a terminal and rich is installed."""
    rich = _rich() if sys.stdout.isatty() else None
    if rich is None:
        print('\n'.join(plain_lines(sections, _can_encode('✓→'))))
    else:
        _show_coloured(sections)


def plain_lines(sections: Sequence[Section], unicode: bool = True) -> list[str]:
    """Return the findings as text, one line a finding and one a remedy, so that it can be searched.

    :param unicode: whether signs beyond ASCII can be shown.
    """
    marks, arrow = (MARKS, '→') if unicode else (ASCII_MARKS, '->')
    lines = []
    for section in sections:
        lines += [section.name]
        for finding in section.findings:
            lines.append(f'  {marks[finding.level]} {finding.what}')
            if finding.remedy:
                lines.append(f'      {arrow} {finding.remedy}')
        lines.append('')
    return [*lines, verdict(sections)]


def verdict(sections: Sequence[Section]) -> str:
    """Return the last line: how many things are wrong."""
    problems, warnings = count(sections, PROBLEM), count(sections, WARNING)
    if not problems and not warnings:
        return 'All is well.'
    counted = [
        f'{number} {noun}{"" if number == 1 else "s"}'
        for number, noun in ((problems, 'problem'), (warnings, 'warning'))
        if number
    ]
    return f'{" and ".join(counted)}.'


def _rich() -> ModuleType | None:
    try:
        return require('rich.console', 'Showing colours')
    except MissingDependencyError:
        return None  # the section on libraries says that it is missing


def _show_coloured(sections: Sequence[Section]) -> None:
    table = require('rich.table', 'Showing colours').Table
    text = require('rich.text', 'Showing colours').Text
    console = require('rich.console', 'Showing colours').Console(
        width=min(shutil.get_terminal_size().columns, WIDEST), highlight=False
    )
    for section in sections:
        grid = table.grid(padding=(0, 1))
        grid.add_column(width=2, justify='right')
        grid.add_column()
        for finding in section.findings:
            grid.add_row(text(MARKS[finding.level], STYLES[finding.level]), _body(finding, text))
        console.print(text(section.name, 'bold'))
        console.print(grid)
        console.print()
    worst = next((level for level in (PROBLEM, WARNING) if count(sections, level)), OK)
    console.print(text(verdict(sections), STYLES[worst]))


def _body(finding: Finding, text: type) -> object:
    body = text(finding.what)
    if finding.remedy:
        body.append('\n→ ', 'dim')
        body.append(finding.remedy, 'italic cyan')
    return body


def _can_encode(signs: str) -> bool:
    try:
        signs.encode(sys.stdout.encoding or 'ascii')
    except UnicodeEncodeError:
        return False
    return True
