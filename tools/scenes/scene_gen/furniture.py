# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Tables, plants, cartons and doors, in many variants.  Origins are on the floor."""

from __future__ import annotations

import numpy as np

from scene_gen.materials import (
    Material,
    carton_side,
    colour,
    dyed,
    hsv,
    metal,
    outside,
    patterned,
    plain,
    two_toned,
    wood,
)
from scene_gen.meshes import (
    Mesh,
    box,
    cylinder,
    ellipsoid,
    lathe,
    leaf,
    merge,
    rod,
    rot_x,
    rot_y,
    rot_z,
    soft_box,
)
from scene_gen.patterns import pick
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


def door_leaf(rng: Rng, width: float, height: float) -> Thing:
    """A door's leaf with handles: its hinge is the z axis, it extends along +x when closed."""
    thick = 0.042
    style = rng.choice(['panels', 'flat', 'glass', 'lights'], p=[0.42, 0.28, 0.14, 0.16])
    draw = rng.random()
    if draw < 0.4:
        surface = plain(np.full(3, rng.uniform(0.72, 0.96)) * rng.uniform(0.95, 1.0, 3), 0.2, 0.3)
    elif draw < 0.78:
        surface = wood(rng)
    else:
        surface = plain(colour(rng, (0.15, 0.7), (0.15, 0.8)), 0.2, 0.3)
    solid: list[Mesh] = []
    panes: list[Mesh] = []
    if style in ('flat', 'panels'):
        solid.append(box((width, thick, height), (width / 2, 0, height / 2), 0.3, 0.9))
        if style == 'panels':
            solid += _panels(rng, width, height, thick)
    else:
        low = 0.12 if style == 'glass' else height * rng.uniform(0.35, 0.55)
        rail = rng.uniform(0.08, 0.14)
        solid += [
            box((rail, thick, height), (rail / 2, 0, height / 2)),
            box((rail, thick, height), (width - rail / 2, 0, height / 2)),
            box((width, thick, rail), (width / 2, 0, height - rail / 2)),
            box((width, thick, low), (width / 2, 0, low / 2)),
        ]
        bars = int(rng.integers(0, 3))
        solid += [
            box((width, thick * 0.8, 0.03), (width / 2, 0, z))
            for z in np.linspace(low, height - rail, bars + 2)[1:-1]
        ]
        panes.append(
            box(
                (width - 2 * rail, 0.01, height - low - rail),
                (width / 2, 0, (height - rail + low) / 2),
            )
        )
    shiny = metal(rng)
    handle: list[Mesh] = []
    at = width - 0.07
    for s in (-1, 1):
        handle.append(
            soft_box(
                (0.04, 0.012, 0.2 if rng.random() < 0.4 else 0.05),
                (at, s * (thick / 2 + 0.004), 1.02),
                0.3,
                7,
            )
        )
        if rng.random() < 0.25:
            handle.append(ellipsoid((0.03, 0.03, 0.03), (at, s * (thick / 2 + 0.05), 1.02), 7))
        else:
            handle += [
                rod((at, s * thick / 2, 1.02), (at, s * (thick / 2 + 0.055), 1.02), 0.009),
                rod(
                    (at, s * (thick / 2 + 0.05), 1.02),
                    (at - 0.12, s * (thick / 2 + 0.05), 1.02),
                    0.009,
                ),
            ]
    parts: list[tuple[Mesh | list[Mesh], Material]] = [(merge(solid), surface), (handle, shiny)]
    if panes:
        parts.append((panes, _pane(rng)))
    return rigid('door', parts)


def _panels(rng: Rng, width: float, height: float, thick: float) -> list[Mesh]:
    rows, columns = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    raised = []
    w, h = (width - 0.12) / columns - 0.06, (height - 0.2) / rows - 0.08
    for c in range(columns):
        for r in range(rows):
            at = (
                0.06 + (c + 0.5) * (width - 0.12) / columns,
                0,
                0.12 + (r + 0.5) * (height - 0.2) / rows,
            )
            raised += [box((w, thick + 0.02, h), at), box((w - 0.07, thick + 0.045, h - 0.07), at)]
    return raised


def _pane(rng: Rng) -> Material:
    """Frosted glass, or glass with the view through it; opaque: it belongs to the door."""
    if rng.random() < 0.45:
        return Material((1, 1, 1), outside(rng), 0.5, 0.8, rng.uniform(0.2, 0.6))
    base = hsv(rng.uniform(0.4, 0.6), rng.uniform(0.02, 0.15), rng.uniform(0.5, 0.9))
    return two_toned(rng, ('plaster', 'cloth', 'dots'), base * 0.85, base * 1.05, 0.6)
