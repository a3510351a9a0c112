# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Running the demo's processes and following what they report, until they end or must be ended."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from jetson_infer.cli.children import ProcessGroup
from jetson_infer.errors import JetsonInferError
from jetson_infer.toolchain.report.run_record import RunRecord

__all__ = ['DemoFailed', 'follow']

POLL_S = 0.1
START_LIMIT_S = 60.0
"""The longest wait for the first message to be played."""

STALL_LIMIT_S = 15.0
"""The longest silence after that."""

QUOTED_LINES = 12

TELLING = re.compile(r'\[(ERROR|FATAL|WARN)\]|Error\b|^Traceback', re.MULTILINE)
NOISE = 'Cannot shutdown a ROS adapter that is not running'
"""What launch says when it is interrupted early, whatever happened."""

REASONS = {
    'player_lost': 'the player ended before the recording did',
    'not_alone': (
        'another detector or player publishes on the same topics; end it, or take another ROS '
        'domain: ROS_DOMAIN_ID=42 jetson-infer demo'
    ),
}
"""What the observer's words for a bad end mean."""


class DemoFailed(JetsonInferError):
    """The demo's processes ended early or never got going.

    :param message: what happened.
    :param log: the file that has their output; what it says of errors, or its last lines, become
        part of the message.
    """

    def __init__(self, message: str, log: Path) -> None:
        lines = log.read_text(errors='replace').splitlines() if log.exists() else []
        lines = [line for line in lines if line.strip() and NOISE not in line]
        telling = [line for line in lines if TELLING.search(line)] or lines
        quoted = ''.join(f'\n  | {line}' for line in telling[-QUOTED_LINES:])
        super().__init__(f'{message}\nFrom {log}:{quoted or " (it is empty)"}')


def follow(
    processes: ProcessGroup,
    events: Path,
    log: Path,
    record: RunRecord,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[RunRecord]:
    """Feed a record with what the observer writes, and yield it several times a second.

    Ends when the observer has seen the recording's end.

    :param processes: what runs.
    :param events: the observer's file; need not exist yet.
    :param log: the processes' output, to quote from.
    :param record: what to fill.
    :raises DemoFailed: if the processes end before, do not start, or fall silent.
    """
    started = heard = clock()
    reader = _LineReader(events)
    while not record.end:
        gone = processes.exit_code
        for line in reader.lines():
            record.feed(line)
            heard = clock()
        yield record
        if gone is not None and not record.end:
            raise DemoFailed(_why_ended(record, gone), log)
        playing = record.playback.get('state') not in (None, 'waiting')
        if not playing and clock() - started > START_LIMIT_S:
            raise DemoFailed(
                f'the detector was not ready after {START_LIMIT_S:.0f} s; its state: '
                f'{_state(record)}',
                log,
            )
        if playing and clock() - heard > STALL_LIMIT_S:
            raise DemoFailed(f'nothing was heard for {STALL_LIMIT_S:.0f} s', log)
        if not record.end:
            time.sleep(POLL_S)
    if record.end != 'finished':
        raise DemoFailed(REASONS.get(record.end, record.end), log)


def _why_ended(record: RunRecord, code: int) -> str:
    if record.playback.get('state') in (None, 'waiting'):
        return f'the detector did not become active; its last state: {_state(record)}'
    position = record.playback.get('position_s', '0')
    return f'a process ended {position} s into the recording (exit code {code})'


def _state(record: RunRecord) -> str:
    return record.latest.values.get('state', 'unknown') if record.latest else 'unknown'


class _LineReader:
    """Reads the whole lines that are added to a file; the file may come later."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._rest = ''

    def lines(self) -> list[str]:
        if self._file is None:
            if not self._path.exists():
                return []
            # Open as long as the demo runs; closed with it.
            self._file = self._path.open(encoding='utf-8')
        *lines, self._rest = (self._rest + self._file.read()).split('\n')
        return lines
