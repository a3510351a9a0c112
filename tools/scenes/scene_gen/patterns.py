# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A bank of tileable grey patterns (256, 256) uint8: wood, tiles, brick, cloth, coats, ...

Drawing patterns is slow and colouring them is fast, so a process draws the bank once (from a
fixed seed: every process has the same) and a scene colours what it needs by a palette.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]
SIZE = 256
VARIANTS = 8


def fractal(rng: np.random.Generator, beta: float, stretch: float = 1.0, size: int = SIZE) -> F64:
    """Periodic noise of zero mean and unit deviation whose amplitude falls as frequency^-beta.

    `stretch` > 1 draws it out along the columns (grain along the first axis).
    """
    fy = np.fft.fftfreq(size)[:, None] * stretch
    fx = np.fft.rfftfreq(size)[None, :]
    radius = np.hypot(fx, fy)
    radius[0, 0] = 1.0
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) * radius**-beta
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, s=(size, size))
    return field / field.std()


def _to_u8(field: F64, mean: float = 128.0, deviation: float = 40.0) -> U8:
    return np.clip(mean + deviation * field, 0, 255).astype(np.uint8)


def _cells(rows: int, columns: int, shift: F64, gap: float) -> tuple[NDArray[np.int64], F64]:
    """Cell number and distance to the nearest joint [pixels], for rows shifted like bricks."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(float)
    row = np.floor(y / SIZE * rows).astype(int) % rows
    along = (x / SIZE * columns + shift[row]) % columns
    column = np.floor(along).astype(int)
    edge_x = np.minimum(along - column, column + 1 - along) * SIZE / columns
    frac_y = y / SIZE * rows - row
    edge_y = np.minimum(frac_y, 1 - frac_y) * SIZE / rows
    return row * columns + column, np.minimum(edge_x, edge_y) - gap


def planks(rng: np.random.Generator) -> U8:
    rows = int(rng.choice([4, 6, 8]))
    cell, edge = _cells(rows, int(rng.choice([1, 2])), rng.random(rows), 0.8)
    tone = rng.normal(0, 22, cell.max() + 1)[cell]
    grain = fractal(rng, 1.1, 1.0 / 12).T if rng.random() < 0.5 else fractal(rng, 1.0, 14.0).T
    return np.clip(np.where(edge < 0, 25, 140 + tone + 26 * grain), 0, 255).astype(np.uint8)


def grain(rng: np.random.Generator) -> U8:
    rings = np.sin(6 * fractal(rng, 2.2, 0.15) + 2 * fractal(rng, 1.5))
    return _to_u8(0.6 * rings + 0.6 * fractal(rng, 0.9, 0.08))


def tiles(rng: np.random.Generator) -> U8:
    n = int(rng.choice([2, 3, 4]))
    wide = int(rng.choice([1, 2])) if rng.random() < 0.5 else 1
    shift = np.arange(n * wide) % 2 * 0.5 if wide == 2 else np.zeros(n * wide)
    cell, edge = _cells(n * wide, n, shift, rng.uniform(0.8, 2.2))
    tone = rng.normal(0, rng.uniform(2, 18), cell.max() + 1)[cell]
    stone = rng.uniform(4, 22) * fractal(rng, rng.uniform(1.0, 2.0))
    return np.clip(np.where(edge < 0, 20, 165 + tone + stone), 45, 255).astype(np.uint8)


def checker(rng: np.random.Generator) -> U8:
    n = int(rng.choice([2, 4]))
    cell, edge = _cells(n, n, np.zeros(n), 1.0)
    dark = (cell // n + cell % n) % 2
    return np.clip(np.where(edge < 0, 100, 50 + 150 * dark + 8 * fractal(rng, 1.4)), 0, 255).astype(
        np.uint8
    )


def brick(rng: np.random.Generator) -> U8:
    rows = int(rng.choice([6, 8, 10]))
    cell, edge = _cells(rows, rows // 2 - 1, np.arange(rows) % 2 * 0.5, 2.2)
    tone = rng.normal(0, 26, cell.max() + 1)[cell]
    return np.clip(
        np.where(edge + fractal(rng, 1.0) * 0.5 < 0, 235, 90 + tone + 16 * fractal(rng, 0.8)),
        0,
        255,
    ).astype(np.uint8)


def carpet(rng: np.random.Generator) -> U8:
    return _to_u8(0.8 * fractal(rng, 0.15) + 0.5 * fractal(rng, 1.4), 128, 32)


def concrete(rng: np.random.Generator) -> U8:
    specks = (fractal(rng, 0.3) > 2.4) * rng.uniform(-60, -20)
    return np.clip(140 + 28 * fractal(rng, 1.6) + 6 * fractal(rng, 0.2) + specks, 0, 255).astype(
        np.uint8
    )


def plaster(rng: np.random.Generator) -> U8:
    return _to_u8(fractal(rng, rng.uniform(0.4, 1.3)), 150, rng.uniform(3, 14))


def marble(rng: np.random.Generator) -> U8:
    veins = np.abs(fractal(rng, 1.9)) ** 0.6
    return np.clip(60 + 170 * np.clip(veins, 0, 1) + 8 * fractal(rng, 1.0), 0, 255).astype(np.uint8)


def stripes(rng: np.random.Generator) -> U8:
    x = np.arange(SIZE)
    n = int(rng.choice([4, 8, 12, 16]))
    wave = (x * n / SIZE) % 1.0
    band = np.where(wave < rng.uniform(0.2, 0.6), 60, 200)
    if rng.random() < 0.4:
        band = np.where((wave > 0.7) & (wave < 0.78), 128, band)
    field = np.broadcast_to(band, (SIZE, SIZE)) + 6 * fractal(rng, 0.3)
    return np.clip(field if rng.random() < 0.6 else field.T, 0, 255).astype(np.uint8)


def plaid(rng: np.random.Generator) -> U8:
    x = np.arange(SIZE)
    n = int(rng.choice([3, 4, 6]))
    line = 60 * ((x * n / SIZE) % 1 < 0.45) + 40 * ((x * n / SIZE + 0.1) % 1 < 0.12)
    return np.clip(60 + line[None] + line[:, None] + 6 * fractal(rng, 0.2), 0, 255).astype(np.uint8)


def dots(rng: np.random.Generator) -> U8:
    n = int(rng.choice([4, 6, 8, 10]))
    y, x = np.mgrid[0:SIZE, 0:SIZE] * n / SIZE
    x = x + 0.5 * (np.floor(y) % 2)
    radius = np.hypot(x % 1 - 0.5, y % 1 - 0.5)
    return np.clip(
        200 - 140 * (radius < rng.uniform(0.12, 0.36)) + 6 * fractal(rng, 0.3), 0, 255
    ).astype(np.uint8)


def motif(rng: np.random.Generator) -> U8:
    """A small random symmetric figure, repeated: wallpaper, rugs and prints."""
    n = int(rng.choice([2, 4]))
    half = fractal(rng, 1.7, 1.0, SIZE // n)
    figure = half + half[:, ::-1] + (half[::-1] + half[::-1, ::-1] if rng.random() < 0.5 else 0)
    levels = np.digitize(figure / figure.std(), [-0.9, 0.2, 1.0]) * 60 + 30
    return np.clip(np.tile(levels, (n, n)) + 5 * fractal(rng, 0.4), 0, 255).astype(np.uint8)


def chevron(rng: np.random.Generator) -> U8:
    n = int(rng.choice([4, 8]))
    y, x = np.mgrid[0:SIZE, 0:SIZE] * n / SIZE
    zig = (y + np.abs(x % 1 - 0.5)) % 1
    return np.clip(np.where(zig < 0.5, 70, 190) + 8 * fractal(rng, 0.4), 0, 255).astype(np.uint8)


def weave(rng: np.random.Generator) -> U8:
    n = int(rng.choice([24, 32, 48]))
    y, x = np.mgrid[0:SIZE, 0:SIZE] * n / SIZE
    threads = np.where(
        (np.floor(x) + np.floor(y)) % 2 > 0, np.sin(np.pi * (x % 1)), np.sin(np.pi * (y % 1))
    )
    return np.clip(90 + 70 * threads + 14 * fractal(rng, 1.2), 0, 255).astype(np.uint8)


def cloth(rng: np.random.Generator) -> U8:
    """Plain cloth with soft folds."""
    return _to_u8(fractal(rng, 1.9, rng.uniform(0.3, 3.0)) + 0.25 * fractal(rng, 0.2), 140, 24)


def fur(rng: np.random.Generator) -> U8:
    hair = fractal(rng, 0.7, 6.0)
    return _to_u8(0.7 * hair + 0.6 * fractal(rng, 1.8), 128, 34)


def patches(rng: np.random.Generator) -> U8:
    """A two-coloured coat."""
    field = fractal(rng, 2.2) + rng.uniform(-0.5, 0.5)
    return np.clip(np.where(field > 0, 205, 55) + 16 * fractal(rng, 0.6, 5.0), 0, 255).astype(
        np.uint8
    )


def hair(rng: np.random.Generator) -> U8:
    return _to_u8(fractal(rng, 0.8, 0.1), 120, 45)


def leafy(rng: np.random.Generator) -> U8:
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    rib = np.abs(y - 0.5)
    veins = np.sin(2 * np.pi * (x * 9 - rib * 12)) > 0.92
    return np.clip(120 + 20 * fractal(rng, 1.3) + 70 * (rib < 0.03) + 30 * veins, 0, 255).astype(
        np.uint8
    )


MAKERS: dict[str, Callable[[np.random.Generator], U8]] = {
    f.__name__: f
    for f in (
        planks,
        grain,
        tiles,
        checker,
        brick,
        carpet,
        concrete,
        plaster,
        marble,
        stripes,
        plaid,
        dots,
        motif,
        chevron,
        weave,
        cloth,
        fur,
        patches,
        hair,
        leafy,
    )
}


@lru_cache(maxsize=1)
def bank() -> dict[str, list[U8]]:
    """Every pattern in VARIANTS variants; the same in every process."""
    made = {}
    for number, (name, make) in enumerate(MAKERS.items()):
        rng = np.random.default_rng([20260701, number])
        made[name] = [cv2.GaussianBlur(make(rng), (3, 3), 0.6) for _ in range(VARIANTS)]
    return made


def pick(rng: np.random.Generator, *names: str) -> U8:
    """A random variant of one of the named patterns, (256, 256) uint8."""
    name = names[int(rng.integers(len(names)))]
    return bank()[name][int(rng.integers(VARIANTS))]
