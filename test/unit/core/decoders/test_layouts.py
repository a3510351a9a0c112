# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The layouts of the public exporters: from an ONNX file and a card alone to the same detections.

Each layout is written here from the same three objects, as its exporter documents it, into a real
ONNX network, which runs on ONNX Runtime.
"""

import numpy as np
import pytest

import networks
from jetson_infer.core.decoders import make_decoder
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.engines.inputs import match_inputs
from jetson_infer.engines.models import load_model
from jetson_infer.engines.select import open_session

pytest.importorskip('onnxruntime')

WIDTH, HEIGHT = 64, 48
LABELS = ['person', 'dog', 'chair']
BOXES = np.array([[4, 6, 20, 30], [30, 10, 50, 40], [5, 7, 21, 29]], np.float32)
SCORES = np.array([0.9, 0.6, 0.5], np.float32)  # the third overlaps the first, in another class
CLASSES = np.array([0, 2, 1])
WORSE = np.array([5, 6, 21, 30], np.float32)  # overlaps the first in its own class, scores less


def centres(boxes: np.ndarray) -> np.ndarray:
    return np.hstack(((boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]))


def one_hot(scores=SCORES, classes=CLASSES, count=3) -> np.ndarray:
    table = np.full((len(scores), count), 0.01, np.float32)
    table[np.arange(len(scores)), classes] = scores
    return table


def logits(scores: np.ndarray) -> np.ndarray:
    return np.log(scores / (1 - scores)).astype(np.float32)


def table(*columns: np.ndarray) -> np.ndarray:
    columns = [column if column.ndim == 2 else column[:, None] for column in columns]
    return np.hstack(columns).astype(np.float32)


FRACTIONS = centres(BOXES) / [WIDTH, HEIGHT, WIDTH, HEIGHT]
# With a fourth candidate that only suppression takes away.
MANY = np.vstack((BOXES, WORSE))
MANY_SCORES = one_hot(np.append(SCORES, 0.4).astype(np.float32), np.append(CLASSES, 0))
V8 = table(centres(MANY), MANY_SCORES)
V5 = table(centres(MANY), np.full(4, 0.95), MANY_SCORES / 0.95)
PADDING = np.zeros((5, 6), np.float32)
END = np.vstack((table(BOXES, SCORES, CLASSES), PADDING))
V7 = table(np.zeros(3), BOXES, CLASSES, SCORES)


def yolox_grids() -> np.ndarray:
    """Put the four candidates into cells of raw YOLOX grids at the strides 8, 16 and 32."""
    cells = [
        (column, row, stride)
        for stride in (8, 16, 32)
        for row in range(HEIGHT // stride)
        for column in range(WIDTH // stride)
    ]
    grid = np.zeros((len(cells), 5 + len(LABELS)), np.float32)
    for place, row in zip((3, 17, 50, 60), V5):
        column, line, stride = cells[place]
        x, y, width, height = row[:4]
        grid[place, :4] = (
            x / stride - column,
            y / stride - line,
            np.log(width / stride),
            np.log(height / stride),
        )
        grid[place, 4:] = row[4:]
    return grid


def layout(decoder, outputs, **more):
    settings = {key: value for key, value in more.items() if key not in ('extra', 'dynamic')}
    return (
        decoder,
        {name: np.ascontiguousarray(array) for name, array in outputs.items()},
        settings,
        more.get('extra'),
        more.get('dynamic', ()),
    )


RT_DETR = {
    'labels': CLASSES[None].astype(np.int64),
    'boxes': BOXES[None],
    'scores': SCORES[None],
}
EFFICIENT = {
    'num_dets': np.array([[3]], np.int32),
    'det_boxes': np.vstack((BOXES, BOXES))[None],
    'det_scores': np.hstack((SCORES, SCORES))[None],
    'det_classes': np.hstack((CLASSES, CLASSES))[None].astype(np.int32),
}
SOFTMAX = np.log(np.hstack((one_hot(), 1 - one_hot().sum(1, keepdims=True)))).astype(np.float32)

LAYOUTS = {
    'YOLOv8': layout('yolo', {'output0': V8.T[None]}),
    'YOLOv8, dynamic': layout('yolo', {'output0': V8.T[None]}, dynamic=['output0']),
    'YOLOv8, float16': layout('yolo', {'output0': V8.T[None].astype(np.float16)}),
    'YOLOv8, transposed': layout('yolo', {'output0': V8[None]}),
    'YOLOv8, segmentation': layout(
        'yolo',
        {
            'output0': np.hstack((V8, np.full((4, 32), 9.0, np.float32))).T[None],
            'output1': np.zeros((1, 32, 12, 16), np.float32),
        },
        extra_channels=32,
    ),
    'YOLOv8, logits': layout(
        'yolo',
        {'output0': table(centres(MANY), logits(MANY_SCORES)).T[None]},
        activation='sigmoid',
    ),
    'RT-DETR of the YOLO exporters': layout(
        'yolo', {'output0': table(FRACTIONS, one_hot())[None]}, normalized=True, nms=False
    ),
    'the same, read as DETR': layout('detr', {'output0': table(FRACTIONS, one_hot())[None]}),
    'YOLOv5': layout('yolo_objectness', {'output0': V5[None]}),
    'YOLOv5 with its feature maps': layout(
        'yolo_objectness',
        {'output': V5[None], '340': np.zeros((1, 3, 6, 8, 8), np.float32)},
    ),
    'YOLOX, decoded': layout('yolo_objectness', {'output': V5[None]}),
    'YOLOX, raw': layout('yolo_objectness', {'output': yolox_grids()[None]}, strides=[8, 16, 32]),
    'YOLOv10': layout('yolo_end_to_end', {'output0': END[None]}),
    'YOLOv10, dynamic': layout('yolo_end_to_end', {'output0': END[None]}, dynamic=['output0']),
    'YOLOv7, end to end': layout('yolo_end_to_end', {'output': V7}, dynamic=['output']),
    'any order of columns': layout(
        'yolo_end_to_end',
        {'output': table(CLASSES, BOXES / [WIDTH, HEIGHT, WIDTH, HEIGHT], np.ones(3), SCORES)},
        columns=['class', 'x_min', 'y_min', 'x_max', 'y_max', 'skip', 'score'],
        normalized=True,
    ),
    'RT-DETR of the YOLO exporters in 2026': layout(
        'yolo_end_to_end',
        {'output0': table(FRACTIONS, SCORES, CLASSES)[None]},
        columns=['x_centre', 'y_centre', 'width', 'height', 'score', 'class'],
        normalized=True,
    ),
    'EfficientNMS': layout('efficient_nms', EFFICIENT),
    'RT-DETR': layout('detr_postprocessed', RT_DETR, extra='orig_target_sizes'),
    'RT-DETR, dynamic': layout(
        'detr_postprocessed', RT_DETR, extra='orig_target_sizes', dynamic=list(RT_DETR)
    ),
    'RT-DETR with numbers of its own': layout(
        'detr_postprocessed', {**RT_DETR, 'labels': RT_DETR['labels'] + 7}, first_label=7
    ),
    'RF-DETR': layout(
        'detr',
        {
            'dets': FRACTIONS[None].astype(np.float32),
            'labels': logits(np.hstack((one_hot(), np.full((3, 1), 0.95))))[None],
        },
        background='last',
        boxes='dets',
        scores='labels',
    ),
    'RF-DETR, by category number': layout(
        'detr',
        {
            'dets': FRACTIONS[None].astype(np.float32),
            'labels': logits(np.hstack((np.full((3, 1), 0.95), one_hot())))[None],
        },
        background='first',
        scores='labels',
    ),
    'DETR of Hugging Face': layout(
        'detr',
        {
            'logits': SOFTMAX[None],
            'pred_boxes': FRACTIONS[None].astype(np.float32),
            'last_hidden_state': np.zeros((1, 3, 256), np.float32),
        },
        activation='softmax',
        boxes='pred_boxes',
        scores='logits',
    ),
    'DETR with corners in pixels': layout(
        'detr',
        {'b': BOXES[None], 's': one_hot()[None]},
        activation='none',
        box_format='xyxy',
        normalized=False,
    ),
}


def detect(folder, decoder, outputs, settings, extra=None, dynamic=(), limits=None):
    """Write network and card, load them, run once, decode."""
    inputs = {extra: ((1, 2), np.int64)} if extra else {}
    folder.mkdir()
    networks.emitting(folder / 'tiny.onnx', outputs, (1, 3, HEIGHT, WIDTH), dynamic, inputs)
    image = {'size': [WIDTH, HEIGHT]}
    if extra:
        image.update(name='image', extra={extra: 'input_size'})
    card = networks.card(
        labels=LABELS, input=image, output={'decoder': decoder, 'settings': settings}
    )
    model = load_model(networks.write_model(folder, card))
    variant = model.variant()
    with open_session(model, variant).session as session:
        reader = make_decoder(model.card.output, model.card.labels)
        reader.check(session.outputs, variant.size)
        wanted = match_inputs(session.inputs, model.card, variant)
        binding = session.bind(wanted.shapes)
        for name, constant in wanted.constants.items():
            binding.inputs[name][...] = constant
        return reader.decode(binding.run(), limits or DetectionLimits()), reader


@pytest.mark.parametrize('name', LAYOUTS)
def test_a_layout_runs_from_its_card(tmp_path, name):
    found, reader = detect(tmp_path / 'model', *LAYOUTS[name])
    tolerance = 0.05 if 'float16' in name else 1e-4
    np.testing.assert_allclose(found.boxes, BOXES, atol=tolerance)
    np.testing.assert_allclose(found.scores, SCORES, rtol=tolerance)
    np.testing.assert_array_equal(found.class_ids, CLASSES)
    assert not any(reader.dropped.values())


@pytest.mark.parametrize('name', LAYOUTS)
def test_limits_hold_in_every_layout(tmp_path, name):
    decoder, outputs, settings, extra, dynamic = LAYOUTS[name]

    def with_limits(folder, **limits):
        limits = DetectionLimits(**limits)
        return detect(tmp_path / folder, decoder, outputs, settings, extra, dynamic, limits)[0]

    assert with_limits('a', score_threshold=0.55).class_ids.tolist() == [0, 2]
    assert with_limits('b', class_ids=frozenset((1, 2))).class_ids.tolist() == [2, 1]
    assert with_limits('c', max_detections=1).class_ids.tolist() == [0]
    assert len(with_limits('d', score_threshold=1.0)) == 0


def test_suppression_uses_the_limit(tmp_path):
    for threshold, count in ((0.45, 3), (0.95, 4)):
        limits = DetectionLimits(iou_threshold=threshold)
        found, _ = detect(tmp_path / str(count), *LAYOUTS['YOLOv8'], limits=limits)
        assert len(found) == count
