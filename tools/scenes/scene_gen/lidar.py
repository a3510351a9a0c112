# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A multi-beam lidar by ray casting against the scene's triangles."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from scene_gen.compiled import CompiledScene

Rng = np.random.Generator
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Lidar:
    """Beams from `low` to `high` [degrees], `columns` firings over `field` [degrees] around x."""

    rings: int = 24
    columns: int = 100
    low: float = -38.0
    high: float = 14.0
    field: float = 200.0
    reach: float = 20.0
    noise: float = 0.008

    def directions(self) -> F64:
        """Unit directions (rings * columns, 3) in the lidar's frame, ring by ring."""
        up = np.radians(np.linspace(self.high, self.low, self.rings))[:, None]
        around = np.radians(np.linspace(-self.field / 2, self.field / 2, self.columns))[None]
        d = np.stack(
            [np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up) + 0 * around], -1
        )
        return d.reshape(-1, 3)


RESOLUTION = 1 / 256
"""Coordinates are multiples of this [m], as integers in a device's own packets would be."""


def scan(
    rng: Rng, lidar: Lidar, compiled: CompiledScene, rotation: F64, origin: F64
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Points (N, 4) float32 x, y, z [m] in the lidar's frame and intensity 0..255.

    Returned beside them: (N,) the index of the labelled thing that was hit, or -1.  Beams that
    hit nothing within reach, or return too little light, give no point.
    """
    local = lidar.directions()
    rays = np.ascontiguousarray(local @ rotation.T)
    count = len(rays)
    geom, distance = np.full(count, -1, np.int32), np.zeros(count)
    normal = np.zeros((count, 3))
    mujoco.mj_multiRay(
        compiled.model,
        compiled.data,
        origin,
        rays.ravel(),
        None,
        True,
        -1,
        geom,
        distance,
        normal.ravel(),
        count,
        lidar.reach,
    )
    cosine = np.abs(np.einsum('ij,ij->i', rays, normal.reshape(-1, 3)))
    material = compiled.model.geom_matid[geom]
    albedo = compiled.brightness[material]
    intensity = np.clip(255 * albedo * (0.25 + 0.75 * cosine) + rng.normal(0, 4, count), 1, 255)
    hit = (geom >= 0) & (distance > 0.15) & (rng.random(count) > 0.02) & (cosine > 0.03)
    measured = distance + rng.normal(0, lidar.noise, count)
    points = np.round(local * measured[:, None] / RESOLUTION) * RESOLUTION
    cloud = np.concatenate([points, np.round(intensity)[:, None]], 1).astype(np.float32)
    return cloud[hit], compiled.owner[geom[hit]]
