# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Triangle meshes of furniture, bodies and walls, made in NumPy.

A mesh is (V, 3) vertices in metres, (F, 3) triangles (counter-clockwise seen from outside) and
(V, 2) texture coordinates.  Local frames: x forward, y left, z up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Mesh:
    """Vertices (V, 3) float64 [m], faces (F, 3) int32, texture coordinates (V, 2) float64."""

    vertices: F64
    faces: NDArray[np.int32]
    uv: F64

    def moved(
        self,
        offset: ArrayLike = (0.0, 0.0, 0.0),
        rotation: F64 | None = None,
        scale: ArrayLike = (1.0, 1.0, 1.0),
    ) -> Mesh:
        """Scale, then rotate by a (3, 3) matrix, then shift by `offset` [m]."""
        vertices = self.vertices * np.asarray(scale, float)
        if rotation is not None:
            vertices = vertices @ rotation.T
        return Mesh(vertices + np.asarray(offset, float), self.faces, self.uv)


def merge(meshes: list[Mesh]) -> Mesh:
    """One mesh of several; nothing is welded."""
    counts = np.cumsum([0] + [len(m.vertices) for m in meshes[:-1]])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + n for m, n in zip(meshes, counts, strict=True)]).astype(np.int32),
        np.concatenate([m.uv for m in meshes]),
    )


def rot_x(angle: float) -> F64:
    """(3, 3) rotation about x by `angle` [rad]."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]], float)


def rot_y(angle: float) -> F64:
    """(3, 3) rotation about y by `angle` [rad]."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], float)


def rot_z(angle: float) -> F64:
    """(3, 3) rotation about z by `angle` [rad]."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], float)


def _grid_faces(rows: int, columns: int) -> NDArray[np.int32]:
    """Triangles of a (rows, columns) lattice of vertices, row-major."""
    i = np.arange((rows - 1) * columns).reshape(rows - 1, columns)[:, :-1].ravel()
    a, b, c, d = i, i + 1, i + columns + 1, i + columns
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)


def quad(
    origin: ArrayLike, u: ArrayLike, v: ArrayLike, cell: float = 0.0, uv_metres: float = 0.0
) -> Mesh:
    """The rectangle origin, origin+u, origin+u+v, origin+v; its normal is along u x v.

    `cell` [m]: largest side of its cells (0: one cell), since lights are evaluated at vertices.
    `uv_metres`: texture period in metres, measured from `origin` (0: the texture fills the quad).
    """
    origin, u, v = (np.asarray(a, float) for a in (origin, u, v))
    length_u, length_v = np.linalg.norm(u), np.linalg.norm(v)
    n_u = max(1, int(np.ceil(length_u / cell))) if cell else 1
    n_v = max(1, int(np.ceil(length_v / cell))) if cell else 1
    s, t = np.meshgrid(np.linspace(0, 1, n_u + 1), np.linspace(0, 1, n_v + 1))
    s, t = s.ravel(), t.ravel()
    uv = np.stack([s, t], 1)
    if uv_metres:
        uv = uv * [length_u / uv_metres, length_v / uv_metres]
    return Mesh(origin + s[:, None] * u + t[:, None] * v, _grid_faces(n_v + 1, n_u + 1), uv)


def box(
    size: ArrayLike, center: ArrayLike = (0, 0, 0), cell: float = 0.0, uv_metres: float = 0.0
) -> Mesh:
    """A box with sharp edges, texture on all six sides; `size` is its full extent [m]."""
    hx, hy, hz = np.asarray(size, float) / 2
    x, y, z = np.array([hx, 0, 0]), np.array([0, hy, 0]), np.array([0, 0, hz])
    sides = [  # (corner, u, v) with u x v outward
        (x - y - z, 2 * y, 2 * z),
        (-x + y - z, -2 * y, 2 * z),
        (x + y - z, -2 * x, 2 * z),
        (-x - y - z, 2 * x, 2 * z),
        (-x - y + z, 2 * x, 2 * y),
        (-x + y - z, 2 * x, -2 * y),
    ]
    return merge([quad(o, u, v, cell, uv_metres) for o, u, v in sides]).moved(center)


def soft_box(
    size: ArrayLike,
    center: ArrayLike = (0, 0, 0),
    softness: float = 0.35,
    rings: int = 9,
    uv_metres: float = 0.5,
) -> Mesh:
    """A superellipsoid: a cushion.  `softness` 1 is an ellipsoid, towards 0 a box."""
    half = np.asarray(size, float) / 2
    polar = np.linspace(-np.pi / 2, np.pi / 2, rings)
    around = np.linspace(-np.pi, np.pi, 4 * (rings - 1) + 1)

    def power(a: F64) -> F64:
        return np.sign(a) * np.abs(a) ** softness

    p, a = np.meshgrid(polar, around, indexing='ij')
    xyz = (
        np.stack(
            [
                power(np.cos(p)) * power(np.cos(a)),
                power(np.cos(p)) * power(np.sin(a)),
                power(np.sin(p)),
            ],
            -1,
        )
        * half
    )
    uv = np.stack([a / np.pi * half[:2].sum(), p / np.pi * 2 * half[2] + xyz[..., 0]], -1)
    mesh = Mesh(xyz.reshape(-1, 3), _grid_faces(rings, len(around)), uv.reshape(-1, 2) / uv_metres)
    return mesh.moved(center)


def loft(
    sections: ArrayLike,
    sides: int = 12,
    cap: bool = True,
    exponent: float = 2.0,
    uv_metres: float = 0.4,
) -> Mesh:
    """A skin over elliptic cross-sections.

    `sections`: (N, 5) rows x, y, z of the centre and the half-extents along local x and y [m];
    the sections are horizontal and rise with z.  `exponent` 2 gives ellipses, more gives
    rounded rectangles.  With `cap` both ends are closed by a fan.
    """
    rows = np.asarray(sections, float)
    if rows[0, 2] > rows[-1, 2]:
        rows = rows[::-1]
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    unit = np.stack([np.cos(angle), np.sin(angle)], 1)
    unit = np.sign(unit) * np.abs(unit) ** (2.0 / exponent)
    ring = np.empty((len(rows), sides + 1, 3))
    ring[..., :2] = rows[:, None, :2] + unit * rows[:, None, 3:5]
    ring[..., 2] = rows[:, None, 2]
    girth = 2 * np.pi * float(rows[:, 3:5].mean())
    u = np.broadcast_to(angle / (2 * np.pi) * max(girth / uv_metres, 0.2), ring.shape[:2])
    v = np.broadcast_to((rows[:, 2] / uv_metres)[:, None], ring.shape[:2])
    skin = Mesh(
        ring.reshape(-1, 3), _grid_faces(len(rows), sides + 1), np.stack([u, v], -1).reshape(-1, 2)
    )
    if not cap:
        return skin
    caps = [
        _fan(ring[-1, :-1], rows[-1, :3], uv_metres),
        _fan(ring[0, -2::-1], rows[0, :3], uv_metres),
    ]
    return merge([skin, *caps])


def _fan(rim: F64, center: F64, uv_metres: float) -> Mesh:
    """A disc from `center` to the closed (N, 3) `rim`."""
    n = len(rim)
    index = np.arange(n)
    faces = np.stack([np.full(n, n), index, (index + 1) % n], 1).astype(np.int32)
    vertices = np.concatenate([rim, center[None]])
    return Mesh(vertices, faces, vertices[:, :2] / uv_metres)


def lathe(profile: ArrayLike, sides: int = 20, uv_metres: float = 0.4) -> Mesh:
    """A body of revolution about z; `profile`: (N, 2) rows radius, z [m], rising."""
    p = np.asarray(profile, float)
    zero = np.zeros(len(p))
    return loft(np.stack([zero, zero, p[:, 1], p[:, 0], p[:, 0]], 1), sides, True, 2.0, uv_metres)


def cylinder(
    radius: float,
    height: float,
    center: ArrayLike = (0, 0, 0),
    sides: int = 16,
    uv_metres: float = 0.4,
) -> Mesh:
    """An upright cylinder around `center` [m]."""
    h = height / 2
    return lathe([(radius, -h), (radius, h)], sides, uv_metres).moved(center)


def ellipsoid(half: ArrayLike, center: ArrayLike = (0, 0, 0), rings: int = 9) -> Mesh:
    """An ellipsoid of half-extents `half` [m]."""
    return soft_box(2 * np.asarray(half, float), center, 1.0, rings)


def rod(
    start: ArrayLike, end: ArrayLike, radius: float, end_radius: float | None = None, sides: int = 8
) -> Mesh:
    """A straight bar between two points [m], tapered to `end_radius` at its end."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    axis = end - start
    length = float(np.linalg.norm(axis))
    r1 = radius if end_radius is None else end_radius
    bar = lathe([(radius, 0.0), (r1, length)], sides)
    return bar.moved(start, frame_of(axis))


def frame_of(z_axis: ArrayLike) -> F64:
    """A (3, 3) rotation whose third column is along `z_axis`."""
    z = np.asarray(z_axis, float) / np.linalg.norm(z_axis)
    helper = np.array([1.0, 0, 0]) if abs(z[0]) < 0.9 else np.array([0, 1.0, 0])
    y = np.cross(z, helper)
    y /= np.linalg.norm(y)
    return np.stack([np.cross(y, z), y, z], 1)


def limb(
    length: float, radii: ArrayLike, bulge: float = 0.0, sides: int = 10, flatten: float = 1.0
) -> Mesh:
    """A rounded tube hanging from the origin along -z: a thigh, an upper arm, a dog's leg.

    `radii`: radii [m] at equal steps from the top to the bottom; the ends are rounded.
    `bulge` [m] shifts the middle along -x (a calf); `flatten` scales the y half-extent.
    """
    r = np.asarray(radii, float)
    t = np.linspace(0, 1, len(r))
    rows = [
        (0.0, 0.0, r[0] * 0.95, r[0] * 0.3, r[0] * 0.3 * flatten),
        (0.0, 0.0, r[0] * 0.7, r[0] * 0.75, r[0] * 0.75 * flatten),
    ]
    rows += [
        (-bulge * np.sin(np.pi * a), 0.0, -length * a, b, b * flatten)
        for a, b in zip(t, r, strict=True)
    ]
    e = r[-1]
    rows += [
        (0.0, 0.0, -length - 0.7 * e, 0.75 * e, 0.75 * e * flatten),
        (0.0, 0.0, -length - 0.95 * e, 0.3 * e, 0.3 * e * flatten),
    ]
    return loft(rows, sides)


def leaf(length: float, width: float, droop: float = 0.3, steps: int = 5) -> Mesh:
    """A bent two-sided leaf from the origin along +x, tip sagging by `droop` * length [m]."""
    t = np.linspace(0, 1, steps)
    half = width / 2 * np.sin(np.pi * np.clip(t * 0.92 + 0.06, 0, 1)) ** 0.8
    spine = np.stack([length * t, np.zeros(steps), -droop * length * t**2], 1)
    rows = np.stack(
        [
            spine + np.stack([0 * t, half, 0.15 * half], 1),
            spine,
            spine + np.stack([0 * t, -half, 0.15 * half], 1),
        ],
        1,
    ).reshape(-1, 3)
    faces = _grid_faces(steps, 3)
    uv = np.stack([np.repeat(t, 3), np.tile([0.0, 0.5, 1.0], steps)], 1)
    return merge([Mesh(rows, faces, uv), Mesh(rows - [0, 0, 0.001], faces[:, ::-1], uv)])
