#!/usr/bin/env python3
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Compare what the processor does with a frame's results: decode candidates, or take boxes.

Where the device chooses candidates, the processor reads and decodes them; where it finishes the
frame, the processor copies out the boxes.  Both from results as a device writes them, 40 candidates
of which 25 remain by default, in turn, in one process: at once again; with the caches full of
something else, as after the time between two frames of a camera; and the same after going the way
of made-up results, as the pipeline does while the device works.  Printed are medians, 99th
percentiles, the ratio of the medians and n.

    PYTHONPATH=. python tools/benchmarks/results_way.py --rounds 1000
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from jetson_infer.core.cards import OutputCard
from jetson_infer.core.decoders import make_decoder
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.cuda.host import HostDevice
from jetson_infer.cuda.kernels.candidates import CandidatesKernel
from jetson_infer.cuda.kernels.candidates_reference import ROW
from jetson_infer.cuda.kernels.detections import DetectionsKernel, FinishedResults, geometry_of
from jetson_infer.cuda.kernels.detections_reference import HEADER, detections_reference
from jetson_infer.pipeline.detection import in_image

SIZE = (640, 640)
LIMITS = DetectionLimits()
LETTERBOX = Letterbox.fit((640, 480), SIZE)
CLASSES = 80
FLUSH_NBYTES = 96 << 20  # more than the last cache of the machines at hand


def candidates(count: int, remaining: int) -> np.ndarray:
    """Return candidates, of which the last ones lie on the first ones."""
    random = np.random.default_rng(0)
    rows = np.zeros(count, ROW)
    place = np.arange(count) % remaining
    rows['box'][:, 0] = 40 + 120 * (place % 5)
    rows['box'][:, 1] = 120 + 400 * (place // 5) / (remaining // 5 + 1)
    rows['box'][:, 2:] = 50, 40
    rows['box'] += random.normal(0, 0.5, (count, 4))
    rows['score'] = random.uniform(0.3, 0.95, count)
    rows['class_id'] = place
    rows['anchor'] = random.permutation(8400)[:count]
    return rows


Ways = dict[str, Callable[[], object]]


def ways(rows: np.ndarray) -> tuple[Ways, Ways]:
    """Return both ways from results in memory to detections, and the same with made-up results."""
    decoder = make_decoder(OutputCard('yolo'), [f'class {index}' for index in range(CLASSES)])
    specs = (TensorSpec('output0', np.dtype(np.float32), (1, 4 + CLASSES, 8400)),)
    decoder.check(specs, SIZE)
    layout = decoder.device_candidates(specs)
    assert layout is not None
    assert layout.finishing is not None
    with HostDevice() as device, device.current():
        choosing = CandidatesKernel(device, layout)
        finishing = DetectionsKernel(device, layout.finishing, CLASSES)
        choosing.close()
        finishing.close()
    chosen = np.zeros(choosing.results_nbytes, np.uint8)
    chosen[:4].view(np.int32)[0] = len(rows)
    chosen[32:][: rows.nbytes] = rows.view(np.uint8)
    settings = np.zeros(finishing.settings_nbytes, np.uint8)
    finishing.write_settings(settings, LIMITS)
    header, found = detections_reference(
        rows, settings, np.ones(2, np.float32), geometry_of(LETTERBOX)[()]
    )
    finished = np.zeros(finishing.results_nbytes, np.uint8)
    finished[: HEADER.itemsize] = header.view(np.uint8)
    finished[HEADER.itemsize :][: found.nbytes] = found.view(np.uint8)
    results = FinishedResults(finished)

    example = choosing.example()
    nothing = finishing.example()

    def decode(chosen: np.ndarray = chosen) -> Detections:
        read = choosing.read(chosen)
        return in_image(decoder.decode_candidates(read.candidates, LIMITS), LETTERBOX)

    def take() -> Detections:
        read = results.read()
        decoder.account(read.non_finite, read.inside_out, read.above_one)
        return read.detections

    return (
        {'decode candidates': decode, 'take boxes': take},
        {'decode candidates': lambda: decode(example), 'take boxes': nothing.read},
    )


def measure(both: Ways, rounds: int, between: Callable[[str], object]) -> dict[str, np.ndarray]:
    """Return microseconds of each, taken in turn; `between` is told which comes."""
    times: dict[str, list[int]] = {name: [] for name in both}
    for number in range(rounds + 5):
        for name, work in both.items():
            between(name)
            began = time.perf_counter_ns()
            work()
            ended = time.perf_counter_ns()
            if number >= 5:
                times[name].append(ended - began)
    return {name: np.array(series) / 1e3 for name, series in times.items()}


def main() -> None:
    """Measure both ways in both states of the caches."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--rounds', type=int, default=1000, help='measurements of each (1000)')
    parser.add_argument('--candidates', type=int, default=40)
    parser.add_argument('--boxes', type=int, default=25)
    options = parser.parse_args()
    both, made_up = ways(candidates(options.candidates, options.boxes))
    one, other = (work() for work in both.values())
    assert len(one) == len(other) == options.boxes
    assert one.boxes.tobytes() == other.boxes.tobytes()
    flushing = np.zeros(FLUSH_NBYTES // 8)

    def flush(_: str) -> None:
        np.add(flushing, 1, out=flushing)

    def flush_and_rehearse(name: str) -> None:
        flush(name)
        made_up[name]()

    print(
        f'{options.candidates} candidates, {options.boxes} boxes, n {options.rounds}, microseconds'
    )
    for state, between in (
        ('at once again', lambda _: None),
        ('caches flushed', flush),
        ('rehearsed', flush_and_rehearse),
    ):
        taken = measure(both, options.rounds, between)
        decoding, taking = taken.values()
        for name, series in taken.items():
            print(
                f'{state:15} {name:18} median {np.median(series):7.1f}  '
                f'p99 {np.percentile(series, 99):7.1f}'
            )
        print(f'{state:15} ratio of the medians {np.median(decoding) / np.median(taking):.1f}')


if __name__ == '__main__':
    main()
