# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline of one setting, and its network alone on the same inputs."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.closing import Closing
from jetson_infer.core.detections import Detections
from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.inputs import match_inputs
from jetson_infer.engines.models import Model
from jetson_infer.engines.session import Session
from jetson_infer.pipeline.detection import DetectionPipeline
from jetson_infer.pipeline.pipelines import OverlappingPipeline, Pipeline
from jetson_infer.toolchain.bench.metered import MeteredSession
from jetson_infer.toolchain.bench.settings import BenchSetting

__all__ = ['FrameCost', 'HostSubject', 'Subject']


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


class Subject(Closing):
    """A pipeline and a second binding of its session; closed by its owner.

    :param setting: what it is.
    :param images: what it runs on.
    """

    engine: str
    """What runs the network, for a person."""

    def __init__(
        self,
        setting: BenchSetting,
        images: Sequence[ImageView | CompressedView],
        variant: VariantCard,
        why: str,
    ) -> None:
        self.setting = setting
        self.images = images
        self.variant = variant.name
        self.network_size = variant.size
        self.why = why
        """Why it is this engine, for a person."""

    def image(self, number: int) -> ImageView | CompressedView:
        """Return an image by its number; they come again from the first one on."""
        return self.images[number % len(self.images)]

    @abstractmethod
    def run_pipeline(self, number: int) -> FrameCost:
        """Take one image, by its number, the whole way."""

    @abstractmethod
    def run_bare(self) -> tuple[float, float]:
        """Run the network alone.

        :return: wall time and CPU time of the run, in ms.
        """

    @abstractmethod
    def forget(self) -> None:
        """Forget what was noted while warming up."""

    def details(self) -> dict[str, Any]:
        """Return what else is known of the runs since :meth:`forget`, for a program."""
        return {}

    @abstractmethod
    def paced_pipeline(self) -> Pipeline[Detections] | OverlappingPipeline[Detections]:
        """Return a pipeline for a runner, which closes it on the thread that this is called on."""

    @abstractmethod
    def close(self) -> None:
        """Release the network; may be called twice."""


class HostSubject(Subject):
    """On an engine of the processor.

    :param session: the loaded network; closed with the subject, and if it cannot be used.
    :raises JetsonInferError: if card and network do not fit.
    """

    def __init__(
        self,
        setting: BenchSetting,
        images: Sequence[ImageView | CompressedView],
        model: Model,
        variant: VariantCard,
        session: Session,
        why: str = '',
    ) -> None:
        super().__init__(setting, images, variant, why)
        with ExitStack() as undo:
            metered = MeteredSession(session)
            undo.callback(metered.close)
            self.pipeline = DetectionPipeline(model, variant, metered)
            wanted = match_inputs(metered.inputs, model.card, variant)
            self.inside = metered.bindings[0]
            self.bare = metered.bind(wanted.shapes)
            for name, array in self.inside.inputs.items():
                np.copyto(self.bare.inputs[name], array)
            self._image = wanted.image
            undo.pop_all()
        self.engine = metered.engine

    def run_pipeline(self, number: int) -> FrameCost:
        """See :meth:`Subject.run_pipeline`."""
        image = self.image(number)
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

    def forget(self) -> None:
        """Nothing is noted."""

    def paced_pipeline(self) -> Pipeline[Detections]:
        """See :meth:`Subject.paced_pipeline`."""
        return _Unclosed(self.pipeline)

    def close(self) -> None:
        """See :meth:`Subject.close`."""
        self.pipeline.close()


class _Unclosed:
    """A pipeline for a runner, which would close it at its end: the subject owns it."""

    def __init__(self, pipeline: DetectionPipeline) -> None:
        self.process = pipeline.process

    def close(self) -> None:
        """Leave the pipeline open."""
