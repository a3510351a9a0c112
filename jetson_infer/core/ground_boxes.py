# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Boxes on the ground, seen from above, and how well they overlap.

A box is ``x, y, length, width, yaw``: its centre and size in metres, and its heading in radians,
counter-clockwise from the x axis, along which its length lies.  A size below 0 counts as 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ['ground_corners', 'ground_iou']

Boxes = npt.NDArray[Any]
Points = npt.NDArray[np.float64]

_BLOCK = 16384  # pairs that are clipped at a time
_UNIT = np.array([[0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5], [0.5, -0.5]])


def ground_corners(boxes: Boxes) -> Points:
    """Return the corners of ``(N, 5)`` boxes, ``(N, 4, 2)``, counter-clockwise, in metres."""
    values = np.asarray(boxes, np.float64).reshape(-1, 5)
    flat = _UNIT[None] * np.maximum(values[:, None, 2:4], 0.0)
    cosine, sine = np.cos(values[:, 4]), np.sin(values[:, 4])
    turn = np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], 1)
    return np.asarray(flat @ turn + values[:, None, :2])


def ground_iou(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Return intersection over union of every pair.

    :param first: ``(N, 5)``.
    :param second: ``(M, 5)``.
    :return: float64 ``(N, M)``; 0 where both boxes are without area.
    """
    boxes = [np.asarray(each, np.float64).reshape(-1, 5) for each in (first, second)]
    sides = [np.maximum(each[:, 2:4], 0.0) for each in boxes]
    reach = [np.hypot(each[:, 0], each[:, 1]) / 2 for each in sides]
    areas = [each[:, 0] * each[:, 1] for each in sides]
    found = np.zeros((len(boxes[0]), len(boxes[1])))
    offsets = boxes[0][:, None, :2] - boxes[1][None, :, :2]
    # Boxes whose circles are apart share nothing; clipping is dear.
    near = np.hypot(offsets[..., 0], offsets[..., 1]) < reach[0][:, None] + reach[1][None, :]
    rows, columns = np.nonzero(near)
    for begin in range(0, len(rows), _BLOCK):
        row, column = rows[begin : begin + _BLOCK], columns[begin : begin + _BLOCK]
        shared = _shared_areas(boxes[0][row], boxes[1][column])
        union = areas[0][row] + areas[1][column] - shared
        np.divide(shared, union, out=shared, where=union > 0)
        found[row, column] = np.where(union > 0, shared, 0.0)
    return found


def _shared_areas(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Return the areas that ``(P, 5)`` boxes share pair by pair, ``(P,)``.

    Sutherland and Hodgman's clipping (Reentrant polygon clipping, 1974), of all pairs at a time.
    """
    # From the first one's centre: far from the origin nothing would be left of a product's digits.
    centre = np.zeros_like(first)
    centre[:, :2] = first[:, :2]
    shapes, windows = ground_corners(first - centre), ground_corners(second - centre)
    for corner in range(4):
        start, end = windows[:, corner], windows[:, (corner + 1) % 4]
        shapes = _clipped(shapes, start[:, None], (end - start)[:, None])
    x, y = shapes[..., 0], shapes[..., 1]
    twice = (x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)
    return np.asarray(np.abs(twice) / 2)


def _clipped(shapes: Points, start: Points, edge: Points) -> Points:
    """Return what of convex shapes lies to the left of a line.

    :param shapes: ``(P, K, 2)``; corners may repeat.
    :param start: ``(P, 1, 2)``, a point of each line.
    :param edge: ``(P, 1, 2)``, its direction.
    :return: ``(P, L, 2)``; nothing is one point, repeated.
    """
    offsets = shapes - start
    side = edge[..., 0] * offsets[..., 1] - edge[..., 1] * offsets[..., 0]
    before, side_before = np.roll(shapes, 1, axis=1), np.roll(side, 1, axis=1)
    crossing = (side_before < 0) != (side < 0)
    share = np.zeros_like(side)
    np.divide(side_before, side_before - side, out=share, where=crossing)
    crossings = before + share[..., None] * (shapes - before)
    # Each corner after the point where the line is crossed on the way to it, if it is.
    places = np.stack([crossings, shapes], axis=2).reshape(len(shapes), -1, 2)
    kept = np.stack([crossing, side >= 0], axis=2).reshape(len(shapes), -1)
    count = kept.sum(axis=1)[:, None]
    order = np.argsort(~kept, axis=1, kind='stable')
    last = np.maximum(count - 1, 0)
    columns = np.minimum(np.arange(max(1, int(count.max(initial=0)))), last)
    chosen = np.take_along_axis(order, columns, axis=1)
    return np.asarray(np.take_along_axis(places, chosen[..., None], axis=1))
