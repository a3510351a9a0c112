# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Rendered scenes, held whole in the memory of the device that trains on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from jpeg import degrade
from labels import MIN_SIDE_PX, MIN_VISIBLE_FRACTION, MIN_VISIBLE_PX

MAX_OBJECTS = 32
"""Objects kept per picture, those with the largest boxes first."""


@dataclass(frozen=True)
class Batch:
    """Pictures and their objects, padded to MAX_OBJECTS = M.

    Attributes:
        images: uint8 [B, H, W, 3], RGB.
        boxes: float32 [B, M, 4], x_min, y_min, x_max, y_max in pixels.
        classes: int64 [B, M].
        visible: float32 [B, M], the fraction of the object that nothing hides, 0..1.
        difficult: bool [B, M], too small or too hidden to be counted.
        present: bool [B, M], False for padding.
    """

    images: Tensor
    boxes: Tensor
    classes: Tensor
    visible: Tensor
    difficult: Tensor
    present: Tensor

    def __len__(self) -> int:
        return self.images.shape[0]

    def take(self, index: Tensor | slice) -> Batch:
        """The pictures at `index`, in that order."""
        return Batch(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    def compress(self, share: float, qualities: tuple[float, float], seed: int = 0) -> None:
        """Replace a share of the images, in place, by what JPEG leaves of them.

        Args:
            share: Share of the images, 0..1.
            qualities: Lowest and highest quality, 1..99, uniform between them.
            seed: Of the choice and the qualities.
        """
        rng = torch.Generator().manual_seed(seed)
        low, high = qualities
        for start in range(0, len(self), 64):
            part = self.images[start : start + 64]
            chosen = (torch.rand(len(part), generator=rng) < share).nonzero()[:, 0]
            quality = low + torch.rand(len(chosen), generator=rng) * (high - low)
            if len(chosen):
                chosen, quality = chosen.to(part.device), quality.to(part.device)
                part[chosen] = degrade(part[chosen], quality)


def _pad_labels(labels: dict[str, np.ndarray], frames: int) -> dict[str, np.ndarray]:
    """Turn one row per object into padded arrays per picture; see Batch for their meaning."""
    out = {
        'boxes': np.zeros((frames, MAX_OBJECTS, 4), np.float32),
        'classes': np.zeros((frames, MAX_OBJECTS), np.int64),
        'visible': np.zeros((frames, MAX_OBJECTS), np.float32),
        'difficult': np.zeros((frames, MAX_OBJECTS), bool),
        'present': np.zeros((frames, MAX_OBJECTS), bool),
    }
    boxes = labels['boxes'].astype(np.float32)
    sides = boxes[:, 2:] - boxes[:, :2]
    difficult = (
        (labels['visible_fraction'] < MIN_VISIBLE_FRACTION)
        | (sides.min(1, initial=np.inf) < MIN_SIDE_PX)
        | (labels['visible_pixels'] < MIN_VISIBLE_PX)
    )
    filled = np.zeros(frames, int)
    for row in np.argsort(-sides.prod(1), kind='stable'):
        frame = labels['frame'][row]
        slot = filled[frame]
        if slot == MAX_OBJECTS:
            continue
        filled[frame] += 1
        out['boxes'][frame, slot] = boxes[row]
        out['classes'][frame, slot] = labels['class_id'][row]
        out['visible'][frame, slot] = labels['visible_fraction'][row]
        out['difficult'][frame, slot] = difficult[row]
        out['present'][frame, slot] = True
    return out


def shard_paths(folder: Path) -> list[Path]:
    """Image files of the finished shards in a folder, sorted; a shard's labels come last."""
    return [p for p in sorted(folder.glob('*_images.npy')) if _labels_path(p).exists()]


def _labels_path(images: Path) -> Path:
    return images.with_name(images.name.replace('_images.npy', '_labels.npz'))


def load(folder: Path, device: torch.device, limit: int | None = None) -> Batch:
    """Load the pictures of a folder of shards.

    Args:
        folder: Where tools/scenes/render_dataset.py wrote.
        device: Where the pictures shall lie.
        limit: Load no more than this many.

    Raises:
        FileNotFoundError: The folder holds no finished shard.
    """
    paths = shard_paths(folder)
    if not paths:
        raise FileNotFoundError(
            f'{folder} holds no shard (*_images.npy with its *_labels.npz); '
            'render some with tools/scenes/render_dataset.py'
        )
    sizes = [np.load(p, mmap_mode='r').shape[0] for p in paths]
    total = min(sum(sizes), limit or sum(sizes))
    height, width = np.load(paths[0], mmap_mode='r').shape[1:3]
    images = torch.empty((total, height, width, 3), dtype=torch.uint8, device=device)
    padded: list[dict[str, np.ndarray]] = []
    done = 0
    for path, size in zip(paths, sizes, strict=True):
        if done == total:
            break
        part = min(size, total - done)
        images[done : done + part] = torch.from_numpy(np.load(path)[:part]).to(device)
        with np.load(_labels_path(path)) as labels:
            padded.append(_pad_labels(dict(labels), size))
        done += part
    joined = {k: np.concatenate([p[k] for p in padded])[:total] for k in padded[0]}
    return Batch(images, **{k: torch.from_numpy(v).to(device) for k, v in joined.items()})


def batches(data: Batch, size: int) -> Iterator[Batch]:
    """The pictures in order, `size` at a time; the last batch may be smaller."""
    for start in range(0, len(data), size):
        yield data.take(slice(start, start + size))
