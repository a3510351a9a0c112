# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How a humanoid walks through a flat and where its head looks, as functions of time."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scene_gen.camera import OPTICAL, View
from scene_gen.meshes import rot_x, rot_y, rot_z
from scene_gen.plan import smooth
from scene_gen.scene import Scene
from scene_gen.things import Thing

Rng = np.random.Generator
F64 = NDArray[np.float64]

STEP = 0.01  # of the integration [s]
HEAD_HEIGHT = 1.48  # of the camera above the floor [m]


@dataclass(frozen=True, eq=False)
class Pose:
    """A frame in the map: rotation (3, 3) and origin (3,) [m]."""

    rotation: F64
    origin: F64


class HeadWalk:
    """A walk of `duration` seconds: the feet's way, the body's heading, the head's gaze.

    `base(t)` is the body's frame on the floor, `head(t)` the head's (x forward), `view(t)` the
    camera's.  The head bobs with the steps and turns towards things of interest with the
    dynamics of a critically damped spring.
    """

    def __init__(self, rng: Rng, scene: Scene, duration: float) -> None:
        self.duration = duration
        self.route = _route(rng, scene, duration)
        self._time = np.arange(0, duration + 0.5, STEP)
        self._distance = self._pace(rng)
        self._heading = self._body_heading()
        self._look = self._gaze(rng, scene)
        self._stride = 0.62 * rng.uniform(0.9, 1.1)

    def _pace(self, rng: Rng) -> F64:
        """Distance walked (T,), with pauses and a slow start and end."""
        length = 0.05 * (len(self.route) - 1)
        t = self._time / self.duration
        speed = np.clip(np.minimum(t, 1 - t) * 12, 0.05, 1)
        for _ in range(3):
            pause = rng.uniform(0.15, 0.85)
            speed = speed * (1 - 0.85 * np.exp(-(((t - pause) / 0.025) ** 2)))
        walked = np.cumsum(speed)
        return walked / walked[-1] * length

    def _at(self, distance: F64) -> F64:
        s = np.clip(distance / 0.05, 0, len(self.route) - 1)
        index = np.arange(len(self.route))
        return np.stack([np.interp(s, index, self.route[:, k]) for k in (0, 1)], -1)

    def _body_heading(self) -> F64:
        ahead = self._at(self._distance + 0.35) - self._at(self._distance - 0.25)
        raw = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
        return _spring(raw, 0.45)

    def _gaze(self, rng: Rng, scene: Scene) -> F64:
        """Head yaw in the map and pitch (down positive), (T, 2) [rad]."""
        wanted = np.stack([self._heading, np.full_like(self._heading, 0.16)], 1)
        eyes = self._at(self._distance)
        labelled = [t for t in scene.things if t.label is not None]
        at = 0.0
        while at < self._time[-1]:
            hold = rng.uniform(1.1, 2.4)
            i, j = int(at / STEP), int(min(at + hold, self._time[-1]) / STEP)
            middle = (i + j) // 2
            target = _interest(rng, labelled, scene, eyes[middle], self._heading[middle])
            if target is not None and j > i:
                aim = target.position[:2] - eyes[i:j]
                turn = np.arctan2(aim[:, 1], aim[:, 0]) - self._heading[i:j]
                turn = np.clip(np.angle(np.exp(1j * turn)), -1.3, 1.3)
                wanted[i:j, 0] = self._heading[i:j] + turn
                drop = HEAD_HEIGHT - target.position[2] - 0.5 * target.top()
                down = np.arctan2(drop, np.maximum(np.hypot(aim[:, 0], aim[:, 1]), 0.5))
                wanted[i:j, 1] = np.clip(0.75 * down, -0.1, 0.5)
            at += hold
        return np.stack([_spring(wanted[:, 0], 0.22), _spring(wanted[:, 1], 0.25)], 1)

    def _sample(self, series: F64, t: float) -> float:
        return float(np.interp(t, self._time, series))

    def base(self, t: float) -> Pose:
        """The body's frame on the floor at time `t` [s]."""
        p = self._at(np.array(self._sample(self._distance, t)))
        return Pose(rot_z(self._sample(self._heading, t)), np.array([p[0], p[1], 0.0]))

    def head(self, t: float) -> Pose:
        """The head's frame in the map at time `t` [s]: x forward, y left, z up."""
        base = self.base(t)
        phase = 2 * np.pi * self._sample(self._distance, t) / (2 * self._stride)
        sway = base.rotation @ np.array([0.0, 0.016 * np.sin(phase), 0.0])
        rise = HEAD_HEIGHT + 0.014 * np.cos(2 * phase)
        yaw = self._sample(self._look[:, 0], t)
        pitch = self._sample(self._look[:, 1], t) + 0.006 * np.sin(2 * phase)
        rotation = rot_z(yaw) @ rot_y(pitch) @ rot_x(0.008 * np.sin(phase))
        return Pose(rotation, base.origin + sway + np.array([0, 0, rise]))

    def view(self, t: float) -> View:
        """The camera's view at time `t` [s]; it sits at the head's origin."""
        head = self.head(t)
        return View(head.origin, head.rotation @ OPTICAL)


def _spring(target: F64, period: float) -> F64:
    """Follow `target` (T,) like a critically damped spring of time constant `period` [s]."""
    out = np.empty_like(target)
    x, v, w = float(target[0]), 0.0, 2.0 / period
    for i, goal in enumerate(target):
        v += STEP * (w * w * (goal - x) - 2 * w * v)
        x += STEP * v
        out[i] = x
    return out


def _interest(
    rng: Rng, labelled: list[Thing], scene: Scene, eye: F64, heading: float
) -> Thing | None:
    """Something nearby in the same room to look at, or None: straight ahead."""
    room = next((r for r in scene.rooms if r.contains(float(eye[0]), float(eye[1]))), None)
    if room is None or rng.random() < 0.1:
        return None
    choices, weights = [], []
    for thing in labelled:
        x, y = (float(v) for v in thing.position[:2])
        aim = np.array([x, y]) - eye
        distance = float(np.hypot(*aim))
        off = abs(float(np.angle(np.exp(1j * (np.arctan2(aim[1], aim[0]) - heading)))))
        if room.contains(x, y, -0.1) and 1.0 < distance < 5.5 and off < 2.0:
            choices.append(thing)
            weights.append(3.0 if thing.movable else 1.0)
    if not choices:
        return None
    p = np.array(weights) / np.sum(weights)
    return choices[int(rng.choice(len(choices), p=p))]


def _route(rng: Rng, scene: Scene, duration: float) -> F64:
    """A way (N, 2) from the first room to the last with detours, about 0.65 m/s fast."""
    grid = scene.grid(0.27)
    grid.keep_connected()
    places = []
    for room in scene.rooms:
        free = grid.points(room)
        # away from the walls, where a head would look at nothing but paint
        inner = np.array([room.contains(x, y, 0.75) for x, y in free], bool)
        if inner.sum() < 20:
            raise RuntimeError('furniture blocks the way through the rooms; choose another --seed')
        places.append(free[inner])
    best: F64 | None = None
    for _ in range(12):
        stops: list[F64] = []
        for number, free in enumerate(places):
            # a detour through the room: of some free places the one farthest from the last stop
            for _ in range(1 + (number in (0, len(places) - 1))):
                drawn = free[rng.integers(len(free), size=6)]
                last = stops[-1] if stops else drawn[0]
                stops.append(drawn[int(np.argmax(np.linalg.norm(drawn - last, axis=1)))])
        legs = [grid.path(a, b) for a, b in itertools.pairwise(stops)]
        way = np.concatenate([leg for leg in legs if leg is not None])
        error = abs(_length(way) - 0.65 * duration)
        if best is None or error < abs(_length(best) - 0.65 * duration):
            best = way
        if error < 0.1 * duration:
            break
    assert best is not None  # twelve were tried
    return smooth(best, 0.6)


def _length(way: F64) -> float:
    return float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum())
