#!/usr/bin/env python3
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Write a recording of a walk through random rooms, with ground truth.

    MUJOCO_GL=egl python tools/scenes/generate.py --seed 2000001 --out /tmp/room_walk

The folder is a rosbag2 recording (mcap, zstd chunks) that `ros2 bag play` of Humble and of Jazzy
plays; docs/recordings.md describes its topics.  Seeds of recordings begin at 2 000 000.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and write the recording; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--seed', type=int, required=True)
    parser.add_argument('--out', type=Path, required=True, help='a folder that does not exist yet')
    parser.add_argument('--duration', type=float, default=30.0, help='seconds')
    parser.add_argument('--rate', type=float, default=10.0, help="the camera's, in hertz")
    parser.add_argument('--lidar-rate', type=float, default=5.0, help='0: no points')
    parser.add_argument('--depth-rate', type=float, default=0.0, help='0: no depth images')
    parser.add_argument('--rooms', type=int, default=4)
    parser.add_argument('--width', type=int, default=640)
    parser.add_argument('--height', type=int, default=480)
    parser.add_argument('--jpeg-quality', type=int, default=80)
    args = parser.parse_args(argv)
    if args.out.exists():
        parser.error(f'--out {args.out} exists already; remove it or name another folder')
    if args.duration <= 0 or args.rate <= 0 or args.rooms < 1 or args.seed < 0:
        parser.error('--duration, --rate and --rooms have to be positive, --seed not negative')
    os.environ.setdefault('MUJOCO_GL', 'egl')
    # message definitions are the package's own
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from jetson_infer.toolchain.message_definitions import make_typestore
    from scene_gen.camera import Camera
    from scene_gen.recording import Recorder, Settings

    settings = Settings(
        seed=args.seed,
        duration=args.duration,
        rate=args.rate,
        lidar_rate=args.lidar_rate,
        depth_rate=args.depth_rate,
        rooms=args.rooms,
        camera=Camera(args.width, args.height, 350.0 * args.width / 640),
        jpeg_quality=args.jpeg_quality,
    )
    count = Recorder(settings, make_typestore('humble')).write(args.out)
    size = sum(f.stat().st_size for f in args.out.iterdir())
    print(f'{args.out}: {count} messages, {size / 1e6:.1f} MB')
    return 0


if __name__ == '__main__':
    sys.exit(main())
