# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Potted plants: broad leaves, blades, small trees and bushes."""

from __future__ import annotations

import numpy as np

from scene_gen.materials import (
    Material,
    colour,
    dyed,
    hsv,
    patterned,
    plain,
)
from scene_gen.meshes import (
    Mesh,
    cylinder,
    ellipsoid,
    lathe,
    leaf,
    rod,
    rot_x,
    rot_y,
    rot_z,
)
from scene_gen.patterns import pick
from scene_gen.things import Thing, rigid

Rng = np.random.Generator


def plant(rng: Rng) -> Thing:
    """A pot with broad leaves, blades, a small tree or a bush."""
    size = rng.uniform(0.7, 1.25)
    radius, height = rng.uniform(0.11, 0.17) * size, rng.uniform(0.18, 0.36) * size
    pot_material = (
        plain(colour(rng, (0, 0.6), (0.15, 0.95)), 0.4, 0.5)
        if rng.random() < 0.5
        else patterned(
            rng, ('concrete', 'weave', 'marble'), colour(rng, (0.0, 0.6), (0.3, 0.9)), 0.2
        )
    )
    pot = lathe(
        [
            (radius * rng.uniform(0.6, 1.0), 0),
            (radius, height * 0.9),
            (radius * 1.06, height),
            (radius * 0.9, height),
            (radius * 0.88, height * 0.92),
        ],
        20,
    )
    green = hsv(rng.uniform(0.22, 0.4), rng.uniform(0.35, 0.85), rng.uniform(0.28, 0.62))
    foliage = Material((1, 1, 1), dyed(pick(rng, 'leafy'), green * 0.65, green * 1.3), 0.2, 0.3)
    soil = plain(hsv(0.07, 0.5, 0.16))
    stem = plain(hsv(0.09, 0.45, rng.uniform(0.2, 0.45)))
    kind = rng.choice(['broad', 'blades', 'tree', 'bush'])
    leaves, stems = _FOLIAGE[kind](rng, size, height * 0.92)
    parts: list[tuple[Mesh | list[Mesh], Material]] = [
        (pot, pot_material),
        (cylinder(radius * 0.88, 0.01, (0, 0, height * 0.92)), soil),
        (leaves, foliage),
    ]
    if stems:
        parts.append((stems, stem))
    return rigid('plant', parts)


def _leaf_at(
    rng: Rng,
    base: np.ndarray,
    heading: float,
    rise: float,
    length: float,
    width: float,
    droop: float,
) -> Mesh:
    turn = rot_z(heading) @ rot_y(-rise) @ rot_x(rng.uniform(-0.5, 0.5))
    return leaf(length, width, droop).moved(base, turn)


def _broad(rng: Rng, size: float, z: float) -> tuple[list[Mesh], list[Mesh]]:
    leaves, stems = [], []
    count = int(rng.integers(9, 20))
    for i in range(count):
        heading = i * 2.4 + rng.uniform(-0.3, 0.3)
        out, up = rng.uniform(0.05, 0.28) * size, rng.uniform(0.15, 0.75) * size
        tip = np.array([out * np.cos(heading), out * np.sin(heading), z + up])
        stems.append(rod((0, 0, z - 0.02), tip, 0.008, 0.005, 5))
        leaves.append(
            _leaf_at(
                rng,
                tip,
                heading,
                rng.uniform(-0.5, 0.7),
                rng.uniform(0.18, 0.34) * size,
                rng.uniform(0.1, 0.2) * size,
                0.35,
            )
        )
    return leaves, stems


def _blades(rng: Rng, size: float, z: float) -> tuple[list[Mesh], list[Mesh]]:
    long, droop = rng.uniform(0.4, 0.9) * size, rng.uniform(0.05, 0.9)
    base = np.array([0, 0, z - 0.02])
    return [
        _leaf_at(
            rng,
            base + np.array([*rng.uniform(-0.05, 0.05, 2), 0]),
            rng.uniform(0, 2 * np.pi),
            rng.uniform(0.7, 1.5),
            long * rng.uniform(0.6, 1.0),
            rng.uniform(0.04, 0.09) * size,
            droop,
        )
        for _ in range(int(rng.integers(14, 34)))
    ], []


def _tree(rng: Rng, size: float, z: float) -> tuple[list[Mesh], list[Mesh]]:
    trunk = rng.uniform(0.4, 0.95) * size
    stems = [
        rod(
            (0, 0, z - 0.02),
            (rng.uniform(-0.06, 0.06), rng.uniform(-0.06, 0.06), z + trunk),
            0.018 * size,
            0.012 * size,
            7,
        )
    ]
    crown = rng.uniform(0.18, 0.32) * size
    leaves = []
    for _ in range(int(rng.integers(40, 75))):
        d = rng.standard_normal(3)
        d /= np.linalg.norm(d)
        base = np.array([0, 0, z + trunk]) + d * crown * rng.uniform(0.3, 1.0)
        leaves.append(
            _leaf_at(
                rng,
                base,
                np.arctan2(d[1], d[0]),
                np.arcsin(d[2]) * 0.8,
                rng.uniform(0.1, 0.18) * size,
                rng.uniform(0.05, 0.1) * size,
                0.4,
            )
        )
    return leaves, stems


def _bush(rng: Rng, size: float, z: float) -> tuple[list[Mesh], list[Mesh]]:
    r = rng.uniform(0.16, 0.28) * size
    leaves = [ellipsoid((r * 0.8, r * 0.8, r), (0, 0, z + r * 0.8), 7)]
    for _ in range(int(rng.integers(35, 70))):
        d = rng.standard_normal(3)
        d /= np.linalg.norm(d)
        base = np.array([0, 0, z + r * 0.8]) + d * r * [0.8, 0.8, 1.0]
        leaves.append(
            _leaf_at(
                rng,
                base,
                np.arctan2(d[1], d[0]),
                np.arcsin(d[2]),
                rng.uniform(0.06, 0.13) * size,
                rng.uniform(0.03, 0.06) * size,
                0.5,
            )
        )
    return leaves, []


_FOLIAGE = {'broad': _broad, 'blades': _blades, 'tree': _tree, 'bush': _bush}
