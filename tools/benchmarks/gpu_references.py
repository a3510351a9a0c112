# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What gpu_figures.py holds TensorRT against, written where ONNX Runtime and the recording are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.evaluation import Evaluation, GroundTruth
from jetson_infer.core.images import CompressedView, wrap_compressed
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.models import load_model
from jetson_infer.engines.session import Session

LIMITS = DetectionLimits(0.01, 0.5, 100)
SEEDS = range(4)


@dataclass(frozen=True)
class References:
    """What a file holds.

    :param variant: the variant that it was made with.
    :param shape: of the network's input.
    :param outputs: float32, ONNX Runtime's outputs for :func:`network_input` of each seed.
    :param images: a recording's compressed images.
    :param truths: what is in each.
    :param ap50: what ONNX Runtime's FP32 detections reach on them.
    """

    variant: str
    shape: tuple[int, ...]
    outputs: np.ndarray
    images: list[CompressedView]
    truths: list[GroundTruth]
    ap50: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the largest image."""
        sizes = [cv2.imdecode(np.asarray(i.data), cv2.IMREAD_COLOR).shape for i in self.images]
        return max(width for _, width, _ in sizes), max(height for height, _, _ in sizes)


def network_input(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return patches and noise from 0 to 1, the same everywhere."""
    random = np.random.default_rng(seed)
    height, width = shape[2:]
    patches = random.random((1, 3, 8, 10), np.float32)
    rows, columns = np.arange(height) * 8 // height, np.arange(width) * 10 // width
    picture = patches[:, :, rows][:, :, :, columns]
    return (0.8 * picture + 0.2 * random.random(shape, np.float32)).astype(np.float32)


def average_precision(pipeline, references: References, labels: tuple[str, ...]) -> float:
    """Return the AP50 of a pipeline's detections on the recording."""
    evaluation = Evaluation(labels)
    pipeline.limits = LIMITS
    for image, truth in zip(references.images, references.truths):
        evaluation.add_frame(pipeline.process(image, StageClock(0)), truth)
    return float(evaluation.result(0.5).mean_average_precision)


def run_network(session: Session, references: References) -> np.ndarray:
    """Return a session's outputs for the inputs of the references."""
    (spec,), (output,) = session.inputs, session.outputs
    binding = session.bind({spec.name: references.shape})
    found = []
    for seed in SEEDS:
        binding.inputs[spec.name][...] = network_input(references.shape, seed)
        found.append(np.array(binding.run()[output.name][0]))
    return np.stack(found)


def relative_differences(found: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    """Compare boxes with boxes and scores with scores, each by the largest expected of its kind.

    Of both together, boxes of hundreds of pixels would hide any error of a score.

    :param found: float (..., 4 + classes, anchors), boxes in pixels first.
    """
    parts = {'boxes': np.s_[..., :4, :], 'scores': np.s_[..., 4:, :]}
    return {
        name: float(np.abs(found[part] - expected[part]).max() / np.abs(expected[part]).max())
        for name, part in parts.items()
    }


def write(path: Path, folder: Path, recording: str, frames: int) -> None:
    """Write a file; needs ONNX Runtime and what reads recordings."""
    from jetson_infer.pipeline.open_detection import open_detection
    from jetson_infer.toolchain.dataset import open_dataset, relabelled

    model = load_model(folder)
    variant = model.variant()
    blobs, boxes, ids, difficult = [], [], [], []
    with open_dataset(recording) as dataset:
        for sample in dataset.frames():
            if sample.truth is None or len(blobs) == frames:
                continue
            truth = relabelled(sample.truth, dataset.labels_of_truth, model.card.labels)
            blobs.append(np.asarray(sample.image.data))
            boxes.append(truth.boxes.reshape(-1, 4))
            ids.append(truth.class_ids)
            difficult.append(truth.difficult)
    shape = model.card.input.shape(variant.size)
    values = {
        'variant': np.array(variant.name),
        'shape': np.array(shape),
        'outputs': np.zeros((0, 0), np.float32),
        'codec': np.array(sample.image.codec),
        'bytes': np.concatenate(blobs),
        'sizes': np.array([len(blob) for blob in blobs]),
        'boxes': np.concatenate(boxes),
        'ids': np.concatenate(ids),
        'difficult': np.concatenate(difficult),
        'counts': np.array([len(each) for each in ids]),
        'ap50': np.array(0.0),
    }
    pipeline = open_detection(model, variant, engine='onnxruntime')
    np.savez(path, **values)
    found = read(path)
    values['ap50'] = np.array(average_precision(pipeline, found, model.card.labels))
    pipeline.close()
    from jetson_infer.engines.select import open_session

    with open_session(model, variant, 'onnxruntime').session as session:
        values['outputs'] = run_network(session, found)
    np.savez(path, **values)


def read(path: Path) -> References:
    """Read a file that :func:`write` wrote."""
    with np.load(path) as file:
        values = {name: file[name] for name in file.files}
    ends, places = np.cumsum(values['sizes']), np.cumsum(values['counts'])
    codec = str(values['codec'])
    images = [
        wrap_compressed(codec, values['bytes'][end - size : end].tobytes())
        for end, size in zip(ends, values['sizes'])
    ]
    truths = [
        GroundTruth(*(values[name][end - count : end] for name in ('boxes', 'ids', 'difficult')))
        for end, count in zip(places, values['counts'])
    ]
    return References(
        str(values['variant']),
        tuple(values['shape'].tolist()),
        values['outputs'],
        images,
        truths,
        float(values['ap50']),
    )
