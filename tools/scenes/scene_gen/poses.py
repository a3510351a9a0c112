# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Joint angles of people: standing, walking, sitting, reaching, crouching, carrying.

All angles in radians.  Pairs are (left, right).  Flexion is positive: a limb swings forward at
the shoulder, the elbow and the hip, backward at the knee; abduction leads away from the body.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scene_gen.meshes import rot_x, rot_y, rot_z

Rng = np.random.Generator
F64 = NDArray[np.float64]
Pair = tuple[float, float]


@dataclass(frozen=True)
class PersonPose:
    """Joint angles [rad]; the default stands straight with the arms down."""

    lean: float = 0.0
    sway: float = 0.0
    spine: tuple[float, float, float] = (0.0, 0.0, 0.0)  # pitch forward, roll, yaw
    head: tuple[float, float] = (0.0, 0.0)  # pitch down, yaw
    shoulder_swing: Pair = (0.05, 0.05)
    shoulder_out: Pair = (0.12, 0.12)
    shoulder_twist: Pair = (0.0, 0.0)  # inward
    elbow: Pair = (0.15, 0.15)
    hip_swing: Pair = (0.0, 0.0)
    hip_out: Pair = (0.04, 0.04)
    knee: Pair = (0.02, 0.02)
    ankle: Pair = (0.0, 0.0)

    def spine_matrix(self) -> F64:
        """Chest in the pelvis, (3, 3)."""
        pitch, roll, yaw = self.spine
        return rot_z(yaw) @ rot_y(pitch) @ rot_x(roll)

    def head_matrix(self) -> F64:
        """Head in the chest, (3, 3)."""
        return rot_z(self.head[1]) @ rot_y(self.head[0])

    def shoulder(self, side: int) -> F64:
        """Upper arm in the chest, (3, 3); side 0 is left."""
        s = 1 - 2 * side
        return (
            rot_x(s * self.shoulder_out[side])
            @ rot_y(-self.shoulder_swing[side])
            @ rot_z(-s * self.shoulder_twist[side])
        )

    def hip(self, side: int) -> F64:
        """Thigh in the pelvis, (3, 3)."""
        s = 1 - 2 * side
        return rot_x(s * self.hip_out[side]) @ rot_y(-self.hip_swing[side])


def _arms(rng: Rng) -> dict[str, Pair]:
    """What the arms of an upright person do."""
    u = rng.uniform
    kind = rng.choice(
        ['down', 'akimbo', 'folded', 'phone', 'wave', 'point', 'pockets', 'reach', 'talk'],
        p=[0.26, 0.09, 0.11, 0.13, 0.06, 0.07, 0.08, 0.08, 0.12],
    )
    if kind == 'akimbo':
        return {
            'shoulder_swing': (-0.35, -0.35),
            'shoulder_out': (0.7, 0.7),
            'shoulder_twist': (1.1, 1.1),
            'elbow': (1.5, 1.5),
        }
    if kind == 'folded':
        return {
            'shoulder_swing': (0.55, 0.5),
            'shoulder_out': (0.15, 0.15),
            'shoulder_twist': (1.2, 1.2),
            'elbow': (1.75, 1.6),
        }
    if kind == 'phone':
        return {
            'shoulder_swing': (u(0.3, 0.9), 0.05),
            'shoulder_out': (0.1, 0.12),
            'shoulder_twist': (0.5, 0.0),
            'elbow': (u(1.3, 2.1), 0.2),
        }
    if kind == 'wave':
        return {
            'shoulder_swing': (0.1, u(0.2, 0.6)),
            'shoulder_out': (0.12, u(1.4, 2.2)),
            'shoulder_twist': (0.0, -1.0),
            'elbow': (0.15, u(0.5, 1.4)),
        }
    if kind == 'point':
        return {
            'shoulder_swing': (u(1.1, 1.7), 0.0),
            'shoulder_out': (u(0.0, 0.5), 0.12),
            'elbow': (0.1, 0.2),
        }
    if kind == 'pockets':
        return {
            'shoulder_swing': (-0.25, -0.25),
            'shoulder_out': (0.3, 0.3),
            'shoulder_twist': (0.5, 0.5),
            'elbow': (0.75, 0.75),
        }
    if kind == 'reach':
        return {
            'shoulder_swing': (u(1.7, 2.9), u(0.0, 2.8)),
            'shoulder_out': (0.15, 0.15),
            'elbow': (u(0.0, 0.6), u(0.0, 0.6)),
        }
    if kind == 'talk':
        return {
            'shoulder_swing': (u(0.1, 0.8), u(0.1, 0.8)),
            'shoulder_out': (u(0.1, 0.5), 0.3),
            'shoulder_twist': (u(-0.4, 0.6), u(-0.4, 0.6)),
            'elbow': (u(0.6, 1.7), u(0.6, 1.7)),
        }
    return {
        'shoulder_swing': (u(-0.1, 0.2), u(-0.1, 0.2)),
        'shoulder_out': (0.12, 0.12),
        'elbow': (u(0.05, 0.4), u(0.05, 0.4)),
    }


def _gaze(rng: Rng) -> tuple[float, float]:
    return rng.uniform(-0.15, 0.45), rng.uniform(-0.7, 0.7)


def standing(rng: Rng) -> PersonPose:
    """Upright, the weight sometimes on one leg."""
    shift = rng.uniform(-0.06, 0.06)
    return PersonPose(
        lean=rng.uniform(-0.04, 0.08),
        sway=shift,
        spine=(rng.uniform(-0.05, 0.15), -shift, rng.uniform(-0.3, 0.3)),
        head=_gaze(rng),
        hip_swing=(rng.uniform(-0.08, 0.15), 0.0),
        hip_out=(rng.uniform(0.02, 0.16), rng.uniform(0.02, 0.16)),
        knee=(rng.uniform(0.0, 0.25), 0.03),
        **_arms(rng),
    )


def walking(
    phase: float, amplitude: float = 0.42, arms: dict[str, Pair] | None = None
) -> PersonPose:
    """A gait at `phase` [rad]; the left leg swings forward while cos(phase) > 0."""
    s, c = np.sin(phase), np.cos(phase)
    a = amplitude
    carried = (
        arms
        if arms is not None
        else {
            'shoulder_swing': (-0.8 * a * s, 0.8 * a * s),
            'elbow': (0.35 - 0.2 * s, 0.35 + 0.2 * s),
        }
    )
    return PersonPose(
        lean=0.05,
        spine=(0.03, 0.0, 0.12 * s),
        head=(0.03, 0.0),
        hip_swing=(0.05 + a * s, 0.05 - a * s),
        hip_out=(0.02, 0.02),
        knee=(0.12 + 0.95 * max(0.0, c) ** 1.5, 0.12 + 0.95 * max(0.0, -c) ** 1.5),
        ankle=(0.1 * s, -0.1 * s),
        **carried,
    )


def stride_length(stature: float, amplitude: float = 0.42) -> float:
    """Metres walked during 2 pi of `walking`'s phase, so that the feet do not slide."""
    return 4 * 0.49 * stature * float(np.sin(amplitude))


def sitting(rng: Rng, stature: float, seat: float) -> PersonPose:
    """On a seat of height `seat` [m], the feet on the floor where they reach it."""
    drop = (seat + 0.065 * stature - 0.285 * stature) / (0.245 * stature)
    swing = float(np.arccos(np.clip(drop, -0.35, 0.45)))
    bend = rng.uniform(-0.3, 0.25)
    arms = rng.choice(['lap', 'talk', 'phone', 'wide'])
    if arms == 'lap':
        chosen: dict[str, Pair] = {
            'shoulder_swing': (0.45, 0.45),
            'shoulder_twist': (0.45, 0.45),
            'elbow': (0.95, 0.95),
        }
    elif arms == 'wide':
        chosen = {'shoulder_swing': (0.6, 0.3), 'shoulder_out': (0.3, 0.5), 'elbow': (0.7, 0.6)}
    else:
        chosen = {
            'shoulder_swing': (rng.uniform(0.4, 1.0), 0.45),
            'elbow': (1.5, 1.0),
            'shoulder_twist': (0.5, 0.4),
        }
    return PersonPose(
        lean=-0.1,
        spine=(rng.uniform(-0.05, 0.35), 0.0, rng.uniform(-0.2, 0.2)),
        head=_gaze(rng),
        hip_swing=(swing - 0.1, swing - 0.1 - rng.uniform(0, 0.15)),
        hip_out=(rng.uniform(0.02, 0.25), rng.uniform(0.02, 0.25)),
        knee=(swing + bend, swing + rng.uniform(-0.2, 0.2)),
        **chosen,
    )


def crouching(rng: Rng) -> PersonPose:
    """Squatting, or on one knee."""
    deep = rng.uniform(1.5, 2.1)
    if rng.random() < 0.5:
        hips, knees, ankles = (deep, deep - 0.1), (deep + 0.35, deep + 0.35), (0.35, 0.35)
    else:
        hips, knees, ankles = (1.45, 0.0), (1.5, 1.5), (0.0, -0.9)
    return PersonPose(
        lean=0.1,
        spine=(rng.uniform(0.15, 0.6), 0.0, rng.uniform(-0.3, 0.3)),
        head=_gaze(rng),
        hip_swing=hips,
        hip_out=(0.15, 0.15),
        knee=knees,
        ankle=ankles,
        shoulder_swing=(rng.uniform(0.4, 1.4), rng.uniform(0.2, 1.2)),
        elbow=(rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9)),
    )


def bending(rng: Rng) -> PersonPose:
    """Leaning forward over something, the arms reaching down."""
    lean = rng.uniform(0.35, 0.75)
    return PersonPose(
        lean=lean,
        spine=(rng.uniform(0.2, 0.6), 0.0, rng.uniform(-0.2, 0.2)),
        head=(-0.2, rng.uniform(-0.4, 0.4)),
        hip_swing=(lean, lean),
        knee=(0.05, 0.15),
        shoulder_swing=(rng.uniform(0.6, 1.6), rng.uniform(0.6, 1.6)),
        elbow=(rng.uniform(0.0, 0.6), rng.uniform(0.0, 0.6)),
    )


CARRYING_ARMS: dict[str, Pair] = {
    'shoulder_swing': (0.35, 0.35),
    'shoulder_out': (0.08, 0.08),
    'shoulder_twist': (0.05, 0.05),
    'elbow': (1.35, 1.35),
}
"""Both forearms forward, as under a carton."""


def upright(rng: Rng) -> PersonPose:
    """A random pose on free floor."""
    draw = rng.random()
    if draw < 0.46:
        return standing(rng)
    if draw < 0.76:
        return walking(rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 0.5))
    return crouching(rng) if draw < 0.88 else bending(rng)
