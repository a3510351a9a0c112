# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Random views of a batch, made on the device that holds the images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from assign import Truth
from labels import MIN_VISIBLE_FRACTION, PAD_VALUE
from shards import Batch

GREY = PAD_VALUE / 255


@dataclass(frozen=True)
class Strength:
    """How far a view may stray from the camera's picture."""

    zoom: tuple[float, float] = (0.55, 1.8)
    """Range of the scale relative to the letterboxed picture, log-uniform."""
    plain: float = 0.25
    """Share of the views that keep the letterboxed picture's own scale and place."""
    stretch: float = 0.15
    """Largest change of the aspect ratio, as a fraction."""
    light: float = 0.4
    """Range of brightness and contrast factors around 1."""
    colour: float = 0.6
    """Range of the saturation factor around 1."""
    tint: float = 0.12
    """Range of each channel's own gain around 1."""
    grey: float = 0.05
    """Share of the views without colour."""
    soft: float = 0.15
    """Share of the views that are blurred."""
    noise: float = 0.03
    """Largest standard deviation of added noise, of the full range."""
    smallest_side: float = 10.0
    """Objects that shrink below this many pixels of a 640 wide input become difficult."""


def _uniform(n: int, low: float, high: float, device: torch.device) -> Tensor:
    return torch.empty(n, device=device).uniform_(low, high)


def _placement(
    n: int, source: tuple[int, int], size: tuple[int, int], s: Strength, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Scales [n, 2] and offsets [n, 2] (x, y): view pixel = source pixel * scale + offset."""
    (w, h), (out_w, out_h) = source, size
    fit = min(out_w / w, out_h / h)
    zoom = torch.exp(_uniform(n, math.log(s.zoom[0]), math.log(s.zoom[1]), device))
    stretch = torch.exp(_uniform(n, -s.stretch, s.stretch, device) / 2)
    plain = torch.rand(n, device=device) < s.plain
    zoom, stretch = torch.where(plain, 1.0, zoom), torch.where(plain, 1.0, stretch)
    scale = torch.stack((fit * zoom * stretch, fit * zoom / stretch), 1)
    # Free room (or overhang, where negative) is shared at random; a plain view is centred.
    room = torch.tensor([out_w, out_h], device=device) - scale * torch.tensor([w, h], device=device)
    share = torch.rand(n, 2, device=device)
    return scale, room * torch.where(plain[:, None], 0.5, share)


def _warp(
    images: Tensor, scale: Tensor, offset: Tensor, flip: Tensor, size: tuple[int, int]
) -> Tensor:
    """Sample views [B, 3, out_h, out_w] of images [B, 3, H, W], grey outside the picture."""
    b, _, h, w = images.shape
    out_w, out_h = size
    shape = torch.tensor([w, h], device=images.device)
    view = torch.tensor([out_w, out_h], device=images.device)
    # Normalized coordinates run over -1..1 from edge to edge of the outermost pixels.
    gain = view / (scale * shape)
    shift = (view - 2 * offset) / (scale * shape) - 1
    theta = torch.zeros(b, 2, 3, device=images.device)
    theta[:, 0, 0] = gain[:, 0] * torch.where(flip, -1.0, 1.0)
    theta[:, 1, 1] = gain[:, 1]
    theta[:, :, 2] = shift
    grid = functional.affine_grid(theta, [b, 3, out_h, out_w], align_corners=False)
    views = functional.grid_sample(images - GREY, grid, align_corners=False)
    return views + GREY


def _move(
    batch: Batch, scale: Tensor, offset: Tensor, flip: Tensor, size: tuple[int, int], side: float
) -> Truth:
    """Boxes of the views; what is mostly cut off or too small becomes difficult."""
    moved = batch.boxes * scale.repeat(1, 2)[:, None] + offset.repeat(1, 2)[:, None]
    limit = torch.tensor([*size, *size], device=moved.device)
    mirrored = torch.stack(
        (size[0] - moved[..., 2], moved[..., 1], size[0] - moved[..., 0], moved[..., 3]), -1
    )
    moved = torch.where(flip[:, None, None], mirrored, moved)
    clipped = torch.minimum(moved.clamp(min=0), limit)
    area = (moved[..., 2:] - moved[..., :2]).prod(-1)
    sides = clipped[..., 2:] - clipped[..., :2]
    kept = sides.prod(-1) / area.clamp(min=1e-6)
    present = batch.present & (kept > 0)
    fine = (kept * batch.visible >= MIN_VISIBLE_FRACTION) & (sides.amin(-1) >= side)
    real = present & fine & ~batch.difficult
    return Truth(clipped, batch.classes, real, present & ~real)


def _recolour(x: Tensor, s: Strength) -> Tensor:
    """Change light, contrast, saturation and channel gains of images [B, 3, H, W] in 0..1."""
    b, device = x.shape[0], x.device

    def factor(reach: float) -> Tensor:
        return _uniform(b, 1 - reach, 1 + reach, device).view(b, 1, 1, 1).to(x.dtype)

    luma = torch.tensor([0.299, 0.587, 0.114], device=device, dtype=x.dtype).view(1, 3, 1, 1)
    grey = (x * luma).sum(1, keepdim=True)
    saturation = torch.where(torch.rand(b, 1, 1, 1, device=device) < s.grey, 0.0, factor(s.colour))
    x = grey + (x - grey) * saturation.to(x.dtype)
    tint = _uniform(b * 3, 1 - s.tint, 1 + s.tint, device).view(b, 3, 1, 1).to(x.dtype)
    middle = grey.mean((2, 3), keepdim=True)
    return ((x - middle) * factor(s.light) + middle) * factor(s.light) * tint


def _roughen(x: Tensor, s: Strength) -> Tensor:
    """Blur some of the images and add noise to all."""
    b, device = x.shape[0], x.device
    blurred = functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    soft = torch.rand(b, 1, 1, 1, device=device) < s.soft
    x = torch.where(soft, blurred, x)
    deviation = _uniform(b, 0, s.noise, device).view(b, 1, 1, 1).to(x.dtype)
    return x + torch.randn_like(x) * deviation


def _sampled(
    images: Tensor, scale: Tensor, offset: Tensor, flip: Tensor, size: tuple[int, int]
) -> Tensor:
    """Views [B, 3, h, w] in 0..1 of images uint8 [B, H, W, 3], without aliasing."""
    x = images.permute(0, 3, 1, 2).float() / 255
    # Sampling at half the resolution would alias; halve first, which a bilinear resize by half is.
    while min(size[0] / x.shape[3], size[1] / x.shape[2]) <= 0.6:
        x = functional.avg_pool2d(x, 2)
        scale = scale * 2
    return _warp(x, scale, offset, flip, size)


def augment(batch: Batch, size: tuple[int, int], s: Strength) -> tuple[Tensor, Truth]:
    """Make one random view of every image.

    Args:
        batch: Images uint8 [B, H, W, 3] and their objects.
        size: Width and height of the views.
        s: How far the views may stray.

    Returns:
        Views [B, 3, height, width] in 0..1, RGB, in float16 on a GPU and float32 elsewhere, and
        the objects in them.
    """
    b, h, w, _ = batch.images.shape
    device = batch.images.device
    scale, offset = _placement(b, (w, h), size, s, device)
    flip = torch.rand(b, device=device) < 0.5
    truth = _move(batch, scale, offset, flip, size, s.smallest_side * size[0] / 640)
    views = _sampled(batch.images, scale, offset, flip, size)
    views = views.to(torch.float16 if device.type == 'cuda' else torch.float32)
    return _roughen(_recolour(views, s), s).clamp(0, 1), truth


def letterbox(batch: Batch, size: tuple[int, int]) -> tuple[Tensor, Truth]:
    """The view that the robot's preprocessing makes: scaled to fit, centred, grey beside it.

    Args:
        batch: Images uint8 [B, H, W, 3] and their objects.
        size: Width and height of the views.

    Returns:
        Views float32 [B, 3, height, width] in 0..1, and the objects in the views' pixels.
    """
    b, h, w, _ = batch.images.shape
    device = batch.images.device
    fit = min(size[0] / w, size[1] / h)
    scale = torch.full((b, 2), fit, device=device)
    offset = torch.tensor([(size[0] - w * fit) / 2, (size[1] - h * fit) / 2], device=device)
    flip = torch.zeros(b, dtype=torch.bool, device=device)
    views = _sampled(batch.images, scale, offset.expand(b, 2), flip, size)
    boxes = batch.boxes * fit + offset.repeat(2)
    real = batch.present & ~batch.difficult
    return views, Truth(boxes, batch.classes, real, batch.present & batch.difficult)
