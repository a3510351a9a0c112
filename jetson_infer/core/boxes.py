# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Arithmetic on axis-aligned boxes, and non-maximum suppression.

A box is ``x_min, y_min, x_max, y_max``.  Areas and overlaps are computed in float64, in which the
square of the largest float32 is still finite: no coordinate a network can emit overflows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ['clip', 'cxcywh_to_xyxy', 'iou_matrix', 'nms']

Boxes = npt.NDArray[Any]
Rows = npt.NDArray[np.intp]

_BLOCK = 64  # candidates compared each with each; the fastest of 32, 64, 128 and 256
_WINDOW = 512  # candidates compared with the chosen ones at a time


def cxcywh_to_xyxy(boxes: Boxes) -> Boxes:
    """Turn centres and sizes into corners.

    :param boxes: ``(N, 4)``; ``x_centre, y_centre, width, height``.
    :return: ``(N, 4)`` of the same dtype; ``x_min, y_min, x_max, y_max``.

    >>> cxcywh_to_xyxy(np.array([[10.0, 20.0, 4.0, 6.0]]))
    array([[ 8., 17., 12., 23.]])
    """
    corners = np.empty_like(boxes)
    half = boxes[:, 2:] * 0.5
    np.subtract(boxes[:, :2], half, out=corners[:, :2])
    np.add(boxes[:, :2], half, out=corners[:, 2:])
    return corners


def iou_matrix(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Return intersection over union of every pair.

    :param first: ``(N, 4)``.
    :param second: ``(M, 4)``.
    :return: float64 ``(N, M)``; 0 where both boxes are without area.
    """
    one, other = _Boxes.of(first), _Boxes.of(second)
    shared = _intersections(one, other)
    union = one.areas[:, None] + other.areas - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def clip(boxes: Boxes, size: tuple[int, int]) -> Boxes:
    """Return boxes cut at the edges of an image of a size (width, height)."""
    width, height = size
    limit = np.array([width, height, width, height], boxes.dtype)
    return np.clip(boxes, 0, limit)


def nms(
    boxes: Boxes,
    scores: npt.NDArray[Any],
    class_ids: npt.NDArray[Any] | None,
    iou_threshold: float,
    max_detections: int,
) -> Rows:
    """Choose boxes greedily by score: of two of one class that overlap too much, the better stays.

    The result is exactly the greedy one, of all candidates, however many there are; the work stops
    as soon as ``max_detections`` are chosen.  Candidates are taken in blocks, so that memory does
    not grow with their square.  Classes are compared as such rather than moved apart by an offset,
    which costs coordinates their precision.

    :param boxes: ``(N, 4)``, finite.
    :param scores: ``(N,)``; of equal scores the earlier row is the better.
    :param class_ids: integers ``(N,)``; or None, and boxes of all classes suppress one another.
    :param iou_threshold: two boxes whose intersection over union is greater than this overlap too
        much; boxes without area overlap nothing.
    :param max_detections: choose at most so many.
    :return: indices of the chosen rows, best score first.
    """
    ranked = np.argsort(-scores, kind='stable')
    candidates = _Boxes.of(boxes[ranked], None if class_ids is None else class_ids[ranked])
    if len(ranked) <= _BLOCK:
        return ranked[_greedy(candidates, iou_threshold)[:max_detections]]
    chosen: Rows = np.empty(0, np.intp)
    for start in range(0, len(ranked), _WINDOW):
        pending: Rows = np.arange(start, min(start + _WINDOW, len(ranked)))
        pending = _without_overlap(candidates, pending, chosen, iou_threshold)
        while len(pending) and len(chosen) < max_detections:
            block = pending[:_BLOCK]
            best = block[_greedy(candidates.take(block), iou_threshold)]
            pending = _without_overlap(candidates, pending[_BLOCK:], best, iou_threshold)
            chosen = np.concatenate((chosen, best))
        if len(chosen) >= max_detections:
            break
    return ranked[chosen[:max_detections]]


class _Boxes(NamedTuple):
    """Boxes to be compared with each other.

    :param corners: float64 ``(4, N)``; the other way round than elsewhere, so that arithmetic runs
        along memory.
    :param areas: float64 ``(N,)``.
    :param class_ids: ``(N,)``, or None where classes do not matter.
    """

    corners: npt.NDArray[np.float64]
    areas: npt.NDArray[np.float64]
    class_ids: npt.NDArray[Any] | None

    @staticmethod
    def of(boxes: Boxes, class_ids: npt.NDArray[Any] | None = None) -> _Boxes:
        corners = boxes.T.astype(np.float64, order='C')
        sides = corners[2:] - corners[:2]
        np.maximum(sides, 0.0, out=sides)
        return _Boxes(corners, sides[0] * sides[1], class_ids)

    def take(self, rows: Rows) -> _Boxes:
        class_ids = None if self.class_ids is None else self.class_ids[rows]
        return _Boxes(self.corners[:, rows], self.areas[rows], class_ids)


def _without_overlap(boxes: _Boxes, rows: Rows, better: Rows, iou_threshold: float) -> Rows:
    """Return the rows that overlap none of the better ones."""
    if not len(rows) or not len(better):
        return rows
    overlaps = _overlaps(boxes.take(better), boxes.take(rows), iou_threshold)
    return rows[~overlaps.any(axis=0)]


def _greedy(boxes: _Boxes, iou_threshold: float) -> Rows:
    """Return which stay when each in turn suppresses the later ones that it overlaps."""
    overlaps = _overlaps(boxes, boxes, iou_threshold)
    better, worse = (ends.tolist() for ends in overlaps.nonzero())
    alive = [True] * len(overlaps)
    for row, other in zip(better, worse):  # row by row: whether a row stays is known at its turn
        if other > row and alive[row]:
            alive[other] = False
    return np.flatnonzero(alive)


def _overlaps(first: _Boxes, second: _Boxes, iou_threshold: float) -> npt.NDArray[np.bool_]:
    """Tell of every pair whether it overlaps more than the threshold and is of one class."""
    shared = _intersections(first, second)
    union = first.areas[:, None] + second.areas
    union -= shared
    with np.errstate(invalid='ignore'):  # 0 / 0 is NaN, which is not greater
        shared /= union
    overlapping: npt.NDArray[np.bool_] = shared > iou_threshold
    if first.class_ids is not None and second.class_ids is not None:
        overlapping &= first.class_ids[:, None] == second.class_ids
    return overlapping


def _intersections(first: _Boxes, second: _Boxes) -> npt.NDArray[np.float64]:
    one, other = first.corners[:, :, None], second.corners[:, None, :]
    sides = np.minimum(one[2:], other[2:])
    sides -= np.maximum(one[:2], other[:2])
    np.maximum(sides, 0.0, out=sides)
    shared: npt.NDArray[np.float64] = sides[0]
    shared *= sides[1]
    return shared
