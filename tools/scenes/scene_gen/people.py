# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Articulated people: 13 rigid segments with proportions after Drillis and Contini (1966).

Winter, Biomechanics and Motor Control of Human Movement, fig. 4.1, prints the fractions of the
stature used here.  A person faces +x; left is +y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene_gen.body import add_arm, add_leg, add_torso
from scene_gen.faces import add_head
from scene_gen.looks import random_look
from scene_gen.materials import Material, fabric
from scene_gen.meshes import Mesh, merge, rot_x, rot_y, soft_box
from scene_gen.poses import PersonPose
from scene_gen.skeleton import (
    ARM_L,
    ARM_R,
    CHEST,
    FOREARM_L,
    FOREARM_R,
    HEAD,
    PELVIS,
    THIGH_L,
    THIGH_R,
)
from scene_gen.things import Part, Thing

Rng = np.random.Generator


@dataclass(eq=False)
class Person(Thing):
    """A person; `stature` [m].  `pose_as` sets the segments from joint angles."""

    stature: float = 1.7
    width: float = 1.0
    skirted: bool = False

    def pose_as(self, pose: PersonPose, seat: float | None = None) -> None:
        """Set the segments; the lowest point is put on the floor, or the hips on a seat [m]."""
        h = self.stature
        rotations, offsets = np.empty((13, 3, 3)), np.empty((13, 3))

        def put(i: int, parent: int, joint: tuple[float, float, float], turn: np.ndarray) -> None:
            rotations[i] = rotations[parent] @ turn
            offsets[i] = offsets[parent] + rotations[parent] @ np.array(joint)

        rotations[PELVIS], offsets[PELVIS] = rot_y(pose.lean) @ rot_x(pose.sway), 0.0
        put(CHEST, PELVIS, (0, 0, 0.075 * h), pose.spine_matrix())
        put(HEAD, CHEST, (0.006 * h, 0, 0.235 * h), pose.head_matrix())
        for side, arm, thigh in ((0, ARM_L, THIGH_L), (1, ARM_R, THIGH_R)):
            s = 1 - 2 * side
            put(arm, CHEST, (0, s * 0.102 * h * self.width, 0.202 * h), pose.shoulder(side))
            put(arm + 2, arm, (0, 0, -0.172 * h), rot_y(-pose.elbow[side]))
            put(thigh, PELVIS, (0, s * 0.052 * h * self.width, 0), pose.hip(side))
            put(thigh + 2, thigh, (0, 0, -0.245 * h), rot_y(pose.knee[side]))
            put(thigh + 4, thigh + 2, (0, 0, -0.246 * h), rot_y(-pose.ankle[side]))
        self.rotations, self.offsets = rotations, offsets
        lift = -self.bounds()[0][2] if seat is None else seat + 0.065 * h
        self.offsets = offsets + np.array([0, 0, lift])

    def hands(self) -> np.ndarray:
        """Positions (2, 3) of the palms in the person's frame [m]."""
        reach = np.array([0, 0, -0.19 * self.stature])
        return np.stack(
            [self.offsets[i] + self.rotations[i] @ reach for i in (FOREARM_L, FOREARM_R)]
        )


def person(rng: Rng) -> Person:
    """A random adult or child in random clothes, standing straight."""
    child = rng.random() < 0.22
    h = rng.uniform(0.95, 1.4) if child else rng.uniform(1.52, 1.92)
    w = rng.uniform(0.88, 1.15)
    look = random_look(rng)
    girth = w * rng.uniform(0.92, 1.3) * (1.05 if child else 1.0)
    segments: list[list[tuple[Mesh, Material]]] = [[] for _ in range(13)]
    add_torso(rng, segments, look, h, w, girth)
    add_head(rng, segments[HEAD], look, h, 1.25 if h < 1.2 else 1.12 if child else 1.0)
    for side in (0, 1):
        add_arm(segments, side, look, h, girth)
        add_leg(segments, side, look, h, girth)
    if rng.random() < 0.1:
        pack = soft_box((0.15, 0.28, 0.42), (-0.15 * girth, 0, 0.12 * h), 0.35)
        segments[CHEST].append((pack, fabric(rng)))
    made = Person(
        'person',
        [_grouped(s) for s in segments],
        movable=True,
        stature=h,
        width=w,
        skirted=look.skirt,
    )
    made.pose_as(PersonPose())
    return made


def _grouped(pieces: list[tuple[Mesh, Material]]) -> list[Part]:
    """One part for each material."""
    by_material: dict[int, tuple[Material, list[Mesh]]] = {}
    for mesh, material in pieces:
        by_material.setdefault(id(material), (material, []))[1].append(mesh)
    return [Part(merge(meshes), material) for material, meshes in by_material.values()]
