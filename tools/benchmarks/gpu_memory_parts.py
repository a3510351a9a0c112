# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of gpu_figures.py about memory: what frames allocate, what opening leaves behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
from gpu_verdicts import verdict

from jetson_infer.core.images import wrap_image
from jetson_infer.core.timing import StageClock
from jetson_infer.cuda.adaptors import CountingMemory
from jetson_infer.engines.models import Model
from jetson_infer.pipeline.device_detection import DeviceDetectionPipeline
from jetson_infer.pipeline.device_lanes import DeviceMemory

WARM_ROUNDS = 3
MEMORY_GRAIN = 2 << 20
"""Steps in which a driver takes memory: a loss may show a step sooner in one series."""


def images_of(sizes: tuple[tuple[int, int], ...]) -> list:
    rng = np.random.default_rng(0)
    return [
        wrap_image('bgr8', w, h, 3 * w, False, rng.integers(0, 256, (h, w, 3), np.uint8))
        for w, h in sizes
    ]


def allocation_part(
    machine, model: Model, variant: str, sizes: tuple[tuple[int, int], ...], frames: int
) -> dict[str, Any]:
    """Count allocations while images change their size: half of criterion 4."""
    counters: list[CountingMemory] = []

    def count(resource):
        counters.append(CountingMemory(resource))
        return counters[-1]

    images = images_of(sizes)
    with machine.device() as device, ExitStack() as owned:
        session = machine.device_session(model, model.variant(variant), device, count)
        owned.callback(session.close)
        pipeline = DeviceDetectionPipeline(
            model,
            model.variant(variant),
            session,
            device,
            DeviceMemory(adapt=count),
            owned.pop_all(),
        )
        for image in images:
            pipeline.process(image, StageClock(0))
        before, free = sum(c.allocations for c in counters), device.free_bytes()
        for number in range(frames):
            pipeline.process(images[number % len(images)], StageClock(0))
        made = sum(c.allocations for c in counters) - before
        taken = free - device.free_bytes()
        pipeline.close()
    return {
        'frames': frames,
        'allocations_before': before,
        'free_bytes_taken': taken,
        'note': "counted are the package's own allocations; those of TensorRT show in the free "
        'memory alone, in steps of 2 MiB. The images change their size, the network its shape '
        'not: that is test_shapes_change_without_allocation in test/gpu/test_tensorrt.py',
        'left_open': sum(c.live for c in counters),
        'verdicts': [
            verdict('4', f'allocations in {frames} frames of changing size', made, 0),
            verdict('4', 'device memory they took, bytes', taken, 0),
        ],
    }


def rounds_part(machine, model: Model, variant: str, rounds: int) -> dict[str, Any]:
    """Open and close again and again: the other half of criterion 4.

    Beside it, the same engine is taken in and let go by its library alone, without anything of
    this package: what that keeps is no pipeline's.
    """
    (image,) = images_of(((64, 48),))
    with machine.device() as device:

        def whole_pipeline() -> None:
            with ExitStack() as owned:
                session = machine.device_session(
                    model, model.variant(variant), device, lambda resource: resource
                )
                owned.callback(session.close)
                pipeline = DeviceDetectionPipeline(
                    model, model.variant(variant), session, device, None, owned.pop_all()
                )
            pipeline.process(image, StageClock(0))
            pipeline.close()

        load_alone = machine.bare_load(model, model.variant(variant))
        ours, alone = (
            _free_after_rounds(device, each, rounds) for each in (whole_pipeline, load_alone)
        )
    lost, lost_alone = (series[0] - series[-1] for series, _ in (ours, alone))
    return {
        'rounds': rounds,
        'warm_rounds': WARM_ROUNDS,
        'free_bytes': ours[0],
        'free_bytes_of_the_library_alone': alone[0],
        'lost': lost,
        'lost_by_the_library_alone': lost_alone,
        'seconds_a_round': ours[1],
        'verdicts': [
            verdict('4', f'memory lost between round 1 and {rounds}, bytes', lost, 0),
            verdict(
                '4',
                f'the same less what the library alone loses ({lost_alone}), bytes',
                lost - lost_alone,
                MEMORY_GRAIN,
            ),
        ],
    }


def _free_after_rounds(device, one_round: Callable[[], None], rounds: int) -> tuple[list, float]:
    """Return the free bytes after every round, and the median round's seconds."""
    free, seconds = [], []
    for _ in range(WARM_ROUNDS + rounds):
        began_s = time.monotonic()
        one_round()
        seconds.append(time.monotonic() - began_s)
        free.append(device.free_bytes())
    # The driver loads modules and fills its pools when they are first used.
    return free[WARM_ROUNDS:], float(np.median(seconds))
