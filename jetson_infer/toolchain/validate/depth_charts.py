# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The charts of a depth validation's page: errors over range, and the legends of colours."""

from __future__ import annotations

import math
from collections.abc import Sequence

from jetson_infer.core.depth_evaluation import RangeError
from jetson_infer.toolchain.report.svg import Plot, nice_ticks
from jetson_infer.toolchain.validate.depth_pictures import Scale

__all__ = ['Bars', 'legend', 'range_plot']

Bars = tuple[str, Sequence[float], str]
"""A name, a value for each range, and the style sheet's class."""
_STEPS = 64


def range_plot(
    ranges: Sequence[RangeError],
    bars: Sequence[Bars],
    title: str,
    unit: str,
    across: str = 'true distance',
) -> str:
    """Return bars over ranges of depth, side by side; those below 0 hang down.

    :param ranges: the ranges, near to far.
    :param bars: what stands side by side in each.
    :param title: what the figure is.
    :param unit: of the values.
    :param across: what the ranges are ranges of.
    """
    values = [0.0, *(value for _, each, _ in bars for value in each)]
    step = nice_ticks(max(map(abs, values)))[1]
    # The ends are whole steps, so that the grid meets them.
    first, last = math.floor(min(values) / step), math.ceil(max(values) / step)
    ticks = [step * place for place in range(first, max(last, first + 1) + 1)]
    low, high = ticks[0], ticks[-1]
    count = max(1, len(ranges))
    plot = Plot(500, 220, (0, count), (low, high), title, (56, 24, 10, 38))
    plot.axes((), [round(tick, 9) for tick in ticks], across)
    plot.text(6, 14, unit, 'label')
    width = 0.7 / len(bars)
    for place, each in enumerate(ranges):
        plot.text(plot.x(place + 0.5), 198, _short(each), 'tick middle')
        for number, (name, heights, css) in enumerate(bars):
            left = plot.x(place + 0.15 + number * width)
            right = plot.x(place + 0.15 + (number + 1) * width) - 2
            top, bottom = sorted((plot.y(heights[place]), plot.y(0.0)))
            plot.add(
                f'<rect class="rangebar {css}" x="{left:.1f}" y="{top:.1f}" '
                f'width="{right - left:.1f}" height="{max(0.8, bottom - top):.1f}">'
                f'<title>{each.name}, {name}: {heights[place]:.3f} {unit}</title></rect>'
            )
    if low < 0:
        plot.add(f'<path class="axis" d="M{plot.x(0):.1f} {plot.y(0):.1f}H{plot.x(count):.1f}"/>')
    return plot.render()


def _short(each: RangeError) -> str:
    """Return a range's name as it fits below its bars."""
    if math.isinf(each.far_m):
        return f'from {each.near_m:g} m'
    return each.name


def legend(scale: Scale, title: str, ends: tuple[str, str]) -> str:
    """Return a scale's colours as a bar with values below.

    :param title: what the colours stand for.
    :param ends: what the first and the last colour mean, in words.
    """
    plot = Plot(340, 58, (scale.low, scale.high), (0, 1), title, (12, 18, 18, 22))
    left, right = plot.x(scale.low), plot.x(scale.high)
    step = (right - left) / _STEPS
    for place in range(_STEPS):
        red, green, blue = scale.colours[round(place * 255 / (_STEPS - 1))]
        # Half a pixel over the next one: else the page shows through between them.
        plot.add(
            f'<rect x="{left + place * step:.2f}" y="18" width="{step + 0.5:.2f}" height="18" '
            f'fill="rgb({red},{green},{blue})"/>'
        )
    for tick in scale.ticks:
        plot.add(f'<path class="axis" d="M{plot.x(tick):.1f} 36v4"/>')
        told = f'{tick:+g}' if scale.low < 0 and tick else f'{tick:g}'
        plot.text(plot.x(tick), 53, told, 'tick middle')
    plot.text(left, 12, ends[0], 'tick')
    plot.text(right, 12, ends[1], 'tick end')
    return plot.render()
