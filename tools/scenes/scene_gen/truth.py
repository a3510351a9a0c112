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

WIDER = 3.0


@dataclass(frozen=True)
class Seen:
    """One object in one image.

    `thing`: index into CompiledScene.labelled.  `box`: x_min, y_min, x_max, y_max of its visible
    pixels, as edges in [0, W] x [0, H] (a single pixel at (u, v) is u, v, u + 1, v + 1).
    `pixels`: visible pixels; `fraction`: how much of all of it is visible: the share of visible
    pixels of those it has in the image when rendered alone, times the share of it that lies
    within the image; `truncated`: rendered alone, it touches the image's border.
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


def _shares_inside(
    renderer: Renderer, compiled: CompiledScene, cut: list[int], view: View, camera: Camera
) -> dict[int, float]:
    """How much of each thing that the image's border cuts lies within the image.

    Seen alone through a lens that is `WIDER` times as wide, as shares of solid angle: area in the
    image plane would overstate what lies far out of the picture.
    """
    wide = Camera(camera.width, camera.height, camera.focal / WIDER)
    x = (np.arange(wide.width) - (wide.width - 1) / 2) / wide.focal
    y = ((np.arange(wide.height) - (wide.height - 1) / 2) / wide.focal)[:, None]
    solid = (1 + x**2 + y**2) ** -1.5
    inside = (np.abs(x) < camera.width / 2 / camera.focal) & (
        np.abs(y) < camera.height / 2 / camera.focal
    )
    shares = {}
    areas = {i: _projected(compiled.labelled[i], view, wide) for i in cut}
    for group in _groups(areas):
        alone = renderer.alone(group, view, wide)
        for i in group:
            part = np.where(alone == i, solid, 0)
            shares[i] = float(part[inside].sum() / max(part.sum(), 1e-12))
    return shares


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
    border = np.array([0, 0, camera.width, camera.height])
    cut = [
        i for i in shown if (full[i, :2] <= border[:2]).any() or (full[i, 2:] >= border[2:]).any()
    ]
    shares = _shares_inside(renderer, compiled, cut, view, camera)
    seen = []
    for i in shown:
        x0, y0, x1, y1 = (float(v) for v in box[i])
        unhidden = min(1.0, float(pixels[i] / max(1, whole[i])))
        seen.append(
            Seen(i, (x0, y0, x1, y1), int(pixels[i]), unhidden * shares.get(i, 1.0), i in shares)
        )
    return seen
