# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Boxes, labels and status lines, drawn into an image for people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jetson_infer.core.detections import Detections
from jetson_infer.dependencies import require
from jetson_infer.pipeline.drawing import Area, Pen, class_colour, readable_on

__all__ = ['annotate', 'class_colour']

_PANEL_BRIGHTNESS = 0.35
_PANEL_INK = (255, 255, 255)


@dataclass(frozen=True)
class _Tag:
    """A box and its label."""

    class_id: int
    box: Area
    text: str
    label: Area


def annotate(
    bgr: npt.NDArray[np.uint8],
    detections: Detections,
    labels: Sequence[str],
    lines: Sequence[str] = (),
) -> None:
    """Draw detections and status lines into an image.

    A label stands above its box, or else where there is room for it, and always within the image;
    of two boxes the better one is on top.

    :param bgr: uint8 ``(H, W, 3)``, blue first, C-contiguous; changed in place.
    :param detections: boxes in pixels of this image.
    :param labels: a name for each class; a class beyond them is shown by its number.
    :param lines: shown on a panel in the lower left corner, wrapped at the image's width, at gaps
        of two spaces if possible; what does not fit the lower half of a small image is left out.
    :raises ValueError: if the image cannot be drawn on, with what it is.
    """
    if bgr.dtype != np.uint8 or bgr.ndim != 3 or bgr.shape[2] != 3 or not bgr.flags.carray:
        raise ValueError(
            f'the image must be a writable, C-contiguous uint8 (H, W, 3), not {bgr.dtype} '
            f'{bgr.shape} with strides {bgr.strides}, writable: {bgr.flags.writeable}'
        )
    pen = Pen(require('cv2', 'Drawing'), bgr.shape[1], bgr.shape[0])
    rows = _wrapped(lines, pen)
    panel = _panel_area(rows, pen)
    tags = _tags(detections, labels, pen, panel)
    for tag in reversed(tags):
        pen.outline(bgr, tag.box, class_colour(tag.class_id))
    for tag in reversed(tags):
        colour = class_colour(tag.class_id)
        pen.fill(bgr, tag.label, colour)
        pen.write(bgr, tag.text, (tag.label.x0, tag.label.y0), readable_on(colour))
    if rows:
        pen.darken(bgr, panel, _PANEL_BRIGHTNESS)
    for index, row in enumerate(rows):
        pen.write(bgr, row, (panel.x0, panel.y0 + index * pen.line_height), _PANEL_INK)


def _tags(detections: Detections, labels: Sequence[str], pen: Pen, panel: Area) -> list[_Tag]:
    """Lay out the labels, best first; those that come later give way."""
    tags: list[_Tag] = []
    taken = [panel]
    limits = [pen.width, pen.height] * 2
    corners = np.rint(np.clip(detections.boxes, 0, limits)).astype(int).tolist()
    for (x0, y0, x1, y1), score, class_id in zip(
        corners, detections.scores.tolist(), detections.class_ids.tolist()
    ):
        # A box of no width is still shown, at the last pixel if it lies on the far edge.
        x0, y0 = min(x0, pen.width - 1), min(y0, pen.height - 1)
        box = Area(x0, y0, max(x0 + 1, x1), max(y0 + 1, y1))
        name = labels[class_id] if 0 <= class_id < len(labels) else f'class {class_id}'
        text = pen.shortened(pen.printable(f'{name} {score:.2f}'))
        label = _label_area(box, pen.text_width(text), pen, taken)
        taken.append(label)
        tags.append(_Tag(class_id, box, text, label))
    return tags


def _label_area(box: Area, width: int, pen: Pen, taken: Sequence[Area]) -> Area:
    """Find room: above the box, at its top, below it, at its bottom; within the image first."""
    height = pen.line_height
    x0 = max(0, min(box.x0, pen.width - width))
    within = [
        Area(x0, y0, min(x0 + width, pen.width), y0 + height)
        for y0 in (box.y0 - height, box.y0, box.y1, box.y1 - height)
        if 0 <= y0 <= pen.height - height
    ]
    for area in within:
        if not any(area.overlaps(other) for other in taken):
            return area
    if within:
        return within[0]
    y0 = max(0, min(box.y0, pen.height - height))
    return Area(x0, y0, min(x0 + width, pen.width), min(y0 + height, pen.height))


def _wrapped(lines: Sequence[str], pen: Pen) -> list[str]:
    """Break lines that are wider than the image; keep what fits its lower half."""
    rows: list[str] = []
    for line in lines:
        row = ''
        for piece in _pieces(pen.printable(line), pen):
            if row and pen.text_width((row + piece).rstrip()) > pen.width:
                rows.append(row.rstrip())
                row = ''
            row += piece
        rows.append(pen.shortened(row.rstrip()))
    room = max(1, pen.height // 2 // pen.line_height)
    return [row for row in rows if row][:room]


def _pieces(line: str, pen: Pen) -> Iterator[str]:
    """Yield what should stay together: words up to a wide gap, or single ones if too many."""
    for group in re.findall(r'\S+(?:\s\S+)*\s*', line):
        if pen.text_width(group.rstrip()) <= pen.width:
            yield group
        else:
            yield from re.findall(r'\S+\s*', group)


def _panel_area(rows: Sequence[str], pen: Pen) -> Area:
    if not rows:
        return Area(0, 0, 0, 0)
    width = min(pen.width, max(pen.text_width(row) for row in rows))
    return Area(0, max(0, pen.height - len(rows) * pen.line_height), width, pen.height)
