# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Colours and surfaces: patterns coloured by palettes, and drawn pictures (windows, art, books)."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_gen.patterns import pick

U8 = NDArray[np.uint8]
RGB = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Material:
    """A surface.  `texture`: (H, W, 3) uint8 RGB or None; `rgb`: its colour, 0..1 (a factor)."""

    rgb: tuple[float, float, float] = (1.0, 1.0, 1.0)
    texture: U8 | None = None
    specular: float = 0.1
    shininess: float = 0.2
    emission: float = 0.0


def hsv(h: float, s: float, v: float) -> RGB:
    """RGB (3,) of a hue (any real number of turns), saturation and value in 0..1."""
    return np.array(colorsys.hsv_to_rgb(h % 1.0, float(np.clip(s, 0, 1)), float(np.clip(v, 0, 1))))


def colour(
    rng: np.random.Generator,
    saturation: tuple[float, float] = (0.1, 0.9),
    value: tuple[float, float] = (0.15, 0.95),
) -> RGB:
    """A random colour, RGB 0..1."""
    return hsv(rng.random(), rng.uniform(*saturation), rng.uniform(*value))


def plain(
    rgb: RGB, specular: float = 0.1, shininess: float = 0.2, emission: float = 0.0
) -> Material:
    """A surface of one colour."""
    r, g, b = (float(c) for c in np.clip(rgb, 0, 1))
    return Material((r, g, b), None, specular, shininess, emission)


def dyed(pattern: U8, dark: RGB, light: RGB) -> U8:
    """`pattern` (H, W) uint8 coloured from `dark` (0) to `light` (255): (H, W, 3) uint8."""
    ramp = np.linspace(0, 1, 256)[:, None]
    table = np.clip(255 * (np.asarray(dark) * (1 - ramp) + np.asarray(light) * ramp), 0, 255)
    return table.astype(np.uint8)[pattern]


def patterned(
    rng: np.random.Generator,
    names: tuple[str, ...],
    base: RGB,
    contrast: float = 0.3,
    specular: float = 0.1,
    shininess: float = 0.2,
) -> Material:
    """A pattern in shades of `base`: `contrast` 0 is flat, 1 runs from black to twice `base`."""
    image = dyed(pick(rng, *names), base * (1 - contrast), base * (1 + contrast))
    return Material((1.0, 1.0, 1.0), image, specular, shininess)


def two_toned(
    rng: np.random.Generator, names: tuple[str, ...], dark: RGB, light: RGB, specular: float = 0.1
) -> Material:
    """A pattern between two colours."""
    return Material((1.0, 1.0, 1.0), dyed(pick(rng, *names), dark, light), specular)


WOODS = (
    (0.30, 0.17, 0.09),
    (0.45, 0.28, 0.15),
    (0.62, 0.42, 0.24),
    (0.76, 0.58, 0.38),
    (0.85, 0.72, 0.55),
    (0.22, 0.14, 0.10),
    (0.55, 0.30, 0.18),
    (0.68, 0.62, 0.55),
)


def wood(rng: np.random.Generator, names: tuple[str, ...] = ('grain',)) -> Material:
    """Timber, natural or painted."""
    base = np.array(WOODS[int(rng.integers(len(WOODS)))]) * rng.uniform(0.85, 1.15)
    base = base * rng.uniform(0.93, 1.07, 3)
    return patterned(rng, names, base, rng.uniform(0.12, 0.38), rng.uniform(0.1, 0.4), 0.4)


def metal(rng: np.random.Generator) -> Material:
    """Chrome, black or painted metal."""
    grey = np.full(3, rng.choice([0.08, 0.15, 0.35, 0.6, 0.75, 0.9]))
    base = grey if rng.random() < 0.8 else colour(rng, (0.3, 0.8))
    return plain(base, rng.uniform(0.3, 0.9), rng.uniform(0.4, 0.9))


def fabric(rng: np.random.Generator) -> Material:
    """Upholstery and clothes: plain, woven or printed."""
    base = colour(rng, (0.0, 0.75), (0.12, 0.92))
    draw = rng.random()
    if draw < 0.55:
        return patterned(rng, ('cloth', 'weave', 'carpet'), base, rng.uniform(0.08, 0.3), 0.03)
    other = colour(rng, (0.0, 0.8), (0.1, 0.95))
    return two_toned(rng, ('stripes', 'plaid', 'dots', 'motif', 'chevron'), base, other, 0.03)


def artwork(rng: np.random.Generator, size: int = 96) -> U8:
    """A picture for a wall: an abstract or a landscape, (size, size, 3) uint8."""
    top, bottom = colour(rng) * 255, colour(rng) * 255
    t = np.linspace(0, 1, size)[:, None, None]
    image = np.ascontiguousarray(np.broadcast_to(top * (1 - t) + bottom * t, (size, size, 3)))
    image = image.astype(np.uint8)
    for _ in range(int(rng.integers(2, 12))):
        c = tuple(int(v) for v in colour(rng) * 255)
        p = rng.integers(0, size, (4, 2)).astype(np.int32)
        kind = int(rng.integers(4))
        if kind == 0:
            cv2.circle(image, tuple(int(v) for v in p[0]), int(rng.integers(3, size // 3)), c, -1)
        elif kind == 1:
            cv2.fillPoly(image, [p], c)
        elif kind == 2:
            cv2.line(
                image,
                tuple(int(v) for v in p[0]),
                tuple(int(v) for v in p[1]),
                c,
                int(rng.integers(1, 8)),
            )
        else:
            cv2.rectangle(image, tuple(int(v) for v in p[0]), tuple(int(v) for v in p[1]), c, -1)
    return cv2.GaussianBlur(image, (3, 3), rng.uniform(0.3, 1.5))


def outside(rng: np.random.Generator, size: int = 128) -> U8:
    """The blurred view out of a window: sky, trees, houses; or a dark evening."""
    night = rng.random() < 0.2
    zenith = hsv(0.6, rng.uniform(0.1, 0.5), 0.12 if night else rng.uniform(0.75, 1.0))
    horizon = hsv(rng.choice([0.58, 0.1]), rng.uniform(0.0, 0.25), 0.2 if night else 1.0)
    t = np.linspace(0, 1, size)[:, None, None]
    image = 255 * np.broadcast_to(zenith * (1 - t) + horizon * t, (size, size, 3))
    image = np.ascontiguousarray(image).astype(np.uint8)
    for _ in range(int(rng.integers(3, 12))):
        x, w = int(rng.integers(-20, size)), int(rng.integers(8, 50))
        y = int(size * rng.uniform(0.35, 0.8))
        tone = hsv(
            rng.choice([0.3, 0.33, 0.08, 0.6]),
            rng.uniform(0.05, 0.5),
            rng.uniform(0.05, 0.2) if night else rng.uniform(0.25, 0.75),
        )
        c = tuple(int(v) for v in tone * 255)
        if rng.random() < 0.5:
            cv2.rectangle(image, (x, y), (x + w, size), c, -1)
        else:
            cv2.ellipse(image, (x + w // 2, y + 10), (w // 2 + 3, 18), 0, 0, 360, c, -1)
            cv2.rectangle(image, (x, y + 14), (x + w, size), c, -1)
    return cv2.GaussianBlur(image, (9, 9), rng.uniform(0.8, 3.0))


def book_spines(rng: np.random.Generator) -> U8:
    """A row of books seen from the front, (64, 128, 3) uint8."""
    image = np.full((64, 128, 3), 30, np.uint8)
    x = 0
    while x < 128:
        width = int(rng.integers(3, 11))
        top = int(rng.integers(0, 16))
        c = colour(rng, (0.0, 0.85), (0.1, 0.95)) * 255
        image[top:, x : x + width - 1] = c
        if rng.random() < 0.6:
            y = int(rng.integers(18, 50))
            image[y : y + 4, x : x + width - 1] = 255 - c
        x += width
    return image


def carton_side(rng: np.random.Generator, base: RGB) -> U8:
    """A side of a carton: kraft paper, a strip of tape, sometimes print, (128, 128, 3) uint8."""
    noise = pick(rng, 'concrete', 'plaster', 'carpet')[::2, ::2]
    image = np.ascontiguousarray(dyed(noise, base * 0.82, base * 1.12))
    if rng.random() < 0.75:
        w = int(rng.integers(5, 13))
        tape = base * rng.uniform(0.6, 1.35) if rng.random() < 0.7 else colour(rng)
        image[:, 64 - w : 64 + w] = np.clip(255 * tape, 0, 255)
    if rng.random() < 0.6:
        ink = tuple(int(v) for v in (colour(rng) * 255 if rng.random() < 0.4 else base * 60))
        x, y = (int(v) for v in rng.integers(8, 80, 2))
        cv2.rectangle(
            image,
            (x, y),
            (x + int(rng.integers(12, 40)), y + int(rng.integers(8, 28))),
            (235, 235, 230) if rng.random() < 0.5 else ink,
            -1,
        )
        for line in range(int(rng.integers(1, 5))):
            cv2.line(image, (x + 3, y + 4 + 5 * line), (x + 20, y + 4 + 5 * line), ink, 2)
    return image


def screen(rng: np.random.Generator, size: int = 64) -> U8:
    """What a laptop or a television shows."""
    if rng.random() < 0.4:
        return np.full((size, size, 3), int(rng.integers(8, 30)), np.uint8)
    image = artwork(rng, size)
    if rng.random() < 0.5:
        image[:] = 240 if rng.random() < 0.5 else 30
        for row in range(6, size - 4, 6):
            image[row : row + 2, 6 : int(rng.integers(20, size - 6))] = (colour(rng) * 255).astype(
                int
            )
    return image
