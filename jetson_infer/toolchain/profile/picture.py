# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A profile as a bar chart: the layers that take longest, coloured by their precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jetson_infer.toolchain.report.svg import Plot, nice_ticks

__all__ = ['draw', 'shortened']

SHOWN = 30
WIDTH, ROW, TOP, BOTTOM = 1000, 22, 92, 40
LEFT, RIGHT = 440, 150
NAME_LENGTH = 68  # characters that fit into the margin, widest letters aside

# Hues of Okabe and Ito, distinct under colour blindness; the precision stands beside each bar too.
HUES = {
    'fp32': '#d55e00',
    'fp16': '#0072b2',
    'bf16': '#56b4e9',
    'int8': '#009e73',
    'fp8': '#cc79a7',
    '': '#9aa4af',
}
OTHER = '#e69f00'
STYLE = (
    'text{font:13px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#16202c}'
    '.title{font-size:17px;font-weight:600}.label,.tick{fill:#5b6775;font-size:12px}'
    '.name{font-size:11px}.end{text-anchor:end}.middle{text-anchor:middle}'
    '.grid{stroke:#dde2e8;fill:none}.axis,.whisker{stroke:#5b6775;fill:none}'
    '.value{font-size:12px}'
)


def draw(profile: Mapping[str, Any]) -> str:
    """Return an SVG picture.

    :param profile: what :func:`~jetson_infer.toolchain.profile.result.as_dict` returns.
    """
    layers = sorted(profile['layers'], key=lambda layer: -layer['ms'])
    shown, rest = layers[:SHOWN], layers[SHOWN:]
    rows = len(shown) + bool(rest)
    ticks = nice_ticks(max((layer['p95'] for layer in shown), default=1.0), 6)
    height = TOP + ROW * rows + BOTTOM
    plot = Plot(
        WIDTH, height, (0, ticks[-1]), (0, 1), 'time of every layer', (LEFT, TOP, RIGHT, BOTTOM)
    )
    _heading(plot, profile)
    _grid(plot, ticks, height - BOTTOM)
    plot.axes(ticks, (), 'ms: bar to the median, whisker from the 5th to the 95th percentile')
    for number, layer in enumerate(shown):
        _bar(plot, TOP + ROW * number, layer)
    if rest:
        y = TOP + ROW * len(shown)
        plot.text(LEFT - 8, y + 15, f'{len(rest)} more layers, together', 'name end')
        ms, share = (sum(layer[key] for layer in rest) for key in ('ms', 'share'))
        _figures(plot, y, ms, share, '')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}"><style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>'
        f'{plot.render()}</svg>\n'
    )


def shortened(name: str, length: int) -> str:
    """Return a name that fits, with its ends: a layer's name often differs there alone."""
    if len(name) <= length:
        return name
    head = (length - 1) // 3
    return f'{name[:head]}…{name[len(name) - (length - 1 - head) :]}'


def _heading(plot: Plot, profile: Mapping[str, Any]) -> None:
    network = 'x'.join(map(str, profile['network_size']))
    plot.text(16, 26, f'{profile["model"]}, {profile["variant"]} at {network}', 'title')
    plot.text(
        16,
        46,
        f'on {profile["engine"]}; {len(profile["layers"])} layers take {profile["layers_ms"]:.3f} '
        f'ms together; the whole takes {profile["alone_ms"]["p50"]:.3f} ms {profile["alone"]}; '
        f'medians of {profile["runs"]} runs',
        'label',
    )
    x = 16.0
    for precision, ms in profile['precisions_ms'].items():
        word = 'moves data, or not told' if precision == 'none' else precision
        text = f'{word} {ms / (profile["layers_ms"] or 1.0):.0%}'
        plot.add(f'<rect x="{x:.0f}" y="59" width="12" height="12" fill="{_hue(precision)}"/>')
        plot.text(x + 17, 70, text, 'label')
        x += 38 + 7.0 * len(text)
    for place, title in enumerate(('share', 'ms')):
        plot.text(WIDTH - 52 - 44 * place, TOP - 6, title, 'label end')


def _grid(plot: Plot, ticks: Sequence[float], bottom: int) -> None:
    for tick in ticks:
        plot.add(f'<path class="grid" d="M{plot.x(tick):.1f} {TOP}V{bottom}"/>')


def _bar(plot: Plot, y: float, layer: Mapping[str, Any]) -> None:
    plot.text(LEFT - 8, y + 15, shortened(layer['name'], NAME_LENGTH), 'name end')
    width = max(plot.x(layer['ms']) - LEFT, 1.0)
    plot.add(
        f'<rect x="{LEFT}" y="{y + 4}" width="{width:.1f}" height="14" rx="2" '
        f'fill="{_hue(layer["precision"])}"/>'
    )
    low, high = plot.x(layer['p5']), plot.x(layer['p95'])
    plot.add(f'<path class="whisker" d="M{low:.1f} {y + 11}H{high:.1f}"/>')
    _figures(plot, y, layer['ms'], layer['share'], layer['precision'])


def _figures(plot: Plot, y: float, ms: float, share: float, precision: str) -> None:
    plot.text(WIDTH - 96, y + 15, f'{ms:.3f}', 'value end')
    plot.text(WIDTH - 52, y + 15, f'{share:.1%}', 'value end')
    plot.text(WIDTH - 10, y + 15, precision, 'label end')


def _hue(precision: str) -> str:
    return HUES.get('' if precision == 'none' else precision, OTHER)
