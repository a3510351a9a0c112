# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The front of quality against cost as a picture.

What a rung is shows by its shape as well as by its hue; the hues are those of Okabe and Ito, "Color
Universal Design", 2008.
"""

from __future__ import annotations

import math
from html import escape
from itertools import pairwise

from jetson_infer.core.ladder import UNITS, Ladder, Rung
from jetson_infer.toolchain.ladder.labels import CHARACTER_PX, LINE_PX, Box, nearest, place_labels
from jetson_infer.toolchain.report.svg import Plot, nice_ticks

__all__ = ['draw_front']

WIDTH, HEIGHT = 860, 430
MARGINS = (62, 62, 28, 46)
TITLE_PX = 34
STYLE = """<style>
svg{font:12px sans-serif;background:#fff}text{fill:#333}.end{text-anchor:end}.middle{
text-anchor:middle}.tick,.detail{fill:#5b6775}.label,.title,.rung-name{font-weight:600}.rung-name,.detail{
paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}.title{
font-size:14px}.grid{stroke:#e4e7eb;fill:none}.axis{stroke:#888;fill:none}.front-line{fill:none;
stroke:#0072b2;stroke-width:1.6;stroke-opacity:.45}.rung.front{fill:#0072b2;stroke:#fff;
stroke-width:1.5}.rung.dominated{fill:#fff;stroke:#7a8591;stroke-width:2}.rung.failed{fill:none;
stroke:#d55e00;stroke-width:2.6}.leader{stroke:#b5bdc6;fill:none}
</style>"""
MEANINGS = (
    ('front', 'on the front'),
    ('dominated', 'dominated: another sees as well for less'),
    ('failed', 'failed its thresholds'),
)

AREA = (MARGINS[0] + 4.0, MARGINS[1] - 6.0, WIDTH - 6.0, HEIGHT - MARGINS[3] - 1.0)
"""Where names may stand."""


def draw_front(ladder: Ladder, standalone: bool = True) -> str:
    """Return the front: AP50 over the reference's upwards, the cost of a frame to the right.

    :param standalone: whether it brings its colours along, for a file of its own; without, those
        of the report's page hold.
    :return: SVG.
    """
    costs = [ladder.cost(rung) for rung in ladder.rungs]
    right = nice_ticks(max(costs, default=1.0) * 1.12, 8)
    low, high = _range(ladder)
    edges = (100.0 * low, 100.0 * high)
    plot = Plot(WIDTH, HEIGHT, (0.0, right[-1]), edges, 'quality against cost', MARGINS)
    if standalone:
        plot.add(STYLE)
        plot.text(16, 22, f'{ladder.model}: quality against cost', 'title')
    _legend(plot, ladder)
    plot.axes(right, _ticks(*edges), UNITS[ladder.cost_kind] + _whose(ladder), '')
    plot.text(16, MARGINS[1] - 10, 'AP50, % of the reference', 'label')
    stairs = _front_line(plot, ladder)
    places = [
        (plot.x(cost), plot.y(100.0 * max(rung.quality.ap50_ratio, low)))
        for rung, cost in zip(ladder.rungs, costs)
    ]
    taken: list[Box] = [(x - 8, y - 8, x + 8, y + 8) for x, y in places] + stairs
    names = [(rung.variant, _detail(ladder, rung)) for rung in ladder.rungs]
    for name, place, box in zip(names, places, place_labels(names, places, AREA, taken)):
        _name(plot, name, place, box)
    for rung, place in zip(ladder.rungs, places):
        _draw(plot, ladder, rung, place, rung.quality.ap50_ratio < low)
    text = plot.render()
    if not standalone:  # the page has a heading of its own
        return text.replace('viewBox="0 0 ', f'viewBox="0 {TITLE_PX} ', 1).replace(
            f' {HEIGHT}"', f' {HEIGHT - TITLE_PX}"', 1
        )
    return text.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + '\n'


def kind_of(ladder: Ladder, rung: Rung) -> str:
    """Return what a rung is: ``front``, ``dominated`` or ``failed``."""
    if not rung.valid:
        return 'failed'
    return 'dominated' if ladder.dominated_by(rung) else 'front'


def _whose(ladder: Ladder) -> str:
    engines = sorted({f'{rung.engine} {rung.engine_version}' for rung in ladder.rungs})
    return f', from the camera image to boxes ({", ".join(engines)})'


def _range(ladder: Ladder) -> tuple[float, float]:
    """Return the lowest and highest quality that are drawn.

    What failed with less than that is drawn at the lower edge, so that one ruined network does not
    press all others into one line.
    """
    valid = [r.quality.ap50_ratio for r in ladder.rungs if r.valid] or [1.0]
    span = max(max(valid) - min(valid), 0.04)
    failed = [r.quality.ap50_ratio for r in ladder.rungs if not r.valid]
    low = min(valid) - 0.3 * span
    low = min([low, *(q - 0.15 * span for q in failed if q >= min(valid) - 1.5 * span)])
    high = max([*valid, *failed]) + 0.2 * span
    return max(0.0, low), high


def _ticks(low: float, high: float) -> list[float]:
    step = nice_ticks(high - low, 5)[1]
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 6) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _legend(plot: Plot, ladder: Ladder) -> None:
    kinds = {kind_of(ladder, rung) for rung in ladder.rungs}
    left = 240.0
    for kind, meaning in MEANINGS:
        if kind in kinds:
            plot.add(_shape(kind, left, MARGINS[1] - 14.0, ''))
            plot.text(left + 13, MARGINS[1] - 10, meaning, 'tick')
            left += 34 + CHARACTER_PX * 0.93 * len(meaning)


def _front_line(plot: Plot, ladder: Ladder) -> list[Box]:
    """Draw the front as stairs: a cost buys what the last step before it gives.

    :return: what they cover.
    """
    front = sorted(ladder.front(), key=ladder.cost)
    points = [(plot.x(ladder.cost(r)), plot.y(100.0 * r.quality.ap50_ratio)) for r in front]
    path, covered = '', []
    for (left, low), (right, high) in pairwise(points):
        path += f'M{left:.1f} {low:.1f}H{right:.1f}V{high:.1f}'
        covered.append((left, low - 2, right, low + 2))
        covered.append((right - 2, min(low, high), right + 2, max(low, high)))
    if path:
        plot.add(f'<path class="front-line" d="{path}"/>')
    return covered


def _draw(plot: Plot, ladder: Ladder, rung: Rung, at: tuple[float, float], below: bool) -> None:
    kind, dominating = kind_of(ladder, rung), ladder.dominated_by(rung)
    told = f'{rung.variant}: {_detail(ladder, rung)}'
    if dominating is not None:
        told += f'; dominated by {dominating.variant}'
    if rung.failures:
        told += f'; failed: {rung.failures[0]}'
    if below:
        told += '; lower than is drawn'
    plot.add(_shape(kind, *at, told))


def _shape(kind: str, x: float, y: float, title: str) -> str:
    inner = f'<title>{escape(title)}</title>' if title else ''
    if kind == 'failed':
        cross = f'M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10'
        return f'<path class="rung failed" d="{cross}">{inner}</path>'
    return f'<circle class="rung {kind}" cx="{x:.1f}" cy="{y:.1f}" r="6">{inner}</circle>'


def _detail(ladder: Ladder, rung: Rung) -> str:
    unit = UNITS[ladder.cost_kind].split()[0]
    return f'{rung.quality.ap50_ratio:.1%}, {ladder.cost(rung):.1f} {unit}'


def _name(plot: Plot, lines: tuple[str, str], at: tuple[float, float], box: Box) -> None:
    """Write a rung's name, and join the two where they lie apart."""
    near = nearest(box, at)
    if math.dist(near, at) > 16:
        to = f'{near[0]:.1f} {near[1]:.1f}'
        plot.add(f'<path class="leader" d="M{at[0]:.1f} {at[1]:.1f}L{to}"/>')
    for number, (line, css) in enumerate(zip(lines, ('rung-name', 'detail'))):
        plot.text(box[0], box[1] + 11 + LINE_PX * number, line, css)
