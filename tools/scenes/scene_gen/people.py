# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Articulated people: 13 rigid segments with proportions after Drillis and Contini (1966).

Winter, Biomechanics and Motor Control of Human Movement, fig. 4.1, prints the fractions of the
stature used here.  A person faces +x; left is +y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene_gen.materials import Material, colour, fabric, hsv, patterned, plain
from scene_gen.meshes import Mesh, box, ellipsoid, limb, loft, merge, rod, rot_x, rot_y, soft_box
from scene_gen.poses import PersonPose
from scene_gen.things import Part, Thing

Rng = np.random.Generator

(
    PELVIS,
    CHEST,
    HEAD,
    ARM_L,
    ARM_R,
    FOREARM_L,
    FOREARM_R,
    THIGH_L,
    THIGH_R,
    SHANK_L,
    SHANK_R,
    FOOT_L,
    FOOT_R,
) = range(13)

SKINS = (
    (0.95, 0.78, 0.66),
    (0.88, 0.68, 0.54),
    (0.78, 0.57, 0.42),
    (0.62, 0.43, 0.30),
    (0.45, 0.30, 0.21),
    (0.31, 0.20, 0.14),
)
HAIRS = (
    (0.06, 0.05, 0.045),
    (0.14, 0.09, 0.06),
    (0.30, 0.19, 0.10),
    (0.50, 0.34, 0.18),
    (0.72, 0.56, 0.32),
    (0.42, 0.15, 0.07),
    (0.62, 0.61, 0.60),
    (0.85, 0.84, 0.82),
)


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


@dataclass(frozen=True, eq=False)
class _Look:
    skin: Material
    hair: Material
    shirt: Material
    trousers: Material
    shoes: Material
    sleeves: int  # 0 none, 1 short, 2 long
    trouser_legs: int  # 1 shorts, 2 long
    skirt: bool


def _look(rng: Rng) -> _Look:
    skin = np.array(SKINS[int(rng.integers(len(SKINS)))]) * rng.uniform(0.9, 1.08)
    tone = np.array(HAIRS[int(rng.integers(len(HAIRS)))]) * rng.uniform(0.8, 1.2)
    denim = patterned(
        rng, ('cloth', 'weave'), hsv(0.6, rng.uniform(0.2, 0.6), rng.uniform(0.18, 0.55)), 0.25
    )
    grey = patterned(
        rng, ('cloth',), hsv(rng.random(), rng.uniform(0, 0.25), rng.uniform(0.06, 0.6)), 0.2
    )
    draw = rng.random()
    trousers = denim if draw < 0.4 else grey if draw < 0.75 else fabric(rng)
    return _Look(
        plain(skin, 0.15, 0.3),
        patterned(rng, ('hair',), tone, 0.5, 0.25),
        fabric(rng),
        trousers,
        plain(colour(rng, (0, 0.7), (0.05, 0.95)), 0.2),
        int(rng.choice([0, 1, 2], p=[0.1, 0.35, 0.55])),
        int(rng.choice([1, 2], p=[0.15, 0.85])),
        rng.random() < 0.16,
    )


def person(rng: Rng) -> Person:
    """A random adult or child in random clothes, standing straight."""
    child = rng.random() < 0.22
    h = rng.uniform(0.95, 1.4) if child else rng.uniform(1.52, 1.92)
    w = rng.uniform(0.88, 1.15)
    look = _look(rng)
    girth = w * rng.uniform(0.92, 1.3) * (1.05 if child else 1.0)
    segments: list[list[tuple[Mesh, Material]]] = [[] for _ in range(13)]
    _torso(rng, segments, look, h, w, girth)
    _head(rng, segments[HEAD], look, h, 1.25 if h < 1.2 else 1.12 if child else 1.0)
    for side in (0, 1):
        _arm(segments, side, look, h, girth)
        _leg(segments, side, look, h, girth)
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


def _torso(
    rng: Rng,
    segments: list[list[tuple[Mesh, Material]]],
    look: _Look,
    h: float,
    w: float,
    girth: float,
) -> None:
    hip_y, waist_y = 0.092 * h * w, 0.078 * h * girth
    pelvis = loft(
        [
            (0, 0, -0.06 * h, 0.04 * h, 0.05 * h),
            (0, 0, -0.035 * h, 0.066 * h, hip_y * 0.9),
            (0, 0, 0.0, 0.074 * h * girth, hip_y),
            (0, 0, 0.05 * h, 0.066 * h * girth, hip_y),
            (0, 0, 0.1 * h, 0.055 * h * girth, waist_y),
        ],
        16,
        True,
        2.3,
    )
    segments[PELVIS].append((pelvis, look.trousers))
    if look.skirt:
        length, flare = rng.uniform(0.2, 0.4) * h, rng.uniform(1.15, 1.6)
        skirt = loft(
            [
                (0.01 * h, 0, -length, 0.10 * h * flare, 0.115 * h * flare),
                (0.005, 0, -0.12 * h, 0.095 * h, 0.115 * h),
                (0, 0, 0.03 * h, 0.078 * h * girth, hip_y * 1.08),
                (0, 0, 0.1 * h, 0.062 * h * girth, waist_y * 1.05),
            ],
            18,
        )
        segments[PELVIS].append((skirt, fabric(rng)))
    hem = -rng.uniform(0.01, 0.075) * h
    chest = loft(
        [
            (0, 0, hem, 0.07 * h * girth, hip_y * 0.98),
            (0, 0, 0.02 * h, 0.062 * h * girth, waist_y * 1.06),
            (0, 0, 0.08 * h, 0.066 * h * girth, 0.09 * h * girth),
            (0.004 * h, 0, 0.14 * h, 0.072 * h * girth, 0.102 * h * w),
            (0, 0, 0.185 * h, 0.062 * h, 0.112 * h * w),
            (-0.004 * h, 0, 0.213 * h, 0.048 * h, 0.098 * h * w),
            (-0.004 * h, 0, 0.235 * h, 0.034 * h, 0.05 * h),
        ],
        18,
        True,
        2.4,
    )
    segments[CHEST].append((chest, look.shirt))
    draw = rng.random()
    if draw < 0.15:
        tie = box((0.012, 0.035 * h, 0.17 * h), (0.073 * h * girth, 0, 0.13 * h))
        segments[CHEST].append((tie, fabric(rng)))
    elif draw < 0.3:
        segments[CHEST].append(
            (box((0.01, 0.012, 0.2 * h), (0.072 * h * girth, 0, 0.11 * h)), plain(colour(rng)))
        )


def _arm(
    segments: list[list[tuple[Mesh, Material]]], side: int, look: _Look, h: float, girth: float
) -> None:
    g = 0.5 + 0.5 * girth
    upper = look.shirt if look.sleeves > 0 else look.skin
    puff = 1.12 if look.sleeves > 0 else 1.0
    segments[ARM_L + side].append(
        (limb(0.172 * h, np.array([0.031, 0.031, 0.029, 0.026]) * h * g * puff), upper)
    )
    long = look.sleeves > 1
    cuff = 1.12 if long else 1.0
    fore = segments[FOREARM_L + side]
    fore.append(
        (
            limb(0.145 * h, np.array([0.026, 0.026, 0.022, 0.018]) * h * g * cuff),
            look.shirt if long else look.skin,
        )
    )
    s = 1 - 2 * side
    fore.append((ellipsoid((0.024 * h, 0.012 * h, 0.03 * h), (0, 0, -0.175 * h), 7), look.skin))
    fore.append(
        (soft_box((0.036 * h, 0.017 * h, 0.06 * h), (0.002, 0, -0.215 * h), 0.6, 7), look.skin)
    )
    fore.append(
        (
            rod(
                (0.015 * h, -s * 0.004, -0.165 * h),
                (0.036 * h, -s * 0.012 * h, -0.2 * h),
                0.009 * h,
                0.007 * h,
                6,
            ),
            look.skin,
        )
    )


def _leg(
    segments: list[list[tuple[Mesh, Material]]], side: int, look: _Look, h: float, girth: float
) -> None:
    g = 0.6 + 0.4 * girth
    covered = look.trousers if not look.skirt else look.skin
    segments[THIGH_L + side].append(
        (limb(0.245 * h, np.array([0.056, 0.053, 0.045, 0.037]) * h * g), covered)
    )
    long = look.trouser_legs > 1 and not look.skirt
    radii = [0.037, 0.036, 0.033, 0.032] if long else [0.033, 0.036, 0.028, 0.021]
    segments[SHANK_L + side].append(
        (limb(0.235 * h, np.array(radii) * h * g, 0.008 * h), covered if long else look.skin)
    )
    foot = loft(
        [
            (0.035 * h, 0, -0.039 * h, 0.078 * h, 0.031 * h),
            (0.035 * h, 0, -0.025 * h, 0.078 * h, 0.032 * h),
            (0.02 * h, 0, -0.008 * h, 0.058 * h, 0.028 * h),
            (0.0, 0, 0.012 * h, 0.03 * h, 0.024 * h),
        ],
        12,
        True,
        2.5,
    )
    segments[FOOT_L + side].append((foot, look.shoes))


def _head(rng: Rng, out: list[tuple[Mesh, Material]], look: _Look, h: float, scale: float) -> None:
    """Neck, skull, face and hair; the frame's origin is the base of the neck."""
    s = 0.13 * h * scale  # chin to crown
    mid = np.array([0.012 * h, 0, 0.032 * h + s * 0.52])
    out.append(
        (limb(0.05 * h, np.array([0.030, 0.031, 0.034]) * h).moved((0, 0, 0.055 * h)), look.skin)
    )
    skull = loft(
        [
            (0.09, 0, -0.5, 0.14, 0.14),
            (0.07, 0, -0.44, 0.24, 0.22),
            (0.03, 0, -0.28, 0.34, 0.29),
            (0.0, 0, -0.05, 0.39, 0.335),
            (-0.02, 0, 0.18, 0.41, 0.35),
            (-0.03, 0, 0.36, 0.33, 0.29),
            (-0.03, 0, 0.46, 0.2, 0.18),
            (-0.03, 0, 0.5, 0.05, 0.05),
        ],
        16,
    )
    out.append((skull.moved(mid, None, (s, s, s)), look.skin))
    dark, white = plain(hsv(0.07, 0.5, 0.1)), plain(np.full(3, 0.9), 0.4, 0.6)

    def at(x: float, y: float, z: float) -> np.ndarray:
        return mid + s * np.array([x, y, z])

    out.append(
        (
            loft([(0.42, 0, -0.17, 0.09, 0.075), (0.38, 0, 0.06, 0.03, 0.035)], 8).moved(
                mid, None, (s, s, s)
            ),
            look.skin,
        )
    )
    lips = plain(np.array(look.skin.rgb) * [0.85, 0.55, 0.55])
    out.append((ellipsoid((0.05 * s, 0.12 * s, 0.03 * s), at(0.34, 0, -0.28), 7), lips))
    for side in (-1, 1):
        out.append(
            (ellipsoid((0.05 * s, 0.065 * s, 0.04 * s), at(0.345, side * 0.145, 0.03), 7), white)
        )
        out.append(
            (ellipsoid((0.03 * s, 0.035 * s, 0.035 * s), at(0.385, side * 0.15, 0.03), 7), dark)
        )
        out.append((box((0.04 * s, 0.16 * s, 0.03 * s), at(0.37, side * 0.15, 0.125)), look.hair))
        out.append(
            (
                ellipsoid((0.07 * s, 0.03 * s, 0.12 * s), at(-0.03, side * 0.355, -0.03), 7),
                look.skin,
            )
        )
    _hair(rng, out, look, at, s)


def _hair(rng: Rng, out: list[tuple[Mesh, Material]], look: _Look, at, s: float) -> None:
    style = rng.choice(
        ['short', 'long', 'bun', 'bald', 'cap', 'bob'], p=[0.4, 0.2, 0.1, 0.08, 0.1, 0.12]
    )
    volume = rng.uniform(1.0, 1.14)
    if style != 'bald':
        crown = loft(
            [
                (-0.10, 0, -0.12, 0.36, 0.365),
                (-0.09, 0, 0.1, 0.40, 0.385),
                (-0.045, 0, 0.2, 0.43, 0.385),
                (-0.03, 0, 0.36, 0.40, 0.34),
                (-0.04, 0, 0.49, 0.28, 0.24),
                (-0.04, 0, 0.55, 0.1, 0.1),
            ],
            16,
        )
        surface = fabric(rng) if style == 'cap' else look.hair
        out.append((crown.moved(at(0, 0, 0), None, (s, s * volume, s * volume)), surface))
        if style == 'cap':
            out.append((soft_box((0.5 * s, 0.5 * s, 0.06 * s), at(0.42, 0, 0.22), 0.6, 7), surface))
    if style in ('long', 'bob'):
        drop = rng.uniform(0.9, 1.8) if style == 'long' else rng.uniform(0.55, 0.75)
        out.append(
            (
                soft_box((0.3 * s, 0.74 * s * volume, drop * s), at(-0.25, 0, 0.3 - drop / 2), 0.5),
                look.hair,
            )
        )
        lock = (0.4 * s, 0.13 * s, drop * 0.8 * s)
        out += [
            (soft_box(lock, at(-0.05, side * 0.36 * volume, 0.28 - drop * 0.4), 0.6), look.hair)
            for side in (-1, 1)
        ]
    if style == 'bun':
        out.append((ellipsoid((0.17 * s, 0.17 * s, 0.16 * s), at(-0.42, 0, 0.35), 7), look.hair))
    if style in ('short', 'bald') and rng.random() < 0.35:
        out.append(
            (
                loft(
                    [
                        (0.12, 0, -0.54, 0.13, 0.16),
                        (0.1, 0, -0.42, 0.26, 0.24),
                        (0.06, 0, -0.3, 0.30, 0.29),
                        (0.04, 0, -0.2, 0.3, 0.305),
                    ],
                    12,
                ).moved(at(0, 0, 0), None, (s, s, s)),
                look.hair,
            )
        )
    if rng.random() < 0.15:
        frame = plain(np.full(3, 0.06), 0.4, 0.5)
        for side in (-1, 1):
            out.append((box((0.02 * s, 0.25 * s, 0.02 * s), at(0.42, side * 0.15, 0.1)), frame))
            out.append((box((0.02 * s, 0.25 * s, 0.02 * s), at(0.42, side * 0.15, -0.05)), frame))
            out.append((box((0.45 * s, 0.02 * s, 0.03 * s), at(0.2, side * 0.36, 0.08)), frame))
