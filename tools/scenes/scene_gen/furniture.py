# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Tables and cartons, in many variants.  Origins are on the floor."""

from __future__ import annotations

import numpy as np

from scene_gen.materials import (
    Material,
    carton_side,
    colour,
    metal,
    patterned,
    plain,
    wood,
)
from scene_gen.meshes import (
    Mesh,
    box,
    lathe,
    rod,
    rot_x,
    rot_y,
)
from scene_gen.things import Thing, rigid

Rng = np.random.Generator


def _table_top(rng: Rng) -> Material:
    draw = rng.random()
    if draw < 0.65:
        return wood(rng)
    if draw < 0.8:
        return patterned(
            rng, ('marble', 'concrete'), colour(rng, (0, 0.15), (0.4, 0.95)), 0.15, 0.4, 0.6
        )
    return plain(colour(rng, (0, 0.5), (0.1, 0.98)), 0.4, 0.5)


def table(rng: Rng) -> Thing:
    """Dining, coffee, side tables and desks: rectangular or round, on legs or a pedestal."""
    low = rng.random() < 0.35
    height = rng.uniform(0.34, 0.5) if low else rng.uniform(0.68, 0.78)
    thick = rng.uniform(0.02, 0.055)
    top_material = _table_top(rng)
    base = top_material if rng.random() < 0.4 else (metal(rng) if rng.random() < 0.6 else wood(rng))
    leg_z = height - thick
    if rng.random() < 0.35:
        radius = rng.uniform(0.25, 0.45) if low else rng.uniform(0.38, 0.62)
        top = [
            lathe(
                [(radius - 0.008, leg_z), (radius, leg_z + thick / 2), (radius - 0.006, height)], 36
            )
        ]
        if rng.random() < 0.55:
            foot = radius * rng.uniform(0.45, 0.7)
            under = [
                lathe(
                    [
                        (foot, 0),
                        (foot, 0.015),
                        (0.06, 0.06),
                        (0.035, leg_z * 0.5),
                        (0.05, leg_z - 0.03),
                        (radius * 0.4, leg_z),
                    ],
                    24,
                )
            ]
        else:
            turns = np.arange(int(rng.choice([3, 4]))) * 2 * np.pi
            angles = turns / len(turns) + 0.4
            under = [
                rod(
                    (radius * 0.85 * np.cos(a), radius * 0.85 * np.sin(a), 0),
                    (radius * 0.55 * np.cos(a), radius * 0.55 * np.sin(a), leg_z),
                    0.016,
                    0.022,
                )
                for a in angles
            ]
        return rigid('table', [(top, top_material), (under, base)])
    length = rng.uniform(0.6, 1.1) if low else rng.uniform(0.9, 1.9)
    width = rng.uniform(0.4, 0.65) if low else rng.uniform(0.6, 0.95)
    top = [box((length, width, thick), (0, 0, height - thick / 2), 0.25, 0.8)]
    return rigid('table', [(top, top_material), (_table_legs(rng, length, width, leg_z), base)])


def _table_legs(rng: Rng, length: float, width: float, leg_z: float) -> list[Mesh]:
    kind = rng.choice(['posts', 'rods', 'trestle', 'panels'])
    x, y = length / 2 - 0.06, width / 2 - 0.06
    if kind == 'posts':
        w = rng.uniform(0.04, 0.08)
        legs = [box((w, w, leg_z), (sx * x, sy * y, leg_z / 2)) for sx in (-1, 1) for sy in (-1, 1)]
        apron = rng.uniform(0.06, 0.11)
        legs += [box((2 * x, 0.02, apron), (0, s * y, leg_z - apron / 2)) for s in (-1, 1)]
        legs += [box((0.02, 2 * y, apron), (s * x, 0, leg_z - apron / 2)) for s in (-1, 1)]
    elif kind == 'rods':
        legs = [
            rod((sx * x, sy * y, 0), (sx * (x - 0.05), sy * (y - 0.04), leg_z), 0.014, 0.022)
            for sx in (-1, 1)
            for sy in (-1, 1)
        ]
    elif kind == 'trestle':
        legs = [
            rod((sx * x, sy * y, 0), (sx * x, -sy * y * 0.5, leg_z), 0.022)
            for sx in (-1, 1)
            for sy in (-1, 1)
        ]
        legs.append(rod((-x, 0, leg_z * 0.5), (x, 0, leg_z * 0.5), 0.018))
    else:
        legs = [box((0.03, 2 * y, leg_z), (s * x, 0, leg_z / 2)) for s in (-1, 1)]
        if rng.random() < 0.6:
            legs.append(box((0.4, 2 * y, leg_z * 0.75), (x - 0.22, 0, leg_z * 0.62)))
    return legs


def carton(rng: Rng, small: bool = False) -> Thing:
    """A cardboard box: kraft, white or printed; closed, or open with its flaps up."""
    scale = 0.65 if small else 1.0
    size = rng.uniform((0.24, 0.24, 0.18), (0.62, 0.56, 0.55)) * scale
    base = np.array([0.70, 0.53, 0.35]) * rng.uniform(0.75, 1.15) * rng.uniform(0.94, 1.06, 3)
    if rng.random() < 0.18:
        base = np.full(3, rng.uniform(0.75, 0.92))
    elif rng.random() < 0.12:
        base = colour(rng, (0.3, 0.8), (0.3, 0.8))
    side = Material((1, 1, 1), carton_side(rng, base), 0.03)
    other = Material((1, 1, 1), carton_side(rng, base), 0.03)
    x, y, z = size
    is_open = not small and rng.random() < 0.3
    if not is_open:
        body = box(size, (0, 0, z / 2))
        return rigid('box', [(body, side if rng.random() < 0.5 else other)])
    walls = [box((x, 0.008, z), (0, s * y / 2, z / 2)) for s in (-1, 1)]
    ends = [box((0.008, y, z), (s * x / 2, 0, z / 2)) for s in (-1, 1)]
    ends.append(box((x, y, 0.01), (0, 0, 0.01)))
    for s in (-1, 1):
        angle = rng.uniform(0.3, 2.2)
        flap = box((x, y * 0.45, 0.006), (0, s * y * 0.225, 0))
        walls.append(flap.moved((0, s * y / 2, z), rot_x(s * (np.pi / 2 - angle))))
        flap = box((x * 0.4, y, 0.006), (s * x * 0.2, 0, 0))
        ends.append(flap.moved((s * x / 2, 0, z), rot_y(-s * (np.pi / 2 - rng.uniform(0.3, 2.2)))))
    return rigid('box', [(walls, side), (ends, other)])
