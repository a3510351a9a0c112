# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Rendered scenes as tools/scenes/render_dataset.py writes them, and batches of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from jpeg import degrade
from labels import HELD_OUT_SEED

MAX_OBJECTS = 24
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
        return Batch(*(column[index] for column in self.columns()))

    def columns(self) -> tuple[Tensor, ...]:
        """The attributes in order."""
        return (
            self.images,
            self.boxes,
            self.classes,
            self.visible,
            self.difficult,
            self.present,
        )

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


def _pad_labels(rows: np.ndarray, frames: int) -> dict[str, np.ndarray]:
    """Turn a shard's rows, one per object, into padded arrays per picture; see Batch.

    Args:
        rows: float32 [objects, 11]: frame, class, box (4), visible fraction, truncated, visible
            pixels, difficult, seed.
        frames: Pictures in the shard.
    """
    out = {
        'boxes': np.zeros((frames, MAX_OBJECTS, 4), np.float32),
        'classes': np.zeros((frames, MAX_OBJECTS), np.int64),
        'visible': np.zeros((frames, MAX_OBJECTS), np.float32),
        'difficult': np.zeros((frames, MAX_OBJECTS), bool),
        'present': np.zeros((frames, MAX_OBJECTS), bool),
    }
    area = (rows[:, 4] - rows[:, 2]) * (rows[:, 5] - rows[:, 3])
    rows = rows[np.lexsort((-area, rows[:, 0]))]
    frame = rows[:, 0].astype(int)
    first = np.searchsorted(frame, np.arange(frames))
    slot = np.arange(len(rows)) - first[frame]
    rows, at = rows[slot < MAX_OBJECTS], (frame[slot < MAX_OBJECTS], slot[slot < MAX_OBJECTS])
    out['boxes'][at] = rows[:, 2:6]
    out['classes'][at] = rows[:, 1].astype(np.int64)
    out['visible'][at] = rows[:, 6]
    out['difficult'][at] = rows[:, 9] > 0
    out['present'][at] = True
    return out


def shard_paths(folder: Path, settled: float = 0.0) -> list[Path]:
    """Image files of the finished shards in a folder and the folders below it, sorted.

    Args:
        folder: Where render_dataset.py wrote, or a folder of such folders.
        settled: Leave out shards whose labels, which are written last, are younger [s].
    """
    ready = time.time() - settled
    return [
        p
        for p in sorted(folder.rglob('*_images.npy'))
        if _labels_path(p).exists() and _labels_path(p).stat().st_mtime <= ready
    ]


def frames_in(folder: Path) -> int:
    """Pictures in a folder's finished shards.

    Raises:
        FileNotFoundError: There is none.
    """
    total = sum(np.load(p, mmap_mode='r').shape[0] for p in shard_paths(folder))
    if total == 0:
        raise FileNotFoundError(
            f'{folder} holds no shard (*_images.npy with its *_labels.npz); '
            'render some with tools/scenes/render_dataset.py'
        )
    return total


def remove_shard(images: Path) -> None:
    """Delete a shard's two files."""
    images.unlink()
    _labels_path(images).unlink()


def _labels_path(images: Path) -> Path:
    return images.with_name(images.name.replace('_images.npy', '_labels.npz'))


def _check_seeds(path: Path, rows: np.ndarray, held_out: bool) -> None:
    wrong = rows[(rows[:, 10] >= HELD_OUT_SEED) != held_out, 10]
    if len(wrong):
        side = 'from' if held_out else 'below'
        raise ValueError(
            f'{path} holds scene {wrong[0]:.0f}; only seeds {side} {HELD_OUT_SEED} belong here'
        )


def read_shard(images: Path, held_out: bool) -> Batch:
    """Read one shard into host memory.

    Args:
        images: One of `shard_paths`.
        held_out: Whether its scenes must be held-out ones, or else ones to train on.

    Raises:
        ValueError: A scene's seed is on the wrong side of HELD_OUT_SEED.
    """
    pictures = np.load(images)
    with np.load(_labels_path(images)) as labels:
        rows = labels['labels']
    _check_seeds(images, rows, held_out)
    padded = _pad_labels(rows, len(pictures))
    return Batch(*(torch.from_numpy(x) for x in (pictures, *padded.values())))


def batches(data: Batch, size: int) -> Iterator[Batch]:
    """The pictures in order, `size` at a time; the last batch may be smaller."""
    for start in range(0, len(data), size):
        yield data.take(slice(start, start + size))
