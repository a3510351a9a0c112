# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The report's charts, each a function from numbers to SVG.

Series are told apart by position, label and lightness as well as by hue; the hues are those of
Okabe and Ito, "Color Universal Design", 2008, which stay distinct under colour blindness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jetson_infer.toolchain.report.svg import Plot, nice_ticks

__all__ = ['frame_strip', 'latency_plot', 'precision_recall_plot', 'stage_bar', 'stages_plot']


def precision_recall_plot(
    recall: Sequence[float],
    precision: Sequence[float],
    point: tuple[float, float] | None,
    label: str,
) -> str:
    """Return one class's precision over recall, both from 0 to 1.

    :param recall: ascending.
    :param precision: at those recalls.
    :param point: a recall and precision to mark; None for none.
    """
    plot = Plot(230, 170, (0, 1), (0, 1.02), f'precision over recall of {label}', (34, 8, 10, 32))
    plot.axes((0, 0.5, 1), (0, 0.5, 1), 'recall')
    if len(recall):
        # The curve starts at recall 0 with its first precision, and falls to 0 where it ends.
        xs = [0.0, *recall, recall[-1]]
        ys = [precision[0], *precision, 0.0]
        plot.area(xs, [0.0] * len(xs), ys, 'accent')
        plot.line(xs[:-1], ys[:-1], 'accent')
    if point is not None:
        plot.mark(*point, 'accent', f'recall {point[0]:.2f}, precision {point[1]:.2f}')
    return plot.render()


def latency_plot(times_s: Sequence[float], latencies_ms: Sequence[float]) -> str:
    """Return every frame's end-to-end latency over the recording's time, median and p99 named.

    :param times_s: when the frames were taken, in s since the start.
    :param latencies_ms: from each image's stamp to the reception of its detections.
    """
    upper = max(latencies_ms, default=1.0)
    x_ticks, y_ticks = nice_ticks(max(times_s, default=1.0), 6), nice_ticks(upper * 1.08)
    plot = Plot(
        500, 220, (0, max(times_s, default=1.0)), (0, y_ticks[-1]), 'latency of every frame'
    )
    plot.axes([t for t in x_ticks if t <= max(times_s, default=1.0)], y_ticks, 'recording time, s')
    plot.text(46, 12, 'ms', 'label')
    plot.dots(times_s, latencies_ms, 'accent')
    if len(latencies_ms):
        median, p99 = np.percentile(latencies_ms, (50, 99))
        plot.level(float(p99), 'strong', f'p99 {p99:.1f} ms')
        # Below its line where the two would lie on each other.
        close = plot.y(median) - plot.y(p99) < 18
        plot.level(float(median), 'strong', f'median {median:.1f} ms', below=bool(close))
    return plot.render()


def stages_plot(times_s: Sequence[float], stages: Mapping[str, Sequence[float]]) -> str:
    """Return the medians of the stages of a frame's way over time, stacked in their order.

    :param times_s: when they were reported, in s since the start.
    :param stages: the medians in ms by stage.
    """
    stacked = np.cumsum(np.array(list(stages.values()), float), axis=0)
    total = float(stacked[-1].max()) if stacked.size else 1.0
    right = max(times_s, default=1.0)
    y_ticks = nice_ticks(total * 1.05)
    plot = Plot(500, 220, (min(times_s, default=0.0), right), (0, y_ticks[-1]), 'stages over time')
    plot.axes([t for t in nice_ticks(right, 6) if t >= min(times_s, default=0)], y_ticks, 'run, s')
    plot.text(46, 12, 'ms', 'label')
    below = np.zeros(len(times_s))
    for name, top in zip(stages, stacked):
        median = float(np.median(top - below)) if len(top) else 0.0
        plot.area(
            list(times_s), list(below), list(top), f'stage-{name}', f'{name}: {median:.2f} ms'
        )
        below = top
    return plot.render()


def stage_bar(percentiles: Mapping[str, float], upper: float, css: str) -> str:
    """Return a bar to the median with whiskers to the 95th and 99th percentile.

    :param percentiles: ``p50``, ``p95`` and ``p99``.
    :param upper: the value at the right end, shared by all bars of a table.
    """
    plot = Plot(260, 18, (0, upper or 1.0), (0, 1), 'median and percentiles', (0, 0, 4, 0))
    median, p95, p99 = (percentiles.get(name, 0.0) for name in ('p50', 'p95', 'p99'))
    plot.add(f'<path class="whisker" d="M{plot.x(median):.1f} 9H{plot.x(p99):.1f}"/>')
    plot.add(f'<path class="whisker" d="M{plot.x(p95):.1f} 5V13M{plot.x(p99):.1f} 3V15"/>')
    width = max(plot.x(median), 1.0)
    plot.add(f'<rect class="bar {css}" x="0" y="3" width="{width:.1f}" height="12" rx="2"/>')
    return plot.render(stretch=True)


def frame_strip(processed: Sequence[bool]) -> str:
    """Return one stroke a frame in the order of the recording; the lost ones stand out.

    :param processed: whether each frame's detections were published.
    """
    lost = sum(not p for p in processed)
    plot = Plot(
        1000,
        26,
        (0, len(processed) or 1),
        (0, 1),
        f'{len(processed)} frames, {lost} lost',
        (0, 0, 0, 0),
    )
    for css, wanted in (('kept', True), ('lost', False)):
        path = ''.join(
            f'M{plot.x(i + 0.5):.2f} {4 if wanted else 0}V{22 if wanted else 26}'
            for i, p in enumerate(processed)
            if p is wanted
        )
        width = 0.62 * (plot.x(1) - plot.x(0)) if wanted else 2.5
        if path:
            plot.add(f'<path class="stroke {css}" stroke-width="{width:.2f}" d="{path}"/>')
    return plot.render(stretch=True)
