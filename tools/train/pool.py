# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""All pictures of a training run in the device's memory, and how they get there."""

from __future__ import annotations

import threading
from pathlib import Path

import torch

from shards import Batch, frames_in, read_shard, remove_shard, shard_paths

SETTLED_SECONDS = 2.0
POLL_SECONDS = 1.0


class Pool:
    """Room for a number of pictures on a device, filled shard by shard.

    Args:
        device: Where the pictures lie.
        capacity: Pictures there is room for; further ones are left where they are.
        held_out: Whether only held-out scenes are taken, or else only scenes to train on.
        jpeg_share: Share of the pictures that pass through JPEG on their way in: robots' cameras
            come compressed more often than raw, and at qualities that the scenes do not have.
        qualities: Lowest and highest JPEG quality.
    """

    def __init__(
        self,
        device: torch.device,
        capacity: int,
        held_out: bool = True,
        jpeg_share: float = 0.0,
        qualities: tuple[float, float] = (35, 97),
    ) -> None:
        self.device, self.capacity, self.held_out = device, capacity, held_out
        self.jpeg_share, self.qualities = jpeg_share, qualities
        self.count = 0
        self._room: Batch | None = None
        self._known: set[Path] = set()

    @property
    def data(self) -> Batch:
        """The pictures there are so far."""
        if self._room is None:
            raise ValueError('the pool is empty; take in a folder of shards first')
        return self._room.take(slice(0, self.count))

    def take_in(self, folder: Path, settled: float = 0.0, consume: bool = False) -> int:
        """Take in what is new in a folder of shards.

        Args:
            folder: See `shard_paths`.
            settled: See `shard_paths`.
            consume: Delete each shard that was taken in whole; it can be rendered again.

        Returns:
            How many pictures came.
        """
        before = self.count
        for path in shard_paths(folder, settled):
            if path in self._known or self.count == self.capacity:
                continue
            shard = read_shard(path, self.held_out)
            self._known.add(path)
            whole = len(shard) <= self.capacity - self.count
            self._append(shard.take(slice(0, self.capacity - self.count)))
            if consume and whole:
                remove_shard(path)
        return self.count - before

    def _append(self, shard: Batch) -> None:
        if self._room is None:
            self._room = Batch(
                *(
                    torch.empty((self.capacity, *x.shape[1:]), dtype=x.dtype, device=self.device)
                    for x in shard.columns()
                )
            )
        end = self.count + len(shard)
        part = self._room.take(slice(self.count, end))
        for room, new in zip(part.columns(), shard.columns(), strict=True):
            room.copy_(new)
        part.compress(self.jpeg_share, self.qualities, seed=self.count)
        if self.device.type == 'cuda':
            torch.cuda.current_stream().synchronize()
        self.count = end  # last: whoever reads from another thread sees whole pictures only


class Follower(threading.Thread):
    """Fills a pool, in the background, with the shards that a renderer goes on writing.

    Args:
        pool: The pool to fill.
        folder: Where the renderer writes.
        consume: Delete shards once they are in the pool.
    """

    def __init__(self, pool: Pool, folder: Path, consume: bool) -> None:
        super().__init__(daemon=True)
        self.pool, self.folder, self.consume = pool, folder, consume
        self.failure: Exception | None = None
        self._ended = threading.Event()

    def run(self) -> None:
        """Poll the folder until `end`, or until something fails."""
        stream = torch.cuda.Stream() if self.pool.device.type == 'cuda' else None
        try:
            with torch.cuda.stream(stream):
                while not self._ended.wait(POLL_SECONDS):
                    self.pool.take_in(self.folder, SETTLED_SECONDS, self.consume)
        except (OSError, ValueError, RuntimeError) as failure:
            self.failure = failure

    def end(self) -> None:
        """Stop polling; raise what stopped the thread before."""
        self._ended.set()
        self.join()
        if self.failure:
            raise self.failure


def load(folder: Path, device: torch.device, limit: int | None = None) -> Batch:
    """Load the held-out pictures of a folder of shards.

    Args:
        folder: See `shard_paths`.
        device: Where the pictures shall lie.
        limit: Load no more than this many.

    Raises:
        FileNotFoundError: The folder holds no finished shard.
        ValueError: A scene's seed is one to train on.
    """
    total = frames_in(folder)
    pool = Pool(device, min(total, limit or total))
    pool.take_in(folder)
    return pool.data
