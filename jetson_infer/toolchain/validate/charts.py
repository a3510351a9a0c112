# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The charts of a validation's page."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from jetson_infer.core.validation import ClassFigures
from jetson_infer.toolchain.report.svg import Plot

__all__ = ['curves_plot', 'dumbbell_plot']

ROW_PX = 26
POINTS = 150


def dumbbell_plot(
    labels: Sequence[str], before: Sequence[float], after: Sequence[float], title: str
) -> str:
    """Return a row a class: the reference's figure hollow, the variant's filled, a bar between.

    :param before: the reference's figures, 0 to 1; NaN where there is none.
    :param after: the variant's.
    :param title: what the figure is.
    """
    height = 30 + ROW_PX * max(1, len(labels))
    margins = (104, 6, 60, 24)
    plot = Plot(500, height, (0, 1), (0, max(1, len(labels))), title, margins)
    plot.axes((0, 0.25, 0.5, 0.75, 1), ())
    for row, (label, old, new) in enumerate(zip(labels, before, after)):
        place = len(labels) - row - 0.5
        y = plot.y(place)
        plot.text(96, y + 4, label, 'name end')
        if math.isnan(old) or math.isnan(new):
            plot.text(plot.x(0) + 6, y + 4, 'no objects', 'tick')
            continue
        css = 'worse' if new < old else 'better'
        plot.add(
            f'<path class="between {css}" d="M{plot.x(old):.1f} {y:.1f}H{plot.x(new):.1f}"/>'
            f'<circle class="old" cx="{plot.x(old):.1f}" cy="{y:.1f}" r="5"/>'
            f'<circle class="new {css}" cx="{plot.x(new):.1f}" cy="{y:.1f}" r="5">'
            f'<title>{old:.3f} to {new:.3f}</title></circle>'
        )
        plot.text(494, y + 4, f'{new - old:+.3f}', f'tick end change {css}')
    return plot.render()


def curves_plot(before: ClassFigures, after: ClassFigures) -> str:
    """Return one class's precision over recall: the reference's dashed, the variant's solid."""
    title = f'precision over recall of {after.label}'
    plot = Plot(230, 170, (0, 1), (0, 1.02), title, (34, 8, 10, 32))
    plot.axes((0, 0.5, 1), (0, 0.5, 1), 'recall')
    for figures, css in ((before, 'accent before'), (after, 'accent')):
        if len(figures.curve_recall):
            recall, precision = np.array(figures.curve_recall), np.array(figures.curve_precision)
            # At so many recalls the first precision, which is the best; a bad network's curve has
            # tens of thousands of points.
            rows = np.searchsorted(recall, np.linspace(0.0, recall[-1], POINTS))
            plot.line([0.0, *recall[rows]], [precision[0], *precision[rows]], css)
    return plot.render()
