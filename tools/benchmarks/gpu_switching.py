#!/usr/bin/env python3
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Send numbered frames at a rate while the variant changes every second, without ROS.

The node's own parts, FrameRunner and LoadedVariants, run without DDS, so that it works where ROS
and TensorRT's bindings are of different Pythons.  Counted are frames that are lost, answered twice
or out of order; measured are the longest time between two answers and how long a switch takes.
Frames are sent by a thread of the same process: where the longest gap between two that are sent is
long too, something held Python's lock, or the machine was busy.

    PYTHONPATH=. python tools/benchmarks/gpu_switching.py scene_detector --keep 1 --keep 3

Build the variants before (``jetson-infer build MODEL --variant all``).  It ends with 1 if a frame
is lost, answered twice or out of order, if anything is told as a problem, or if the longest gap is
above --limit frame times: give that where the machine is otherwise idle.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from jetson_infer.core.accounting import FrameAccount
from jetson_infer.core.images import wrap_image
from jetson_infer.engines.models import Model, find_model, load_model
from jetson_infer.engines.select import ENGINES
from jetson_infer.pipeline.open_detection import open_detection
from jetson_infer.pipeline.runner import FrameRunner, RunnerHooks, RunnerSettings
from jetson_infer.pipeline.variants import LoadedVariants

SIZE = (640, 480)
IMAGES = 4
VARIANTS = 3
PATIENCE_S = 60.0


class Switching:
    """A model's variants as a node has them, and what came of the frames sent to them.

    :param names: the variants that take turns; the first is in force at the start.
    :param keep: how many stay loaded.
    """

    def __init__(self, model: Model, names: list[str], engine: str, keep: int) -> None:
        self.model, self.names, self.engine, self.keep = model, names, engine, keep
        self.answers: list[tuple[int, float]] = []
        self.sent_s: list[float] = []
        self.problems: list[str] = []
        self.switch_ms: list[float] = []
        self.account = FrameAccount()
        self._stop = threading.Event()
        self._first: Any = None
        hooks = RunnerHooks(
            lambda frame, result, clock: self.answers.append((frame.context, time.monotonic())),
            lambda frame: 0.0,
            lambda *told: self.problems.append(' '.join(map(str, told))),
            lambda error: self.problems.append(f'the worker ended: {error!r}'),
        )
        self._runner = FrameRunner(self._open_first, self.account, hooks, RunnerSettings())
        self._variants = LoadedVariants(self._runner, self._opener, names[0], self._first, keep)
        self._variants.preload(names)

    def run(self, frames: int, rate: float, every_s: float) -> None:
        """Send frames while variants change, and wait until all is answered."""
        rng = np.random.default_rng(0)
        width, height = SIZE
        images = [
            wrap_image('bgr8', *SIZE, 3 * width, False,
                       rng.integers(0, 256, (height, width, 3), np.uint8))
            for _ in range(IMAGES)
        ]  # fmt: skip
        switcher = threading.Thread(target=self._switch, args=(every_s,))
        began_s = time.monotonic()
        switcher.start()
        for number in range(frames):
            time.sleep(max(0.0, began_s + number / rate - time.monotonic()))
            self.sent_s.append(time.monotonic())
            self._runner.receive(lambda n=number: images[n % IMAGES], 0, number)
        self._runner.drain(PATIENCE_S)
        self._stop.set()
        switcher.join()
        self._runner.stop()

    def found(self, frames: int, rate: float) -> dict[str, Any]:
        """Return what came of it; times in milliseconds, the gap in frame times too."""
        numbers = [number for number, _ in self.answers]
        gaps = np.diff([at for _, at in self.answers])
        return {
            'engine': self.engine, 'variants': self.names, 'keep_loaded': self.keep,
            'frames': frames, 'rate_hz': rate,
            'lost': frames - len(set(numbers)), 'twice': len(numbers) - len(set(numbers)),
            'in_order': numbers == sorted(numbers),
            'longest_gap_ms': round(float(gaps.max(initial=0)) * 1e3, 2),
            'longest_gap_frames': round(float(gaps.max(initial=0)) * rate, 3),
            'longest_gap_sent_frames': round(float(np.diff(self.sent_s).max(initial=0)) * rate, 3),
            'switches': len(self.switch_ms),
            'switch_ms': {'p50': round(float(np.median(self.switch_ms or [0])), 2),
                          'longest': round(max(self.switch_ms, default=0), 2)},
            'problems': self.problems,
        }  # fmt: skip

    def _open_first(self) -> Any:
        self._first = open_detection(
            self.model, self.model.variant(self.names[0]), engine=self.engine
        )
        return self._first

    def _opener(self, name: str) -> Callable[[], Any]:
        return lambda: open_detection(self.model, self.model.variant(name), engine=self.engine)

    def _switch(self, every_s: float) -> None:
        number = 0
        while not self._stop.wait(every_s):
            number += 1
            began_s = time.monotonic()
            try:
                self._variants.switch(self.names[number % len(self.names)], lambda pipeline: None)
            except Exception as error:  # noqa: BLE001 - counted, and the frames go on
                self.problems.append(f'switch {number}: {type(error).__name__}: {error}')
            self.switch_ms.append((time.monotonic() - began_s) * 1e3)


def faults(found: dict[str, Any], limit: float | None) -> list[str]:
    """Return what is not as it should be."""
    told = list(found['problems'])
    if found['lost'] or found['twice']:
        told.append(f'{found["lost"]} frames lost, {found["twice"]} answered twice')
    if not found['in_order']:
        told.append('frames were answered out of order')
    if limit is not None and found['longest_gap_frames'] > limit:
        told.append(f'longest gap {found["longest_gap_frames"]}, more than {limit:g} frame times')
    return told


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('model', help='its name or folder')
    parser.add_argument('--variants', nargs='+', default=[], metavar='NAME',
                        help='those that take turns (the first three)')  # fmt: skip
    parser.add_argument('--engine', choices=ENGINES, default='tensorrt')
    parser.add_argument('--frames', type=int, default=1000)
    parser.add_argument('--rate', type=float, default=30.0, metavar='HZ')
    parser.add_argument('--every', type=float, default=1.0, metavar='S', help='between switches')
    parser.add_argument('--keep', type=int, action='append', metavar='N',
                        help='variants that stay loaded; given twice, both (1 and 3)')  # fmt: skip
    parser.add_argument('--limit', type=float, metavar='FRAMES')
    parser.add_argument('--json', type=Path, metavar='FILE')
    options = parser.parse_args()
    model = load_model(find_model(options.model))
    names = options.variants or [one.name for one in model.card.variants][:VARIANTS]
    results, told = [], []
    for keep in options.keep or (1, 3):
        switching = Switching(model, names, options.engine, keep)
        switching.run(options.frames, options.rate, options.every)
        results.append(switching.found(options.frames, options.rate))
        print(json.dumps(results[-1], indent=1), flush=True)
        told += [f'keep {keep}: {fault}' for fault in faults(results[-1], options.limit)]
        if options.json:
            options.json.write_text(json.dumps(results, indent=1) + '\n')
    print('\n'.join(told) or 'every frame was answered once')
    return 1 if told else 0


if __name__ == '__main__':
    sys.exit(main())
