# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What moves: people who walk, gesture, sit or carry, and dogs.

An actor has two clocks: `at(t)` continues its motion (a recording), `shuffle(rng)` begins
another one (a data set, whose views should differ).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from scene_gen import poses
from scene_gen.dogs import Dog
from scene_gen.people import Person
from scene_gen.poses import PersonPose
from scene_gen.things import Thing

Rng = np.random.Generator
F64 = NDArray[np.float64]


def blend(a: PersonPose, b: PersonPose, weight: float) -> PersonPose:
    """The pose between `a` (0) and `b` (1), joint by joint."""
    mixed = {}
    for f in fields(PersonPose):
        x, y = getattr(a, f.name), getattr(b, f.name)
        value = (1 - weight) * np.asarray(x) + weight * np.asarray(y)
        mixed[f.name] = tuple(value.tolist()) if isinstance(x, tuple) else float(value)
    return PersonPose(**mixed)


class Actor:
    """Moves one thing (and what it carries)."""

    def __init__(self, thing: Thing) -> None:
        self.thing = thing

    def shuffle(self, rng: Rng) -> None:
        """Begin another motion."""
        raise NotImplementedError

    def at(self, t: float) -> None:
        """Take the pose of time `t` [s]."""
        raise NotImplementedError


class Idle(Actor):
    """A person on one spot who changes between two poses; sits where `seat` [m] is given."""

    def __init__(self, thing: Person, seat: float | None = None) -> None:
        super().__init__(thing)
        self.person, self.seat = thing, seat
        self.first = self.second = PersonPose()
        self.period, self.offset, self.still = 6.0, 0.0, False
        self.home = thing.yaw

    def shuffle(self, rng: Rng) -> None:
        if self.seat is not None:
            draw = [poses.sitting(rng, self.person.stature, self.seat) for _ in range(2)]
            first, second = (
                draw[0],
                replace(
                    draw[1], hip_swing=draw[0].hip_swing, hip_out=draw[0].hip_out, knee=draw[0].knee
                ),
            )
            self.person.yaw = self.home + rng.uniform(-0.12, 0.12)
        else:
            first = (
                poses.standing(rng)
                if self.person.skirted or rng.random() < 0.55
                else poses.upright(rng)
            )
            again = poses.standing(rng)
            upper = {
                k: getattr(again, k)
                for k in ('head', 'shoulder_swing', 'shoulder_out', 'shoulder_twist', 'elbow')
            }
            second = replace(first, **upper)
            self.person.yaw = rng.uniform(-np.pi, np.pi)
        self.first, self.second = first, second
        self.period, self.offset = rng.uniform(4, 9), rng.uniform(0, 9)

    def at(self, t: float) -> None:
        swing = 0.5 - 0.5 * np.cos(2 * np.pi * (t + self.offset) / self.period)
        self.person.pose_as(
            blend(self.first, self.second, float(swing * swing * (3 - 2 * swing))), self.seat
        )


@dataclass(frozen=True)
class Track:
    """A way walked to and fro: points (N, 2) [m] at equal steps of `step` metres."""

    points: F64
    step: float = 0.05

    def at(self, distance: float) -> tuple[F64, float]:
        """Position (2,) and heading [rad] after `distance` metres of going to and fro."""
        length = self.step * (len(self.points) - 1)
        lap = distance % (2 * length)
        forward = lap <= length
        s = lap if forward else 2 * length - lap
        i = int(np.clip(s / self.step, 0, len(self.points) - 2))
        p = self.points[i] + (s / self.step - i) * (self.points[i + 1] - self.points[i])
        a, b = max(0, i - 3), min(len(self.points) - 1, i + 4)
        d = (self.points[b] - self.points[a]) * (1 if forward else -1)
        return p, float(np.arctan2(d[1], d[0]))

    def turning(self, distance: float, window: float = 0.5) -> float:
        """Heading [rad] averaged over the last and next metres, so that turns take a while."""
        angles = [self.at(max(0.0, distance + d))[1] for d in np.linspace(-window, window, 9)]
        return float(np.angle(np.mean(np.exp(1j * np.array(angles)))))


class Walker(Actor):
    """A person who walks a track, sometimes with a carton."""

    def __init__(self, thing: Person, track: Track, carried: Thing | None = None) -> None:
        super().__init__(thing)
        self.person, self.track, self.carried = thing, track, carried
        self.speed, self.start, self.amplitude = 0.8, 0.0, 0.38

    def shuffle(self, rng: Rng) -> None:
        self.speed = rng.uniform(0.5, 1.0)
        self.start = rng.uniform(0, 2 * self.track.step * len(self.track.points))
        self.amplitude = rng.uniform(0.28, 0.45)

    def at(self, t: float) -> None:
        s = self.start + self.speed * t
        p, _ = self.track.at(s)
        phase = 2 * np.pi * s / poses.stride_length(self.person.stature, self.amplitude)
        arms = poses.CARRYING_ARMS if self.carried else None
        self.person.placed(float(p[0]), float(p[1]), self.track.turning(s))
        self.person.pose_as(poses.walking(phase, self.amplitude, arms))
        if self.carried:
            high = self.carried.bounds()[1]
            hands = self.person.hands().mean(0)
            reach = max(hands[0], 0.1 * self.person.stature + high[0])
            c, sn = np.cos(self.person.yaw), np.sin(self.person.yaw)
            self.carried.placed(
                float(p[0]) + c * reach, float(p[1]) + sn * reach, self.person.yaw, float(hands[2])
            )


class DogActor(Actor):
    """A dog that walks a track, or stands, sits or lies and looks around."""

    def __init__(self, thing: Dog, track: Track | None) -> None:
        super().__init__(thing)
        self.dog, self.track = thing, track
        self.kind, self.speed, self.start, self.gaze = 'stand', 0.7, 0.0, 0.0

    def shuffle(self, rng: Rng) -> None:
        self.kind = (
            'walk' if self.track else str(rng.choice(['stand', 'sit', 'lie'], p=[0.45, 0.33, 0.22]))
        )
        self.speed, self.start = rng.uniform(0.4, 0.9), rng.uniform(0, 20)
        self.gaze = rng.uniform(0, 2 * np.pi)
        if not self.track:
            self.dog.yaw = rng.uniform(-np.pi, np.pi)

    def at(self, t: float) -> None:
        look = (0.25 * np.sin(0.9 * t + self.gaze), 0.6 * np.sin(0.7 * t + 2 * self.gaze))
        phase = 2.0 * t + self.gaze
        if self.track:
            s = self.start + self.speed * t
            p, _ = self.track.at(s)
            self.dog.placed(float(p[0]), float(p[1]), self.track.turning(s, 0.35))
            phase = 2 * np.pi * s / (1.3 * self.dog.leg + 0.1)
        self.dog.pose_as(self.kind, phase, look)
