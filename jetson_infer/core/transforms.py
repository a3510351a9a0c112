# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Rigid transforms, as `geometry_msgs/Transform` has them: a turn, then a shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ['Transform', 'between', 'rotation_of']

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Transform:
    """Takes coordinates of one frame to those of another: ``rotation @ point + translation``.

    :param rotation: float64 ``(3, 3)``.
    :param translation: float64 ``(3,)`` in metres.
    """

    rotation: F64
    translation: F64

    @staticmethod
    def identity() -> Transform:
        """Return the transform of a frame to itself."""
        return Transform(np.eye(3), np.zeros(3))

    @staticmethod
    def of(quaternion: Sequence[float] | F64, translation: Sequence[float] | F64) -> Transform:
        """Return the transform of a quaternion ``x, y, z, w`` and a shift.

        :raises ValueError: as :func:`rotation_of`, or if the shift is not finite.
        """
        shift = np.asarray(translation, np.float64)
        if not np.isfinite(shift).all():
            raise ValueError(f'a shift of {shift.tolist()} is not finite')
        return Transform(rotation_of(quaternion), shift)

    def __matmul__(self, other: Transform) -> Transform:
        return Transform(self.rotation @ other.rotation, self.apply(other.translation[None])[0])

    def inverse(self) -> Transform:
        """Return the transform back."""
        return Transform(self.rotation.T, -self.rotation.T @ self.translation)

    def apply(self, points: npt.NDArray[np.floating]) -> F64:
        """Return ``(N, 3)`` points in the other frame, as float64."""
        return np.asarray(points @ self.rotation.T + self.translation)


def rotation_of(quaternion: Sequence[float] | F64) -> F64:
    """Return the matrix ``(3, 3)`` of a quaternion ``x, y, z, w`` of any length but 0.

    :raises ValueError: if it is 0 or not finite.
    """
    values = np.asarray(quaternion, np.float64)
    length = float(np.linalg.norm(values))
    if not np.isfinite(length) or length < 1e-6:
        raise ValueError(f'a quaternion of {values.tolist()} is no turn')
    x, y, z, w = values / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def between(first: F64, second: F64, share: float) -> F64:
    """Return the quaternion a share of the shorter way from one to another (Shoemake, 1985).

    :param first: ``(4,)``, ``x, y, z, w`` of length 1; so is `second`.
    :param share: 0 to 1.
    """
    cosine = float(first @ second)
    if cosine < 0.0:
        second, cosine = -second, -cosine
    if cosine > 0.9995:  # as good as straight, and the sine below as good as 0
        mixed = first + share * (second - first)
    else:
        angle = float(np.arccos(cosine))
        mixed = np.sin((1.0 - share) * angle) * first + np.sin(share * angle) * second
    return np.asarray(mixed / np.linalg.norm(mixed))
