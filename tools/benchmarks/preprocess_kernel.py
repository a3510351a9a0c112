#!/usr/bin/env python3
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Compare the preprocessing kernel with the memory's own speed and with OpenCV on the host.

All of it in one run, in a new order in every round, after the kernel's result was compared with its
reference:

- ``kernel``: camera bytes on the device to the network's input on the device.
- ``copy``: a device copy that moves as many bytes: it reads and writes half of the sum of the image
  and the network's input, where the kernel reads the one and writes the other at most once.
- ``upload``: the camera bytes from pinned memory to the device.
- ``copy in, upload`` and ``copy in, upload, packed``: from the message's memory to the device, by
  way of pinned memory, on the host's clock: the whole image, or the rows that scaling samples.
- ``OpenCV + upload``: the package's way on the host, then the network's input to the device.

Device times are CUDA events around a graph of many launches, so that the host's launching is not
measured; without graphs, around one launch each, and the gaps count. ``cold`` rotates through more
images than the device's cache holds, ``warm`` repeats one.

    python tools/benchmarks/preprocess_kernel.py --size 3840x2160 --encoding bgr8 --network 640x640
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np

from jetson_infer.core.cards import InputCard
from jetson_infer.core.encodings import ENCODINGS
from jetson_infer.core.images import ImageView, wrap_image
from jetson_infer.cuda.device import Device
from jetson_infer.cuda.kernels.geometry import SUPPORTED, RawImage, geometry_of
from jetson_infer.cuda.kernels.preprocess import PreprocessKernel
from jetson_infer.cuda.kernels.preprocess_reference import preprocess_reference
from jetson_infer.cuda.memory import Buffer
from jetson_infer.cuda.opening import open_device
from jetson_infer.errors import JetsonInferError
from jetson_infer.pipeline.preprocess import Preprocessor

LAUNCHES = 16  # of a graph
CACHE_BYTES = 400 << 20  # more than any GPU of today caches


@dataclass
class Way:
    """Something that is timed; `measure` returns the milliseconds of one time."""

    name: str
    measure: Callable[[], float]
    times_ms: list[float] = field(default_factory=list)

    @property
    def median_ms(self) -> float:
        return float(np.median(self.times_ms))


class Contest:
    """Buffers, kernel and ways, on a device that is current."""

    def __init__(self, device: Device, options: argparse.Namespace, stack: ExitStack) -> None:
        self._device, self._stack, self._size = device, stack, options.network
        colour = InputCard(
            None, None, None, options.layout, 'rgb', 'letterbox', 114,
            (0.0,) * 3, (1 / 255,) * 3, options.dtype,
        )  # fmt: skip
        self._card = colour
        self.image = random_image(options.encoding, options.size)
        self._raw = RawImage.of(self.image)
        self._kernel = stack.enter_context(PreprocessKernel(device, colour))
        self._stream = device.stream()
        stack.callback(self._stream.close)
        self._start, self._end = (self._closing(device.event(timing=True)) for _ in range(2))
        self.nbytes_in, self.nbytes_out = self._raw.nbytes, self._kernel.target_nbytes(self._size)
        sources = max(2, -(-CACHE_BYTES // self.nbytes_in))
        self._staging = self._buffer('pinned', self.nbytes_in)
        self._staging.host[:] = self._bytes()
        self._sources = [self._buffer('device', self.nbytes_in + 3) for _ in range(sources)]
        for source in self._sources:
            self._stream.copy(source, self._staging, self.nbytes_in)
        self._target = self._buffer('device', self.nbytes_out)
        self._prepared = self._buffer('pinned', self.nbytes_out)
        self._half = (self.nbytes_in + self.nbytes_out) // 2
        self._copies = [self._buffer('device', self._half) for _ in range(sources)]
        self._preprocessor = Preprocessor(colour, self._size)
        shape = self._card.shape(self._size)
        # The same object each time: the padding is written for a new one.
        self._array = self._prepared.host.view(self._card.dtype).reshape(shape)
        stack.callback(self._let_go)
        self._stream.synchronize()

    def check(self) -> None:
        """Compare the kernel's result with its reference."""
        letterbox = self._kernel.enqueue(
            self._stream, self._raw, self._sources[0], self._target, self._size
        )
        self._stream.copy(self._prepared, self._target, self.nbytes_out)
        self._stream.synchronize()
        expected = preprocess_reference(
            self._bytes(),
            self._raw.encoding,
            geometry_of(self._raw, letterbox, self._card),
            'rgb',
            self._card.layout == 'nchw',
            self._card.dtype,
        )
        if not np.array_equal(self._prepared.host, expected.reshape(-1).view(np.uint8)):
            sys.exit('the kernel differs from its reference: nothing is measured')

    def ways(self) -> list[Way]:
        count = len(self._sources)
        return [
            Way('kernel, cold', self._on_device(lambda i: self._enqueue(i % count))),
            Way('kernel, warm', self._on_device(lambda _: self._enqueue(0))),
            Way('copy, cold', self._on_device(lambda i: self._copy(i % count))),
            Way('copy, warm', self._on_device(lambda _: self._copy(0))),
            Way('upload', self._upload),
            Way('copy in, upload', lambda: self._copy_in(packed=False)),
            Way('copy in, upload, packed', lambda: self._copy_in(packed=True)),
            Way('OpenCV + upload', self._host),
        ]

    def _enqueue(self, number: int) -> None:
        source = self._sources[number]
        self._kernel.enqueue(self._stream, self._raw, source, self._target, self._size)

    def _copy(self, number: int) -> None:
        target = self._copies[(number + 1) % len(self._copies)]
        self._stream.copy(target, self._copies[number], self._half)

    def _on_device(self, enqueue: Callable[[int], None]) -> Callable[[], float]:
        stream = self._stream
        if not stream.can_capture:
            turn = iter(range(1 << 60))
            return lambda: self._between_events(lambda: enqueue(next(turn)))
        enqueue(0)
        stream.synchronize()
        with stream.capture() as capture:
            for number in range(LAUNCHES):
                enqueue(number)
        graph = self._closing(capture.graph)
        return lambda: self._between_events(lambda: stream.replay(graph)) / LAUNCHES

    def _between_events(self, work: Callable[[], None]) -> float:
        self._stream.record(self._start)
        work()
        self._stream.record(self._end)
        self._end.synchronize()
        return self._end.elapsed_ms(self._start)

    def _upload(self) -> float:
        return self._between_events(
            lambda: self._stream.copy(self._sources[0], self._staging, self.nbytes_in)
        )

    def _copy_in(self, packed: bool) -> float:
        packing = self._kernel.packing(self._raw, self._size) if packed else None
        start = time.perf_counter()
        if packing is None:
            nbytes = self.nbytes_in
            self._staging.host[:nbytes] = self._bytes()
        else:
            nbytes = packing.image.nbytes
            packing.copy(self.image.pixels, self._staging.host)
        self._stream.copy(self._sources[0], self._staging, nbytes)
        self._stream.synchronize()
        return (time.perf_counter() - start) * 1e3

    def _host(self) -> float:
        start = time.perf_counter()
        self._preprocessor.prepare(self.image, self._array)
        self._stream.copy(self._target, self._prepared, self.nbytes_out)
        self._stream.synchronize()
        return (time.perf_counter() - start) * 1e3

    def _let_go(self) -> None:
        self._preprocessor.let_go()
        del self._array

    def _bytes(self) -> np.ndarray:
        pixels = self.image.pixels
        return np.lib.stride_tricks.as_strided(pixels, (self.nbytes_in,), (1,), writeable=False)

    def _buffer(self, kind: str, nbytes: int) -> Buffer:
        return self._closing(self._device.memory(kind).allocate(nbytes))

    def _closing(self, resource):
        self._stack.callback(resource.close)
        return resource


def random_image(encoding: str, size: tuple[int, int]) -> ImageView:
    layout = ENCODINGS[encoding]
    step, rows = size[0] * layout.channels, layout.rows(size[1])
    data = np.random.default_rng(0).integers(0, 256, step * rows, np.uint8)
    return wrap_image(encoding, *size, step, 0, data)


def main() -> int:
    options = arguments()
    try:
        with open_device() as device, device.current(), ExitStack() as stack:
            contest = Contest(device, options, stack)
            contest.check()
            ways = contest.ways()
            for number in range(options.rounds + options.warm_up):
                for way in random.sample(ways, len(ways)):
                    time_ms = way.measure()
                    if number >= options.warm_up:
                        way.times_ms.append(time_ms)
            report(device, options, contest, {way.name: way for way in ways})
    except JetsonInferError as error:
        sys.exit(str(error))
    return 0


def report(
    device: Device, options: argparse.Namespace, contest: Contest, ways: dict[str, Way]
) -> None:
    median = {name: way.median_ms for name, way in ways.items()}
    ratios = {
        'kernel / copy, cold': median['kernel, cold'] / median['copy, cold'],
        'kernel / copy, warm': median['kernel, warm'] / median['copy, warm'],
        'OpenCV + upload / kernel': median['OpenCV + upload'] / median['kernel, cold'],
        'OpenCV + upload / (upload + kernel)': median['OpenCV + upload']
        / (median['upload'] + median['kernel, cold']),
    }
    if options.json:
        print(json.dumps({'device': device.name, 'n': options.rounds, 'median_ms': median,
                          'ratios': ratios}))  # fmt: skip
        return
    (width, height), (columns, rows) = options.size, options.network
    print(
        f'{device.name}, {options.encoding} {width}x{height} ({contest.nbytes_in / 1e6:.1f} MB) to '
        f'{options.dtype} {options.layout} {columns}x{rows} ({contest.nbytes_out / 1e6:.1f} MB), '
        f'n = {options.rounds}'
    )
    for name, way in ways.items():
        low, high = np.percentile(way.times_ms, (1, 99))
        print(f'{name:24} {way.median_ms:9.4f} ms   p1 {low:9.4f}   p99 {high:9.4f}')
    for name, ratio in ratios.items():
        print(f'{name:36} {ratio:8.2f}')


def arguments() -> argparse.Namespace:
    def size(text: str) -> tuple[int, int]:
        width, _, height = text.partition('x')
        return int(width), int(height)

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--size', type=size, default=(3840, 2160), metavar='WxH')
    parser.add_argument('--encoding', choices=SUPPORTED, default='bgr8')
    parser.add_argument('--network', type=size, default=(640, 640), metavar='WxH')
    parser.add_argument('--dtype', choices=('float32', 'float16'), default='float32')
    parser.add_argument('--layout', choices=('nchw', 'nhwc'), default='nchw')
    parser.add_argument('--rounds', type=int, default=300)
    parser.add_argument('--warm-up', type=int, default=10)
    parser.add_argument('--json', action='store_true')
    return parser.parse_args()


if __name__ == '__main__':
    sys.exit(main())
