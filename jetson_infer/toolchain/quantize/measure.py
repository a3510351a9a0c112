# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How far a quantized network is from the one it was made of: at its outputs, and in detections."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.cards import ModelCard, VariantCard
from jetson_infer.core.decoders import make_decoder
from jetson_infer.core.detections import Detections
from jetson_infer.core.evaluation import Evaluation, GroundTruth
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.core.validation import truth_from_reference
from jetson_infer.dependencies import require
from jetson_infer.engines.inputs import match_inputs
from jetson_infer.engines.onnxruntime.session import OnnxRuntimeSession
from jetson_infer.errors import FrameRejected, RecordingError
from jetson_infer.pipeline.detection import in_image
from jetson_infer.pipeline.preprocess import Preprocessor
from jetson_infer.toolchain.dataset import Dataset, relabelled
from jetson_infer.toolchain.quantize.graph import PURPOSE

__all__ = [
    'Accuracy',
    'ClassScore',
    'Judge',
    'Outputs',
    'feeds_of',
    'load_judge',
    'noise_to_signal',
    'run_network',
]

CURVE_SCORE = 0.01
"""From this score on detections count for average precision."""

Feed = Mapping[str, npt.NDArray[Any]]
Outputs = Sequence[Mapping[str, npt.NDArray[Any]]]
Progress = Callable[[int, int], None]


def _ignore(done: int, total: int) -> None:
    del done, total


def feeds_of(
    file: Path, card: ModelCard, variant: VariantCard, inputs: npt.NDArray[Any]
) -> list[dict[str, npt.NDArray[Any]]]:
    """Return what a network is fed, one mapping an image.

    :param inputs: images as the network takes them, ``(N, ...)``.
    :raises CardError: if the file's inputs do not fit the card.
    """
    with OnnxRuntimeSession(file, 1) as session:
        wanted = match_inputs(session.inputs, card, variant)
    return [{wanted.image: image[np.newaxis], **wanted.constants} for image in inputs]


def run_network(
    model: Any, feeds: Sequence[Feed], threads: int = 0, progress: Progress = _ignore
) -> list[dict[str, npt.NDArray[Any]]]:
    """Run a model on inputs, and return copies of its outputs.

    :param model: an ``onnx.ModelProto``, or a file's path.
    :raises SessionError: if ONNX Runtime cannot run it.
    """
    found = []
    with tempfile.TemporaryDirectory(prefix='jetson_infer_') as folder:
        if isinstance(model, Path):
            file = model
        else:
            file = Path(folder, 'network.onnx')
            require('onnx', PURPOSE).save(model, str(file))
        with OnnxRuntimeSession(file, threads) as session:
            binding = session.bind({name: array.shape for name, array in feeds[0].items()})
            for number, feed in enumerate(feeds):
                for name, array in feed.items():
                    binding.inputs[name][...] = array
                found.append({name: array.copy() for name, array in binding.run().items()})
                progress(number + 1, len(feeds))
    return found


def noise_to_signal(reference: Outputs, outputs: Outputs) -> float:
    """Return how large the error is beside what varies in the reference; 0 for no error.

    The outputs' longest axis and the images are samples, the other axes channels.  The squared
    error of a channel is divided by the channel's own variance, so that boxes in pixels and scores
    below 1 count alike, and averaged over the channels and outputs.  ``-10 log10`` of it is the
    signal-to-noise ratio in dB.
    """
    ratios = []
    for name, first in reference[0].items():
        if not np.issubdtype(first.dtype, np.floating):
            continue
        axis = int(np.argmax(first.shape)) if first.ndim else 0
        expected = _channels([outputs_of[name] for outputs_of in reference], axis)
        actual = _channels([outputs_of[name] for outputs_of in outputs], axis)
        error = np.square(actual - expected).mean(axis=0)
        variance = expected.var(axis=0)
        # What does not vary tells nothing unless it is wrong.
        safe = np.where(variance > 0, variance, 1.0)
        ratios.append(float((error / safe).mean()))
    return float(np.mean(ratios)) if ratios else 0.0


def _channels(arrays: Sequence[npt.NDArray[Any]], axis: int) -> npt.NDArray[np.float64]:
    """Return ``(samples, channels)`` of outputs that may differ in length along the axis."""
    moved = [np.moveaxis(np.atleast_1d(a), axis, 0) for a in arrays]
    return np.concatenate([m.reshape(m.shape[0], -1) for m in moved]).astype(np.float64)


@dataclass(frozen=True)
class ClassScore:
    """One class.

    :param ap50: average precision at an overlap of 0.5; NaN without objects.
    :param recall: the share of objects found at the working score; NaN without objects.
    :param objects: how many there are that are not difficult.
    """

    label: str
    ap50: float
    recall: float
    objects: int


@dataclass(frozen=True)
class Accuracy:
    """How well a network detects.

    :param classes: one a label.
    :param frames: of how many images.
    """

    classes: tuple[ClassScore, ...]
    frames: int

    @property
    def ap50(self) -> float:
        """The mean over the classes that have objects."""
        known = [c.ap50 for c in self.classes if c.objects]
        return float(np.mean(known)) if known else math.nan

    def recall(self, labels: Collection[str] = ()) -> float:
        """Return the share of objects found at the working score.

        :param labels: the classes that count; all unless given.
        """
        counted = [c for c in self.classes if c.objects and (not labels or c.label in labels)]
        objects = sum(c.objects for c in counted)
        return sum(c.recall * c.objects for c in counted) / objects if objects else math.nan

    def kept_of(self, reference: Accuracy, labels: Collection[str] = ()) -> float:
        """Return what is kept of a reference: the worse of the ratios of AP50 and of recall."""
        ratios = [_ratio(self.ap50, reference.ap50), _ratio(self.recall(), reference.recall())]
        if labels:
            ratios.append(_ratio(self.recall(labels), reference.recall(labels)))
        return min(ratios)


def _ratio(value: float, reference: float) -> float:
    if math.isnan(value) or math.isnan(reference) or reference == 0.0:
        return 1.0
    return value / reference


class Judge:
    """Images with their truths, on which networks are compared.

    :param card: the model's card.
    :param variant: the variant that is the reference.
    :param file: its file.
    :param inputs: the images as the network takes them, ``(N, ...)``.
    :param letterboxes: each image's geometry.
    :param truths: what is in them, classes as in the card; None for what the reference finds.
    """

    def __init__(
        self,
        card: ModelCard,
        variant: VariantCard,
        file: Path,
        inputs: npt.NDArray[Any],
        letterboxes: Sequence[Letterbox],
        truths: Sequence[GroundTruth] | None,
        threads: int = 0,
    ) -> None:
        self._card = card
        self._letterboxes = letterboxes
        self._threads = threads
        self._decoder = make_decoder(card.output, card.labels)
        with OnnxRuntimeSession(file, 1) as session:
            self._decoder.check(session.outputs, variant.size)
        self._limits = replace(card.output.defaults, score_threshold=CURVE_SCORE)
        self.feeds = feeds_of(file, card, variant, inputs)
        self.reference_outputs = run_network(file, self.feeds, threads)
        self.has_truth = truths is not None
        found = self.detections(self.reference_outputs)
        self.truths = (
            truths
            if truths is not None
            else [truth_from_reference(one, card.output.defaults.score_threshold) for one in found]
        )
        self.reference = self.accuracy(self.reference_outputs)

    def detections(self, outputs: Outputs) -> list[Detections]:
        """Decode outputs to boxes in the images' own pixels."""
        return [
            in_image(self._decoder.decode(one, self._limits), letterbox)
            for one, letterbox in zip(outputs, self._letterboxes)
        ]

    def accuracy(self, outputs: Outputs) -> Accuracy:
        """Evaluate the outputs for all images."""
        evaluation = Evaluation(self._card.labels)
        for found, truth in zip(self.detections(outputs), self.truths):
            evaluation.add_frame(found, truth)
        working = np.float32(self._card.output.defaults.score_threshold)
        scores = []
        for one in evaluation.result(0.5).classes:
            shown = int(np.count_nonzero(one.scores >= working))
            recall = (float(one.recall[shown - 1]) if shown else 0.0) if one.objects else math.nan
            scores.append(ClassScore(one.label, one.average_precision, recall, one.objects))
        return Accuracy(tuple(scores), len(self.truths))

    def measure(self, model: Any, progress: Progress = _ignore) -> tuple[Accuracy, float]:
        """Run a model on all images.

        :return: its accuracy, and its noise beside the reference; see :func:`noise_to_signal`.
        """
        outputs = run_network(model, self.feeds, self._threads, progress)
        return self.accuracy(outputs), noise_to_signal(self.reference_outputs, outputs)


def load_judge(
    dataset: Dataset,
    indices: Collection[int],
    card: ModelCard,
    variant: VariantCard,
    file: Path,
    threads: int = 0,
) -> Judge:
    """Prepare images of a dataset to compare networks on.

    :param indices: the images' places in the dataset.
    :raises RecordingError: if none of them can be used.
    """
    preprocessor = Preprocessor(card.input, variant.size)
    array = np.zeros(card.input.shape(variant.size), card.input.dtype)
    inputs, letterboxes, truths = [], [], []
    for sample in dataset.frames(indices):
        if dataset.has_truth and sample.truth is None:
            continue
        try:
            letterboxes.append(preprocessor.prepare(sample.image, array))
        except FrameRejected:
            continue  # counted when the dataset was surveyed
        inputs.append(array[0].copy())
        if sample.truth is not None:
            truths.append(relabelled(sample.truth, dataset.labels_of_truth, card.labels))
    if not inputs:
        raise RecordingError(f'{dataset.path}: there are no images left to compare networks on')
    known = truths if len(truths) == len(inputs) else None
    return Judge(card, variant, file, np.stack(inputs), letterboxes, known, threads)
