# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the detections kernel makes of candidates, in NumPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jetson_infer.core.boxes import cxcywh_to_xyxy, nms
from jetson_infer.core.letterbox import take_back

__all__ = [
    'DETECTION',
    'GEOMETRY',
    'HEADER',
    'LAYOUT',
    'SETTINGS',
    'detections_reference',
]

# The kernel's structures, member by member (detections.cu).
HEADER = np.dtype(
    [
        ('count', 'i4'),
        ('lost', 'i4'),
        ('non_finite', 'i4'),
        ('inside_out', 'i4'),
        ('above_one', 'f4'),
        ('reserved', 'i4', 3),
    ]
)
"""What comes before the rows: how many there are, how many candidates there was no room for, how
many were dropped and why, and the greatest score that was cut to 1; 0 where none was."""

DETECTION = np.dtype([('box', 'f4', 4), ('score', 'f4'), ('class_id', 'i4'), ('reserved', 'i4', 2)])
"""A row: a box in pixels of the camera's image, its score and its class."""

SETTINGS = np.dtype(
    [
        ('iou_threshold', 'f8'),
        ('near_threshold', 'f4'),
        ('suppress', 'i4'),
        ('max_detections', 'i4'),
        ('reserved', 'i4', 3),
    ],
    align=True,
)
"""The limits; a bit for each class follows, set for those that are wanted, in words of 32."""

LAYOUT = np.dtype([('box_scale', 'f4', 2), ('capacity', 'i4')])
"""What does not change while the kernel is there."""

GEOMETRY = np.dtype([('scale', 'f4', 2), ('pad', 'f4', 2), ('size', 'f4', 2)])
"""From the network's input to the camera's image: see :func:`core.letterbox.take_back`."""


def detections_reference(
    candidates: npt.NDArray[np.void],
    settings: npt.NDArray[np.uint8],
    box_scale: npt.NDArray[np.float32],
    geometry: np.void,
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.void]]:
    """Make detections of one frame's candidates.

    :param candidates: all of them, as ``ROW`` of the candidates kernel ``(K,)``, in any order.
    :param settings: uint8, a record of :data:`SETTINGS` and the set of classes.
    :param box_scale: float32 ``(2,)``; what raw boxes are multiplied by, horizontally and
        vertically.
    :param geometry: a record of :data:`GEOMETRY`.
    :return: a record of :data:`HEADER` ``(1,)``, and rows of :data:`DETECTION`, best score first.
    """
    limits = settings[: SETTINGS.itemsize].view(SETTINGS)[0]
    wanted = np.unpackbits(settings[SETTINGS.itemsize :], bitorder='little').astype(np.bool_)
    header = np.zeros(1, HEADER)
    candidates = candidates[candidates['anchor'].argsort()]
    with np.errstate(invalid='ignore', over='ignore'):
        boxes = cxcywh_to_xyxy(candidates['box'] * np.tile(box_scale, 2))
        finite = np.isfinite(boxes).all(axis=1) & np.isfinite(candidates['score'])
        upright = (boxes[:, 2:] >= boxes[:, :2]).all(axis=1)
    header['non_finite'] = np.count_nonzero(~finite)
    header['inside_out'] = np.count_nonzero(finite & ~upright)
    usable = np.flatnonzero(finite & upright & wanted[candidates['class_id']])
    if not len(usable):
        return header, np.empty(0, DETECTION)
    boxes, scores = boxes[usable], candidates['score'][usable]
    class_ids = candidates['class_id'][usable]
    if scores.max() > 1:
        header['above_one'] = scores.max()
        scores = np.minimum(scores, 1)
    # No intersection over union is greater than 1.
    threshold = float(limits['iou_threshold']) if limits['suppress'] else 1.0
    best = nms(boxes, scores, class_ids, threshold, int(limits['max_detections']))
    with np.errstate(over='ignore'):
        axes = (np.tile(geometry[name], 2) for name in ('scale', 'pad', 'size'))
        boxes = take_back(boxes[best], *axes)
    inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    rows = np.zeros(np.count_nonzero(inside), DETECTION)
    rows['box'] = boxes[inside]
    rows['score'], rows['class_id'] = scores[best][inside], class_ids[best][inside]
    header['count'] = len(rows)
    return header, rows
