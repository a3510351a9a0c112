# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Heads: neck, skull, face, hair, caps, beards and glasses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scene_gen.looks import Look
from scene_gen.materials import Material, fabric, hsv, plain
from scene_gen.meshes import Mesh, box, ellipsoid, limb, loft, soft_box

Rng = np.random.Generator


def add_head(
    rng: Rng, out: list[tuple[Mesh, Material]], look: Look, h: float, scale: float
) -> None:
    """Neck, skull, face and hair; the frame's origin is the base of the neck."""
    s = 0.13 * h * scale  # chin to crown
    mid = np.array([0.012 * h, 0, 0.032 * h + s * 0.52])
    out.append(
        (limb(0.05 * h, np.array([0.030, 0.031, 0.034]) * h).moved((0, 0, 0.055 * h)), look.skin)
    )
    skull = loft(
        [
            (0.09, 0, -0.5, 0.14, 0.14),
            (0.07, 0, -0.44, 0.24, 0.22),
            (0.03, 0, -0.28, 0.34, 0.29),
            (0.0, 0, -0.05, 0.39, 0.335),
            (-0.02, 0, 0.18, 0.41, 0.35),
            (-0.03, 0, 0.36, 0.33, 0.29),
            (-0.03, 0, 0.46, 0.2, 0.18),
            (-0.03, 0, 0.5, 0.05, 0.05),
        ],
        16,
    )
    out.append((skull.moved(mid, None, (s, s, s)), look.skin))
    dark, white = plain(hsv(0.07, 0.5, 0.1)), plain(np.full(3, 0.9), 0.4, 0.6)

    def at(x: float, y: float, z: float) -> np.ndarray:
        return mid + s * np.array([x, y, z])

    out.append(
        (
            loft([(0.42, 0, -0.17, 0.09, 0.075), (0.38, 0, 0.06, 0.03, 0.035)], 8).moved(
                mid, None, (s, s, s)
            ),
            look.skin,
        )
    )
    lips = plain(np.array(look.skin.rgb) * [0.85, 0.55, 0.55])
    out.append((ellipsoid((0.05 * s, 0.12 * s, 0.03 * s), at(0.34, 0, -0.28), 7), lips))
    for side in (-1, 1):
        out.append(
            (ellipsoid((0.05 * s, 0.065 * s, 0.04 * s), at(0.345, side * 0.145, 0.03), 7), white)
        )
        out.append(
            (ellipsoid((0.03 * s, 0.035 * s, 0.035 * s), at(0.385, side * 0.15, 0.03), 7), dark)
        )
        out.append((box((0.04 * s, 0.16 * s, 0.03 * s), at(0.37, side * 0.15, 0.125)), look.hair))
        out.append(
            (
                ellipsoid((0.07 * s, 0.03 * s, 0.12 * s), at(-0.03, side * 0.355, -0.03), 7),
                look.skin,
            )
        )
    _add_hair(rng, out, look, at, s)


def _add_hair(
    rng: Rng,
    out: list[tuple[Mesh, Material]],
    look: Look,
    at: Callable[[float, float, float], np.ndarray],
    s: float,
) -> None:
    style = rng.choice(
        ['short', 'long', 'bun', 'bald', 'cap', 'bob'], p=[0.4, 0.2, 0.1, 0.08, 0.1, 0.12]
    )
    volume = rng.uniform(1.0, 1.14)
    if style != 'bald':
        crown = loft(
            [
                (-0.10, 0, -0.12, 0.36, 0.365),
                (-0.09, 0, 0.1, 0.40, 0.385),
                (-0.045, 0, 0.2, 0.43, 0.385),
                (-0.03, 0, 0.36, 0.40, 0.34),
                (-0.04, 0, 0.49, 0.28, 0.24),
                (-0.04, 0, 0.55, 0.1, 0.1),
            ],
            16,
        )
        surface = fabric(rng) if style == 'cap' else look.hair
        out.append((crown.moved(at(0, 0, 0), None, (s, s * volume, s * volume)), surface))
        if style == 'cap':
            out.append((soft_box((0.5 * s, 0.5 * s, 0.06 * s), at(0.42, 0, 0.22), 0.6, 7), surface))
    if style in ('long', 'bob'):
        drop = rng.uniform(0.9, 1.8) if style == 'long' else rng.uniform(0.55, 0.75)
        out.append(
            (
                soft_box((0.3 * s, 0.74 * s * volume, drop * s), at(-0.25, 0, 0.3 - drop / 2), 0.5),
                look.hair,
            )
        )
        lock = (0.4 * s, 0.13 * s, drop * 0.8 * s)
        out += [
            (soft_box(lock, at(-0.05, side * 0.36 * volume, 0.28 - drop * 0.4), 0.6), look.hair)
            for side in (-1, 1)
        ]
    if style == 'bun':
        out.append((ellipsoid((0.17 * s, 0.17 * s, 0.16 * s), at(-0.42, 0, 0.35), 7), look.hair))
    if style in ('short', 'bald') and rng.random() < 0.35:
        out.append(
            (
                loft(
                    [
                        (0.12, 0, -0.54, 0.13, 0.16),
                        (0.1, 0, -0.42, 0.26, 0.24),
                        (0.06, 0, -0.3, 0.30, 0.29),
                        (0.04, 0, -0.2, 0.3, 0.305),
                    ],
                    12,
                ).moved(at(0, 0, 0), None, (s, s, s)),
                look.hair,
            )
        )
    if rng.random() < 0.15:
        frame = plain(np.full(3, 0.06), 0.4, 0.5)
        for side in (-1, 1):
            out.append((box((0.02 * s, 0.25 * s, 0.02 * s), at(0.42, side * 0.15, 0.1)), frame))
            out.append((box((0.02 * s, 0.25 * s, 0.02 * s), at(0.42, side * 0.15, -0.05)), frame))
            out.append((box((0.45 * s, 0.02 * s, 0.03 * s), at(0.2, side * 0.36, 0.08)), frame))
