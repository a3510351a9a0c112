# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A depth model's reference and variants over the same frames at once, a frame at a time.

Depth images are as large as images, so that those of a recording do not fit into memory.  All
networks are open together, and of each frame nothing stays but its figures.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.depth_images import Depth
from jetson_infer.core.depth_validation import DepthCompared, DepthComparison
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.models import Model
from jetson_infer.errors import DeviceMemoryError, FrameRejected, JetsonInferError
from jetson_infer.pipeline.convert import Converter
from jetson_infer.pipeline.depth import DepthPipeline
from jetson_infer.pipeline.open_depth import open_depth
from jetson_infer.toolchain.dataset import Sample
from jetson_infer.toolchain.validate.chosen import Progress
from jetson_infer.toolchain.validate.depth_data import DepthData, fit_truth
from jetson_infer.toolchain.validate.depth_worst import DepthFrame, WorstDepths, difference_of
from jetson_infer.toolchain.validate.validating import Refuse

__all__ = ['DepthMeasured', 'DepthRan', 'Lockstep']


@dataclass(frozen=True)
class DepthRan:
    """How a network ran.

    :param engine: what ran it, for a person.
    :param median_ms: the median time of a frame, from its bytes to depth.
    """

    engine: str
    median_ms: float


@dataclass(frozen=True)
class DepthMeasured:
    """What was measured of a variant.

    :param ran: how it ran.
    :param comparison: all figures.
    :param worst: frames in which it differs most from the reference, the worst first.
    """

    ran: DepthRan
    comparison: DepthCompared
    worst: tuple[DepthFrame, ...]


@dataclass
class _Runner:
    """An open network and its times."""

    pipeline: DepthPipeline
    times_ms: list[float] = field(default_factory=list)

    def depth(self, sample: Sample) -> Depth:
        clock = StageClock(time.monotonic_ns())
        with self.pipeline.current():
            depth = self.pipeline.process(sample.image, clock)
        clock.finish()
        self.times_ms.append(clock.milliseconds['total'])
        return depth

    @property
    def ran(self) -> DepthRan:
        median_ms = float(np.median(self.times_ms)) if self.times_ms else math.nan
        return DepthRan(self.pipeline.engine, median_ms)


class _Measuring:
    """A variant beside its reference while frames pass by."""

    def __init__(self, variant: VariantCard, pipeline: DepthPipeline, frames: int) -> None:
        self.variant = variant
        self._runner = _Runner(pipeline)
        self._comparing = DepthComparison(variant.depth_validation)
        self._worst = WorstDepths(frames)

    def add(
        self,
        place: int,
        sample: Sample,
        reference: Depth,
        truth: Depth | None,
        converter: Converter,
    ) -> None:
        """Run the variant on a frame; one that it rejects and the reference does not is unknown."""
        try:
            candidate = self._runner.depth(sample)
        except FrameRejected:
            candidate = np.full_like(reference, np.nan)
        mean = self._comparing.add_frame(truth, reference, candidate)
        difference = difference_of(mean, reference, candidate)
        if difference is not None:
            self._worst.offer(
                (place, sample.index, sample.name),
                difference,
                lambda: converter.to_bgr(sample.image),
                (reference, candidate),
            )

    def measured(self) -> DepthMeasured:
        """Return what was measured so far."""
        return DepthMeasured(self._runner.ran, self._comparing.result(), self._worst.frames)


class Lockstep:
    """Runs the reference and as many variants as memory holds over the same frames.

    :param model: the model; its first variant, on ONNX Runtime, is the reference.
    :param data: the images.
    :param progress: told of every frame.
    """

    def __init__(self, model: Model, data: DepthData, progress: Progress) -> None:
        self._model = model
        self._data = data
        self._progress = progress
        self.rejected: dict[int, str] = {}
        """Why the reference cannot use an image, by its place in the dataset."""
        self.unfit: dict[int, str] = {}
        """Why a true depth does not fit its image, by the image's place in the dataset."""

    def run(
        self, variants: Sequence[tuple[VariantCard, str]], refuse: Refuse
    ) -> tuple[DepthRan, dict[str, DepthMeasured], list[tuple[VariantCard, str]]]:
        """Run the reference and variants.

        :param variants: each with its engine.
        :param refuse: told of a variant that cannot be opened or fails; the others go on.
        :return: how the reference ran, what was measured of variants by name, and those for which
            there was no memory beside the others: to be run without these.
        :raises JetsonInferError: if the reference cannot run.
        """
        self.rejected, self.unfit = {}, {}
        with ExitStack() as opened:
            first = self._model.card.variants[0]
            reference = _Runner(self._open(opened, first, 'onnxruntime'))
            running: list[_Measuring] = []
            waiting: list[tuple[VariantCard, str]] = []
            for variant, engine in variants:
                try:
                    pipeline = self._open(opened, variant, engine)
                except JetsonInferError as error:
                    if isinstance(error, DeviceMemoryError) and running:
                        waiting.append((variant, engine))
                    else:
                        refuse(variant.name, error)
                    continue
                running.append(_Measuring(variant, pipeline, len(self._data.indices)))
            left = self._pass(reference, running, refuse)
            return reference.ran, {each.variant.name: each.measured() for each in left}, waiting

    def _open(self, opened: ExitStack, variant: VariantCard, engine: str) -> DepthPipeline:
        pipeline = open_depth(self._model, variant, engine=engine)
        opened.callback(pipeline.close)
        return pipeline

    def _pass(
        self, reference: _Runner, running: Sequence[_Measuring], refuse: Refuse
    ) -> list[_Measuring]:
        """Run all over all frames and return those that did not fail."""
        left, converter = list(running), Converter()
        names = [self._model.card.variants[0].name, *(each.variant.name for each in running)]
        what, total = ', '.join(names), len(self._data.indices)
        for place, sample in enumerate(self._data.dataset.frames(set(self._data.indices))):
            self._progress(what, place, total)
            if running and not left:
                break
            try:
                depth = reference.depth(sample)
            except FrameRejected as error:
                self.rejected[sample.index] = f'{sample.name}: {error}'
                continue
            truth = self._truth(sample, (depth.shape[0], depth.shape[1]))
            for each in tuple(left):
                try:
                    each.add(place, sample, depth, truth, converter)
                except JetsonInferError as error:
                    left.remove(each)
                    refuse(each.variant.name, error)
        self._progress(what, total, total)
        return left

    def _truth(self, sample: Sample, shape: tuple[int, int]) -> Depth | None:
        if sample.depth is None or sample.index not in self._data.with_truth:
            return None
        try:
            return fit_truth(sample.depth, shape)
        except ValueError as error:
            self.unfit[sample.index] = f'{sample.name}: {error}'
            return None
