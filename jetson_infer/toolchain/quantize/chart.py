# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The sensitivity of a network's layers as a picture and as a table.

The hues are those of Okabe and Ito, "Color Universal Design", 2008; what stays in floating point is
marked by a word too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from html import escape

from jetson_infer.toolchain.quantize.sensitivity import Sensitivity, decibels
from jetson_infer.toolchain.report.svg import Plot, nice_ticks

__all__ = ['sensitivity_chart', 'sensitivity_table']

ROW = 15
WIDTH = 880
LABELS = 330
STYLE = """<style>
svg{font:11px sans-serif;background:#fff}text{fill:#222}.end{text-anchor:end}.middle{
text-anchor:middle}.tick{fill:#555}.label,.title{font-weight:600}.title{font-size:13px}.grid{
stroke:#e4e4e4}.axis{stroke:#888}.int8{fill:#56b4e9}.mixed{fill:#e69f00}.both{fill:#d55e00}
</style>"""
MEANINGS = (
    ('int8', 'INT8 in both variants'),
    ('mixed', 'floating point in the mixed variant'),
    ('both', 'floating point in both'),
)


def sensitivity_chart(
    layers: Sequence[Sensitivity], int8: Collection[str], mixed: Collection[str], title: str
) -> str:
    """Return a picture: a bar a layer, in the network's order; a longer one is more noise.

    :param int8: the layers that stay in floating point in the INT8 variant.
    :param mixed: those of the mixed variant.
    :return: an SVG file's text.
    """
    total = sum(item.noise for item in layers) or 1.0
    shares = [100.0 * item.noise / total for item in layers]
    ticks = nice_ticks(max(shares, default=1.0), 5)
    height = ROW * len(layers) + 110
    plot = Plot(WIDTH, height, (0.0, ticks[-1]), (len(layers), 0.0), title, (LABELS, 62, 90, 40))
    plot.add(STYLE)
    plot.text(12, 20, title, 'title')
    plot.axes(ticks, (), "share of the output's noise, % (this layer alone in INT8)")
    left = 12.0
    for css, meaning in MEANINGS:
        plot.add(f'<rect class="{css}" x="{left}" y="32" width="11" height="11"/>')
        plot.text(left + 16, 42, meaning, 'tick')
        left += 26 + 6.2 * len(meaning)
    for row, (item, share) in enumerate(zip(layers, shares)):
        name = item.layer.name
        kind = 'both' if name in int8 else 'mixed' if name in mixed else 'int8'
        top, end = plot.y(row) + 2, plot.x(share)
        told = f'{name}: {decibels(item.noise):.1f} dB, {dict(MEANINGS)[kind]}'
        plot.text(LABELS - 6, top + 9, _short(name), 'tick end')
        plot.add(
            f'<rect class="{kind}" x="{LABELS}" y="{top:.1f}" width="{end - LABELS:.1f}" '
            f'height="{ROW - 4}"><title>{escape(told)}</title></rect>'
        )
        words = f'{decibels(item.noise):.0f} dB' + ('' if kind == 'int8' else ', float')
        plot.text(end + 5, top + 9, words, 'tick')
    return plot.render().replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + '\n'


def sensitivity_table(
    layers: Sequence[Sensitivity], int8: Collection[str], mixed: Collection[str]
) -> str:
    """Return the same as comma-separated values, the noisiest layer first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(['layer', 'operator', 'snr_db', 'noise_share', 'cost_share', 'int8', 'mixed'])
    total = sum(item.noise for item in layers) or 1.0
    for item in sorted(layers, key=lambda each: -each.noise):
        name = item.layer.name
        writer.writerow(
            [
                name,
                item.layer.kind,
                f'{decibels(item.noise):.2f}',
                f'{item.noise / total:.5f}',
                f'{item.cost:.5f}',
                'float' if name in int8 else 'int8',
                'float' if name in mixed else 'int8',
            ]
        )
    return text.getvalue()


def _short(name: str, length: int = 52) -> str:
    """Return the end of a long name, which tells layers apart."""
    return name if len(name) <= length else '…' + name[1 - length :]
