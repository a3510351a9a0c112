# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A ladder as a table of words, for a terminal and for the report's page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jetson_infer.core.ladder import Ladder, Rung

__all__ = ['Row', 'about', 'columns', 'data_lines', 'rows', 'when_and_where']


@dataclass(frozen=True)
class Row:
    """A rung in words.

    :param kind: ``front``, ``dominated`` or ``failed``.
    :param cells: one a column of :func:`columns`.
    :param standing: what it is on the ladder, for a person.
    """

    kind: str
    cells: tuple[str, ...]
    standing: str


def columns(ladder: Ladder, short: bool = False) -> tuple[str, ...]:
    """Return the columns' titles; those of energy and memory only where there is something.

    :param short: what quality and cost are alone.
    """
    device = tuple(name for name, _ in _device_columns(ladder))
    if short:
        return ('variant', 'AP50', 'of ref.', 'ms p50', 'p95', *device[:1])
    safety = tuple(f'recall {label}' for label in _safety(ladder))
    return ('variant', 'input', 'AP50', 'of ref.', *safety, 'ms p50', 'p95', 'network', *device)


def rows(ladder: Ladder, short: bool = False) -> list[Row]:
    """Return the rungs, best first, with the cells of :func:`columns`."""
    return [_row(ladder, rung, columns(ladder, short)) for rung in ladder.rungs]


def about(ladder: Ladder) -> str:
    """Return what stands on the front, as a sentence."""
    front = ladder.front()
    if not front:
        return 'no rung may run'
    names = ', '.join(rung.variant for rung in front)
    cheapest = front[-1]
    kind = 'energy' if ladder.cost_kind == 'energy' else 'latency'
    if len(front) == 1:
        return (
            f'one rung stands on the front of quality against {kind}: {names} is best and cheapest'
        )
    return (
        f'{len(front)} rungs stand on the front of quality against {kind}, best to cheapest: '
        f'{names}; {cheapest.variant} keeps {cheapest.quality.ap50_ratio:.1%} of the AP50'
    )


def when_and_where(ladder: Ladder) -> str:
    """Return when and on what it was measured, as a phrase."""
    try:
        when = datetime.fromisoformat(ladder.measured.at).strftime('%Y-%m-%d %H:%M %Z')
    except ValueError:
        when = ladder.measured.at
    machine: Mapping[str, str] = ladder.measured.machine
    cores = f'{machine["cores"]} cores' if 'cores' in machine else ''
    what = [machine.get(name, '') for name in ('machine', 'GPU', 'processor')]
    engines = sorted({f'{rung.engine} {rung.engine_version}' for rung in ladder.rungs})
    told = ', '.join(filter(None, (*what, cores, *engines)))
    return f'{when}, {told}'


def data_lines(ladder: Ladder) -> list[str]:
    """Return which images it was found on, a sentence each."""
    used = ladder.validation
    of = f'{used.images} images of {used.name} ({used.part})'
    lines = [f'validated on {of}, held against {used.truth}']
    if ladder.calibration is not None:
        lines.append(f'calibrated with {ladder.calibration.name} ({ladder.calibration.part})')
    return lines


def _row(ladder: Ladder, rung: Rung, titles: Sequence[str]) -> Row:
    quality = rung.quality
    cells = {
        'variant': rung.variant,
        'input': 'x'.join(map(str, rung.size)),
        'AP50': f'{quality.ap50:.3f}',
        'of ref.': f'{quality.ap50_ratio:.3f}',
        'ms p50': f'{rung.pipeline_ms.p50:.1f}',
        'p95': f'{rung.pipeline_ms.p95:.1f}',
        'network': f'{rung.session_ms.p50:.1f}',
        **{f'recall {label}': _share(one.value) for label, one in quality.recall.items()},
        **{name: _amount(value(rung)) for name, value in _device_columns(ladder)},
    }
    return Row(*_standing(ladder, rung, tuple(cells.get(title, '-') for title in titles)))


def _standing(
    ladder: Ladder, rung: Rung, cells: tuple[str, ...]
) -> tuple[str, tuple[str, ...], str]:
    if not rung.valid:
        return 'failed', cells, f'FAILED: {rung.failures[0]}'
    other = ladder.dominated_by(rung)
    if other is not None:
        return 'dominated', cells, f'dominated by {other.variant}'
    held = 'the reference' if rung.verdict == 'reference' else 'passed'
    return 'front', cells, f'on the front, {held}'


def _safety(ladder: Ladder) -> list[str]:
    return list(dict.fromkeys(label for rung in ladder.rungs for label in rung.quality.recall))


def _device_columns(ladder: Ladder) -> list[tuple[str, Callable[[Rung], float | None]]]:
    found: tuple[tuple[str, Callable[[Rung], float | None]], ...] = (
        ('mJ', lambda rung: rung.energy_mj),
        ('GPU MB', lambda rung: rung.device_memory_mb),
    )
    rungs: Sequence[Rung] = ladder.rungs
    return [
        (name, value) for name, value in found if any(value(rung) is not None for rung in rungs)
    ]


def _share(value: float | None) -> str:
    return '-' if value is None else f'{value:.3f}'


def _amount(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f}'
