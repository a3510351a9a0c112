# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Chairs and sofas.  A seat faces +x; its origin is on the floor under its middle."""

from __future__ import annotations

import numpy as np

from scene_gen.materials import Material, colour, fabric, metal, patterned, plain, wood
from scene_gen.meshes import Mesh, box, cylinder, rod, rot_y, soft_box
from scene_gen.things import Thing, rigid

Rng = np.random.Generator
Pieces = list[tuple['Mesh | list[Mesh]', Material]]


def _frame_material(rng: Rng) -> Material:
    draw = rng.random()
    if draw < 0.55:
        return wood(rng)
    return metal(rng) if draw < 0.8 else plain(colour(rng, (0.0, 0.8), (0.1, 0.95)), 0.3, 0.4)


def _leather(rng: Rng) -> Material:
    base = colour(rng, (0.0, 0.6), (0.08, 0.7))
    return patterned(rng, ('cloth',), base, 0.15, 0.4, 0.5)


def _legs(rng: Rng, half_x: float, half_y: float, height: float) -> list[Mesh]:
    """Four legs, straight or splayed, square or round."""
    splay = rng.uniform(0.0, 0.05) if rng.random() < 0.5 else 0.0
    radius = rng.uniform(0.012, 0.026)
    square = rng.random() < 0.4 and splay == 0
    legs = []
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y = sx * half_x, sy * half_y
            if square:
                legs.append(box((2 * radius, 2 * radius, height), (x, y, height / 2)))
            else:
                legs.append(
                    rod((x + sx * splay, y + sy * splay, 0), (x, y, height), radius * 0.75, radius)
                )
    return legs


def _back(rng: Rng, width: float, low: float, high: float, x: float) -> tuple[list[Mesh], bool]:
    """A chair's back; returns its meshes and whether they are upholstered."""
    tilt = rng.uniform(0.04, 0.2)
    kind = rng.choice(['slats', 'rungs', 'panel', 'cushion'])
    lean = rot_y(-tilt)
    h = high - low
    post = rng.uniform(0.012, 0.02)
    meshes = [
        rod((0, s * (width / 2 - post), -0.04), (0, s * (width / 2 - post), h), post)
        for s in (-1, 1)
    ]
    if kind == 'slats':
        n = int(rng.integers(3, 7))
        meshes += [
            rod((0, y, 0), (0, y, h), post * 0.7)
            for y in np.linspace(-width / 2, width / 2, n + 2)[1:-1]
        ]
        meshes.append(box((0.025, width, rng.uniform(0.04, 0.09)), (0, 0, h)))
    elif kind == 'rungs':
        n = int(rng.integers(2, 5))
        meshes += [
            box((0.02, width, rng.uniform(0.03, 0.07)), (0, 0, z)) for z in np.linspace(0.12, h, n)
        ]
    elif kind == 'panel':
        meshes.append(soft_box((0.03, width, h * rng.uniform(0.55, 0.95)), (0, 0, h * 0.55), 0.2))
    else:
        meshes = [soft_box((rng.uniform(0.05, 0.1), width, h), (0, 0, h / 2), 0.3)]
    return [m.moved((x, 0, low), lean) for m in meshes], kind == 'cushion'


def dining_chair(rng: Rng) -> Thing:
    """Four legs, a seat, a back; low ones are children's, high ones are bar stools."""
    seat_z = rng.choice([rng.uniform(0.42, 0.5), rng.uniform(0.58, 0.75)], p=[0.88, 0.12])
    width, depth = rng.uniform(0.38, 0.5), rng.uniform(0.38, 0.48)
    frame = _frame_material(rng)
    cover = fabric(rng) if rng.random() < 0.5 else frame
    thick = rng.uniform(0.02, 0.06)
    legs = _legs(rng, depth / 2 - 0.03, width / 2 - 0.03, seat_z - thick / 2)
    if rng.random() < 0.4:
        z = seat_z * rng.uniform(0.25, 0.6)
        legs += [
            rod(
                (-depth / 2 + 0.03, s * (width / 2 - 0.03), z),
                (depth / 2 - 0.03, s * (width / 2 - 0.03), z),
                0.009,
            )
            for s in (-1, 1)
        ]
    back, soft = _back(rng, width, seat_z, seat_z + rng.uniform(0.32, 0.55), -depth / 2 + 0.02)
    seat = soft_box((depth, width, thick), (0, 0, seat_z - thick / 2), rng.uniform(0.15, 0.4))
    pieces: Pieces = [(legs, frame), (seat, cover), (back, cover if soft else frame)]
    if rng.random() < 0.2:
        arms = []
        for s in (-1, 1):
            y = s * width / 2
            arms += [
                rod((depth / 2 - 0.06, y, seat_z), (depth / 2 - 0.06, y, seat_z + 0.2), 0.014),
                box((depth, 0.045, 0.03), (-0.02, y, seat_z + 0.21)),
            ]
        pieces.append((arms, frame))
    return rigid('chair', pieces, ((0.0, 0.0, seat_z),) if seat_z < 0.52 else ())


def office_chair(rng: Rng) -> Thing:
    """A swivel chair: five castors, a gas lift, a shaped seat and back, sometimes arms."""
    seat_z = rng.uniform(0.44, 0.56)
    width, depth = rng.uniform(0.44, 0.52), rng.uniform(0.42, 0.5)
    base = metal(rng)
    cover = fabric(rng) if rng.random() < 0.5 else _leather(rng)
    star: list[Mesh] = []
    reach = rng.uniform(0.26, 0.33)
    for a in np.linspace(0, 2 * np.pi, 6)[:-1] + rng.random():
        tip = np.array([reach * np.cos(a), reach * np.sin(a), 0.075])
        star += [
            rod((0, 0, 0.12), tip, 0.03, 0.016),
            soft_box((0.05, 0.05, 0.06), tip - [0, 0, 0.043], 0.7, 7),
        ]
    star.append(cylinder(0.028, seat_z - 0.1, (0, 0, (seat_z + 0.1) / 2)))
    high = rng.uniform(0.45, 0.8)
    lean = rot_y(-rng.uniform(0.05, 0.2))
    back = soft_box(
        (rng.uniform(0.06, 0.11), width * rng.uniform(0.8, 1.0), high),
        (0, 0, high / 2),
        rng.uniform(0.3, 0.55),
    )
    soft = [
        soft_box((depth, width, 0.09), (0, 0, seat_z), rng.uniform(0.3, 0.5)),
        back.moved((-depth / 2, 0, seat_z + rng.uniform(0.02, 0.12)), lean),
    ]
    hard = [rod((-depth / 2 + 0.1, 0, seat_z - 0.03), (-depth / 2 - 0.05, 0, seat_z + 0.25), 0.022)]
    if rng.random() < 0.65:
        for s in (-1, 1):
            y = s * (width / 2 + 0.03)
            hard += [
                rod((0, s * width * 0.4, seat_z - 0.03), (0, y, seat_z + 0.18), 0.016),
                soft_box((0.26, 0.06, 0.035), (0.0, y, seat_z + 0.2), 0.3),
            ]
    return rigid('chair', [(star, base), (soft, cover), (hard, base)], ((0.0, 0.0, seat_z + 0.03),))


def shell_chair(rng: Rng) -> Thing:
    """A moulded shell on thin legs: the modern dining chair."""
    seat_z = rng.uniform(0.42, 0.48)
    width = rng.uniform(0.44, 0.52)
    shell = plain(colour(rng, (0.0, 0.9), (0.15, 0.98)), 0.4, 0.5)
    high = rng.uniform(0.3, 0.42)
    back = soft_box((0.045, width, high), (0, 0, high / 2), 0.55)
    meshes = [
        soft_box((0.44, width, 0.05), (0, 0, seat_z), 0.5),
        back.moved((-0.19, 0, seat_z - 0.02), rot_y(-rng.uniform(0.12, 0.3))),
    ]
    if rng.random() < 0.4:
        meshes += [
            soft_box((0.3, 0.04, 0.2), (-0.05, s * width / 2, seat_z + 0.1), 0.6) for s in (-1, 1)
        ]
    legs = [
        rod((sx * 0.2, sy * 0.2, 0), (sx * 0.1, sy * 0.12, seat_z), 0.011, 0.014)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    return rigid(
        'chair',
        [(meshes, shell), (legs, wood(rng) if rng.random() < 0.6 else metal(rng))],
        ((0.0, 0.0, seat_z + 0.02),),
    )


def armchair(rng: Rng) -> Thing:
    """A small upholstered chair with arms."""
    width, depth, seat_z = rng.uniform(0.58, 0.72), rng.uniform(0.55, 0.68), rng.uniform(0.38, 0.45)
    cover = fabric(rng) if rng.random() < 0.7 else _leather(rng)
    soft = rng.uniform(0.2, 0.4)
    arm = rng.uniform(0.08, 0.13)
    high = rng.uniform(0.38, 0.55)
    back = soft_box((0.14, width, high + 0.15), (0, 0, high / 2), soft)
    meshes = [
        soft_box((depth, width - arm, 0.18), (0.02, 0, seat_z - 0.09), soft),
        back.moved((-depth / 2, 0, seat_z - 0.05), rot_y(-rng.uniform(0.08, 0.25))),
    ]
    meshes += [
        soft_box((depth, arm, seat_z + 0.12), (0, s * width / 2, seat_z * 0.5 + 0.14), soft)
        for s in (-1, 1)
    ]
    legs = _legs(rng, depth / 2 - 0.08, width / 2 - 0.06, 0.22)
    return rigid('chair', [(meshes, cover), (legs, _frame_material(rng))], ((0.05, 0.0, seat_z),))


def chair(rng: Rng) -> Thing:
    """A random chair."""
    makers = (dining_chair, office_chair, shell_chair, armchair)
    return makers[rng.choice(4, p=[0.42, 0.26, 0.18, 0.14])](rng)


def sofa(rng: Rng) -> Thing:
    """One to three seats with cushions; sometimes a chaise longue."""
    seats = int(rng.choice([1, 2, 3], p=[0.15, 0.45, 0.4]))
    cell = rng.uniform(0.58, 0.75)
    width, depth = seats * cell, rng.uniform(0.72, 0.92)
    seat_z, high = rng.uniform(0.38, 0.48), rng.uniform(0.32, 0.5)
    cover = fabric(rng) if rng.random() < 0.7 else _leather(rng)
    soft = rng.uniform(0.12, 0.35)
    arm, arm_z = rng.uniform(0.1, 0.24), seat_z + rng.uniform(0.08, 0.24)
    foot = rng.uniform(0.05, 0.16)
    body = [
        box(
            (depth - 0.06, width, seat_z - foot - 0.1), (0, 0, (seat_z - 0.1 + foot) / 2), 0.3, 0.5
        ),
        soft_box(
            (0.2, width, seat_z + high - foot),
            (-depth / 2 + 0.08, 0, (seat_z + high + foot) / 2),
            soft,
        ),
    ]
    if rng.random() < 0.9 or seats == 1:
        body += [
            soft_box(
                (depth, arm, arm_z - foot),
                (0, s * (width + arm * 0.8) / 2, (arm_z + foot) / 2),
                soft,
            )
            for s in (-1, 1)
        ]
    cushions = []
    tilt = rot_y(-rng.uniform(0.1, 0.3))
    for i in range(seats):
        y = (i - (seats - 1) / 2) * cell
        cushions.append(
            soft_box((depth - 0.18, cell - 0.01, 0.17), (0.07, y, seat_z - 0.05), soft + 0.05)
        )
        if rng.random() < 0.92:
            pad = soft_box((0.16, cell - 0.03, high), (0, 0, high / 2), soft + 0.12)
            cushions.append(pad.moved((-depth / 2 + 0.25, y, seat_z), tilt))
    if seats > 1 and rng.random() < 0.25:
        side = rng.choice([-1, 1])
        cushions.append(
            soft_box(
                (0.75, cell, seat_z),
                (depth / 2 + 0.25, side * (width - cell) / 2, seat_z / 2),
                soft,
            )
        )
    pieces: Pieces = [
        (body, cover),
        (cushions, cover if rng.random() < 0.8 else fabric(rng)),
        (_legs(rng, depth / 2 - 0.1, width / 2 - 0.05, foot + 0.05), _frame_material(rng)),
    ]
    for _ in range(int(rng.integers(0, 4))):
        pad = soft_box((0.12, 0.38, 0.38), (0, 0, 0.2), 0.5)
        pieces.append(
            (
                pad.moved(
                    (-depth / 2 + 0.38, rng.uniform(-0.4, 0.4) * width, seat_z + 0.03), rot_y(-0.4)
                ),
                fabric(rng),
            )
        )
    places = tuple((0.1, (i - (seats - 1) / 2) * cell, seat_z + 0.02) for i in range(seats))
    return rigid('sofa', pieces, places)
