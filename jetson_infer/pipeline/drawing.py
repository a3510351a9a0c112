# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Strokes, letters and colours for pictures that people look at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import sqrt
from types import ModuleType

import numpy as np
import numpy.typing as npt

__all__ = ['Area', 'Colour', 'Pen', 'class_colour', 'readable_on']

Colour = tuple[int, int, int]
"""Blue, green, red; 0 to 255."""

# Red, green, blue.  Each one is, of all colours that are neither dark nor pale, the one farthest in
# CIELAB from those before it.
_CLASS_COLOURS = (
    (45, 225, 90), (165, 0, 255), (255, 0, 0), (15, 165, 225), (135, 105, 30), (255, 105, 180),
    (240, 240, 0), (120, 255, 225), (60, 105, 240), (255, 150, 0), (255, 120, 105),
    (225, 240, 150), (240, 0, 210), (225, 180, 255), (45, 135, 60), (150, 255, 0),
    (165, 75, 195), (255, 0, 105), (135, 165, 0), (90, 105, 180), (240, 195, 75),
    (150, 255, 165), (210, 75, 0), (165, 90, 150),
)  # fmt: skip


def class_colour(class_id: int) -> Colour:
    """Return a class's colour, the same in every image and process; 24 differ, then they recur."""
    red, green, blue = _CLASS_COLOURS[class_id % len(_CLASS_COLOURS)]
    return blue, green, red


def readable_on(background: Colour) -> Colour:
    """Return black or white, whichever has the greater contrast ratio of WCAG 2."""
    # Black has (luminance + 0.05) / 0.05 to 1, white 1.05 / (luminance + 0.05) to 1.
    black_is_better = (_luminance(background) + 0.05) ** 2 > 0.05 * 1.05
    return (0, 0, 0) if black_is_better else (255, 255, 255)


def _luminance(colour: Colour) -> float:
    """Return the relative luminance of WCAG 2, 0 to 1."""
    blue, green, red = (
        c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@dataclass(frozen=True)
class Area:
    """A rectangle of whole pixels; the far ends lie outside."""

    x0: int
    y0: int
    x1: int
    y1: int

    def overlaps(self, other: Area) -> bool:
        """Tell whether the two share a pixel."""
        return (
            self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1
        )


class Pen:
    """Draws on images of one size, with strokes and letters that fit it.

    They grow with the square root of the image's shorter side: a larger image is shown smaller.

    :param cv2: OpenCV.
    :param width: the images' width in pixels.
    :param height: the images' height in pixels.
    """

    def __init__(self, cv2: ModuleType, width: int, height: int) -> None:
        self._cv2 = cv2
        self.width, self.height = width, height
        side = sqrt(min(width, height))
        self._stroke = max(1, round(side / 9))
        self._weight = max(1, round(side / 20))
        # Both are one face in two weights; a heavy stroke of the heavier one closes the letters.
        self._font = cv2.FONT_HERSHEY_DUPLEX if self._weight == 1 else cv2.FONT_HERSHEY_SIMPLEX
        (_, unit), _ = cv2.getTextSize('Ag', self._font, 1.0, 1)
        self._scale = max(8.0, side / 2) / unit
        (_, self._ascent), self._descent = self._measure('Ag')
        self.margin = max(2, round(side / 6))
        """Pixels between a text and the edge of its tag."""
        self.line_height = self._ascent + self._descent + self.margin
        """The height of a line of text with its margin."""
        # OpenCV's older font has no letters but ASCII, and writes a ? for every byte.
        self._ascii_only = self._measure('ß') == self._measure('??')

    def printable(self, text: str) -> str:
        """Return what of a text can be written: one line, and the letters that the font has."""
        text = re.sub(r'\s', ' ', text)
        return text.encode('ascii', 'replace').decode() if self._ascii_only else text

    def text_width(self, text: str) -> int:
        """Return a line's width in pixels, with its margins."""
        return int(self._measure(text)[0][0]) + 2 * self.margin

    def shortened(self, text: str) -> str:
        """Return a line cut to the image's width, with dots for what is missing."""
        if self.text_width(text) <= self.width:
            return text
        while text and self.text_width(text + '...') > self.width:
            text = text[:-1]
        return text + '...'

    def write(
        self, bgr: npt.NDArray[np.uint8], text: str, corner: tuple[int, int], colour: Colour
    ) -> None:
        """Write a line into a tag whose upper left corner is given."""
        at = corner[0] + self.margin, corner[1] + self.margin // 2 + self._ascent
        smooth = self._cv2.LINE_AA
        self._cv2.putText(bgr, text, at, self._font, self._scale, colour, self._weight, smooth)

    def outline(self, bgr: npt.NDArray[np.uint8], area: Area, colour: Colour) -> None:
        """Draw a frame along the inner edge of an area, with a dark line on both of its sides."""
        shade = colour[0] // 4, colour[1] // 4, colour[2] // 4
        around = Area(max(0, area.x0 - 1), max(0, area.y0 - 1), area.x1 + 1, area.y1 + 1)
        self._frame(bgr, around, self._stroke + 2, shade)
        self._frame(bgr, area, self._stroke, colour)

    def fill(self, bgr: npt.NDArray[np.uint8], area: Area, colour: Colour) -> None:
        """Cover an area."""
        bgr[area.y0 : area.y1, area.x0 : area.x1] = colour

    def darken(self, bgr: npt.NDArray[np.uint8], area: Area, brightness: float) -> None:
        """Multiply an area's brightness; what is beneath shines through."""
        part = bgr[area.y0 : area.y1, area.x0 : area.x1]
        self._cv2.convertScaleAbs(part, part, brightness)

    def _frame(
        self, bgr: npt.NDArray[np.uint8], area: Area, thickness: int, colour: Colour
    ) -> None:
        part = bgr[area.y0 : area.y1, area.x0 : area.x1]
        part[:thickness] = part[-thickness:] = colour
        part[:, :thickness] = part[:, -thickness:] = colour

    def _measure(self, text: str) -> tuple[tuple[int, int], int]:
        return self._cv2.getTextSize(text, self._font, self._scale, self._weight)
