# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the rungs cost, measured in turn, frame by frame, so that a noisy machine is fair to all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.ladder import Times
from jetson_infer.cuda.energy import open_meter
from jetson_infer.cuda.opening import open_device
from jetson_infer.engines.models import Model
from jetson_infer.engines.select import open_session
from jetson_infer.engines.session import DeviceSession
from jetson_infer.errors import FrameRejected, RecordingError
from jetson_infer.pipeline.open_detection import open_detection
from jetson_infer.pipeline.preprocess import Preprocessor
from jetson_infer.toolchain.bench.device_result import measure_throughput
from jetson_infer.toolchain.bench.device_subject import DeviceSubject
from jetson_infer.toolchain.bench.measure import measure
from jetson_infer.toolchain.bench.settings import BenchSetting
from jetson_infer.toolchain.bench.subject import HostSubject, Subject
from jetson_infer.toolchain.dataset import Dataset

__all__ = ['Costs', 'measure_costs', 'some_images']

IMAGES = 32
"""So many images are used in turn."""


@dataclass(frozen=True)
class Costs:
    """What one rung costs.

    :param engine: what runs it, for a person.
    :param pipeline_ms: a frame from the camera's bytes to boxes.
    :param session_ms: the network alone.
    :param energy_mj: of the device, for a frame; None where nothing tells.
    :param device_memory_mb: what the pipeline takes of the device's memory; None on a CPU.
    """

    engine: str
    pipeline_ms: Times
    session_ms: Times
    energy_mj: float | None = None
    device_memory_mb: float | None = None


def some_images(
    model: Model, dataset: Dataset, indices: Sequence[int]
) -> list[ImageView | CompressedView]:
    """Return images to measure with, spread evenly over those that are named.

    :raises RecordingError: if the model can be given none of them.
    """
    card, size = model.card.input, model.card.variants[0].size
    preprocessor, array = Preprocessor(card, size), np.zeros(card.shape(size), card.dtype)
    places = np.linspace(0, len(indices) - 1, min(IMAGES, len(indices))).astype(int)
    images: list[ImageView | CompressedView] = []
    for sample in dataset.frames({indices[place] for place in places}):
        try:
            preprocessor.prepare(sample.image, array)
        except FrameRejected:
            continue  # the validation tells of it
        images.append(sample.image)
    if not images:
        raise RecordingError(f'{dataset.path}: the model can be given none of its images')
    return images


def measure_costs(
    model: Model,
    variants: Sequence[VariantCard],
    engine: str,
    images: Sequence[ImageView | CompressedView],
    frames: int,
    threads: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Costs], str]:
    """Run all variants over the same images, and every variant once before any runs again.

    :param engine: ``tensorrt`` or ``onnxruntime``, for all.
    :param frames: how many times each runs.
    :param threads: CPU threads of an engine on the CPU; 0 for automatic, as in a node.
    :param progress: told how many rounds are done, and of how many.
    :return: what each costs, in their order; and why there is no energy, empty where there is.
    :raises JetsonInferError: if one of them cannot run.
    """
    memory = [_device_memory_mb(model, variant, engine) for variant in variants]
    with ExitStack() as stack:
        subjects = [
            stack.enter_context(_open(model, variant, engine, images, threads))
            for variant in variants
        ]
        found = measure(subjects, frames, progress)
        energy, why_none = _energy_mj(subjects, frames)
    costs = [
        Costs(one.subject.engine, _times(one.wall), _times(one.bare_wall), used, taken)
        for one, used, taken in zip(found, energy, memory)
    ]
    return costs, why_none


def _open(
    model: Model,
    variant: VariantCard,
    engine: str,
    images: Sequence[ImageView | CompressedView],
    threads: int,
) -> Subject:
    setting = BenchSetting(str(model.folder), variant.name, engine, threads)
    opened = open_session(model, variant, engine, threads)
    if isinstance(opened.session, DeviceSession):
        return DeviceSubject(setting, images, model, variant, opened.session, opened.why)
    return HostSubject(setting, images, model, variant, opened.session, opened.why)


def _device_memory_mb(model: Model, variant: VariantCard, engine: str) -> float | None:
    """Return what opening a variant as a node does takes of the device's memory."""
    if engine != 'tensorrt':
        return None
    with open_device() as device, device.current():
        before = device.free_bytes()
        pipeline = open_detection(model, variant, engine=engine)
        try:
            return round(max(0, before - device.free_bytes()) / 1e6, 1)
        finally:
            pipeline.close()


def _energy_mj(subjects: Sequence[Subject], frames: int) -> tuple[list[float | None], str]:
    """Return every subject's energy for a frame, one after the other; or why there is none."""
    used: list[float | None] = []
    for subject in subjects:
        if not isinstance(subject, DeviceSubject):
            return [None] * len(subjects), 'nothing tells what a processor uses for a frame'
        meter, why_none = open_meter(subject.device.identity)
        if meter is None:
            return [None] * len(subjects), why_none
        try:
            found = measure_throughput(subject, max(frames, 2), meter)
        finally:
            meter.close()
        used.append(float(found['energy']['millijoules_a_frame']))
    return used, ''


def _times(values: Sequence[float]) -> Times:
    median, p95 = np.percentile(np.asarray(values, np.float64), (50, 95)).tolist()
    return Times(round(median, 3), round(p95, 3))
