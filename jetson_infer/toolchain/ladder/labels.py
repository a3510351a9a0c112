# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Where the names of points stand in a picture, so that none covers another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

__all__ = ['CHARACTER_PX', 'LINE_PX', 'Box', 'nearest', 'place_labels']

LINE_PX, CHARACTER_PX = 15, 7.5

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""

Point = tuple[float, float]

_GAP = 11.0
_OVERLAP = 1000.0
"""What covering something weighs, beside a distance of so many pixels."""


def place_labels(
    texts: Sequence[Sequence[str]], points: Sequence[Point], area: Box, taken: Sequence[Box]
) -> list[Box]:
    """Return a box for every point's lines: near it, within the area, over nothing if that can be.

    They are placed one after the other, in several orders, and the best outcome is taken.

    :param texts: every point's lines.
    :param taken: what stands there already.
    """
    numbers = range(len(points))
    orders = [
        list(numbers),
        list(reversed(numbers)),
        sorted(numbers, key=lambda n: -points[n][1]),
        sorted(numbers, key=lambda n: points[n][0]),
        sorted(numbers, key=lambda n: -points[n][0]),
    ]
    layouts = [_layout(texts, points, area, taken, order) for order in orders]
    return min(layouts, key=lambda layout: layout[0])[1]


def nearest(box: Box, point: Point) -> Point:
    """Return the place within a box that is nearest to a point."""
    return min(max(point[0], box[0]), box[2]), min(max(point[1], box[1]), box[3])


def _layout(
    texts: Sequence[Sequence[str]],
    points: Sequence[Point],
    area: Box,
    taken: Sequence[Box],
    order: Sequence[int],
) -> tuple[float, list[Box]]:
    """Place labels in an order; return how bad that is, and the boxes."""
    boxes: dict[int, Box] = {}
    total = 0.0
    for number in order:
        width = CHARACTER_PX * max(map(len, texts[number]))
        height = float(LINE_PX * len(texts[number]))
        blocked = [*taken, *boxes.values()]
        scored = [
            (_badness(box, points[number], area, blocked), box)
            for box in _candidates(points[number], width, height)
        ]
        badness, boxes[number] = min(scored)
        total += badness
    return total, [boxes[number] for number in range(len(points))]


def _candidates(point: Point, width: float, height: float) -> Iterator[Box]:
    """Iterate over the boxes to the right, to the left, above and below a point."""
    x, y = point
    for step in range(-12, 13):
        top = y - height / 2 + 8.0 * step
        for left in (x + _GAP, x - _GAP - width, x - width / 2):
            yield left, top, left + width, top + height


def _badness(box: Box, point: Point, area: Box, blocked: Sequence[Box]) -> float:
    covered = sum(
        box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
        for other in blocked
    )
    outside = box[0] < area[0] or box[1] < area[1] or box[2] > area[2] or box[3] > area[3]
    middle = (box[1] + box[3]) / 2
    # On the same height it is read most easily, and to the right a little more than to the left.
    off = math.dist(nearest(box, point), point) + 0.3 * abs(middle - point[1])
    return _OVERLAP * (covered + 2 * outside) + off + (2.0 if box[0] < point[0] else 0.0)
