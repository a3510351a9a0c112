# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Things that are no class: shelves, lamps, rugs, pictures, screens, crockery, bags, toys."""

from __future__ import annotations

import numpy as np

from scene_gen.materials import (
    Material,
    artwork,
    book_spines,
    colour,
    fabric,
    metal,
    plain,
    screen,
    two_toned,
    wood,
)
from scene_gen.meshes import Mesh, box, cylinder, ellipsoid, lathe, quad, rod, rot_y, soft_box
from scene_gen.things import Thing, rigid

Rng = np.random.Generator
Pieces = list[tuple['Mesh | list[Mesh]', Material]]


def bookshelf(rng: Rng) -> Thing:
    """Boards with books and ornaments; its back is at -x."""
    w, d = rng.uniform(0.6, 1.3), rng.uniform(0.24, 0.36)
    h = rng.uniform(0.8, 2.1)
    n = max(2, int(h / rng.uniform(0.3, 0.4)))
    boards = [box((d, 0.025, h), (0, s * w / 2, h / 2)) for s in (-1, 1)]
    boards += [box((d, w, 0.022), (0, 0, z)) for z in np.linspace(0.04, h - 0.01, n + 1)]
    boards.append(box((0.012, w, h), (-d / 2, 0, h / 2)))
    pieces: Pieces = [(boards, wood(rng))]
    gap = (h - 0.05) / n
    for i in range(n):
        z = 0.055 + i * gap
        draw = rng.random()
        if draw < 0.6:
            fill = rng.uniform(0.4, 0.95) * w
            tall = gap * rng.uniform(0.6, 0.85)
            front = quad((d * 0.3, -w / 2 + 0.02, z), (0, fill, 0), (0, 0, tall))
            block = box((d * 0.6, fill, tall), (0, -w / 2 + 0.02 + fill / 2, z + tall / 2))
            pieces += [
                (front, Material((1, 1, 1), book_spines(rng))),
                (block.moved((-0.004, 0, 0)), plain(np.array([0.85, 0.82, 0.74]))),
            ]
        elif draw < 0.85:
            for _ in range(int(rng.integers(1, 4))):
                item = trinket(rng, min(gap * 0.8, 0.26))
                at = (0.0, rng.uniform(-0.4, 0.4) * w, z)
                pieces += [(p.mesh.moved(at), p.material) for p in item.segments[0]]
    return rigid(None, pieces)


def cabinet(rng: Rng) -> Thing:
    """A chest of drawers, sideboard, counter or wardrobe; its back is at -x."""
    kind = rng.choice(['low', 'counter', 'tall'], p=[0.5, 0.25, 0.25])
    w = rng.uniform(0.7, 1.8) if kind != 'tall' else rng.uniform(0.6, 1.3)
    h = {'low': rng.uniform(0.45, 0.85), 'counter': 0.9, 'tall': rng.uniform(1.6, 2.1)}[kind]
    d = rng.uniform(0.38, 0.6)
    body = wood(rng) if rng.random() < 0.5 else plain(colour(rng, (0, 0.3), (0.3, 0.96)), 0.2, 0.4)
    front = body if rng.random() < 0.5 else plain(colour(rng, (0, 0.4), (0.3, 0.96)), 0.2, 0.4)
    columns = max(1, round(w / rng.uniform(0.42, 0.6)))
    rows = int(rng.integers(2, 5)) if kind == 'low' else int(rng.integers(1, 3))
    fronts, knobs = [], []
    for c in range(columns):
        y = (c + 0.5) * w / columns - w / 2
        for r in range(rows):
            z = 0.06 + (r + 0.5) * (h - 0.1) / rows
            fronts.append(
                box((0.02, w / columns - 0.015, (h - 0.1) / rows - 0.015), (d / 2 + 0.008, y, z))
            )
            knobs.append(box((0.02, 0.1, 0.014), (d / 2 + 0.028, y, z + 0.02)))
    top = box((d + 0.03, w + 0.03, 0.03), (0, 0, h))
    return rigid(
        None,
        [
            (box((d, w, h), (0, 0, h / 2), 0.4, 0.8), body),
            (fronts, front),
            (top, wood(rng) if rng.random() < 0.4 else body),
            (knobs, metal(rng)),
        ],
    )


def television(rng: Rng) -> Thing:
    """A flat screen that hangs with its back at x = 0, centred at z = 0."""
    w = rng.uniform(0.8, 1.4)
    h = w * 0.57
    return rigid(
        None,
        [
            (box((0.04, w, h), (0.03, 0, 0)), plain(np.full(3, 0.05), 0.4)),
            (
                quad((0.052, -w / 2 + 0.02, -h / 2 + 0.02), (0, w - 0.04, 0), (0, 0, h - 0.04)),
                Material((1, 1, 1), screen(rng), 0.5, 0.8, rng.uniform(0.0, 0.6)),
            ),
        ],
    )


def picture(rng: Rng) -> Thing:
    """A framed picture or a mirror-like board; its back at x = 0, centred at z = 0."""
    w, h = rng.uniform(0.25, 1.0), rng.uniform(0.25, 0.8)
    face = quad((0.022, -w / 2 + 0.025, -h / 2 + 0.025), (0, w - 0.05, 0), (0, 0, h - 0.05))
    frame = wood(rng) if rng.random() < 0.6 else plain(np.full(3, rng.choice([0.05, 0.92])))
    return rigid(None, [(box((0.04, w, h)), frame), (face, Material((1, 1, 1), artwork(rng), 0.1))])


def rug(rng: Rng) -> Thing:
    """A rectangular or round rug."""
    w, d = rng.uniform(1.0, 2.6), rng.uniform(0.8, 1.8)
    surface = (
        two_toned(
            rng, ('motif', 'chevron', 'stripes', 'plaid', 'dots'), colour(rng), colour(rng), 0.02
        )
        if rng.random() < 0.7
        else fabric(rng)
    )
    if rng.random() < 0.25:
        return rigid(None, [(cylinder(d * 0.6, 0.012, (0, 0, 0.006), 32, 1.0), surface)])
    return rigid(None, [(box((w, d, 0.012), (0, 0, 0.006), 0.4, 1.1), surface)])


def floor_lamp(rng: Rng) -> Thing:
    """A standing lamp with a shade that glows."""
    h = rng.uniform(1.2, 1.75)
    r = rng.uniform(0.12, 0.22)
    shade = plain(
        np.array([1.0, 0.93, 0.8]) * rng.uniform(0.7, 1.0), 0.05, 0.1, rng.choice([0.05, 0.7])
    )
    return rigid(
        None,
        [
            ([cylinder(0.14, 0.025, (0, 0, 0.012)), rod((0, 0, 0), (0, 0, h), 0.012)], metal(rng)),
            (lathe([(r, h - 0.24), (r * rng.uniform(0.5, 1.0), h)], 18), shade),
        ],
    )


def pendant(rng: Rng, drop: float) -> Thing:
    """A ceiling lamp, origin at the ceiling, hanging `drop` [m]."""
    r = rng.uniform(0.12, 0.28)
    bright = plain(np.array([1.0, 0.97, 0.9]), 0.0, 0.0, 1.0)
    if drop < 0.12:
        w = rng.uniform(0.25, 0.7)
        return rigid(
            None, [(box((w, w if rng.random() < 0.5 else 0.2, 0.05), (0, 0, -0.03)), bright)]
        )
    globe = (
        ellipsoid((r, r, r * 0.9), (0, 0, -drop))
        if rng.random() < 0.5
        else lathe([(r, -drop - 0.1), (r * 0.35, -drop + 0.12)], 20)
    )
    return rigid(
        None, [(rod((0, 0, -drop), (0, 0, 0), 0.006), plain(np.full(3, 0.1))), (globe, bright)]
    )


def radiator(rng: Rng) -> Thing:
    """A panel radiator, back at x = 0."""
    w, h = rng.uniform(0.5, 1.2), rng.uniform(0.4, 0.6)
    ribs = [box((0.06, 0.03, h), (0.06, y, h / 2 + 0.12)) for y in np.arange(-w / 2, w / 2, 0.05)]
    return rigid(
        None,
        [
            (
                [*ribs, box((0.03, w, h - 0.06), (0.05, 0, h / 2 + 0.12))],
                plain(np.full(3, rng.uniform(0.8, 0.96)), 0.3, 0.4),
            )
        ],
    )


def laptop(rng: Rng) -> Thing:
    """An open laptop, its screen facing +x."""
    body = plain(np.full(3, rng.choice([0.08, 0.3, 0.7])), 0.3, 0.5)
    lean = rot_y(-rng.uniform(0.1, 0.45))
    lid = box((0.008, 0.32, 0.21), (0, 0, 0.105)).moved((-0.11, 0, 0.015), lean)
    face = quad((0.0045, -0.15, 0.01), (0, 0.3, 0), (0, 0, 0.19)).moved((-0.11, 0, 0.015), lean)
    return rigid(
        None,
        [
            ([box((0.22, 0.32, 0.018), (0, 0, 0.009)), lid], body),
            (face, Material((1, 1, 1), screen(rng), 0.3, 0.5, 0.6)),
        ],
    )


def trinket(rng: Rng, tallest: float = 0.3) -> Thing:
    """A small thing for a table or a shelf: cup, bottle, bowl, vase, books, ball, plate."""
    kind = rng.choice(['cup', 'bottle', 'bowl', 'vase', 'books', 'ball', 'plate'])
    tint = colour(rng, (0.0, 0.9), (0.1, 0.98))
    surface = plain(tint, 0.4, 0.5)
    if kind == 'cup':
        h = min(rng.uniform(0.07, 0.12), tallest)
        shape: Mesh | list[Mesh] = lathe([(0.03, 0), (0.042, h), (0.037, h), (0.034, 0.01)], 14)
    elif kind == 'bottle':
        h = min(rng.uniform(0.2, 0.32), tallest)
        shape = lathe([(0.034, 0), (0.036, h * 0.6), (0.014, h * 0.75), (0.014, h)], 14)
    elif kind == 'bowl':
        shape = lathe([(0.05, 0), (0.11, 0.07), (0.105, 0.07), (0.06, 0.02)], 18)
    elif kind == 'vase':
        h = min(rng.uniform(0.15, 0.3), tallest)
        shape = lathe(
            [(0.04, 0), (rng.uniform(0.05, 0.09), h * 0.4), (0.03, h * 0.8), (0.045, h)], 16
        )
    elif kind == 'books':
        shape = [
            box((rng.uniform(0.14, 0.2), rng.uniform(0.2, 0.26), 0.028), (0, 0, 0.014 + 0.029 * i))
            for i in range(int(rng.integers(1, 5)))
        ]
    elif kind == 'ball':
        r = min(rng.uniform(0.03, 0.12), tallest / 2)
        shape = ellipsoid((r, r, r), (0, 0, r))
    else:
        shape = lathe([(0.07, 0), (0.12, 0.018)], 20)
    return rigid(None, [(shape, surface)])


def floor_item(rng: Rng) -> Thing:
    """Something left on the floor: a bin, a bag, shoes, a ball, a stool-like pouf, a suitcase."""
    kind = rng.choice(['bin', 'bag', 'shoes', 'ball', 'pouf', 'suitcase', 'basket', 'heater'])
    tint = colour(rng, (0.0, 0.9), (0.08, 0.9))
    if kind == 'bin':
        h = rng.uniform(0.25, 0.6)
        return rigid(
            None, [(lathe([(0.1, 0), (0.14, h), (0.12, h), (0.1, 0.03)], 18), plain(tint, 0.3))]
        )
    if kind == 'bag':
        return rigid(
            None,
            [
                (
                    [
                        soft_box((0.2, 0.34, 0.36), (0, 0, 0.18), 0.5),
                        soft_box((0.1, 0.24, 0.2), (0.1, 0, 0.13), 0.5),
                    ],
                    fabric(rng),
                )
            ],
        )
    if kind == 'shoes':
        return rigid(
            None,
            [
                (
                    [soft_box((0.27, 0.09, 0.09), (0, s * 0.07, 0.045), 0.5) for s in (-1, 1)],
                    plain(tint),
                )
            ],
        )
    if kind == 'ball':
        r = rng.uniform(0.06, 0.3)
        return rigid(
            None,
            [
                (
                    ellipsoid((r, r, r), (0, 0, r), 13),
                    two_toned(rng, ('stripes', 'patches', 'dots'), tint, colour(rng), 0.3),
                )
            ],
        )
    if kind == 'pouf':
        return rigid(None, [(soft_box((0.45, 0.45, 0.36), (0, 0, 0.18), 0.6), fabric(rng))])
    if kind == 'suitcase':
        return rigid(
            None,
            [
                (soft_box((0.24, 0.42, 0.6), (0, 0, 0.32), 0.2, 11, 2.0), plain(tint, 0.3)),
                (
                    [rod((-0.05, s * 0.1, 0.6), (-0.05, s * 0.1, 0.95), 0.008) for s in (-1, 1)],
                    plain(np.full(3, 0.3), 0.5),
                ),
            ],
        )
    if kind == 'basket':
        return rigid(
            None,
            [
                (
                    lathe([(0.16, 0), (0.22, 0.3), (0.2, 0.3), (0.15, 0.03)], 20),
                    two_toned(rng, ('weave',), tint * 0.6, tint, 0.05),
                )
            ],
        )
    return rigid(None, [(box((0.12, 0.6, 0.5), (0, 0, 0.3)), plain(np.full(3, 0.9), 0.3))])
