# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A random flat: rooms in a row, furnished, lit and inhabited."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scene_gen import clutter
from scene_gen.actors import Actor
from scene_gen.furnish import furnish
from scene_gen.inhabit import inhabit
from scene_gen.materials import colour, plain, wood
from scene_gen.plan import Footprint, Grid, Plan
from scene_gen.rooms import (
    WALL,
    Opening,
    Room,
    WallSide,
    door_frame,
    hung_door,
    jambs,
    niche,
    shell,
    window,
)
from scene_gen.things import Thing

Rng = np.random.Generator
F64 = NDArray[np.float64]


@dataclass
class Light:
    """A lamp at a ceiling, or the day in a window: a spotlight.  Colours are RGB 0..1."""

    position: F64
    direction: F64
    rgb: F64
    cutoff: float
    shadow: bool
    room: int


@dataclass
class Scene:
    """Everything a renderer and a walker need to know."""

    rooms: list[Room]
    things: list[Thing] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)
    lights: list[Light] = field(default_factory=list)
    passages: list[Footprint] = field(default_factory=list)
    plan: Plan = field(default_factory=Plan)
    ambient: F64 = field(default_factory=lambda: np.full(3, 0.3))

    def grid(self, radius: float) -> Grid:
        """Free floor for a walker of `radius` [m]."""
        return Grid(self.rooms, self.passages, self.plan.taken, radius)


def build(rng: Rng, n_rooms: int, counts: dict[str, tuple[int, int]] | None = None) -> Scene:
    """A flat of `n_rooms` rooms.  `counts`: lowest and highest number of some things per room."""
    rooms = _layout(rng, n_rooms)
    scene = Scene(rooms)
    for a, b in itertools.pairwise(rooms):
        _connect(rng, scene, a, b)
    for i, room in enumerate(rooms):
        _openings(rng, scene, room, first=i == 0, last=i == n_rooms - 1)
        scene.things.append(shell(rng, room))
        _lights(rng, scene, i)
        scene.things += furnish(rng, room, scene.plan, counts or {})
    grid = scene.grid(0.3)
    for room in rooms:
        things, actors = inhabit(rng, room, scene.plan, grid, scene.things, counts or {})
        scene.things += things
        scene.actors += actors
    scene.ambient = rng.uniform(0.28, 0.48) * rng.uniform(0.92, 1.08, 3)
    return scene


def _layout(rng: Rng, n: int) -> list[Room]:
    rooms: list[Room] = []
    x = 0.0
    height = rng.uniform(2.4, 2.95)
    for _ in range(n):
        w, d = rng.uniform(3.6, 6.6), rng.uniform(3.4, 5.8)
        y0 = -rng.uniform(0.35, 0.65) * d
        rooms.append(Room(x, y0, x + w, y0 + d, height))
        x += w + WALL
    return rooms


def _connect(rng: Rng, scene: Scene, a: Room, b: Room) -> None:
    """A doorway from `a` to the next room, its leaf standing wide open or taken off."""
    low, high = max(a.y0, b.y0) + 0.35, min(a.y1, b.y1) - 0.35
    w, top = rng.uniform(0.85, 1.05), rng.uniform(2.0, 2.12)
    y = rng.uniform(low, high - w)
    oa, ob = Opening(a.y1 - y - w, a.y1 - y, 0, top), Opening(y - b.y0, y + w - b.y0, 0, top)
    a.sides[3].openings.append(oa)
    b.sides[1].openings.append(ob)
    frame = plain(np.full(3, 0.9), 0.2) if rng.random() < 0.6 else wood(rng)
    scene.things += [
        door_frame(a.sides[3], oa, frame),
        door_frame(b.sides[1], ob, frame),
        jambs(a.sides[3], oa, frame),
    ]
    middle = (a.x1 + b.x0) / 2
    # narrower than the opening: the walker's shoulders stay between the jambs
    scene.passages.append(Footprint(middle, y + w / 2, WALL / 2 + 0.4, w / 2 - 0.3, 0.0))
    scene.plan.reserved.append(Footprint(middle, y + w / 2, 1.1, w / 2, 0.0))
    if rng.random() < 0.75:
        room, o = (a, oa) if rng.random() < 0.5 else (b, ob)
        side = room.sides[3] if room is a else room.sides[1]
        leaf = hung_door(rng, side, o, rng.uniform(2.1, 2.9), 0.03)
        if all(room.contains(float(px), float(py), -0.05) for px, py in _leaf_tip(leaf)):
            scene.things.append(leaf)
            scene.plan.add(leaf)


def _leaf_tip(leaf: Thing) -> F64:
    """The far end of a door's leaf on the floor, (1, 2)."""
    width = leaf.bounds()[1][0]
    return (leaf.position[:2] + width * np.array([np.cos(leaf.yaw), np.sin(leaf.yaw)]))[None]


def _openings(rng: Rng, scene: Scene, room: Room, first: bool, last: bool) -> None:
    outer = [room.sides[0], room.sides[2]]
    outer += [room.sides[1]] if first else []
    outer += [room.sides[3]] if last else []
    for _ in range(int(rng.choice([1, 2, 3], p=[0.55, 0.35, 0.1]))):
        _door(rng, scene, outer[int(rng.integers(len(outer)))])
    for _ in range(int(rng.choice([0, 1, 2], p=[0.15, 0.45, 0.4]))):
        side = outer[int(rng.integers(len(outer)))]
        w, bottom = rng.uniform(0.7, 2.0), rng.choice([0.12, 0.8, 1.0], p=[0.15, 0.55, 0.3])
        top = rng.uniform(1.95, min(2.3, room.height - 0.1))
        s = rng.uniform(0.3, max(0.31, side.length - w - 0.3))
        if side.is_free(s - 0.25, s + w + 0.25):
            o = Opening(s, s + w, bottom, top)
            side.openings.append(o)
            scene.things += window(rng, side, o)


def _door(rng: Rng, scene: Scene, side: WallSide) -> None:
    """A door to the outside: closed, ajar or open onto a recess."""
    w, top = rng.uniform(0.75, 1.0), rng.uniform(1.98, 2.12)
    s = rng.uniform(0.2, max(0.21, side.length - w - 0.2))
    if not side.is_free(s - 0.1, s + w + 0.1):
        return
    o = Opening(s, s + w, 0, top)
    frame = plain(colour(rng, (0, 0.1), (0.6, 0.96)), 0.2) if rng.random() < 0.6 else wood(rng)
    is_open = rng.random() < 0.32
    angle = rng.uniform(0.15, 1.9) if is_open else 0.0
    (side.openings if is_open else side.doors).append(o)
    leaf = hung_door(rng, side, o, angle, 0.0 if not is_open else 0.03)
    scene.things += [door_frame(side, o, frame), leaf]
    if is_open:
        scene.things.append(niche(rng, side, o))
        scene.plan.add(leaf)
    middle = side.at(s + w / 2, 0.35)
    scene.plan.reserved.append(Footprint(middle[0], middle[1], 0.35, w / 2, side.yaw))


def _lights(rng: Rng, scene: Scene, index: int) -> None:
    room = scene.rooms[index]
    warm = rng.uniform(-1, 1)
    tint = np.array([1.0 + 0.12 * warm, 1.0, 1.0 - 0.2 * warm])
    n = int(rng.choice([1, 2], p=[0.6, 0.4]))
    down = np.array([0, 0, -1.0])
    for k in range(n):
        x = room.x0 + (room.x1 - room.x0) * ((k + 0.5) / n + rng.uniform(-0.12, 0.12))
        y = room.y0 + (room.y1 - room.y0) * rng.uniform(0.35, 0.65)
        drop = rng.choice([0.06, rng.uniform(0.3, 0.7)])
        scene.things.append(clutter.pendant(rng, drop).placed(x, y, 0.0, room.height - 0.002))
        rgb = tint * rng.uniform(0.35, 0.85) / np.sqrt(n)
        scene.lights.append(
            Light(
                np.array([x, y, room.height - 0.04]),
                down,
                rgb,
                88.0,
                k == 0 and rng.random() < 0.8,
                index,
            )
        )
    for side in room.sides:
        for o in side.openings:
            if o.bottom > 0.05 and rng.random() < 0.5 and len(scene.lights) < 3 * (index + 1):
                at = side.at((o.start + o.end) / 2, -0.05, o.top - 0.2)
                aim = side.inward * 1.0 + np.array([0, 0, -rng.uniform(0.3, 0.8)])
                scene.lights.append(
                    Light(
                        at,
                        aim / np.linalg.norm(aim),
                        np.array([0.9, 0.97, 1.1]) * rng.uniform(0.25, 0.7),
                        70.0,
                        rng.random() < 0.5,
                        index,
                    )
                )
