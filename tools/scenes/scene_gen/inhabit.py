# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""People and dogs of a room, and what they do there."""

from __future__ import annotations

import numpy as np

from scene_gen.actors import Actor, DogActor, Idle, Track, Walker
from scene_gen.dogs import dog
from scene_gen.furniture import carton
from scene_gen.people import person
from scene_gen.plan import Footprint, Grid, Plan, smooth
from scene_gen.rooms import Room
from scene_gen.things import Thing

Rng = np.random.Generator


def inhabit(
    rng: Rng,
    room: Room,
    plan: Plan,
    grid: Grid,
    things: list[Thing],
    counts: dict[str, tuple[int, int]],
) -> tuple[list[Thing], list[Actor]]:
    """People who sit, stand or walk, and dogs; returns new things and their actors."""
    low, high = counts.get('person', (1, 3))
    made: list[Thing] = []
    actors: list[Actor] = []
    free_seats = [
        t for t in things if t.seats and room.contains(*(float(v) for v in t.position[:2]))
    ]
    for _ in range(int(rng.integers(low, high + 1))):
        draw = rng.random()
        if draw < 0.3 and free_seats:
            actor = _seat(rng, free_seats.pop(int(rng.integers(len(free_seats)))))
        elif draw < 0.72:
            actor = _stand(rng, room, plan, grid)
        else:
            actor = _walk(rng, room, grid)
        if actor is not None:
            made.append(actor.thing)
            if isinstance(actor, Walker) and actor.carried is not None:
                made.append(actor.carried)
            actors.append(actor)
    low, high = counts.get('dog', (0, 2))
    for _ in range(int(rng.integers(low, high + 1)) + int(rng.random() < 0.1)):
        track = _track(rng, room, grid) if rng.random() < 0.4 else None
        puppy = dog(rng)
        spot = _spot(rng, room, plan, grid, 0.35)
        if track is None and spot is None:
            continue
        if track is None and spot is not None:
            puppy.placed(*spot, 0.0)
        made.append(puppy)
        actors.append(DogActor(puppy, track))
    for actor in actors:
        actor.shuffle(rng)
        actor.at(0.0)
    return made, actors


def _spot(
    rng: Rng, room: Room, plan: Plan, grid: Grid, radius: float
) -> tuple[float, float] | None:
    """A free place to stay; it is then taken."""
    points = grid.points(room)
    for _ in range(12):
        if len(points) == 0:
            return None
        x, y = (float(v) for v in points[int(rng.integers(len(points)))])
        here = Footprint(x, y, radius, radius, 0.0)
        if not any(here.overlaps(o, 0.0) for o in plan.taken + plan.reserved):
            plan.taken.append(here)
            return x, y
    return None


def _stand(rng: Rng, room: Room, plan: Plan, grid: Grid) -> Idle | None:
    spot = _spot(rng, room, plan, grid, 0.3)
    if spot is None:
        return None
    someone = person(rng)
    someone.placed(*spot, 0.0)
    return Idle(someone)


def _seat(rng: Rng, seat: Thing) -> Idle:
    lx, ly, z = seat.seats[int(rng.integers(len(seat.seats)))]
    someone = person(rng)
    while someone.skirted:
        someone = person(rng)
    c, s = np.cos(seat.yaw), np.sin(seat.yaw)
    lx -= 0.04
    someone.placed(seat.position[0] + c * lx - s * ly, seat.position[1] + s * lx + c * ly, seat.yaw)
    return Idle(someone, z)


def _track(rng: Rng, room: Room, grid: Grid) -> Track | None:
    points = grid.points(room)
    if len(points) < 30:
        return None
    for _ in range(5):
        a, b = points[rng.integers(len(points), size=2)]
        if np.linalg.norm(a - b) > 1.5:
            way = grid.path(a, b)
            if way is not None:
                return Track(smooth(way))
    return None


def _walk(rng: Rng, room: Room, grid: Grid) -> Walker | None:
    track = _track(rng, room, grid)
    if track is None:
        return None
    load = None
    if rng.random() < 0.25:
        load = carton(rng, True)
        load.movable = True
    return Walker(person(rng), track, load)
