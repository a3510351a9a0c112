# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A plotting area in SVG: scales, ticks, axes and marks, coloured by the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

__all__ = ['Plot', 'nice_ticks']


def nice_ticks(upper: float, count: int = 4) -> list[float]:
    """Return ticks from 0 to at least ``upper``, at steps of 1, 2 or 5 times a power of ten.

    >>> nice_ticks(23.0)
    [0.0, 10.0, 20.0, 30.0]

    :param upper: what the last tick must reach; 1 stands in for anything not above 0.
    :param count: about how many steps.
    """
    upper = upper if upper > 0 and math.isfinite(upper) else 1.0
    rough = upper / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    steps = math.ceil(upper / step - 1e-9)
    return [round(i * step, 12) for i in range(steps + 1)]


class Plot:
    """One plotting area; marks are added in data units, in the order of drawing.

    :param width: of the whole picture, in CSS pixels at its natural size.
    :param height: of the whole picture.
    :param x_range: the data values at the left and right edge.
    :param y_range: the data values at the bottom and top edge.
    :param title: what a screen reader says it is.
    :param margins: left, top, right, bottom.
    """

    def __init__(
        self,
        width: int,
        height: int,
        x_range: tuple[float, float],
        y_range: tuple[float, float],
        title: str,
        margins: tuple[int, int, int, int] = (44, 10, 12, 34),
    ) -> None:
        self.width, self.height = width, height
        self._title = title
        left, top, right, bottom = margins
        self._left, self._right = left, width - right
        self._top, self._bottom = top, height - bottom
        self._x_range, self._y_range = x_range, y_range
        self._parts: list[str] = []

    def x(self, value: float) -> float:
        """Return where a data value lies, in pixels from the left."""
        low, high = self._x_range
        return self._left + (value - low) / ((high - low) or 1.0) * (self._right - self._left)

    def y(self, value: float) -> float:
        """Return where a data value lies, in pixels from the top."""
        low, high = self._y_range
        return self._bottom - (value - low) / ((high - low) or 1.0) * (self._bottom - self._top)

    def axes(
        self,
        x_ticks: Sequence[float],
        y_ticks: Sequence[float],
        x_label: str = '',
        y_label: str = '',
        form: str = 'g',
    ) -> None:
        """Draw a grid with the ticks' values, and what the axes mean."""
        for tick in y_ticks:
            y = self.y(tick)
            self.add(f'<path class="grid" d="M{self._left} {y:.1f}H{self._right}"/>')
            self.text(self._left - 6, y + 4, format(tick, form), 'tick end')
        for tick in x_ticks:
            self.text(self.x(tick), self._bottom + 16, format(tick, form), 'tick middle')
        self.add(f'<path class="axis" d="M{self._left} {self._bottom}H{self._right}"/>')
        if x_label:
            self.text((self._left + self._right) / 2, self.height - 3, x_label, 'label middle')
        if y_label:
            self.text(self._left + 4, self._top + 9, y_label, 'label')

    def line(self, xs: Sequence[float], ys: Sequence[float], css: str, title: str = '') -> None:
        """Draw a line through points."""
        if len(xs):
            self._shape(f'<path class="line {css}" d="{self._path(xs, ys)}"', title)

    def area(
        self,
        xs: Sequence[float],
        lows: Sequence[float],
        highs: Sequence[float],
        css: str,
        title: str = '',
    ) -> None:
        """Fill between two lines over the same points."""
        if len(xs):
            there = self._path(xs, highs)
            back = self._path(list(reversed(xs)), list(reversed(lows))).replace('M', 'L', 1)
            self._shape(f'<path class="area {css}" d="{there}{back}Z"', title)

    def dots(self, xs: Sequence[float], ys: Sequence[float], css: str, radius: float = 1.6) -> None:
        """Draw points, as one shape."""
        path = ''.join(f'M{self.x(x):.1f} {self.y(y):.1f}h0' for x, y in zip(xs, ys))
        if path:
            self.add(f'<path class="dots {css}" style="stroke-width:{2 * radius}" d="{path}"/>')

    def mark(self, x: float, y: float, css: str, title: str) -> None:
        """Draw one point that stands out."""
        at = f'cx="{self.x(x):.1f}" cy="{self.y(y):.1f}"'
        self.add(f'<circle class="mark {css}" {at} r="5"><title>{escape(title)}</title></circle>')

    def level(self, value: float, css: str, text: str, below: bool = False) -> None:
        """Draw a horizontal line at a value, and name it at its right end, above or below."""
        y = self.y(value)
        self.add(f'<path class="level {css}" d="M{self._left} {y:.1f}H{self._right}"/>')
        self.text(self._right - 2, y + 14 if below else y - 4, text, f'value end {css}')

    def text(self, x: float, y: float, text: str, css: str) -> None:
        """Write text at a place in pixels."""
        self.add(f'<text class="{css}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>')

    def add(self, markup: str) -> None:
        """Add markup in pixels."""
        self._parts.append(markup)

    def render(self, stretch: bool = False) -> str:
        """Return the picture.

        :param stretch: whether it fills whatever box it is put in, whatever its proportions.
        """
        fit = ' preserveAspectRatio="none"' if stretch else ''
        return (
            f'<svg class="plot" viewBox="0 0 {self.width} {self.height}"{fit} role="img" '
            f'aria-label="{escape(self._title)}">{"".join(self._parts)}</svg>'
        )

    def _path(self, xs: Sequence[float], ys: Sequence[float]) -> str:
        points = (f'{self.x(x):.1f} {self.y(y):.1f}' for x, y in zip(xs, ys))
        return 'M' + 'L'.join(points)

    def _shape(self, opening: str, title: str) -> None:
        inner = f'><title>{escape(title)}</title></path>' if title else '/>'
        self.add(opening + inner)
