# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's view while it runs: live in a terminal, one line a second elsewhere."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from jetson_infer.cli.view import View
from jetson_infer.dependencies import require
from jetson_infer.toolchain.report.run_record import STAGES, Published, RunRecord

__all__ = ['LiveView', 'PlainView']

RECENT = 150
"""How many of the latest frames the end-to-end latency is told of."""

STATE_STYLES = {'active': 'bold green', 'inactive': 'yellow', 'unconfigured': 'yellow'}


class PlainView(View[RunRecord]):
    """Prints one line a second, for logs and pipes.

    :param min_score: objects that score less are left out.
    """

    def __init__(self, min_score: float = 0.0) -> None:
        self._min_score = min_score
        self._next = 0.0
        self._last = ''

    def show(self, status: RunRecord) -> None:
        """Print a line if the last one was a second ago and this one tells something new."""
        line = plain_line(status, self._min_score)
        if time.monotonic() < self._next or line == self._last:
            return
        self._next, self._last = time.monotonic() + 1.0, line
        print(line, flush=True)


class LiveView(View[RunRecord]):
    """Draws the whole run in a terminal, over and over.

    :param title: what is played.
    :param console: a ``rich`` console.
    :param min_score: objects that score less are left out.
    """

    def __init__(self, title: str, console: Any, min_score: float = 0.0) -> None:
        self._min_score = min_score
        self._title = title
        self._console = console
        self._rich = {
            name: require(f'rich.{name}', 'The live view')
            for name in ('live', 'table', 'panel', 'columns', 'text', 'progress_bar', 'console')
        }
        self._drawing = self._live = self._rich['live'].Live(
            console=console, refresh_per_second=4, transient=False, redirect_stderr=False
        )

    def show(self, status: RunRecord) -> None:
        """Draw the run as it is now."""
        self._live.update(self._render(status))

    def _render(self, record: RunRecord) -> Any:
        table = self._rich['table']
        panels = [self._stages(record), self._counters(record), self._objects(record)]
        body = table.Table.grid(expand=True, padding=(0, 1, 0, 0))
        if self._console.width >= 100:
            for ratio in (9, 6, 7):
                body.add_column(ratio=ratio)
            body.add_row(*panels)
        else:
            body.add_column()
            for panel in panels:
                body.add_row(panel)
        return self._rich['console'].Group(self._head(record), self._rates(record), body)

    def _head(self, record: RunRecord) -> Any:
        text = self._rich['text'].Text
        grid = self._rich['table'].Table.grid(expand=True, padding=(0, 1))
        grid.add_column()
        grid.add_column(justify='right')
        state = node_state(record)
        grid.add_row(
            text.assemble(('jetson_infer demo  ', 'bold'), self._title, model_of(record)),
            text.assemble('detector: ', (state, STATE_STYLES.get(state, 'dim'))),
        )
        position, duration = position_of(record)
        bar = self._rich['progress_bar'].ProgressBar(total=duration or 1.0, completed=position)
        grid.add_row(bar, f'{position:5.1f} / {duration:.1f} s')
        return grid

    def _rates(self, record: RunRecord) -> Any:
        text = self._rich['text'].Text
        line = text(' ')
        for name, value in rates_of(record).items():
            line.append(f'{name} ')
            line.append(f'{value}   ', 'bold cyan')
        if record.latest is not None and record.latest.warning:
            style = 'bold red' if record.latest.level > 1 else 'yellow'
            line.append(f'\n {record.latest.warning}', style)
        return line

    def _stages(self, record: RunRecord) -> Any:
        rows = stage_rows(record)
        table = self._rich['table'].Table(box=None, expand=True, header_style='dim')
        table.add_column('stage')
        for name in ('p50', 'p95', 'p99'):
            table.add_column(name, justify='right')
        table.add_column('', ratio=1)
        longest = max((median for _, (median, *_) in rows), default=0.0)
        for stage, values in rows:
            bar = '' if stage == 'total' else '█' * round(12 * values[0] / (longest or 1.0))
            style = 'bold' if stage == 'total' else ''
            table.add_row(stage, *(f'{v:.2f}' for v in values), f'[cyan]{bar}[/]', style=style)
        return self._panel(table, 'latency by stage, ms')

    def _counters(self, record: RunRecord) -> Any:
        table = self._rich['table'].Table(box=None, expand=True, show_header=False)
        table.add_column()
        table.add_column(justify='right')
        for name, count in record.counters.items():
            lost = count and name.partition('/')[0] in ('failed', 'rejected', 'shed', 'stale')
            table.add_row(name, str(count), style='bold red' if lost else '')
        return self._panel(table, 'frames')

    def _objects(self, record: RunRecord) -> Any:
        table = self._rich['table'].Table(box=None, expand=True, show_header=False)
        table.add_column()
        table.add_column(style='bold')
        for label, scores in objects_by_class(record.published, self._min_score).items():
            table.add_row(label, ' '.join(f'{score:.2f}' for score in scores))
        return self._panel(table, 'last frame')

    def _panel(self, content: Any, title: str) -> Any:
        return self._rich['panel'].Panel(
            content, title=title, title_align='left', border_style='dim', height=12
        )


def plain_line(record: RunRecord, min_score: float = 0.0) -> str:
    """Return the run in one line."""
    state = record.playback.get('state')
    if state in (None, 'waiting'):
        return f'starting   detector: {node_state(record)}'
    position, duration = position_of(record)
    parts = [f'{position:5.1f} / {duration:.1f} s']
    parts += [f'{name} {value}' for name, value in rates_of(record).items()]
    counters = record.counters
    lost = sum(
        counters.get(name, 0) for name in ('replaced', 'stale', 'rejected', 'failed', 'shed')
    )
    parts.append(f'processed {counters.get("processed", 0)}  lost {lost}')
    objects = objects_by_class(record.published, min_score)
    parts.append(', '.join(f'{len(s)} {label}' for label, s in objects.items()) or 'nothing seen')
    return '  '.join(parts)


def node_state(record: RunRecord) -> str:
    """Return the detector's lifecycle state, as far as it was heard of."""
    return record.latest.values.get('state', 'unknown') if record.latest else 'starting'


def model_of(record: RunRecord) -> str:
    """Return what runs, as soon as the detector tells."""
    values = record.latest.values if record.latest else {}
    known = [values[name] for name in ('model', 'variant', 'engine') if values.get(name)]
    return ' → ' + ', '.join(known) if known else ''


def position_of(record: RunRecord) -> tuple[float, float]:
    """Return how far the recording is, and its length, in s."""
    playback = record.playback
    return float(playback.get('position_s', 0.0)), float(playback.get('duration_s', 0.0))


def rates_of(record: RunRecord) -> dict[str, str]:
    """Return the rates and the end-to-end latency, formatted."""
    latest = record.latest
    rates = {
        name: '-' if latest is None or (v := latest.number(key)) is None else f'{v:.1f} Hz'
        for name, key in (('in', 'rate_in_hz'), ('out', 'rate_out_hz'))
    }
    latencies = sorted(frame.latency_ms for frame in record.published[-RECENT:])
    if latencies:
        median = latencies[len(latencies) // 2]
        p99 = latencies[min(len(latencies) - 1, int(0.99 * len(latencies)))]
        rates['end to end'] = f'{median:.1f} ms (p99 {p99:.1f})'
    return rates


def stage_rows(record: RunRecord) -> list[tuple[str, tuple[float, float, float]]]:
    """Return the percentiles of every stage in ms, the total last."""
    if record.latest is None:
        return []
    rows = []
    for stage in (*STAGES, 'total'):
        values = record.latest.latency(stage)
        if len(values) == 3:
            rows.append((stage, (values['p50'], values['p95'], values['p99'])))
    return rows


def objects_by_class(published: Sequence[Published], min_score: float) -> dict[str, list[float]]:
    """Return the scores of the newest frame's objects by class, most objects first."""
    found: dict[str, list[float]] = defaultdict(list)
    for item in published[-1].objects if published else ():
        if item.score >= min_score:
            found[item.label].append(item.score)
    return dict(sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0])))
