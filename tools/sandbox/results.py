# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What came of the stages of `make test`: counted, summed up, and told a line each."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

COLOUR = sys.stdout.isatty() and not os.environ.get('NO_COLOR')


def paint(code: str, text: str) -> str:
    """Colour a text where a person looks at it."""
    return f'\033[{code}m{text}\033[0m' if COLOUR else text


@dataclass
class Result:
    """What came of a stage."""

    ok: bool
    note: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    files: dict[Path, Result] = field(default_factory=dict)
    left_out: bool = False  # there was nothing to run it with
    run_alone: Callable[[Path], Result] | None = None
    """Runs one of the files once more; None where nothing ran beside them."""
    failures: tuple[str, ...] = ()
    """The node ids of the tests that failed, where these were all that went wrong."""
    run_failures: Callable[[], Result] | None = None
    """Runs these tests once more, and no others; None where nothing ran beside them."""


def total(results: dict[Path, Result]) -> Result:
    """Sum up the results of a stage's files."""
    passed, failed, skipped = sums(results.values())
    bad = [path.name for path, result in results.items() if not result.ok]
    note = f'{passed} passed, {failed} failed, {skipped} skipped'
    return Result(not bad, '; '.join([note, *bad]), passed, failed, skipped, results)


def sums(results: Iterable[Result]) -> tuple[int, int, int]:
    """Sum up what passed, failed and was skipped."""
    passed, failed, skipped = zip(*[(r.passed, r.failed, r.skipped) for r in results], strict=True)
    return sum(passed), sum(failed), sum(skipped)


def count(report: Path) -> tuple[int, int, int]:
    """Count the passed, failed (errors included) and skipped tests of a JUnit file."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(report).iter('testcase'):
        outcomes = {child.tag for child in case}
        if outcomes & {'failure', 'error'}:
            failed += 1
        elif 'skipped' in outcomes:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def line(name: str, result: Result, seconds: float) -> str:
    """Return a stage's line of the table."""
    colour, verdict = ('32', 'ok') if result.ok else ('31', 'FAILED')
    if result.left_out:
        colour, verdict = '33', 'skipped'
    return f'  {name:14} {paint(colour, f"{verdict:7}")} {seconds:5.0f} s  {result.note}'
