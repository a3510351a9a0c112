#!/usr/bin/env python3
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Compare ways to bring an interleaved 8-bit image into a planar floating-point network input.

Every way writes ``(pixel - mean) * scale`` in RGB order for one BGR image.  All of them run in one
process, in a new order in every round, and are checked against float64 arithmetic first.  Before
each measurement the caches are filled with something else, as the network between two frames does;
``--warm`` runs each way once instead.  An arrow marks the way that the package goes.

    python tools/benchmarks/normalization.py --size 640x480 --rounds 100
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

CACHE_BYTES = 64 << 20


@dataclass
class Way:
    """One way, and how long it took."""

    name: str
    run: Callable[[], np.ndarray]
    nanoseconds: list[int] = field(default_factory=list)

    @property
    def median_ms(self) -> float:
        """Return the median in milliseconds."""
        return float(np.median(self.nanoseconds)) / 1e6


class Contest:
    """Ways to one type; each writes into the same preallocated array where it can.

    :param dtype: float32 or float16.
    :param mean: one number a channel, red first.
    :param scale: one number a channel, red first.
    """

    def __init__(
        self,
        size: tuple[int, int],
        dtype: type[np.floating],
        mean: tuple[float, ...],
        scale: tuple[float, ...],
    ) -> None:
        width, height = size
        self.image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        self.out = np.empty((1, 3, height, width), dtype)
        self.planes = np.empty((3, height, width), np.uint8)
        self.single = np.empty((height, width), np.float32)
        self.exact_mean, self.exact_scale = np.array(mean), np.array(scale)
        self.mean, self.scale = np.array(mean, np.float32), np.array(scale, np.float32)
        self.tables = ((np.arange(256)[:, None] - mean) * scale).astype(dtype).T.copy()

    def ways(self) -> list[Way]:
        """Return the ways to this type; the first one is the package's."""
        if self.out.dtype == np.float16:
            return [
                Way('split, cv2.LUT', self.split_table),
                Way('split, float32, convert', self.split_convert),
            ]
        split_copy = Way('split, copy, in place', self.split_copy)
        add_weighted = Way('split, cv2.addWeighted', self.split_add_weighted)
        return [
            *([add_weighted, split_copy] if self.mean.any() else [split_copy, add_weighted]),
            Way('copy strided, in place', self.strided_copy),
            Way('split, NumPy converts', self.split_arithmetic),
            Way('split, cv2.LUT', self.split_table),
            Way('cv2.dnn.blobFromImage', self.blob),
            Way('transpose, astype, arithmetic', self.transpose),
        ]

    def _split(self) -> None:
        cv2.split(self.image, list(self.planes[::-1]))

    def _in_place(self, target: np.ndarray, channel: int) -> None:
        if self.mean[channel]:
            np.subtract(target, self.mean[channel], out=target)
        np.multiply(target, self.scale[channel], out=target)

    def split_copy(self) -> np.ndarray:
        self._split()
        for channel, target in enumerate(self.out[0]):
            np.copyto(target, self.planes[channel])
            self._in_place(target, channel)
        return self.out

    def strided_copy(self) -> np.ndarray:
        for channel, target in enumerate(self.out[0]):
            np.copyto(target, self.image[..., 2 - channel])
            self._in_place(target, channel)
        return self.out

    def split_arithmetic(self) -> np.ndarray:
        self._split()
        for channel, target in enumerate(self.out[0]):
            np.multiply(self.planes[channel], self.scale[channel], out=target)
            if self.mean[channel]:
                np.subtract(target, self.mean[channel] * self.scale[channel], out=target)
        return self.out

    def split_add_weighted(self) -> np.ndarray:
        self._split()
        for channel, target in enumerate(self.out[0]):
            plane, scale = self.planes[channel], self.exact_scale[channel]
            shift = -self.exact_mean[channel] * scale
            cv2.addWeighted(plane, scale, plane, 0.0, shift, target, cv2.CV_32F)
        return self.out

    def split_table(self) -> np.ndarray:
        self._split()
        bits = np.uint16 if self.out.dtype == np.float16 else np.float32
        for plane, target, table in zip(self.planes, self.out[0], self.tables):
            cv2.LUT(plane, table.view(bits), target.view(bits))
        return self.out

    def split_convert(self) -> np.ndarray:
        self._split()
        for channel, target in enumerate(self.out[0]):
            np.copyto(self.single, self.planes[channel])
            self._in_place(self.single, channel)
            np.copyto(target, self.single, casting='same_kind')
        return self.out

    def blob(self) -> np.ndarray:
        if not self.mean.any():
            return cv2.dnn.blobFromImage(self.image, self.exact_scale[0], swapRB=True)
        blob = cv2.dnn.blobFromImage(self.image, mean=self.exact_mean.tolist(), swapRB=True)
        blob *= self.scale[:, None, None]
        return blob

    def transpose(self) -> np.ndarray:
        planes = np.ascontiguousarray(self.image[..., ::-1].transpose(2, 0, 1))[None]
        return (planes.astype(np.float32) - self.mean[:, None, None]) * self.scale[:, None, None]


def measure(contest: Contest, rounds: int, warm: bool) -> list[Way]:
    """Check and time every way of a contest."""
    expected = (contest.image[..., ::-1] - contest.exact_mean) * contest.exact_scale
    expected = expected.transpose(2, 0, 1)[None]
    tolerance = 2e-6 if contest.out.dtype == np.float32 else 2e-3
    ways, order = contest.ways(), random.Random(0)
    for way in ways:
        np.testing.assert_allclose(way.run(), expected, atol=tolerance, err_msg=way.name)
    ballast = np.zeros(CACHE_BYTES // 8)
    for _ in range(rounds):
        for way in order.sample(ways, len(ways)):
            if warm:
                way.run()
            else:
                np.add(ballast, 1, out=ballast)
            start = time.perf_counter_ns()
            way.run()
            way.nanoseconds.append(time.perf_counter_ns() - start)
    return ways


def main() -> None:
    """Measure and print the medians and their ratios to the first way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--size', default='640x480', help='width x height (%(default)s)')
    parser.add_argument('--rounds', type=int, default=100, help='measurements a way (%(default)s)')
    parser.add_argument('--threads', type=int, default=1, help="OpenCV's threads (%(default)s)")
    parser.add_argument('--warm', action='store_true', help='leave the data in the caches')
    arguments = parser.parse_args()
    width, height = (int(side) for side in arguments.size.split('x'))
    cv2.setNumThreads(arguments.threads)
    print(f'OpenCV {cv2.__version__}, NumPy {np.__version__}, {width}x{height}, ', end='')
    print(f'{"warm" if arguments.warm else "cold"} caches, n = {arguments.rounds}')
    size, imagenet = (width, height), (123.675, 116.28, 103.53)
    for title, contest in (
        ('float32, mean 0, one scale', Contest(size, np.float32, (0, 0, 0), (1 / 255,) * 3)),
        (
            'float32, mean and scale a channel',
            Contest(size, np.float32, imagenet, (1 / 58.395, 1 / 57.12, 1 / 57.375)),
        ),
        ('float16, mean 0, one scale', Contest(size, np.float16, (0, 0, 0), (1 / 255,) * 3)),
    ):
        ways = measure(contest, arguments.rounds, arguments.warm)
        print(f'\n{title}')
        for way in ways:
            ratio = way.median_ms / ways[0].median_ms
            mark = '->' if way is ways[0] else '  '
            print(f'{mark} {way.name:32s} {way.median_ms:7.3f} ms  x{ratio:.2f}')


if __name__ == '__main__':
    main()
