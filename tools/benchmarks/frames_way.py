#!/usr/bin/env python3
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Compare the package's preprocessing and decoding with what people write by hand.

By hand is OpenCV and NumPy as in most examples: `cv2.resize`, `copyMakeBorder`, a transposed
float32 copy; and for YOLOv8's output a transpose, `argmax` over every candidate, and OpenCV's
non-maximum suppression.  Both run in turn, in one process; printed are medians, their ratio and n.

    PYTHONPATH=. python tools/benchmarks/frames_way.py --rounds 200
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np

from jetson_infer.core.card_parser import parse_card
from jetson_infer.core.decoders import make_decoder
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.images import wrap_image
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.pipeline.preprocess import Preprocessor

CLASSES = 80
LIMITS = DetectionLimits(0.25, 0.45, 300)


def card(width: int, height: int):
    """Return the card of a YOLOv8 network."""
    return parse_card(
        {
            'format': 1,
            'name': 'benchmark',
            'task': 'detection',
            'labels': [f'class {index}' for index in range(CLASSES)],
            'input': {'size': [width, height]},
            'output': {'decoder': 'yolo'},
            'variants': [{'name': 'only', 'onnx': 'only.onnx'}],
        },
        'benchmark',
    )


def prepare_by_hand(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the network's input as most examples make it."""
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = round(image.shape[1] * scale), round(image.shape[0] * scale)
    if inner != (image.shape[1], image.shape[0]):
        image = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    image = cv2.copyMakeBorder(
        image,
        top,
        height - inner[1] - top,
        left,
        width - inner[0] - left,
        cv2.BORDER_CONSTANT,
        value=(114, 114, 114),
    )
    planes = cv2.cvtColor(image, cv2.COLOR_BGR2RGB).transpose(2, 0, 1)[None]
    return np.ascontiguousarray(planes, np.float32) / 255.0


def decode_by_hand(output: np.ndarray) -> np.ndarray:
    """Return boxes as most examples decode them."""
    rows = output[0].T
    scores = rows[:, 4:].max(axis=1)
    classes = rows[:, 4:].argmax(axis=1)
    kept = scores > LIMITS.score_threshold
    boxes = rows[kept, :4].copy()
    boxes[:, :2] -= boxes[:, 2:] / 2
    picked = cv2.dnn.NMSBoxesBatched(
        boxes.tolist(),
        scores[kept].tolist(),
        classes[kept].tolist(),
        LIMITS.score_threshold,
        LIMITS.iou_threshold,
    )
    return boxes[picked]


def yolo_output(objects: int, size: int = 640) -> np.ndarray:
    """Return ``(1, 84, 8400)`` with some candidates around each of some objects."""
    rng = np.random.default_rng(0)
    output = np.zeros((1, 4 + CLASSES, 8400), np.float32)
    output[0, 4:] = rng.uniform(0, 0.05, (CLASSES, 8400))
    output[0, :4] = rng.uniform(20, size - 20, (4, 8400))
    for place in rng.choice(8400 - 8, objects, replace=False):
        output[0, :4, place : place + 8] = output[0, :4, place : place + 1] + rng.normal(
            0, 1, (4, 8)
        )
        output[0, 4 + rng.integers(CLASSES), place : place + 8] = rng.uniform(0.3, 0.95, 8)
    return output


def compare(name: str, ours: Callable[[], object], by_hand: Callable[[], object], n: int) -> None:
    """Run both in turn and print their medians and ratio."""
    times: tuple[list[int], list[int]] = ([], [])
    for round_number in range(n + 5):
        for series, work in zip(times, (ours, by_hand)):
            began = time.perf_counter_ns()
            work()
            if round_number >= 5:
                series.append(time.perf_counter_ns() - began)
    own, hand = (float(np.median(series)) / 1e6 for series in times)
    print(f'{name:42} {own:8.3f} ms {hand:8.3f} ms   ratio {own / hand:.2f}   n {n}')


def main() -> None:
    """Run every comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--rounds', type=int, default=200, help='measurements of each (200)')
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    print(f'{"":42} {"ours":>8}    {"by hand":>8}')
    rng = np.random.default_rng(0)
    for source, network in (
        ((640, 480), (640, 480)),
        ((1920, 1080), (640, 640)),
        ((3840, 2160), (640, 640)),
    ):
        pixels = rng.integers(0, 256, (source[1], source[0], 3), np.uint8)
        view = wrap_image('bgr8', *source, 3 * source[0], False, pixels)
        model = card(*network)
        preprocessor = Preprocessor(model.input, network)
        out = np.zeros((1, 3, network[1], network[0]), np.float32)
        name = f'prepare {source[0]}x{source[1]} to {network[0]}x{network[1]}'
        compare(
            name,
            lambda p=preprocessor, v=view, o=out: p.prepare(v, o),
            lambda x=pixels, n=network: prepare_by_hand(x, *n),
            rounds,
        )
    for objects in (10, 40):
        output = yolo_output(objects)
        model = card(640, 640)
        decoder = make_decoder(model.output, model.labels)
        decoder.check((TensorSpec('output0', np.dtype('float32'), output.shape),), (640, 640))
        compare(
            f'decode 1x84x8400, {objects} objects',
            lambda d=decoder, o=output: d.decode({'output0': o}, LIMITS),
            lambda o=output: decode_by_hand(o),
            rounds,
        )


if __name__ == '__main__':
    main()
