# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Torso, arms and legs of a person, dressed.  `h` is the stature [m], `w` and `girth` factors."""

from __future__ import annotations

import numpy as np

from scene_gen.looks import Look
from scene_gen.materials import Material, colour, fabric, plain
from scene_gen.meshes import Mesh, box, ellipsoid, limb, loft, rod, soft_box
from scene_gen.skeleton import ARM_L, CHEST, FOOT_L, FOREARM_L, PELVIS, SHANK_L, THIGH_L

Rng = np.random.Generator


def add_torso(
    rng: Rng,
    segments: list[list[tuple[Mesh, Material]]],
    look: Look,
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


def add_arm(
    segments: list[list[tuple[Mesh, Material]]], side: int, look: Look, h: float, girth: float
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


def add_leg(
    segments: list[list[tuple[Mesh, Material]]], side: int, look: Look, h: float, girth: float
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
