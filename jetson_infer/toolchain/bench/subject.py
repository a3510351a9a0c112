# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline of one setting, and its network alone on the same inputs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.inputs import match_inputs
from jetson_infer.engines.models import find_model, load_model
from jetson_infer.engines.select import open_session
from jetson_infer.pipeline.detection import DetectionPipeline
from jetson_infer.toolchain.bench.frames import synthetic_images
from jetson_infer.toolchain.bench.metered import MeteredSession
from jetson_infer.toolchain.bench.settings import BenchError, BenchSetting

__all__ = ['FrameCost', 'Subject']


@dataclass(frozen=True)
class FrameCost:
    """What one frame cost, in milliseconds.

    :param wall: from the image to the detections.
    :param cpu: CPU time of the process for it.
    :param cpu_outside: the part of it that was not spent in the session's run.
    :param stages: by stage of the pipeline.
    :param found: how many detections it gave.
    """

    wall: float
    cpu: float
    cpu_outside: float
    stages: dict[str, float]
    found: int


class Subject:
    """A pipeline and a second binding of its session; closed by its owner.

    :param setting: what to open.
    :param images: what to run on; synthetic ones as the setting says unless given.
    :raises JetsonInferError: if it cannot be opened; nothing is left open then.
    """

    def __init__(
        self, setting: BenchSetting, images: Sequence[ImageView | CompressedView] = ()
    ) -> None:
        self.setting = setting
        self.images = list(images) or synthetic_images(setting.encoding, setting.size)
        model = load_model(find_model(setting.model))
        if model.card.task != 'detection':
            raise BenchError(
                f"'{model.card.name}' is a {model.card.task} model; only detection is measured"
            )
        variant = model.variant(setting.variant)
        with ExitStack() as undo:
            opened = open_session(model, variant, setting.engine, setting.threads).session
            session = MeteredSession(opened)
            undo.callback(session.close)
            self.pipeline = DetectionPipeline(model, variant, session)
            wanted = match_inputs(session.inputs, model.card, variant)
            self.inside = session.bindings[0]
            self.bare = session.bind(wanted.shapes)
            for name, array in self.inside.inputs.items():
                np.copyto(self.bare.inputs[name], array)
            self._image = wanted.image
            undo.pop_all()
        self.engine, self.variant = session.engine, variant.name
        self.network_size = variant.size

    def run_pipeline(self, number: int) -> FrameCost:
        """Take one image, by its number, the whole way."""
        image = self.images[number % len(self.images)]
        cpu_ns, wall_ns = time.process_time_ns(), time.perf_counter_ns()
        clock = StageClock(time.monotonic_ns())
        found = self.pipeline.process(image, clock)
        wall = (time.perf_counter_ns() - wall_ns) * 1e-6
        cpu = (time.process_time_ns() - cpu_ns) * 1e-6
        return FrameCost(wall, cpu, cpu - self.inside.cpu_ms, dict(clock.milliseconds), len(found))

    def run_bare(self) -> tuple[float, float]:
        """Run the network alone on the last image that the pipeline prepared.

        :return: wall time and CPU time of the run, in ms; copying the input is not in them.
        """
        np.copyto(self.bare.inputs[self._image], self.inside.inputs[self._image])
        self.bare.run()
        return self.bare.wall_ms, self.bare.cpu_ms

    def close(self) -> None:
        """Release the network; may be called twice."""
        self.pipeline.close()

    def __enter__(self) -> Subject:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
