# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Exact ground truth of a rendered frame: modal 2D boxes, visible fractions, 3D boxes.

An object counts when at least `MIN_FRACTION` of it is visible, its modal box is at least
`MIN_SIDE` pixels in its smaller side, and at least `MIN_PIXELS` of its pixels are seen.  Others
are "difficult": an evaluation ignores them, they are not false negatives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scene_gen.camera import Camera, View
from scene_gen.compiled import CompiledScene
from scene_gen.meshes import rot_z
from scene_gen.render import Renderer
from scene_gen.things import Thing

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

MIN_FRACTION = 0.3
MIN_SIDE = 12.0
MIN_PIXELS = 200


@dataclass(frozen=True)
class Seen:
    """One object in one image.

    `thing`: index into CompiledScene.labelled.  `box`: x_min, y_min, x_max, y_max of its visible
    pixels, as edges in [0, W] x [0, H] (a single pixel at (u, v) is u, v, u + 1, v + 1).
    `pixels`: visible pixels; `fraction`: their share of those it has when rendered alone;
    `truncated`: rendered alone, it touches the image's border.
    """

    thing: int
    box: tuple[float, float, float, float]
    pixels: int
    fraction: float
    truncated: bool

    @property
    def difficult(self) -> bool:
        """Whether an evaluation should ignore it."""
        side = min(self.box[2] - self.box[0], self.box[3] - self.box[1])
        return self.fraction < MIN_FRACTION or side < MIN_SIDE or self.pixels < MIN_PIXELS


def _extents(instance: I32, count: int) -> tuple[I32, NDArray[np.int64]]:
    """Modal extents (count, 4) and pixel counts (count,) of an instance image.

    The extent of a thing without pixels is that of the whole image.
    """
    height, width = instance.shape
    rows, columns = np.nonzero(instance >= 0)
    ids = instance[rows, columns].astype(np.int64)
    in_column = np.bincount(ids * width + columns, minlength=count * width) > 0
    in_row = np.bincount(ids * height + rows, minlength=count * height) > 0
    box = np.empty((count, 4), np.int32)
    for axis, hit in ((0, in_column.reshape(count, width)), (1, in_row.reshape(count, height))):
        box[:, axis] = hit.argmax(axis=1)
        box[:, axis + 2] = hit.shape[1] - hit[:, ::-1].argmax(axis=1)
    return box, np.bincount(ids, minlength=count)


def _groups(boxes: dict[int, F64]) -> list[list[int]]:
    """Things whose projections are apart share a pass: greedy colouring of the overlaps."""
    groups: list[list[int]] = []
    for i, b in boxes.items():
        for g in groups:
            if all(
                b[0] > boxes[j][2] or b[2] < boxes[j][0] or b[1] > boxes[j][3] or b[3] < boxes[j][1]
                for j in g
            ):
                g.append(i)
                break
        else:
            groups.append([i])
    return groups


def oriented_box(thing: Thing) -> tuple[F64, F64, float]:
    """Centre (3,) in the map, full size (3,) [m] and heading [rad] of the box around `thing`."""
    low, high = thing.bounds()
    turn = rot_z(thing.yaw)
    return turn @ ((low + high) / 2) + thing.position, high - low, thing.yaw


def box_corners(center: F64, size: F64, yaw: float) -> F64:
    """Corners (8, 3) in the map of an upright oriented box."""
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    return signs * size @ rot_z(yaw).T + center


def _projected(thing: Thing, view: View, camera: Camera) -> F64:
    """A box (4,) in the image that surely contains `thing`; all of it when behind the camera."""
    uv, z = view.project(camera, box_corners(*oriented_box(thing)))
    if z.min() < 0.05:
        return np.array([-1.0, -1.0, camera.width + 1.0, camera.height + 1.0])
    return np.concatenate([uv.min(0) - 2, uv.max(0) + 2])


def observe(
    renderer: Renderer, compiled: CompiledScene, instance: I32, view: View, camera: Camera
) -> list[Seen]:
    """What is visible in `instance`, the segmentation of `view`; renders the things alone too."""
    count = len(compiled.labelled)
    box, pixels = _extents(instance, count)
    shown = [int(i) for i in np.nonzero(pixels)[0]]
    whole = np.zeros(count, np.int64)
    full = np.zeros((count, 4), np.int32)
    areas = {i: _projected(compiled.labelled[i], view, camera) for i in shown}
    for group in _groups(areas):
        alone_box, alone_pixels = _extents(renderer.alone(group, view, camera), count)
        whole[group], full[group] = alone_pixels[group], alone_box[group]
    seen = []
    for i in shown:
        cut = bool(
            full[i, 0] <= 0
            or full[i, 1] <= 0
            or full[i, 2] >= camera.width
            or full[i, 3] >= camera.height
        )
        x0, y0, x1, y1 = (float(v) for v in box[i])
        seen.append(
            Seen(
                i,
                (x0, y0, x1, y1),
                int(pixels[i]),
                min(1.0, float(pixels[i] / max(1, whole[i]))),
                cut,
            )
        )
    return seen
