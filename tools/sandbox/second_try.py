# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Run the little that failed beside others once more, with nothing beside it.

A wave of stages is a load under which a test may wait in vain. One that passes alone is no reason
to fail, and is named all the same: it hangs on how fast the machine is, and wants mending.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from results import Result, paint, total

# More than these are no accident.
MOST_FILES = 2
MOST_TESTS = 3


def second_try(result: Result) -> Result:
    """Run the few files or tests that failed beside others once more; tell which then passed."""
    return tests_again(files_again(result))


def files_again(result: Result) -> Result:
    """Run the files that failed once more, each alone, and sum up anew."""
    failed = [path for path, one in result.files.items() if not one.ok]
    if result.run_alone is None or not 0 < len(failed) <= MOST_FILES:
        return result
    announce(path.name for path in failed)
    again = {path: result.run_alone(path) for path in failed}
    settled = total({**result.files, **again})
    settled.note += mended(path.name for path, one in again.items() if one.ok)
    return settled


def tests_again(result: Result) -> Result:
    """Run the tests that failed once more, without the others, and put right what was counted."""
    if result.run_failures is None or not 0 < len(result.failures) <= MOST_TESTS:
        return result
    announce(result.failures)
    again = result.run_failures()
    failed = again.failures
    # Else pytest crashed or found them no more, or one was skipped: they have not passed.
    ended_well = again.ok == (not failed)
    if not ended_well or again.passed + len(failed) != len(result.failures):
        return replace(result, note=f'{result.note}; once more, alone: {again.note}')
    passed = result.passed + again.passed
    notes = [f'{passed} passed, {len(failed)} failed, {result.skipped} skipped', *failed]
    note = '; '.join(notes) + mended(test for test in result.failures if test not in failed)
    return replace(
        result, ok=again.ok, note=note, passed=passed, failed=len(failed), failures=failed
    )


def failed_tests(cache: Path) -> tuple[str, ...]:
    """Return the node ids that pytest's last run with a cache folder would run by --last-failed."""
    file = cache / 'v' / 'cache' / 'lastfailed'
    return tuple(json.loads(file.read_text())) if file.exists() else ()


def announce(names: Iterable[str]) -> None:
    """Say what is run again."""
    print(paint('1', f'\n== once more, alone: {", ".join(names)}'), flush=True)


def mended(names: Iterable[str]) -> str:
    """Return what a stage's note says of those that passed alone."""
    told = ', '.join(names)
    return f'; failed beside others and passed alone: {told}' if told else ''
