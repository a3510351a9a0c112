#!/usr/bin/env python3
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
r"""Render training images of random scenes, with boxes.

    MUJOCO_GL=egl python tools/scenes/render_dataset.py --seeds 0:4000 --frames-per-scene 8 \\
        --workers 14 --out /tmp/scenes

writes, for each worker W, shard_W_images.npy, uint8 (N, 480, 640, 3) RGB, and
shard_W_labels.npz with `labels`, float32 (M, 11), and `columns`, their names: frame (index in
the shard), class, x_min, y_min, x_max, y_max (pixel edges), visible_fraction, truncated,
visible_pixels, difficult (an evaluation ignores it), seed.  Training seeds are below 1 000 000,
validation seeds from 1 000 000, recordings' seeds from 2 000 000.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from pathlib import Path


def _work(job: tuple[Path, list[int], int, int, int]) -> int:
    """One process, one context."""
    import cv2

    from scene_gen.camera import Camera
    from scene_gen.dataset import write_shard

    cv2.setNumThreads(1)
    out, seeds, views, width, height = job
    camera = Camera(width, height, 350.0 * width / 640)
    return write_shard(out, seeds, views, camera)


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and render; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--seeds', required=True, help="A:B, the scenes' seeds from A up to B - 1")
    parser.add_argument('--frames-per-scene', type=int, default=8)
    parser.add_argument('--workers', type=int, default=max(1, (os.cpu_count() or 2) - 2))
    parser.add_argument('--width', type=int, default=640)
    parser.add_argument('--height', type=int, default=480)
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args(argv)
    try:
        first, end = (int(v) for v in args.seeds.split(':'))
    except ValueError:
        parser.error(f'--seeds {args.seeds!r}: give A:B, for example 0:100')
    if end <= first or args.frames_per_scene < 1 or args.workers < 1:
        parser.error('nothing to render: --seeds A:B with B > A, and at least one frame and worker')
    for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'):
        os.environ.setdefault(name, '1')
    os.environ.setdefault('MUJOCO_GL', 'egl')
    args.out.mkdir(parents=True, exist_ok=True)
    workers = min(args.workers, end - first)
    jobs = [
        (
            args.out / f'shard_{w:03d}',
            list(range(first + w, end, workers)),
            args.frames_per_scene,
            args.width,
            args.height,
        )
        for w in range(workers)
    ]
    start = time.monotonic()
    with multiprocessing.get_context('spawn').Pool(workers) as pool:
        frames = 0
        for count in pool.imap_unordered(_work, jobs):
            frames += count
            print(f'{frames} frames, {time.monotonic() - start:.1f} s', flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
