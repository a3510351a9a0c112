# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The whole of quantizing a variant: calibrate, compare methods, find what INT8 does not suit."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.engine_order import CALIBRATION_KEY
from jetson_infer.engines.models import Model
from jetson_infer.engines.onnxruntime.default_quantization import default_quantization
from jetson_infer.errors import EngineBuildError, ModelError, RecordingError
from jetson_infer.toolchain.calibration.calibration_set import (
    MINIMUM_FRAMES,
    CalibrationSet,
    gather,
    survey,
)
from jetson_infer.toolchain.dataset import Dataset
from jetson_infer.toolchain.quantize.choice import cheapest_relief
from jetson_infer.toolchain.quantize.graph import Network, load_network
from jetson_infer.toolchain.quantize.half import strongly_typed
from jetson_infer.toolchain.quantize.histograms import collect_histograms
from jetson_infer.toolchain.quantize.insert import quantized
from jetson_infer.toolchain.quantize.measure import Accuracy, feeds_of, load_judge
from jetson_infer.toolchain.quantize.sensitivity import (
    Sensitivity,
    decibels,
    measure_sensitivity,
)
from jetson_infer.toolchain.quantize.thresholds import METHODS, scales_by

__all__ = [
    'Candidate',
    'Quantization',
    'QuantizeSettings',
    'as_dict',
    'check_task',
    'known',
    'quantize',
]

METHOD_KEY = 'jetson_infer.calibration_method'
SENSITIVITY_FRAMES = 12
FEW_OBJECTS = 20
RELIEF_DB = 3.0
"""Step by step so much less noise is asked for, until a candidate holds."""
MOST_RELIEF_DB = 24.0
MIXED_RELIEF_DB = 3.0
"""A mixed variant has at most half the noise of the one that is all INT8, whatever detections say:
those of a few dozen images do not show what is rare."""

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class QuantizeSettings:
    """What is asked for.

    :param frames: images to calibrate with.
    :param evaluation_frames: other images of the same dataset, to measure on.
    :param seed: decides the first calibration image.
    :param max_loss: of what the reference has, the share that INT8 may lose: of AP50, of recall
        and of the recall of the classes that safety depends on; mixed precision, half of it.
    :param threads: of ONNX Runtime; 0 for automatic.
    :param strongly_typed: whether to make ``mixed_trt11`` too.
    """

    frames: int = 48
    evaluation_frames: int = 64
    seed: int = 0
    max_loss: float = 0.01
    threads: int = 0
    strongly_typed: bool = True


@dataclass(frozen=True)
class Candidate:
    """A quantized network and what was measured of it.

    :param name: ``int8``, ``mixed``, ``mixed_trt11``; or what it is compared as.
    :param method: how its scales were chosen.
    :param left_out: the layers that stay in floating point.
    :param accuracy: on the evaluation images.
    :param kept: of the reference's AP50 and recalls, the smallest share.
    :param noise: at its outputs, beside the reference's signal.
    :param model: the ``onnx.ModelProto``; None for what is only compared.
    """

    name: str
    method: str
    left_out: tuple[str, ...]
    accuracy: Accuracy
    kept: float
    noise: float
    model: Any = None


@dataclass(frozen=True)
class Quantization:
    """What came of it.

    :param calibration: what it was calibrated with.
    :param rejected: images of the dataset that could not be used, by reason.
    :param reference: the accuracy of the network of full precision.
    :param has_truth: whether accuracy is against the dataset's truth, or the reference's own
        detections.
    :param safety: the classes that safety depends on, from the card.
    :param layers: the layers' sensitivities.
    :param compared: every method with all layers in INT8, and ONNX Runtime's defaults.
    :param made: ``int8``, ``mixed`` and ``mixed_trt11``.
    :param notes: what a person should know.
    """

    calibration: CalibrationSet
    rejected: Mapping[str, int]
    reference: Accuracy
    has_truth: bool
    safety: tuple[str, ...]
    layers: tuple[Sensitivity, ...]
    compared: tuple[Candidate, ...]
    made: tuple[Candidate, ...]
    notes: tuple[str, ...]


def check_task(model: Model) -> None:
    """Check that a model can be quantized here.

    :raises ModelError: if what INT8 costs it cannot be measured.
    """
    if model.card.task != 'detection':
        raise ModelError(
            f'{model.card.source}: what quantization costs is measured by detections in images; '
            f'this is a {model.card.task} model, and what prepares its inputs does not exist yet'
        )


def quantize(
    model: Model,
    variant: VariantCard,
    dataset: Dataset,
    settings: QuantizeSettings,
    report: Report = lambda phase, done, total: None,
) -> Quantization:
    """Quantize a variant and measure every step; writes nothing.

    :param report: told what is done, how many steps of it, and of how many.
    :raises RecordingError: if there are too few images that can be used.
    :raises ModelError: if it is no model of detections, or the network cannot be quantized.
    :raises EngineBuildError: if no choice of layers keeps what is asked for.
    """
    check_task(model)
    with _quiet_runtime():
        return _Job(model, variant, dataset, settings, report).run()


class _Job:
    def __init__(
        self,
        model: Model,
        variant: VariantCard,
        dataset: Dataset,
        settings: QuantizeSettings,
        report: Report,
    ) -> None:
        self._model = model
        self._variant = variant
        self._dataset = dataset
        self._settings = settings
        self._report = report
        self._file = model.files[variant.name]
        self._safety = tuple(variant.validation.safety)
        self._notes: list[str] = []

    def run(self) -> Quantization:
        network = load_network(self._file)
        calibration, evaluated, rejected = self._images()
        card, threads = self._model.card, self._settings.threads
        feeds = feeds_of(self._file, card, self._variant, calibration.inputs)
        histograms = collect_histograms(network, feeds, threads, self._at('measuring ranges'))
        self._report('running the reference', 0, 1)
        self._judge = load_judge(self._dataset, evaluated, card, self._variant, self._file, threads)
        self._count_objects()
        compared = [
            self._measured('int8', method, network, scales_by(method, histograms))
            for method in METHODS
        ]
        best = min(compared, key=lambda candidate: candidate.noise)
        scales = scales_by(best.method, histograms)
        compared += self._defaults(feeds)
        few = feeds[:: max(1, len(feeds) // SENSITIVITY_FRAMES)][:SENSITIVITY_FRAMES]
        layers = measure_sensitivity(
            network, scales, few, threads, self._at('measuring layer by layer')
        )
        choose = _Choice(self, network, scales, best, layers, calibration.digest)
        loss = self._settings.max_loss
        int8 = choose('int8', loss, 0.0)
        mixed = choose('mixed', loss / 2, MIXED_RELIEF_DB)
        newest = self._settings.strongly_typed
        return Quantization(
            calibration,
            rejected,
            self._judge.reference,
            self._judge.has_truth,
            self._safety,
            tuple(layers),
            tuple(compared),
            (int8, mixed, *(self._for_newest(mixed, loss) if newest else ())),
            tuple(self._notes),
        )

    def measure(
        self, name: str, method: str, left_out: tuple[str, ...], model: Any, keep: bool = True
    ) -> Candidate:
        """Run a network on the evaluation images."""
        accuracy, noise = self._judge.measure(model, self._at(f'measuring {name}, {method}'))
        kept = accuracy.kept_of(self._judge.reference, self._safety)
        return Candidate(name, method, left_out, accuracy, kept, noise, model if keep else None)

    def _measured(
        self, name: str, method: str, network: Network, scales: Mapping[str, float]
    ) -> Candidate:
        everything = quantized(network, scales, [layer.name for layer in network.layers])
        return self.measure(name, method, (), everything, keep=False)

    def _images(self) -> tuple[CalibrationSet, list[int], Mapping[str, int]]:
        """Choose the images to calibrate with, and others to measure on."""
        card, settings = self._model.card, self._settings
        seen = survey(self._dataset, card, self._variant, self._at('looking at all images'))
        usable = len(seen.indices)
        if usable < 2 * MINIMUM_FRAMES:
            raise RecordingError(
                f'{self._dataset.path}: {usable} of its images can be used; calibration needs '
                f'{MINIMUM_FRAMES}, and as many others to measure on: record more'
            )
        count = min(settings.frames, usable - MINIMUM_FRAMES)
        if settings.frames > count:
            self._notes.append(
                f'{settings.frames} calibration images were asked for; {usable} can be used, of '
                f'which {count} were taken'
            )
        calibration = gather(self._dataset, card, self._variant, count, settings.seed, seen)
        rest = [index for index in seen.indices if index not in calibration.indices]
        places = np.linspace(0, len(rest) - 1, min(settings.evaluation_frames, len(rest)))
        return calibration, [rest[place] for place in places.astype(int)], seen.rejected

    def _count_objects(self) -> None:
        """Say so where there is too little to find for a missed object to show."""
        objects = sum(one.objects for one in self._judge.reference.classes)
        if objects < FEW_OBJECTS:
            self._notes.append(
                f'the images that were measured on hold {objects} objects, which proves little; '
                f'give a recording with at least {FEW_OBJECTS}, better hundreds'
            )

    def _defaults(self, feeds: list[dict[str, Any]]) -> list[Candidate]:
        try:
            self._report("ONNX Runtime's default quantization", 0, 1)
            made = default_quantization(self._file, feeds)
        except ModelError as error:
            self._notes.append(str(error))
            return []
        return [self.measure('onnxruntime', 'its defaults', (), made, keep=False)]

    def _for_newest(self, mixed: Candidate, loss: float) -> list[Candidate]:
        """Make the strongly typed twin of the mixed network, where that can be."""
        try:
            model = strongly_typed(mixed.model, self._file.name)
        except ModelError as error:
            self._notes.append(f'there is no variant for TensorRT 11: {error}')
            return []
        twin = self.measure('mixed_trt11', mixed.method, mixed.left_out, model)
        if not twin.kept >= 1.0 - loss:
            self._notes.append(
                f'there is no variant for TensorRT 11: in 16-bit floats the network keeps '
                f'{twin.kept:.2%} of the reference; activations may be too large for them'
            )
            return []
        return [twin]

    def _at(self, phase: str) -> Callable[[int, int], None]:
        return lambda done, total: self._report(phase, done, total)


class _Choice:
    """Finds the layers that stay in floating point: as few of a network's time as will do."""

    def __init__(
        self,
        job: _Job,
        network: Network,
        scales: Mapping[str, float],
        best: Candidate,
        layers: list[Sensitivity],
        digest: str,
    ) -> None:
        self._job = job
        self._network = network
        self._scales = scales
        self._best = best
        self._layers = layers
        self._metadata = {CALIBRATION_KEY: digest, METHOD_KEY: best.method}
        self._known: dict[tuple[str, ...], Candidate] = {}

    def __call__(self, name: str, loss: float, relief_db: float) -> Candidate:
        """Return the first candidate that keeps enough, asking for less and less noise.

        :raises EngineBuildError: if even the one with the least noise loses too much.
        """
        closest: Candidate | None = None
        while relief_db <= MOST_RELIEF_DB:
            candidate = self._candidate(name, relief_db)
            if candidate.kept >= 1.0 - loss:
                return candidate
            if closest is None or candidate.kept > closest.kept:
                closest = candidate
            relief_db += RELIEF_DB
        kept = closest.kept if closest else 0.0
        raise EngineBuildError(
            f'{self._network.path}: no choice of layers for {name} loses at most {loss:.2%} of the '
            f'AP50 or a recall of the reference; the closest keeps {kept:.2%}. Give more and more '
            'varied images, or a larger --max-loss; with few objects in the images one missed '
            'object counts much'
        )

    def _candidate(self, name: str, relief_db: float) -> Candidate:
        noise = [layer.noise for layer in self._layers]
        cost = [layer.cost for layer in self._layers]
        spared = cheapest_relief(noise, cost, sum(noise) * 10.0 ** (-relief_db / 10.0))
        left_out = tuple(self._layers[place].layer.name for place in spared)
        if left_out not in self._known:
            names = [n.layer.name for n in self._layers if n.layer.name not in set(left_out)]
            made = quantized(self._network, self._scales, names, self._metadata)
            self._known[left_out] = self._job.measure(name, self._best.method, left_out, made)
        return replace(self._known[left_out], name=name)


@contextmanager
def _quiet_runtime() -> Iterator[None]:
    """Keep ONNX Runtime from warning of every constant of a network that it runs once."""
    logger = logging.getLogger('jetson_infer.engines.onnxruntime')
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def known(value: float) -> float | None:
    """Return a number, or None for what is not known, which JSON has no number for."""
    return None if math.isnan(value) else value


def as_dict(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate's figures as what :mod:`json` writes."""
    return {
        'name': candidate.name,
        'calibration': candidate.method,
        'left_out': list(candidate.left_out),
        'ap50': known(candidate.accuracy.ap50),
        'recall': known(candidate.accuracy.recall()),
        'kept': candidate.kept,
        'snr_db': decibels(candidate.noise),
        'classes': {
            one.label: {'ap50': one.ap50, 'recall': one.recall, 'objects': one.objects}
            for one in candidate.accuracy.classes
            if one.objects
        },
    }
