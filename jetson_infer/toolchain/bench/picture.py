# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A picture of a measurement: the stages with their percentiles, and the ratio frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jetson_infer.toolchain.report.svg import Plot, nice_ticks

__all__ = ['PERCENTILES', 'bars', 'draw', 'sheet']

WIDTH, ROW, TOP = 860, 26, 64
LABELS = 190
FRAMES_HEIGHT = 190
PERCENTILES = ('p50', 'p95', 'p99')
NETWORK = ('infer', 'host: infer', 'device: infer', 'bare session', 'kernel by kernel')
"""The rows that show the network rather than what is around it."""

# A picture that is shown alone brings its own style; the hues are those of Okabe and Ito, which
# stay distinct under colour blindness.
STYLE = (
    'text{font:13px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#16202c}'
    '.title{font-size:17px;font-weight:600}.label,.tick{fill:#5b6775;font-size:12px}'
    '.end{text-anchor:end}.middle{text-anchor:middle}.grid{stroke:#dde2e8;fill:none}'
    '.axis,.whisker{stroke:#5b6775;fill:none}.bar{fill:#0072b2}.outside{fill:#e69f00}'
    '.dots{fill:none;stroke-linecap:round;stroke:#0072b2;stroke-opacity:.55}'
    '.dots.outside{stroke:#e69f00}.level{stroke:#16202c;stroke-dasharray:4 3;fill:none}'
    '.value{font-size:12px}'
)


def draw(measurements: Sequence[Mapping[str, Any]], ratios: Sequence[Sequence[float]]) -> str:
    """Return an SVG picture.

    :param measurements: what :meth:`Measurement.as_dict` returns, one or two.
    :param ratios: beside each, pipeline to bare session of every frame.
    """
    panels = []
    for measurement, series in zip(measurements, ratios):
        note = f'on {measurement["engine"]}, n = {measurement["frames"]}'
        panels.append(bars(_heading(measurement), note, _rows(measurement), PERCENTILES))
        panels.append((_frames(measurement, series), FRAMES_HEIGHT + 10))
    return sheet(panels)


def sheet(panels: Sequence[tuple[str, int]]) -> str:
    """Return an SVG picture of panels below one another.

    :param panels: each with its height.
    """
    parts, top = [], 0
    for panel, height in panels:
        parts.append(_placed(panel, top, height))
        top += height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" '
        f'height="{top}"><style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>'
        f'{"".join(parts)}</svg>\n'
    )


def _placed(plot: str, top: int, height: int) -> str:
    return f'<svg x="0" y="{top}" width="{WIDTH}" height="{height}">{plot}</svg>'


def bars(
    title: str,
    note: str,
    rows: Mapping[str, Mapping[str, float]],
    columns: tuple[str, str, str],
    caption: str = 'ms: bar to the median, whiskers at the 95th and 99th percentile',
) -> tuple[str, int]:
    """Return a panel of times as bars with whiskers and figures, and its height.

    :param rows: by the name that is shown, the three values of `columns`, in ms.
    :param columns: what the bar shows, and between which two the whisker lies.
    """
    middle, low, high = columns
    ticks = nice_ticks(max(value for row in rows.values() for value in (row[middle], row[low])), 6)
    if columns != PERCENTILES:
        ticks = nice_ticks(max(row[high] for row in rows.values()), 6)
    height = TOP + ROW * len(rows) + 36
    plot = Plot(WIDTH, height, (0, ticks[-1]), (0, 1), title, (LABELS, TOP, 190, 34))
    plot.text(16, 26, title, 'title')
    plot.text(16, 46, note, 'label')
    plot.axes(ticks, (), caption)
    form = '.2f' if ticks[-1] > 10 else '.3f'
    for number, (name, row) in enumerate(rows.items()):
        y = TOP + ROW * number
        css = 'bar' if name in NETWORK else 'bar outside'
        right = max(plot.x(row[middle]) - LABELS, 1.0)
        plot.text(LABELS - 8, y + 16, name, 'end')
        plot.add(f'<rect class="{css}" x="{LABELS}" y="{y + 4}" width="{right:.1f}" height="16"/>')
        begin, end = plot.x(min(row[low], row[middle])), min(plot.x(row[high]), plot.x(ticks[-1]))
        plot.add(f'<path class="whisker" d="M{max(begin, LABELS):.1f} {y + 12}H{end:.1f}"/>')
        plot.add(f'<path class="whisker" d="M{max(plot.x(row[low]), LABELS):.1f} {y + 7}v10"/>')
        for place, figure in enumerate(reversed(columns)):
            plot.text(WIDTH - 12 - 58 * place, y + 16, format(row[figure], form), 'end')
    for place, figure in enumerate(reversed(columns)):
        plot.text(WIDTH - 12 - 58 * place, TOP - 4, figure, 'label end')
    return plot.render(), height


def _rows(measurement: Mapping[str, Any]) -> Mapping[str, Mapping[str, float]]:
    """Return what is shown, by its name, from top to bottom."""
    whole = {'pipeline, all of it': measurement['pipeline_ms']}
    if 'device' not in measurement:
        return {
            **measurement['stages_ms'],
            **whole,
            'bare session': measurement['bare_session_ms'],
            'CPU outside the session': measurement['cpu_outside_session_ms'],
        }
    device = measurement['device']
    return {
        **{f'host: {name}': values for name, values in measurement['stages_ms'].items()},
        **{f'device: {name}': values for name, values in device['stages_ms'].items()},
        **whole,
        'bare session': measurement['bare_session_ms'],
        'kernel by kernel': device['by_kernels']['wall_ms'],
    }


def _heading(measurement: Mapping[str, Any]) -> str:
    setting = measurement['setting']
    network = 'x'.join(map(str, measurement['network_size']))
    model = str(setting['model']).rstrip('/').rpartition('/')[2]
    return f'{model}, {measurement["variant"]} at {network}: {setting["images"]}'


def _frames(measurement: Mapping[str, Any], ratios: Sequence[float]) -> str:
    highest = sorted(ratios)[int(0.99 * (len(ratios) - 1))]
    upper = max(1.1, highest)
    lower = min(0.95, sorted(ratios)[int(0.01 * (len(ratios) - 1))])
    plot = Plot(
        WIDTH,
        FRAMES_HEIGHT,
        (0, len(ratios)),
        (lower, upper),
        'ratio of every frame',
        (LABELS, 14, 190, 40),
    )
    step = 0.05 if upper - lower <= 0.3 else 0.2 if upper - lower <= 1.2 else 1.0
    first = -(-lower // step)
    ticks = [round((first + i) * step, 3) for i in range(int((upper - lower) / step) + 1)]
    plot.axes([t for t in nice_ticks(len(ratios), 6) if t <= len(ratios)], ticks, 'frame')
    plot.text(LABELS - 8 - 36, 30, 'pipeline / bare session', 'label end')
    shown = [(i + 0.5, r) for i, r in enumerate(ratios) if lower <= r <= upper]
    plot.dots([x for x, _ in shown], [y for _, y in shown], 'outside', 2.0)
    ratio = measurement['pipeline_to_bare']
    plot.level(ratio['value'], 'strong', '')
    plot.text(WIDTH - 180, plot.y(ratio['value']) + 4, f'{ratio["value"]:.3f}', 'value')
    plot.text(
        WIDTH - 180,
        plot.y(ratio['value']) + 20,
        f'{ratio["low"]:.3f} to {ratio["high"]:.3f}',
        'label',
    )
    return plot.render()
