# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Furniture and clutter of a room, placed without overlaps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scene_gen import clutter, furniture, plants, seats
from scene_gen.meshes import rot_z
from scene_gen.plan import Footprint, Plan
from scene_gen.rooms import Opening, Room, WallSide
from scene_gen.things import Part, Thing

Rng = np.random.Generator
Counts = dict[str, tuple[int, int]]

DEFAULT_COUNTS: Counts = {
    'sofa': (0, 2),
    'table_group': (0, 1),
    'desk': (0, 1),
    'plant': (0, 3),
    'box': (0, 3),
    'chair': (0, 2),
    'storage': (0, 3),
    'decor': (1, 5),
    'floor_item': (0, 4),
}
"""Lowest and highest numbers of each kind in a room."""


def furnish(rng: Rng, room: Room, plan: Plan, counts: Counts) -> list[Thing]:
    """Random furniture for `room`; every footprint is added to `plan`."""
    made: list[Thing] = []

    def number(kind: str) -> int:
        low, high = counts.get(kind, DEFAULT_COUNTS[kind])
        return int(rng.integers(low, high + 1))

    if rng.random() < 0.45:
        made.append(clutter.rug(rng).placed(*_middle(rng, room), float(rng.choice([0, np.pi / 2]))))
    for _ in range(number('sofa')):
        made += _against_wall(rng, room, plan, seats.sofa(rng), 0.08, True)
    for _ in range(number('table_group')):
        made += _table_group(rng, room, plan)
    for _ in range(number('desk')):
        made += _desk(rng, room, plan)
    for _ in range(number('storage')):
        made += _storage(rng, room, plan)
    for _ in range(number('plant')):
        made += _anywhere(rng, room, plan, plants.plant(rng), near_wall=0.7)
    for _ in range(number('box')):
        made += _boxes(rng, room, plan)
    for _ in range(number('chair')):
        made += _anywhere(rng, room, plan, seats.chair(rng), near_wall=0.4)
    for _ in range(number('decor')):
        made += _on_wall(rng, room)
    for _ in range(number('floor_item')):
        maker = clutter.floor_lamp if rng.random() < 0.2 else clutter.floor_item
        made += _anywhere(rng, room, plan, maker(rng), near_wall=0.6)
    return made


def _middle(rng: Rng, room: Room) -> tuple[float, float]:
    return (rng.uniform(room.x0 + 1.2, room.x1 - 1.2), rng.uniform(room.y0 + 1.2, room.y1 - 1.2))


def _against_wall(
    rng: Rng,
    room: Room,
    plan: Plan,
    thing: Thing,
    gap: float,
    jitter: bool = False,
    tries: int = 12,
) -> list[Thing]:
    """`thing` with its back to a wall, or nothing when no place is found."""
    low, high = thing.bounds()
    for _ in range(tries):
        side: WallSide = room.sides[int(rng.integers(4))]
        half = (high[1] - low[1]) / 2
        if side.length < 2 * half + 0.2:
            continue
        s = rng.uniform(half + 0.1, side.length - half - 0.1)
        if thing.top() > 0.75 and not side.is_free(s - half, s + half):
            continue
        depth = -low[0] + gap + (rng.exponential(0.15) if jitter else 0.0)
        at = side.at(s, depth)
        yaw = side.yaw + (rng.normal(0, 0.06) if jitter else 0.0)
        thing.placed(float(at[0]), float(at[1]), yaw)
        if plan.fits(room, thing, 0.03):
            plan.add(thing)
            return [thing]
    return []


def _anywhere(
    rng: Rng, room: Room, plan: Plan, thing: Thing, near_wall: float, tries: int = 12
) -> list[Thing]:
    """`thing` on free floor, near a wall with the given probability."""
    low, high = thing.bounds()
    half = float(np.abs([low[:2], high[:2]]).max())
    for _ in range(tries):
        if rng.random() < near_wall:
            side = room.sides[int(rng.integers(4))]
            at = side.at(
                rng.uniform(half, max(half + 0.01, side.length - half)),
                half + rng.uniform(0.02, 0.25),
            )
            x, y = float(at[0]), float(at[1])
            yaw = side.yaw + rng.normal(0, 0.5)
        else:
            x, y = rng.uniform(room.x0, room.x1), rng.uniform(room.y0, room.y1)
            yaw = rng.uniform(-np.pi, np.pi)
        thing.placed(x, y, yaw)
        if plan.fits(room, thing, 0.05):
            plan.add(thing)
            return [thing]
    return []


def _on_top(
    rng: Rng, base: Thing, count: int, makers: list[Callable[[Rng], Thing]], reach: float = 0.36
) -> list[Thing]:
    """Small things spread over the top of `base`."""
    low, high = base.bounds()
    made: list[Thing] = []
    spots: list[np.ndarray] = []
    for _ in range(count):
        u = rng.uniform(-reach, reach, 2)
        local = (low[:2] + high[:2]) / 2 + u * (high[:2] - low[:2])
        if any(np.linalg.norm(local - s) < 0.24 for s in spots):
            continue
        spots.append(local)
        c, s = np.cos(base.yaw), np.sin(base.yaw)
        x = base.position[0] + c * local[0] - s * local[1]
        y = base.position[1] + s * local[0] + c * local[1]
        item = makers[int(rng.integers(len(makers)))](rng)
        made.append(item.placed(x, y, base.yaw + rng.normal(0, 0.5), high[2] + base.position[2]))
    return made


def _table_group(rng: Rng, room: Room, plan: Plan) -> list[Thing]:
    """A table with chairs around it (a low one stands alone), and what lies on it."""
    table = furniture.table(rng)
    low, high = table.bounds()
    for _ in range(12):
        x, y = _middle(rng, room)
        table.placed(x, y, float(rng.choice([0, np.pi / 2])) + rng.normal(0, 0.08))
        if plan.fits(room, table, 0.3):
            break
    else:
        return []
    plan.add(table)
    made = [
        table,
        *_on_top(
            rng,
            table,
            int(rng.integers(0, 6)),
            [clutter.trinket, clutter.trinket, clutter.trinket, clutter.laptop],
        ),
    ]
    if table.top() < 0.6:
        return made
    maker_seed = int(rng.integers(1 << 31))
    matching = rng.random() < 0.75
    places = [
        (0.0, high[1], -np.pi / 2),
        (0.0, low[1], np.pi / 2),
        (high[0], 0.0, np.pi),
        (low[0], 0.0, 0.0),
    ]
    if high[0] - low[0] > 1.3:
        places += [(0.32, high[1], -np.pi / 2), (0.32, low[1], np.pi / 2)]
        places[0], places[1] = (-0.32, high[1], -np.pi / 2), (-0.32, low[1], np.pi / 2)
    for lx, ly, facing in places:
        if rng.random() > 0.68:
            continue
        source = np.random.default_rng(maker_seed) if matching else rng
        chair = seats.chair(source)
        away = rng.uniform(0.02, 0.4) if rng.random() < 0.8 else rng.uniform(0.3, 0.7)
        lx += np.sign(lx) * away if abs(facing) in (0.0, np.pi) else 0
        ly += np.sign(ly) * away if abs(facing) not in (0.0, np.pi) else 0
        c, s = np.cos(table.yaw), np.sin(table.yaw)
        yaw = table.yaw + facing + rng.normal(0, 0.25)
        chair.placed(table.position[0] + c * lx - s * ly, table.position[1] + s * lx + c * ly, yaw)
        if _chair_fits(plan, room, chair):
            plan.add(chair)
            made.append(chair)
    return made


def _chair_fits(plan: Plan, room: Room, chair: Thing) -> bool:
    """As `Plan.fits`, with a slim footprint: a chair may slide a little under its table."""
    slim = Footprint(float(chair.position[0]), float(chair.position[1]), 0.17, 0.17, chair.yaw)
    inside = all(room.contains(float(x), float(y), 0.05) for x, y in slim.corners(0.06))
    return inside and not any(slim.overlaps(o, 0.03) for o in plan.taken + plan.reserved)


def _desk(rng: Rng, room: Room, plan: Plan) -> list[Thing]:
    """A desk at a wall with a chair before it and a laptop on it."""
    for _ in range(6):
        desk = furniture.table(rng)
        low, high = desk.bounds()
        if desk.top() > 0.6 and high[0] - low[0] > high[1] - low[1] + 0.1:
            break
    else:
        return []
    # tables are long along x; a back is expected at -x
    swapped = _turned(desk)
    placed = _against_wall(rng, room, plan, swapped, 0.02)
    if not placed:
        return []
    made = [
        swapped,
        *_on_top(
            rng,
            swapped,
            int(rng.integers(1, 5)),
            [clutter.laptop, clutter.trinket, clutter.trinket],
        ),
    ]
    if rng.random() < 0.85:
        chair = seats.office_chair(rng) if rng.random() < 0.6 else seats.chair(rng)
        depth = swapped.bounds()[1][0] + rng.uniform(0.1, 0.4)
        c, s = np.cos(swapped.yaw), np.sin(swapped.yaw)
        chair.placed(
            swapped.position[0] + c * depth,
            swapped.position[1] + s * depth,
            swapped.yaw + np.pi + rng.normal(0, 0.5),
        )
        if _chair_fits(plan, room, chair):
            plan.add(chair)
            made.append(chair)
    return made


def _turned(thing: Thing) -> Thing:
    """`thing` with its own x and y exchanged (a quarter turn of its frame)."""
    turn = rot_z(np.pi / 2)
    segments = [[Part(p.mesh.moved(rotation=turn), p.material) for p in s] for s in thing.segments]
    return Thing(thing.label, segments)


def _storage(rng: Rng, room: Room, plan: Plan) -> list[Thing]:
    if rng.random() < 0.5:
        return _against_wall(rng, room, plan, clutter.bookshelf(rng), 0.02)
    cabinet = clutter.cabinet(rng)
    made = _against_wall(rng, room, plan, cabinet, 0.01)
    if made and cabinet.top() < 1.2:
        made += _on_top(rng, cabinet, int(rng.integers(0, 5)), [clutter.trinket])
        if rng.random() < 0.15:
            made += _on_top(rng, cabinet, 1, [lambda r: furniture.carton(r, True)], 0.2)
    return made


def _boxes(rng: Rng, room: Room, plan: Plan) -> list[Thing]:
    """A carton, or a stack of two or three."""
    base = furniture.carton(rng)
    made = _anywhere(rng, room, plan, base, near_wall=0.6)
    z = base.top()
    while made and len(made) < 3 and z < 0.9 and rng.random() < 0.4:
        low, high = made[-1].bounds()
        upper = furniture.carton(rng)
        if (upper.bounds()[1] - upper.bounds()[0])[:2].max() > (high - low)[:2].min() * 1.2:
            break
        upper.placed(
            base.position[0] + rng.normal(0, 0.02),
            base.position[1] + rng.normal(0, 0.02),
            base.yaw + rng.normal(0, 0.2),
            z,
        )
        made.append(upper)
        z += upper.top()
    return made


def _on_wall(rng: Rng, room: Room) -> list[Thing]:
    """A picture, a screen or a radiator; its place on the wall is taken."""
    side = room.sides[int(rng.integers(4))]
    kind = rng.choice(['picture', 'television', 'radiator'], p=[0.75, 0.12, 0.13])
    thing = {
        'picture': clutter.picture,
        'television': clutter.television,
        'radiator': clutter.radiator,
    }[str(kind)](rng)
    low, high = thing.bounds()
    half = (high[1] - low[1]) / 2
    s = rng.uniform(half + 0.1, max(half + 0.11, side.length - half - 0.1))
    if not side.is_free(s - half, s + half):
        return []
    z = 0.0 if kind == 'radiator' else rng.uniform(1.35, 1.75)
    at = side.at(s, 0.004)
    side.doors.append(Opening(s - half, s + half, max(0.06, z + low[2]), z + high[2]))
    return [thing.placed(float(at[0]), float(at[1]), side.yaw, z)]
