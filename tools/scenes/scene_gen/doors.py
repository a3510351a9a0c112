# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The leaves of doors: flat, panelled and glazed, with their handles."""

from __future__ import annotations

import numpy as np

from scene_gen.materials import (
    Material,
    colour,
    hsv,
    metal,
    outside,
    plain,
    two_toned,
    wood,
)
from scene_gen.meshes import (
    Mesh,
    box,
    ellipsoid,
    merge,
    rod,
    soft_box,
)
from scene_gen.things import Thing, rigid

Rng = np.random.Generator


def door_leaf(rng: Rng, width: float, height: float) -> Thing:
    """A door's leaf with handles: its hinge is the z axis, it extends along +x when closed."""
    thick = 0.042
    style = rng.choice(['panels', 'flat', 'glass', 'lights'], p=[0.42, 0.28, 0.14, 0.16])
    draw = rng.random()
    if draw < 0.4:
        surface = plain(np.full(3, rng.uniform(0.72, 0.96)) * rng.uniform(0.95, 1.0, 3), 0.2, 0.3)
    elif draw < 0.78:
        surface = wood(rng)
    else:
        surface = plain(colour(rng, (0.15, 0.7), (0.15, 0.8)), 0.2, 0.3)
    solid: list[Mesh] = []
    panes: list[Mesh] = []
    if style in ('flat', 'panels'):
        solid.append(box((width, thick, height), (width / 2, 0, height / 2), 0.3, 0.9))
        if style == 'panels':
            solid += _panels(rng, width, height, thick)
    else:
        low = 0.12 if style == 'glass' else height * rng.uniform(0.35, 0.55)
        rail = rng.uniform(0.08, 0.14)
        solid += [
            box((rail, thick, height), (rail / 2, 0, height / 2)),
            box((rail, thick, height), (width - rail / 2, 0, height / 2)),
            box((width, thick, rail), (width / 2, 0, height - rail / 2)),
            box((width, thick, low), (width / 2, 0, low / 2)),
        ]
        bars = int(rng.integers(0, 3))
        solid += [
            box((width, thick * 0.8, 0.03), (width / 2, 0, z))
            for z in np.linspace(low, height - rail, bars + 2)[1:-1]
        ]
        panes.append(
            box(
                (width - 2 * rail, 0.01, height - low - rail),
                (width / 2, 0, (height - rail + low) / 2),
            )
        )
    shiny = metal(rng)
    handle: list[Mesh] = []
    at = width - 0.07
    for s in (-1, 1):
        handle.append(
            soft_box(
                (0.04, 0.012, 0.2 if rng.random() < 0.4 else 0.05),
                (at, s * (thick / 2 + 0.004), 1.02),
                0.3,
                7,
            )
        )
        if rng.random() < 0.25:
            handle.append(ellipsoid((0.03, 0.03, 0.03), (at, s * (thick / 2 + 0.05), 1.02), 7))
        else:
            handle += [
                rod((at, s * thick / 2, 1.02), (at, s * (thick / 2 + 0.055), 1.02), 0.009),
                rod(
                    (at, s * (thick / 2 + 0.05), 1.02),
                    (at - 0.12, s * (thick / 2 + 0.05), 1.02),
                    0.009,
                ),
            ]
    parts: list[tuple[Mesh | list[Mesh], Material]] = [(merge(solid), surface), (handle, shiny)]
    if panes:
        parts.append((panes, _pane(rng)))
    return rigid('door', parts)


def _panels(rng: Rng, width: float, height: float, thick: float) -> list[Mesh]:
    rows, columns = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    raised = []
    w, h = (width - 0.12) / columns - 0.06, (height - 0.2) / rows - 0.08
    for c in range(columns):
        for r in range(rows):
            at = (
                0.06 + (c + 0.5) * (width - 0.12) / columns,
                0,
                0.12 + (r + 0.5) * (height - 0.2) / rows,
            )
            raised += [box((w, thick + 0.02, h), at), box((w - 0.07, thick + 0.045, h - 0.07), at)]
    return raised


def _pane(rng: Rng) -> Material:
    """Frosted glass, or glass with the view through it; opaque: it belongs to the door."""
    if rng.random() < 0.45:
        return Material((1, 1, 1), outside(rng), 0.5, 0.8, rng.uniform(0.2, 0.6))
    base = hsv(rng.uniform(0.4, 0.6), rng.uniform(0.02, 0.15), rng.uniform(0.5, 0.9))
    return two_toned(rng, ('plaster', 'cloth', 'dots'), base * 0.85, base * 1.05, 0.6)
