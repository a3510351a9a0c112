# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The head's camera: a pinhole without distortion.

Optical frame (REP 103): x right, y down, z forward.  Pixel (u, v) has its centre at (u, v) and
covers [u - 0.5, u + 0.5); the principal point is the middle of the image, (W - 1) / 2, (H - 1) / 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scene_gen.meshes import rot_x, rot_y, rot_z

F64 = NDArray[np.float64]

OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Rotation of the optical frame in a frame with x forward, y left, z up."""


@dataclass(frozen=True)
class Camera:
    """Image size [pixels] and focal length [pixels], equal along both axes."""

    width: int = 640
    height: int = 480
    focal: float = 350.0

    @property
    def matrix(self) -> F64:
        """Intrinsics (3, 3)."""
        return np.array(
            [
                [self.focal, 0, (self.width - 1) / 2],
                [0, self.focal, (self.height - 1) / 2],
                [0, 0, 1],
            ]
        )

    @property
    def fovy(self) -> float:
        """Vertical field of view [degrees]."""
        return float(np.degrees(2 * np.arctan(self.height / 2 / self.focal)))


@dataclass(frozen=True, eq=False)
class View:
    """A camera's place: origin (3,) in the map [m] and rotation (3, 3) optical -> map."""

    origin: F64
    rotation: F64

    def to_optical(self, points: F64) -> F64:
        """Map points (N, 3) in the optical frame."""
        return (points - self.origin) @ self.rotation

    def project(self, camera: Camera, points: F64) -> tuple[F64, F64]:
        """Map points (N, 3) to pixels (N, 2) and their depth (N,) [m]."""
        p = self.to_optical(points)
        z = np.maximum(p[:, 2], 1e-6)
        k = camera.matrix
        return np.stack([k[0, 0] * p[:, 0] / z + k[0, 2], k[1, 1] * p[:, 1] / z + k[1, 2]], 1), p[
            :, 2
        ]


def view(position: F64, yaw: float, pitch: float, roll: float) -> View:
    """A view from `position`: yaw about z, then pitch (down is positive), then roll [rad]."""
    return View(np.asarray(position, float), rot_z(yaw) @ rot_y(pitch) @ rot_x(roll) @ OPTICAL)
