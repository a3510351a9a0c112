# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a scene is made of: things (labelled or clutter) of rigid segments of coloured parts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scene_gen.materials import Material
from scene_gen.meshes import Mesh, merge, rot_z

F64 = NDArray[np.float64]

LABELS = ('person', 'dog', 'chair', 'table', 'sofa', 'plant', 'box', 'door')
"""The classes, in the order of their indices."""


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh with one surface, in the frame of its segment."""

    mesh: Mesh
    material: Material


@dataclass(eq=False)
class Thing:
    """An object of the scene.

    `segments`: the rigid pieces, each a list of parts in the segment's own frame.
    `rotations` (S, 3, 3) and `offsets` (S, 3): the segments' poses in the thing's frame.
    `position` (3,) [m] and `yaw` [rad]: the thing's frame in the map (x forward, z up, the
    origin on the floor below the thing).
    `label` None marks clutter, which is never ground truth.
    `seats`: places to sit, x, y, z of the cushion's surface in the thing's frame [m].
    """

    label: str | None
    segments: list[list[Part]]
    rotations: F64 = field(default_factory=lambda: np.eye(3)[None])
    offsets: F64 = field(default_factory=lambda: np.zeros((1, 3)))
    position: F64 = field(default_factory=lambda: np.zeros(3))
    yaw: float = 0.0
    movable: bool = False
    seats: tuple[tuple[float, float, float], ...] = ()

    def vertices(self) -> F64:
        """All vertices (V, 3) in the thing's frame [m], as posed now."""
        return np.concatenate(
            [
                part.mesh.vertices @ self.rotations[i].T + self.offsets[i]
                for i, parts in enumerate(self.segments)
                for part in parts
            ]
        )

    def bounds(self) -> tuple[F64, F64]:
        """Lowest and highest corner (3,) of the thing in its own frame [m]."""
        v = self.vertices()
        return v.min(0), v.max(0)

    def map_poses(self) -> tuple[F64, F64]:
        """Segment rotations (S, 3, 3) and origins (S, 3) in the map."""
        turn = rot_z(self.yaw)
        return turn @ self.rotations, self.offsets @ turn.T + self.position

    def placed(self, x: float, y: float, yaw: float, z: float = 0.0) -> Thing:
        """This thing, moved there."""
        self.position = np.array([x, y, z], float)
        self.yaw = float(yaw)
        return self

    def top(self) -> float:
        """Height of the highest vertex above the thing's origin [m]."""
        return float(self.bounds()[1][2])


def rigid(
    label: str | None,
    parts: list[tuple[Mesh | list[Mesh], Material]],
    seats: tuple[tuple[float, float, float], ...] = (),
) -> Thing:
    """A thing of one segment; meshes that share a material become one part."""
    by_material: dict[int, tuple[Material, list[Mesh]]] = {}
    for meshes, material in parts:
        flat = meshes if isinstance(meshes, list) else [meshes]
        if flat:
            by_material.setdefault(id(material), (material, []))[1].extend(flat)
    return Thing(
        label, [[Part(merge(m), material) for material, m in by_material.values()]], seats=seats
    )
