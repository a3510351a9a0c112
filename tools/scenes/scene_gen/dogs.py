# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Articulated dogs: 11 segments, many builds and coats.  A dog faces +x."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene_gen.materials import Material, patterned, plain, two_toned
from scene_gen.meshes import Mesh, ellipsoid, limb, loft, merge, rod, rot_x, rot_y, rot_z
from scene_gen.things import Part, Thing

Rng = np.random.Generator
TORSO, HEAD, TAIL, UPPER, LOWER = 0, 1, 2, 3, 7  # legs: front left, front right, hind left, right

COATS = (
    (0.10, 0.09, 0.08),
    (0.32, 0.20, 0.11),
    (0.55, 0.37, 0.20),
    (0.78, 0.60, 0.38),
    (0.90, 0.84, 0.74),
    (0.45, 0.42, 0.40),
    (0.93, 0.92, 0.90),
    (0.50, 0.24, 0.12),
)


@dataclass(eq=False)
class Dog(Thing):
    """A dog; `shoulder` is the height of its back [m], `leg` that of its shoulder joint."""

    shoulder: float = 0.5
    leg: float = 0.3
    length: float = 0.5

    def pose_as(
        self, kind: str, phase: float = 0.0, look: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        """Take a pose: stand, walk (at `phase` [rad]), sit or lie; `look`: head's pitch, yaw."""
        swing = np.zeros(4)
        bend = np.array([0.0, 0.0, 0.5, 0.5])
        tilt = 0.0
        if kind == 'walk':
            swing = 0.45 * np.sin(phase + np.array([0, np.pi, np.pi, 0]))
            bend = bend + 0.5 * np.maximum(0, np.cos(phase + np.array([0, np.pi, np.pi, 0])))
        elif kind == 'sit':
            tilt, swing = -0.75, np.array([-0.75, -0.75, 0.75, 0.75])
            bend = np.array([0.0, 0.0, 1.9, 1.9])
        elif kind == 'lie':
            swing = np.array([1.35, 1.25, 1.1, 1.2])
            bend = np.array([-0.1, -0.1, 2.1, 2.2])
        self._chain(tilt, swing, bend, look, phase)

    def _chain(
        self,
        tilt: float,
        swing: np.ndarray,
        bend: np.ndarray,
        look: tuple[float, float],
        phase: float,
    ) -> None:
        s, n, leg = self.shoulder, self.length, self.leg
        rotations, offsets = np.empty((11, 3, 3)), np.empty((11, 3))
        rotations[TORSO], offsets[TORSO] = rot_y(tilt), 0.0

        def put(i: int, parent: int, joint: tuple[float, float, float], turn: np.ndarray) -> None:
            rotations[i] = rotations[parent] @ turn
            offsets[i] = offsets[parent] + rotations[parent] @ np.array(joint)

        put(HEAD, TORSO, (0.5 * n, 0, 0.08 * s), rot_z(look[1]) @ rot_y(-tilt * 0.8 + look[0]))
        put(TAIL, TORSO, (-0.5 * n, 0, 0.1 * s), rot_z(0.5 * np.sin(2 * phase)))
        for i in range(4):
            x = 0.36 * n if i < 2 else -0.40 * n
            y = (0.11 if i % 2 == 0 else -0.11) * s
            hind = 0.0 if i < 2 else 0.22
            put(UPPER + i, TORSO, (x, y, -0.06 * s), rot_y(-float(swing[i]) - hind))
            put(LOWER + i, UPPER + i, (0, 0, -0.5 * leg), rot_y(float(bend[i])))
        self.rotations, self.offsets = rotations, offsets
        self.offsets = offsets - [0, 0, self.bounds()[0][2]]


def dog(rng: Rng) -> Dog:
    """A random dog, standing."""
    s = rng.uniform(0.28, 0.68)
    leg = s * rng.uniform(0.5, 0.66) * (0.6 if rng.random() < 0.12 else 1.0)
    n = s * rng.uniform(0.85, 1.15)
    bulk = rng.uniform(0.85, 1.3)
    base = np.array(COATS[int(rng.integers(len(COATS)))]) * rng.uniform(0.85, 1.1)
    other = np.array(COATS[int(rng.integers(len(COATS)))])
    coat = (
        two_toned(rng, ('patches',), base, other, 0.05)
        if rng.random() < 0.4
        else patterned(rng, ('fur',), base, 0.35, 0.05)
    )
    paw = coat if rng.random() < 0.6 else patterned(rng, ('fur',), other, 0.3, 0.05)
    lay = rot_y(np.pi / 2)
    torso = loft(
        [
            (0, 0, -0.56 * n, 0.05 * s, 0.05 * s),
            (0, 0, -0.5 * n, 0.12 * s, 0.11 * s),
            (0, 0, -0.3 * n, 0.155 * s, 0.14 * s),
            (-0.02 * s, 0, 0, 0.145 * s, 0.135 * s),
            (0.0, 0, 0.25 * n, 0.19 * s, 0.155 * s),
            (-0.02 * s, 0, 0.45 * n, 0.165 * s, 0.14 * s),
            (-0.05 * s, 0, 0.58 * n, 0.07 * s, 0.07 * s),
        ],
        14,
    )
    segments = [
        [Part(torso.moved((0, 0, 0), lay, (bulk, bulk, 1.0)), coat)],
        _head(rng, s, coat, paw),
        [Part(_tail(rng, s), coat)],
    ]
    r = 0.055 * s * bulk
    for i in range(4):
        top = 1.5 if i > 1 else 1.15
        segments.append([Part(limb(0.5 * leg, [r * top, r, r * 0.75]), coat)])
    for _ in range(4):
        foot = ellipsoid((r * 1.15, r * 0.85, r * 0.6), (r * 0.5, 0, -0.5 * leg), 7)
        segments.append([Part(merge([limb(0.48 * leg, [r * 0.78, r * 0.6, r * 0.62]), foot]), paw)])
    made = Dog('dog', segments, movable=True, shoulder=s, leg=leg, length=n)
    made.pose_as('stand')
    return made


def _tail(rng: Rng, s: float) -> Mesh:
    rise, curl = rng.uniform(-0.3, 1.0), rng.uniform(-0.3, 0.9)
    length, r = rng.uniform(0.12, 0.5) * s, 0.035 * s * rng.uniform(0.8, 1.8)
    points = [np.zeros(3)]
    for i in range(4):
        a = rise + curl * i
        points.append(points[-1] + length / 4 * np.array([-np.cos(a), 0, np.sin(a)]))
    return merge(
        [rod(points[i], points[i + 1], r * (1 - 0.18 * i), r * (0.82 - 0.18 * i)) for i in range(4)]
    )


def _head(rng: Rng, s: float, coat: Material, accent: Material) -> list[Part]:
    neck_rise = rng.uniform(0.5, 1.1)
    reach = 0.30 * s
    at = reach * np.array([np.cos(neck_rise), 0, np.sin(neck_rise)])
    k = 0.125 * s * rng.uniform(0.9, 1.25)
    snout = rng.uniform(0.8, 2.0)
    coated = [
        rod((-0.06 * s, 0, -0.02 * s), at, 0.115 * s, 0.085 * s, 12),
        ellipsoid((1.15 * k, k, 0.95 * k), at + np.array([0.25 * k, 0, 0.15 * k])),
    ]
    muzzle = loft(
        [
            (0, 0, 0, 0.62 * k, 0.6 * k),
            (0.12 * k, 0, 0.6 * snout * k, 0.45 * k, 0.42 * k),
            (0.15 * k, 0, snout * k, 0.36 * k, 0.34 * k),
            (0.15 * k, 0, 1.12 * snout * k, 0.15 * k, 0.15 * k),
        ],
        10,
    )
    face = [muzzle.moved(at + np.array([0.8 * k, 0, 0.0]), rot_y(np.pi / 2))]
    black = plain(np.full(3, 0.04), 0.5, 0.6)
    tip = at + np.array([(0.8 + 1.12 * snout) * k, 0, 0.02 * k])
    dark = [ellipsoid((0.17 * k, 0.2 * k, 0.15 * k), tip, 7)]
    dark += [
        ellipsoid((0.12 * k,) * 3, at + np.array([1.12 * k, e * 0.48 * k, 0.42 * k]), 7)
        for e in (-1, 1)
    ]
    floppy = rng.random() < 0.5
    ears = []
    for e in (-1, 1):
        if floppy:
            ears.append(
                ellipsoid(
                    (0.35 * k, 0.12 * k, 0.75 * k),
                    at + np.array([-0.1 * k, e * 1.02 * k, 0.05 * k]),
                    7,
                )
            )
        else:
            cone = loft([(0, 0, 0, 0.2 * k, 0.38 * k), (0, 0, 1.1 * k, 0.03 * k, 0.04 * k)], 8)
            ears.append(
                cone.moved(at + np.array([-0.1 * k, e * 0.6 * k, 0.75 * k]), rot_x(-e * 0.3))
            )
    collar = []
    if rng.random() < 0.4:
        collar = [
            Part(
                rod(at * 0.55, at * 0.72, 0.112 * s, 0.105 * s, 12),
                plain(rng.uniform(0.1, 0.9, 3), 0.2),
            )
        ]
    return [
        Part(merge(coated), coat),
        Part(merge(face), accent),
        Part(merge(dark), black),
        Part(merge(ears), coat if rng.random() < 0.5 else accent),
        *collar,
    ]
