# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Boxes on the ground, seen from above, and how well they overlap.

A box is ``x, y, length, width, yaw``: its centre and size in metres, and its heading in radians,
counter-clockwise from the x axis, along which its length lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.evaluation import ClassOverlaps

__all__ = ['ground_corners', 'ground_iou', 'ground_overlaps']

Boxes = npt.NDArray[Any]
Points = npt.NDArray[np.float64]

_UNIT = np.array([[0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5], [0.5, -0.5]])


def ground_corners(boxes: Boxes) -> npt.NDArray[np.float64]:
    """Return the corners of ``(N, 5)`` boxes, ``(N, 4, 2)``, counter-clockwise, in metres."""
    values = np.asarray(boxes, np.float64).reshape(-1, 5)
    flat = _UNIT[None] * values[:, None, 2:4]
    cosine, sine = np.cos(values[:, 4]), np.sin(values[:, 4])
    turn = np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], 1)
    return np.asarray(flat @ turn + values[:, None, :2])


def ground_iou(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Return intersection over union of every pair.

    :param first: ``(N, 5)``.
    :param second: ``(M, 5)``.
    :return: float64 ``(N, M)``; 0 where both boxes are without area.
    """
    shapes = ground_corners(first), ground_corners(second)
    reach = [np.hypot(*np.moveaxis(np.asarray(b)[:, 2:4], 1, 0)) / 2 for b in (first, second)]
    areas = [np.asarray(b, np.float64)[:, 2] * np.asarray(b)[:, 3] for b in (first, second)]
    found = np.zeros((len(first), len(second)))
    offsets = np.asarray(first)[:, None, :2] - np.asarray(second)[None, :, :2]
    # Boxes whose circles are apart share nothing; clipping is dear.
    near = np.hypot(offsets[..., 0], offsets[..., 1]) < reach[0][:, None] + reach[1][None, :]
    for row, column in np.argwhere(near).tolist():
        shared = _area(_clipped(shapes[0][row], shapes[1][column]))
        union = areas[0][row] + areas[1][column] - shared
        found[row, column] = shared / union if union > 0 else 0.0
    return found


def ground_overlaps(
    boxes: Boxes,
    scores: npt.NDArray[Any],
    class_ids: npt.NDArray[Any],
    true_boxes: Boxes,
    true_class_ids: npt.NDArray[Any],
    difficult: npt.NDArray[np.bool_],
) -> list[ClassOverlaps]:
    """Return a frame as :meth:`~.evaluation.Evaluation.add_overlaps` takes it, for AP from above.

    :param boxes: ``(N, 5)`` of the detections, with ``(N,)`` scores and class indices.
    :param true_boxes: ``(M, 5)`` of the objects, with ``(M,)`` class indices and difficulty.
    """
    frame = []
    for class_id in np.union1d(class_ids, true_class_ids).tolist():
        found, real = class_ids == class_id, true_class_ids == class_id
        overlaps = ground_iou(boxes[found], true_boxes[real])
        frame.append(ClassOverlaps(class_id, scores[found], overlaps, difficult[real]))
    return frame


def _clipped(shape: Points, window: Points) -> Points:
    """Return what of a convex shape lies in another (Sutherland and Hodgman, 1974).

    Both ``(K, 2)``, counter-clockwise.
    """
    for start, end in zip(window, np.roll(window, -1, axis=0)):
        if not len(shape):
            break
        edge = end - start
        sides = edge[0] * (shape[:, 1] - start[1]) - edge[1] * (shape[:, 0] - start[0])
        kept: list[Points] = []
        for place in range(len(shape)):
            here, there = sides[place - 1], sides[place]
            if (here < 0) != (there < 0):
                share = here / (here - there)
                kept.append(shape[place - 1] + share * (shape[place] - shape[place - 1]))
            if there >= 0:
                kept.append(shape[place])
        shape = np.array(kept).reshape(-1, 2)
    return shape


def _area(shape: Points) -> float:
    """Return a polygon's area (the shoelace formula)."""
    x, y = shape[:, 0], shape[:, 1]
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
