# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a lens, a sensor and a codec do to a rendered picture.

In linear light: ambient occlusion from the depth, motion blur, exposure, white balance,
vignetting, shot and read noise; then the tone curve, softness and JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_gen.camera import Camera, View

Rng = np.random.Generator
F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

_TO_LINEAR = (np.arange(256) / 255.0).astype(np.float32) ** 2.2
_LEVELS = 4096
_SHOULDER = np.linspace(0, 2.0, _LEVELS)
# identity up to 0.7, then a roll-off that reaches 1 at 2.0
_CURVE = np.where(
    _SHOULDER < 0.7,
    _SHOULDER,
    0.7 + 0.3 * (1 - np.exp(-(_SHOULDER - 0.7) / 0.35)) / (1 - np.exp(-1.3 / 0.35)),
)
_TO_DISPLAY = np.clip(255 * _CURVE ** (1 / 2.2) + 0.5, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Sensor:
    """One camera's character; constant during a recording.

    `target`: mean linear level that the exposure aims at; `follow` 0..1: how far it gets there.
    `white` (3,): gains of R, G, B.  `shot`, `read`: noise at full scale and at black.
    """

    target: float
    follow: float
    white: F32
    vignette: float
    shot: float
    read: float
    softness: float
    occlusion: float
    jpeg_quality: int


def sensor(rng: Rng) -> Sensor:
    """A random camera."""
    return Sensor(
        float(rng.uniform(0.17, 0.36)),
        float(rng.uniform(0.5, 0.95)),
        rng.uniform(0.9, 1.12, 3).astype(np.float32),
        float(rng.uniform(0, 0.45)),
        float(rng.uniform(0.004, 0.03)),
        float(rng.uniform(0.001, 0.006)),
        float(rng.uniform(0.0, 0.9)),
        float(rng.uniform(0.3, 0.9)),
        int(rng.integers(60, 96)),
    )


@lru_cache(maxsize=1)
def _noise() -> F32:
    """A long strip of normal noise; frames cut it at random places (drawing anew is slow)."""
    return np.random.default_rng(314159).standard_normal(4_000_037).astype(np.float32)


@lru_cache(maxsize=4)
def _radius2(height: int, width: int) -> F32:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    r2 = (x - width / 2) ** 2 + (y - height / 2) ** 2
    return (r2 / (width**2 / 4 + height**2 / 4))[..., None]


def occlusion(depth: F32, strength: float, focal: float) -> F32:
    """A gain (H, W, 1) that darkens what lies behind its surroundings: corners, contacts.

    After Luft, Colditz, Deussen, "Image enhancement by unsharp masking the depth buffer" (2006).
    """
    small = cv2.resize(depth, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    gain = np.zeros_like(small)
    for metres in (0.12, 0.4):
        size = int(np.clip(metres * focal / 2 / max(0.3, float(np.median(small))), 2, 60)) | 1
        behind = small - cv2.blur(small, (2 * size + 1, 2 * size + 1))
        gain += np.clip(behind / (metres * 1.2), 0, 1)
    shade = 1 - 0.33 * strength * gain
    shade = cv2.GaussianBlur(shade, (5, 5), 1.2)
    return cv2.resize(shade, (depth.shape[1], depth.shape[0]))[..., None]


def motion_blur(image: F32, depth: F32, camera: Camera, a: View, b: View, samples: int = 5) -> F32:
    """The mean of `image` as seen on the way from view `a` to view `b` (during the exposure).

    Each sample is warped by the homography of a plane at the median depth, facing the camera.
    """
    k = camera.matrix
    distance = float(np.median(depth))
    turn = b.rotation.T @ a.rotation
    shift = b.rotation.T @ (a.origin - b.origin)
    move = turn + np.outer(shift, [0, 0, 1]) / distance
    h = k @ move @ np.linalg.inv(k)
    h = h / h[2, 2]
    corners = (
        np.array(
            [
                [0, 0, 1],
                [camera.width, 0, 1],
                [0, camera.height, 1],
                [camera.width, camera.height, 1],
            ],
            float,
        )
        @ h.T
    )
    reach = np.abs(
        corners[:, :2] / corners[:, 2:]
        - [[0, 0], [camera.width, 0], [0, camera.height], [camera.width, camera.height]]
    ).max()
    if reach < 0.7:
        return image
    count = int(np.clip(np.ceil(reach / 2.5), 3, 2 * samples + 1)) | 1
    total = np.zeros_like(image)
    for t in np.linspace(-0.5, 0.5, count):
        warp = np.eye(3) + t * (h - np.eye(3))
        total += cv2.warpPerspective(
            image, warp, (camera.width, camera.height), borderMode=cv2.BORDER_REPLICATE
        )
    return total / count


def expose(
    rng: Rng,
    rgb: U8,
    depth: F32,
    camera: Camera,
    character: Sensor,
    motion: tuple[View, View] | None = None,
    gain: float | None = None,
) -> tuple[U8, bytes, float]:
    """The picture that the camera delivers.

    `motion`: the views at the shutter's opening and closing.  `gain`: the exposure's linear gain
    of the frame before, which an exposure control changes slowly; None starts anew.
    Returns the decoded RGB image, its JPEG bytes and the gain used.
    """
    linear = _TO_LINEAR[rgb]
    linear *= occlusion(depth, character.occlusion, camera.focal)
    if motion is not None:
        linear = motion_blur(linear, depth, camera, *motion)
    level = float(linear[::8, ::8].mean())
    wanted = 1 + character.follow * (character.target / max(level, 1e-3) - 1)
    wanted = float(np.clip(wanted, 0.5, 6.0))
    gain = wanted if gain is None else gain + 0.25 * (wanted - gain)
    h, w = depth.shape
    linear *= (1 - character.vignette * _radius2(h, w)) * (gain * character.white)
    start = int(rng.integers(0, _noise().size - linear.size))
    strip = _noise()[start : start + linear.size].reshape(linear.shape)
    # a high gain means little light, hence more noise
    deviation = np.sqrt(
        np.maximum(linear, 0) * character.shot**2 * gain + (character.read * gain) ** 2
    )
    linear += deviation * strip
    index = np.clip(linear * ((_LEVELS - 1) / 2.0), 0, _LEVELS - 1).astype(np.uint16)
    image = _TO_DISPLAY[index]
    if character.softness > 0.25:
        image = cv2.GaussianBlur(image, (3, 3), character.softness)
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    ok, coded = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, character.jpeg_quality])
    if not ok:
        raise RuntimeError(f'OpenCV could not encode a {w}x{h} image as JPEG')
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), coded.tobytes(), gain
