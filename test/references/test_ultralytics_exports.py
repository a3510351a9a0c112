# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Real exports with random weights: our way from image to boxes against the exporter's own.

``make test-references`` runs these with a Python that has Ultralytics.  It is AGPL-3.0 and no
dependency of this package; make tells how to set such a Python up.
"""

import time

import numpy as np
import pytest
import yaml

pytest.importorskip('ultralytics', reason='needs ultralytics: run `make test-references`')

import random_networks
import torch
from ultralytics import RTDETR, YOLO

from jetson_infer.core.decoders import make_decoder
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.images import wrap_image
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.models import load_model
from jetson_infer.engines.select import open_session
from jetson_infer.pipeline.open_detection import open_detection

SIZE = (640, 480)
SQUARE = (640, 640)
CENTRED = ['x_centre', 'y_centre', 'width', 'height', 'score', 'class']
END_TO_END = {'nms': False}  # the exporter's way to ask for the head that needs no suppression
NETWORKS = {
    'yolov8n': ('yolov8n', {}, SIZE, 'yolo', {}, 'letterbox'),
    'yolov8n with NMS': ('yolov8n', {'nms': True}, SIZE, 'yolo_end_to_end', {}, 'letterbox'),
    'yolov8n, dynamic': ('yolov8n', {'dynamic': True}, SIZE, 'yolo', {}, 'letterbox'),
    'yolo11n': ('yolo11n', {}, SIZE, 'yolo', {}, 'letterbox'),
    'yolov10n': ('yolov10n', END_TO_END, SIZE, 'yolo_end_to_end', {}, 'letterbox'),
    'yolo26n': ('yolo26n', END_TO_END, SIZE, 'yolo_end_to_end', {}, 'letterbox'),
    'rtdetr-l': (
        'rtdetr-l',
        {},
        SQUARE,
        'yolo_end_to_end',
        {'columns': CENTRED, 'normalized': True},
        'stretch',
    ),
}
# The exporter moves classes apart by up to 600 000 pixels in float32, which keeps a sixteenth of a
# pixel: a box whose overlap is at the threshold may fall to either side.
BORDERLINE = 0.01
# RT-DETR keeps the best 300 of thousands of places, so that the last bit of a score decides which.
BORDERLINE_QUERIES = 0.15
LIMITS = DetectionLimits(score_threshold=0.05, iou_threshold=0.45, max_detections=300)


@pytest.fixture(scope='module', params=NETWORKS)
def exported(request, tmp_path_factory):
    """An exported network: its ONNX file, its card, and how to read it."""
    kind, options, size, decoder, settings, resize = NETWORKS[request.param]
    folder = tmp_path_factory.mktemp('exported')
    if options.get('nms'):
        options = {**options, 'conf': 0.05, 'iou': 0.45, 'max_det': 300}
    file = random_networks.export(kind, folder, size, **options)
    card = {
        'format': 1,
        'name': 'exported',
        'task': 'detection',
        'labels': [f'class {index}' for index in range(80)],
        'input': {'name': 'images', 'size': list(size), 'resize': resize},
        'output': {'decoder': decoder, 'settings': settings},
        'variants': [{'name': 'fp32', 'onnx': file.name}],
    }
    (folder / 'model.yaml').write_text(yaml.safe_dump(card), encoding='utf-8')
    return file, kind


def ours(file, image: np.ndarray) -> Detections:
    """Detect with the package's own pipeline."""
    model = load_model(file.parent)
    pipeline = open_detection(model, model.variant(), engine='onnxruntime', threads=1)
    height, width = image.shape[:2]
    view = wrap_image('bgr8', width, height, width * 3, False, image.tobytes())
    pipeline.limits = LIMITS
    try:
        found = pipeline.process(view, StageClock(time.monotonic_ns()))
        return with_area(found.boxes, found.scores, found.class_ids)
    finally:
        pipeline.close()


def theirs(file, kind: str, image: np.ndarray, size) -> Detections:
    """Detect with the exporter's own predictor."""
    model = RTDETR(str(file)) if kind.startswith('rtdetr') else YOLO(str(file), task='detect')
    width, height = size
    boxes = model.predict(
        image,
        imgsz=(height, width),
        rect=False,
        conf=LIMITS.score_threshold,
        iou=LIMITS.iou_threshold,
        max_det=LIMITS.max_detections,
        verbose=False,
        device='cpu',
    )[0].boxes
    return with_area(
        boxes.xyxy.numpy().astype(np.float32),
        boxes.conf.numpy().astype(np.float32),
        boxes.cls.numpy().astype(np.int32),
    )


def with_area(boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray) -> Detections:
    """Keep boxes that cover something: a network without training may answer with boxes that are
    inside out, which we drop, or that lie in the padding, of which clipping leaves a line."""
    rows = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    return Detections(boxes[rows], scores[rows], class_ids[rows])


def compare(found: Detections, expected: Detections) -> tuple[int, float, float]:
    """Pair every expected detection with the one of its class whose box and score are nearest.

    :return: how many have no pair within a pixel and a hundredth, and over the pairs the largest
        difference of a coordinate in pixels and of a score.
    """
    pixels = np.abs(expected.boxes[:, None] - found.boxes[None]).max(axis=2)
    scores = np.abs(expected.scores[:, None] - found.scores[None])
    apart = np.maximum(pixels, scores * 100)
    apart[expected.class_ids[:, None] != found.class_ids[None]] = np.inf
    rows, best = np.arange(len(expected)), apart.argmin(axis=1)
    paired = apart[rows, best] < 1
    missing = int(np.count_nonzero(~paired))
    return missing, pixels[rows, best][paired].max(), scores[rows, best][paired].max()


@pytest.mark.parametrize('image_size', [(640, 480), (1280, 720), (480, 640), (320, 200)], ids=str)
def test_boxes_agree_with_the_exporters_own(exported, image_size, record_property):
    file, kind = exported
    size = SQUARE if kind.startswith('rtdetr') else SIZE
    image = random_networks.picture(*image_size, seed=3)
    found, expected = ours(file, image), theirs(file, kind, image, size)
    assert len(expected) >= 10, 'too few to tell'
    missing, pixels, scores = compare(found, expected)
    figures = (
        f'{kind} {image_size}: {len(expected)} theirs, {len(found)} ours, {missing} without a '
        f'pair, coordinates within {pixels:.4f} px, scores within {scores:.2e}'
    )
    print(figures)
    record_property('figures', figures)
    share = BORDERLINE_QUERIES if kind.startswith('rtdetr') else BORDERLINE
    apart = max(missing, abs(len(found) - len(expected)))
    assert apart <= max(1, share * len(expected))
    assert pixels < 0.5
    assert scores < (1e-2 if kind.startswith('rtdetr') else 1e-3)


def postprocessed(output: torch.Tensor, kind: str, size, score: float, iou: float) -> Detections:
    """Put a network's raw output through the exporter's own post-processing."""
    from ultralytics.utils.nms import non_max_suppression
    from ultralytics.utils.ops import xywh2xyxy

    if kind.startswith('rtdetr'):
        rows = output[0][output[0, :, 4] > score]
        rows[:, :4] = xywh2xyxy(rows[:, :4]) * torch.tensor(size * 2)
    else:
        rows = non_max_suppression(output, score, iou, max_det=1000)[0]
    rows = rows.numpy()
    return with_area(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int32))


def test_the_decoder_agrees_on_the_very_same_output(exported):
    """The raw output through both post-processings, so that nothing else can differ."""
    file, kind = exported
    model = load_model(file.parent)
    card, size = model.card, model.variant().size
    image = random_networks.picture(*size, seed=3)
    with open_session(model, model.variant()).session as session:
        binding = session.bind({'images': card.input.shape(size)})
        binding.inputs['images'][0] = image[..., ::-1].transpose(2, 0, 1) / 255
        output = binding.run()['output0'].copy()
    decoder = make_decoder(card.output, card.labels)
    decoder.check((TensorSpec('output0', output.dtype, output.shape),), size)
    for score, iou in ((0.05, 0.45), (0.25, 0.45), (0.25, 0.7), (0.5, 0.2)):
        found = decoder.decode({'output0': output}, DetectionLimits(score, iou, 1000))
        expected = postprocessed(torch.from_numpy(output), kind, size, score, iou)
        missing, pixels, scores = compare(found, expected)
        print(
            f'{kind} at {score}, {iou}: {len(expected)} theirs, {len(found)} ours, '
            f'{missing} without a pair, within {pixels:.4f} px, {scores:.1e}'
        )
        assert max(missing, abs(len(found) - len(expected))) <= max(1, BORDERLINE * len(expected))
        assert pixels < 1e-3
        assert scores < 1e-6
