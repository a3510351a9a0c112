# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Arithmetic on axis-aligned boxes, and non-maximum suppression.

A box is ``x_min, y_min, x_max, y_max``.  Areas and overlaps are computed in float64, in which the
square of the largest float32 is still finite: no coordinate a network can emit overflows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ['area', 'clip', 'cxcywh_to_xyxy', 'iou_matrix', 'nms']

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


def area(boxes: Boxes) -> npt.NDArray[np.float64]:
    """Return the areas of ``(N, 4)`` boxes as float64 ``(N,)``; 0 where a box is inside out."""
    sides = np.maximum(boxes[:, 2:].astype(np.float64) - boxes[:, :2], 0.0)
    return sides[:, 0] * sides[:, 1]


def iou_matrix(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Return intersection over union of every pair.

    :param first: ``(N, 4)``.
    :param second: ``(M, 4)``.
    :return: float64 ``(N, M)``; 0 where both boxes are without area.
    """
    shared = _intersections(first, second)
    union = area(first)[:, None] + area(second)[None, :] - shared
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
    candidates = _Candidates(
        boxes[ranked].astype(np.float64), None if class_ids is None else class_ids[ranked]
    )
    chosen: Rows = np.empty(0, np.intp)
    for start in range(0, len(ranked), _WINDOW):
        pending: Rows = np.arange(start, min(start + _WINDOW, len(ranked)))
        pending = candidates.without_overlap(pending, chosen, iou_threshold)
        while len(pending) and len(chosen) < max_detections:
            best = candidates.greedy(pending[:_BLOCK], iou_threshold)
            pending = candidates.without_overlap(pending[_BLOCK:], best, iou_threshold)
            chosen = np.concatenate((chosen, best))
        if len(chosen) >= max_detections:
            break
    return ranked[chosen[:max_detections]]


class _Candidates:
    """Boxes in order of score, to be compared by their row numbers.

    :param boxes: float64 ``(N, 4)``.
    :param class_ids: ``(N,)``, or None where classes do not matter.
    """

    def __init__(self, boxes: npt.NDArray[np.float64], class_ids: npt.NDArray[Any] | None) -> None:
        self._boxes = boxes
        self._areas = area(boxes)
        self._class_ids = class_ids

    def without_overlap(self, rows: Rows, better: Rows, iou_threshold: float) -> Rows:
        """Return the rows that overlap none of the better ones."""
        if not len(rows) or not len(better):
            return rows
        return rows[~self._overlaps(better, rows, iou_threshold).any(axis=0)]

    def greedy(self, rows: Rows, iou_threshold: float) -> Rows:
        """Return the rows that stay when each in turn suppresses the later ones it overlaps."""
        later = np.triu(self._overlaps(rows, rows, iou_threshold), 1)
        alive = np.ones(len(rows), np.bool_)
        for index in np.flatnonzero(later.any(axis=1)):
            if alive[index]:
                alive &= ~later[index]
        return rows[alive]

    def _overlaps(self, first: Rows, second: Rows, iou_threshold: float) -> npt.NDArray[np.bool_]:
        """Tell of every pair whether it overlaps more than the threshold and is of one class."""
        shared = _intersections(self._boxes[first], self._boxes[second])
        union = self._areas[first][:, None] + self._areas[second][None, :] - shared
        with np.errstate(invalid='ignore'):  # 0 / 0 is NaN, which is not greater
            overlapping: npt.NDArray[np.bool_] = shared / union > iou_threshold
        if self._class_ids is not None:
            overlapping &= self._class_ids[first][:, None] == self._class_ids[second][None, :]
        return overlapping


def _intersections(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    left, top, right, bottom = first.T.astype(np.float64)[:, :, None]
    other_left, other_top, other_right, other_bottom = second.T.astype(np.float64)[:, None, :]
    width = np.minimum(right, other_right) - np.maximum(left, other_left)
    height = np.minimum(bottom, other_bottom) - np.maximum(top, other_top)
    np.maximum(width, 0.0, out=width)
    np.maximum(height, 0.0, out=height)
    width *= height
    return width
