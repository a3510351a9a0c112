# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a person looks like: skin, hair and clothes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene_gen.materials import Material, colour, fabric, hsv, patterned, plain

Rng = np.random.Generator

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


@dataclass(frozen=True, eq=False)
class Look:
    skin: Material
    hair: Material
    shirt: Material
    trousers: Material
    shoes: Material
    sleeves: int  # 0 none, 1 short, 2 long
    trouser_legs: int  # 1 shorts, 2 long
    skirt: bool


def random_look(rng: Rng) -> Look:
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
    return Look(
        plain(skin, 0.15, 0.3),
        patterned(rng, ('hair',), tone, 0.5, 0.25),
        fabric(rng),
        trousers,
        plain(colour(rng, (0, 0.7), (0.05, 0.95)), 0.2),
        int(rng.choice([0, 1, 2], p=[0.1, 0.35, 0.55])),
        int(rng.choice([1, 2], p=[0.15, 0.85])),
        rng.random() < 0.16,
    )
