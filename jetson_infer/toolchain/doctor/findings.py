# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a check found: one fact, how bad it is, and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = [
    'NOTE',
    'OK',
    'PROBLEM',
    'WARNING',
    'Finding',
    'Section',
    'as_dict',
    'count',
    'read_integer',
    'read_text',
]

OK = 'ok'
NOTE = 'note'
WARNING = 'warning'
PROBLEM = 'problem'


@dataclass(frozen=True)
class Finding:
    """One fact about the surroundings.

    :param level: :data:`OK`; :data:`NOTE`, good to know; :data:`WARNING`, something will not work
        that is not needed by everybody; :data:`PROBLEM`, something is wrong.
    :param check: a fixed name for programs, such as ``transport.shared_memory``.
    :param what: the fact, with its numbers.
    :param remedy: the command that mends it, or what to do; empty where nothing is to be done.
    """

    level: str
    check: str
    what: str
    remedy: str = ''


@dataclass(frozen=True)
class Section:
    """The findings about one thing, under its name."""

    name: str
    findings: Sequence[Finding]


def count(sections: Iterable[Section], level: str) -> int:
    """Return how many findings have a level."""
    return sum(finding.level == level for section in sections for finding in section.findings)


def as_dict(sections: Sequence[Section]) -> dict[str, Any]:
    """Return everything as plain values, for programs."""
    problems = count(sections, PROBLEM)
    return {
        'ok': problems == 0,
        'problems': problems,
        'warnings': count(sections, WARNING),
        'sections': [
            {'name': section.name, 'findings': [asdict(finding) for finding in section.findings]}
            for section in sections
        ],
    }


def read_text(path: Path) -> str:
    """Return a small file's text without surrounding blanks and NULs; empty if there is none."""
    try:
        return path.read_text(encoding='utf-8', errors='replace').strip(' \t\r\n\0')
    except OSError:
        return ''


def read_integer(path: Path) -> int | None:
    """Return the integer that a file such as those of /proc/sys holds; None if there is none."""
    try:
        return int(read_text(path).split()[0])
    except (IndexError, ValueError):
        return None
