# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Views of random scenes for training: images and boxes, in shards of NumPy files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scene_gen import optics
from scene_gen.camera import Camera, View, view
from scene_gen.compiled import CompiledScene
from scene_gen.render import Renderer
from scene_gen.scene import Scene, build
from scene_gen.truth import Seen, observe

Rng = np.random.Generator
F64 = NDArray[np.float64]

LABEL_COLUMNS = (
    'frame',
    'class',
    'x_min',
    'y_min',
    'x_max',
    'y_max',
    'visible_fraction',
    'truncated',
    'visible_pixels',
    'difficult',
    'seed',
)
"""Columns of the array `labels` of a shard, (M, 11) float32."""


@dataclass(frozen=True)
class Sample:
    """One training image (H, W, 3) uint8 RGB with what is seen in it."""

    image: NDArray[np.uint8]
    seen: list[Seen]
    classes: NDArray[np.int64]


def samples(renderer: Renderer, seed: int, views: int) -> Iterator[Sample]:
    """`views` pictures of the scene of `seed`, each from elsewhere with its people re-posed."""
    rng = np.random.default_rng([seed, 1])
    scene = build(rng, 1 if rng.random() < 0.6 else 2)
    compiled = CompiledScene(scene, (renderer.camera.width, renderer.camera.height))
    renderer.load(compiled)
    for _ in range(views):
        for actor in scene.actors:
            actor.shuffle(rng)
            actor.at(float(rng.uniform(0, 20)))
        compiled.update()
        yield _sample(rng, renderer, compiled)


def _sample(rng: Rng, renderer: Renderer, compiled: CompiledScene) -> Sample:
    base = renderer.camera
    camera = Camera(base.width, base.height, base.focal * float(rng.uniform(0.85, 1.25)))
    for _ in range(3):
        here = _view(rng, compiled)
        frame = renderer.frame(here, camera)
        if np.median(frame.depth[::8, ::8]) > 1.1:  # else a wall or a door fills the view
            break
    seen = observe(renderer, compiled, frame.instance, here, camera)
    motion = _shutter(rng, here) if rng.random() < 0.6 else None
    image, _, _ = optics.expose(rng, frame.rgb, frame.depth, camera, optics.sensor(rng), motion)
    return Sample(image, seen, compiled.classes)


def _view(rng: Rng, compiled: CompiledScene) -> View:
    """A head somewhere on free floor, mostly looking at something."""
    scene = compiled.scene
    room = scene.rooms[int(rng.integers(len(scene.rooms)))]
    points = _free(scene, room_index=scene.rooms.index(room))
    alive = [a.thing.position[:2] for a in scene.actors]
    for _ in range(8):
        p = points[int(rng.integers(len(points)))] + rng.uniform(-0.05, 0.05, 2)
        if all(np.linalg.norm(p - q) > 0.9 for q in alive):
            break
    height = rng.uniform(1.3, 1.65) if rng.random() < 0.9 else rng.uniform(0.9, 1.3)
    eye = np.array([p[0], p[1], height])
    near = [t for t in compiled.labelled if 0.8 < np.linalg.norm(t.position[:2] - p) < 6.0]
    if near and rng.random() < 0.75:
        target = near[int(rng.integers(len(near)))]
        aim = target.position + np.array([0, 0, 0.6 * target.top()]) - eye
        yaw = np.arctan2(aim[1], aim[0]) + rng.normal(0, 0.35)
        pitch = 0.6 * np.arctan2(-aim[2], np.hypot(aim[0], aim[1])) + rng.normal(0, 0.08)
    else:
        middle = np.array([room.x0 + room.x1, room.y0 + room.y1]) / 2 - p
        yaw = np.arctan2(middle[1], middle[0]) + rng.normal(0, 0.9)
        pitch = rng.normal(0.17, 0.12)
    return view(eye, float(yaw), float(np.clip(pitch, -0.25, 0.65)), float(rng.normal(0, 0.025)))


def _free(scene: Scene, room_index: int) -> F64:
    """Free floor of a room for a head; somewhere inside it where everything is taken."""
    room = scene.rooms[room_index]
    for radius in (0.4, 0.25, 0.12):
        points = scene.grid(radius).points(room)
        if len(points) > 5:
            return points
    return np.array([[(room.x0 + room.x1) / 2, (room.y0 + room.y1) / 2]])


def _shutter(rng: Rng, here: View) -> tuple[View, View]:
    """Views at the opening and the closing of a shutter while head and feet move."""
    exposure = rng.uniform(0.003, 0.022)
    turn = rng.normal(0, [0.15, 0.5, 0.9]) * exposure  # roll, pitch, yaw [rad]
    shift = np.append(rng.normal(0, 0.5, 2), rng.normal(0, 0.15)) * exposure
    c = here.rotation
    spin = _rotation(turn[2] * np.array([0, 0, 1.0]) + turn[1] * c[:, 0] + turn[0] * c[:, 2])
    return here, View(here.origin + shift, spin @ c)


def _rotation(vector: F64) -> F64:
    """Rodrigues' formula: the rotation by |vector| [rad] about it, (3, 3)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)


def write_shard(out: Path, seeds: list[int], views: int, camera: Camera) -> int:
    """Render `seeds` into `out`_images.npy and `out`_labels.npz; returns the number of frames."""
    renderer = Renderer(camera)
    try:
        images = np.lib.format.open_memmap(
            f'{out}_images.npy',
            'w+',
            np.uint8,
            (len(seeds) * views, camera.height, camera.width, 3),
        )
        rows: list[tuple[float, ...]] = []
        number = 0
        for seed in seeds:
            for sample in samples(renderer, seed, views):
                images[number] = sample.image
                rows += [
                    (
                        number,
                        sample.classes[s.thing],
                        *s.box,
                        s.fraction,
                        s.truncated,
                        s.pixels,
                        s.difficult,
                        seed,
                    )
                    for s in sample.seen
                ]
                number += 1
        images.flush()
        labels = np.array(rows, np.float32).reshape(-1, len(LABEL_COLUMNS))
        np.savez(f'{out}_labels.npz', labels=labels, columns=np.array(LABEL_COLUMNS))
        return number
    finally:
        renderer.close()
