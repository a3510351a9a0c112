# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The shell of a room: floor, ceiling, walls with openings, doors and windows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from scene_gen.doors import door_leaf
from scene_gen.materials import (
    Material,
    colour,
    fabric,
    hsv,
    outside,
    patterned,
    plain,
    two_toned,
    wood,
)
from scene_gen.meshes import Mesh, box, loft, quad, rot_z
from scene_gen.things import Thing, rigid

Rng = np.random.Generator
F64 = NDArray[np.float64]

WALL = 0.14  # thickness between two rooms [m]
CELL = 0.45  # lights are evaluated at vertices: no wall cell is wider [m]


@dataclass(frozen=True)
class Opening:
    """A rectangle cut out of a wall: start and end along it, bottom and top [m]."""

    start: float
    end: float
    bottom: float
    top: float


@dataclass
class WallSide:
    """One inner face of a room; `along` x up points into the room."""

    origin: F64
    along: F64
    length: float
    openings: list[Opening] = field(default_factory=list)
    doors: list[Opening] = field(default_factory=list)  # closed doors hung on the wall

    @property
    def inward(self) -> F64:
        """Unit normal (3,) into the room."""
        return np.array([self.along[1], -self.along[0], 0.0])

    @property
    def yaw(self) -> float:
        """Heading [rad] of something that stands with its back to the wall."""
        return float(np.arctan2(self.inward[1], self.inward[0]))

    def at(self, s: float, depth: float = 0.0, z: float = 0.0) -> F64:
        """A point (3,) at `s` along the wall, `depth` in front of it, `z` up [m]."""
        return self.origin + self.along * s + self.inward * depth + np.array([0, 0, z])

    def is_free(self, start: float, end: float) -> bool:
        """Whether nothing is cut or hung between `start` and `end`."""
        inside = start >= 0.05 and end <= self.length - 0.05
        taken = self.openings + self.doors
        return inside and all(end < o.start - 0.1 or start > o.end + 0.1 for o in taken)


@dataclass
class Room:
    """An axis-parallel room: x0, y0, x1, y1 [m] and its height [m]."""

    x0: float
    y0: float
    x1: float
    y1: float
    height: float

    def __post_init__(self) -> None:
        z = 0.0
        w, d = self.x1 - self.x0, self.y1 - self.y0
        self.sides = [
            WallSide(np.array([self.x0, self.y1, z]), np.array([1.0, 0, 0]), w),
            WallSide(np.array([self.x0, self.y0, z]), np.array([0, 1.0, 0]), d),
            WallSide(np.array([self.x1, self.y0, z]), np.array([-1.0, 0, 0]), w),
            WallSide(np.array([self.x1, self.y1, z]), np.array([0, -1.0, 0]), d),
        ]

    def contains(self, x: float, y: float, margin: float = 0.0) -> bool:
        """Whether (x, y) is inside, `margin` [m] away from the walls."""
        return (
            self.x0 + margin <= x <= self.x1 - margin and self.y0 + margin <= y <= self.y1 - margin
        )


def floor_material(rng: Rng) -> tuple[Material, float]:
    """A floor's surface and its texture's period [m]."""
    draw = rng.random()
    if draw < 0.42:
        return wood(rng, ('planks',)), rng.uniform(0.9, 1.6)
    if draw < 0.68:
        base = colour(rng, (0.0, 0.3), (0.35, 0.95))
        return (
            patterned(rng, ('tiles', 'tiles', 'marble'), base, rng.uniform(0.1, 0.4), 0.3, 0.5),
            rng.uniform(0.9, 1.6),
        )
    if draw < 0.74:
        grey = np.full(3, rng.uniform(0.7, 0.95))
        return two_toned(rng, ('checker',), grey * rng.uniform(0.1, 0.5), grey, 0.3), 1.6
    if draw < 0.88:
        base = colour(rng, (0.0, 0.5), (0.2, 0.75))
        return patterned(rng, ('carpet',), base, 0.3, 0.02), rng.uniform(0.5, 1.0)
    base = colour(rng, (0.0, 0.12), (0.35, 0.7))
    return patterned(rng, ('concrete',), base, 0.3, 0.1), rng.uniform(1.2, 2.4)


def _paint(rng: Rng) -> np.ndarray:
    """A wall's colour: mostly whites, creams and greys, sometimes a tint."""
    if rng.random() < 0.6:
        return hsv(rng.normal(0.11, 0.05), rng.uniform(0.0, 0.16), rng.uniform(0.68, 0.98))
    return colour(rng, (0.05, 0.4), (0.5, 0.95))


def wall_material(rng: Rng) -> tuple[Material, float]:
    """A wall's surface and its texture's period [m]."""
    draw = rng.random()
    pastel = _paint(rng)
    if draw < 0.58:
        return patterned(rng, ('plaster',), pastel, 0.12, 0.03), rng.uniform(0.8, 2.0)
    if draw < 0.78:
        other = np.clip(pastel * rng.uniform(0.72, 1.25) + rng.normal(0, 0.03, 3), 0, 1)
        return (
            two_toned(rng, ('stripes', 'motif', 'dots', 'chevron'), pastel, other, 0.03),
            rng.uniform(0.5, 1.2),
        )
    if draw < 0.86:
        base = hsv(rng.uniform(0.01, 0.07), rng.uniform(0.2, 0.65), rng.uniform(0.45, 0.8))
        return two_toned(rng, ('brick',), base * 0.6, np.minimum(base * 1.5, 0.9), 0.02), 0.9
    if draw < 0.92:
        return patterned(rng, ('concrete',), colour(rng, (0, 0.1), (0.45, 0.75)), 0.25, 0.05), 2.0
    if draw < 0.96:
        return wood(rng, ('planks', 'grain')), 1.2
    return patterned(rng, ('tiles',), pastel, 0.3, 0.3, 0.5), rng.uniform(0.7, 1.2)


def wall_meshes(side: WallSide, height: float, period: float) -> list[Mesh]:
    """The wall's face around its openings."""
    meshes = []

    def piece(s0: float, s1: float, z0: float, z1: float) -> None:
        if s1 - s0 > 1e-3 and z1 - z0 > 1e-3:
            q = quad(side.at(s0, 0, z0), side.along * (s1 - s0), (0, 0, z1 - z0), CELL, period)
            meshes.append(Mesh(q.vertices, q.faces, q.uv + np.array([s0 / period, z0 / period])))

    at = 0.0
    for o in sorted(side.openings, key=lambda o: o.start):
        piece(at, o.start, 0, height)
        piece(o.start, o.end, 0, o.bottom)
        piece(o.start, o.end, o.top, height)
        at = o.end
    piece(at, side.length, 0, height)
    return meshes


def _aligned(
    side: WallSide, size: tuple[float, float, float], s: float, depth: float, z: float
) -> Mesh:
    """A box of (along, depth, up) size centred there."""
    turn = rot_z(float(np.arctan2(side.along[1], side.along[0])))
    return box(size).moved(side.at(s, depth, z), turn)


def shell(rng: Rng, room: Room) -> Thing:
    """Floor, ceiling, walls and skirting boards."""
    floor, floor_period = floor_material(rng)
    w, d = room.x1 - room.x0, room.y1 - room.y0
    pad = WALL / 2
    ground = quad(
        (room.x0 - pad, room.y0 - pad, 0),
        (w + 2 * pad, 0, 0),
        (0, d + 2 * pad, 0),
        CELL,
        floor_period,
    )
    ceiling = quad((room.x0, room.y0, room.height), (0, d, 0), (w, 0, 0), CELL, 1.5)
    white = np.full(3, rng.uniform(0.75, 0.97)) * rng.uniform(0.96, 1.0, 3)
    main, period = wall_material(rng)
    accent = wall_material(rng) if rng.random() < 0.35 else (main, period)
    walls = [wall_meshes(s, room.height, period) for s in room.sides[1:]]
    pieces: list[tuple[Mesh | list[Mesh], Material]] = [
        (ground, floor),
        (ceiling, replace(patterned(rng, ('plaster',), white, 0.04, 0.02), emission=0.22)),
        ([m for group in walls for m in group], main),
        (wall_meshes(room.sides[0], room.height, accent[1]), accent[0]),
    ]
    if rng.random() < 0.8:
        trim = plain(white if rng.random() < 0.6 else np.array([0.35, 0.22, 0.13]), 0.2)
        pieces.append((_skirting(room, rng.uniform(0.06, 0.12)), trim))
    return rigid(None, pieces)


def _skirting(room: Room, height: float) -> list[Mesh]:
    boards = []
    for side in room.sides:
        cuts = sorted([(o.start, o.end) for o in side.openings + side.doors if o.bottom < 0.05])
        at = 0.0
        for start, end in [*cuts, (side.length, side.length)]:
            if start - at > 0.02:
                boards.append(
                    _aligned(side, (start - at, 0.024, height), (start + at) / 2, 0.0, height / 2)
                )
            at = end
    return boards


def door_frame(side: WallSide, o: Opening, material: Material, depth: float = 0.03) -> Thing:
    """The frame around a door's opening."""
    w = 0.07
    return rigid(
        None,
        [
            (
                [
                    _aligned(side, (w, 2 * depth, o.top + w), o.start - w / 2, 0, (o.top + w) / 2),
                    _aligned(side, (w, 2 * depth, o.top + w), o.end + w / 2, 0, (o.top + w) / 2),
                    _aligned(
                        side,
                        (o.end - o.start + 2 * w, 2 * depth, w),
                        (o.start + o.end) / 2,
                        0,
                        o.top + w / 2,
                    ),
                ],
                material,
            )
        ],
    )


def hung_door(rng: Rng, side: WallSide, o: Opening, angle: float, depth: float = 0.012) -> Thing:
    """A leaf in `o`, opened into the room by `angle` [rad]; hinged at a random side."""
    leaf = door_leaf(rng, o.end - o.start - 0.01, o.top - 0.01)
    heading = float(np.arctan2(side.along[1], side.along[0]))
    if rng.random() < 0.5:
        at, yaw = side.at(o.start + 0.005, depth), heading - angle
    else:
        at, yaw = side.at(o.end - 0.005, depth), heading + np.pi + angle
    return leaf.placed(float(at[0]), float(at[1]), yaw, 0.005)


def niche(rng: Rng, side: WallSide, o: Opening) -> Thing:
    """What is seen through a door that stands open to no modelled room: a plain recess."""
    deep, w = 1.4, o.end - o.start
    u, n = side.along, side.inward
    back = side.at(o.start - 0.4, -deep)
    material = patterned(rng, ('plaster',), colour(rng, (0, 0.3), (0.3, 0.8)), 0.1, 0.02)
    ground = wood(rng, ('planks',))
    walls = [
        quad(back, u * (w + 0.8), (0, 0, o.top + 0.3), CELL, 1.0),
        quad(side.at(o.start - 0.4, 0), -n * deep, (0, 0, o.top + 0.3), CELL, 1.0),
        quad(side.at(o.end + 0.4, -deep), n * deep, (0, 0, o.top + 0.3), CELL, 1.0),
        quad(back + np.array([0, 0, o.top + 0.3]), n * deep, u * (w + 0.8), CELL, 1.0),
    ]
    return rigid(
        None, [(walls, material), (quad(back, u * (w + 0.8), n * deep, CELL, 1.2), ground)]
    )


def jambs(side: WallSide, o: Opening, material: Material) -> Thing:
    """The inner lining of an opening between two rooms."""
    t = WALL
    return rigid(
        None,
        [
            (
                [
                    _aligned(side, (0.03, t, o.top), o.start, -t / 2, o.top / 2),
                    _aligned(side, (0.03, t, o.top), o.end, -t / 2, o.top / 2),
                    _aligned(
                        side, (o.end - o.start, t, 0.03), (o.start + o.end) / 2, -t / 2, o.top
                    ),
                ],
                material,
            )
        ],
    )


def window(rng: Rng, side: WallSide, o: Opening) -> list[Thing]:
    """A window in its opening: the view, frame, bars, sill, and sometimes curtains."""
    w, h = o.end - o.start, o.top - o.bottom
    s, z = (o.start + o.end) / 2, (o.bottom + o.top) / 2
    view = Material((1, 1, 1), outside(rng), 0.1, 0.3, rng.uniform(0.7, 1.0))
    pane = quad(side.at(o.start, -0.12, o.bottom), side.along * w, (0, 0, h))
    frame = plain(np.full(3, rng.choice([0.95, 0.85, 0.2])), 0.3, 0.4)
    t = 0.06
    bars = [_aligned(side, (t, 0.16, h), x, -0.06, z) for x in (o.start, o.end)]
    bars += [_aligned(side, (w, 0.16, t), s, -0.06, y) for y in (o.bottom, o.top)]
    for x in np.linspace(o.start, o.end, int(rng.integers(1, 4)) + 1)[1:-1]:
        bars.append(_aligned(side, (0.05, 0.05, h), float(x), -0.1, z))
    if rng.random() < 0.4:
        bars.append(_aligned(side, (w, 0.04, 0.04), s, -0.1, z + h * rng.uniform(-0.1, 0.25)))
    bars.append(_aligned(side, (w + 0.16, 0.2, 0.035), s, 0.02, o.bottom - 0.03))
    made = [rigid(None, [(pane, view), (bars, frame)])]
    if rng.random() < 0.45:
        made.append(_curtains(rng, side, o))
    elif rng.random() < 0.3:
        n = int(rng.integers(3, 14))
        slats = [
            _aligned(side, (w, 0.05, 0.008), s, -0.04, o.top - 0.05 - 0.06 * i) for i in range(n)
        ]
        made.append(rigid(None, [(slats, plain(colour(rng, (0, 0.2), (0.6, 0.95))))]))
    return made


def _curtains(rng: Rng, side: WallSide, o: Opening) -> Thing:
    turn = rot_z(float(np.arctan2(side.along[1], side.along[0])))
    top, low = o.top + 0.15, rng.choice([0.03, max(o.bottom - 0.15, 0.03)])
    cloths = []
    for at in (o.start - 0.08, o.end + 0.08):
        for fold in np.linspace(-0.13, 0.13, 5):
            r = rng.uniform(0.03, 0.05)
            cloths.append(
                loft(
                    [
                        (0, 0, low, r, r * 1.2),
                        (0, 0, (low + top) / 2, r * 0.8, r),
                        (0, 0, top, r * 0.8, r),
                    ],
                    8,
                    False,
                ).moved(side.at(at + fold, 0.07), turn)
            )
    rail = _aligned(side, (o.end - o.start + 0.6, 0.03, 0.03), (o.start + o.end) / 2, 0.07, top)
    return rigid(None, [(cloths, fabric(rng)), (rail, plain(np.full(3, 0.2), 0.4))])
