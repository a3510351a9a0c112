# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The brightness model with an INT8 variant whose quantizers are written by hand, and a ruined one.

Two 1x1 convolutions that change nothing stand before the means.  In the INT8 file their weights and
the activations before them are quantized, symmetrically; in the ruined one the scale of one layer's
weights is 16 times what it was, as a broken calibration leaves it.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

from brightness_model import BOXES, HEIGHT, LABELS, WIDTH, brightness_network

LAYERS = 2
RUIN = 16.0


def quantized_network(ruined_layer: int | None = None):
    """Return the INT8 network.

    :param ruined_layer: the layer whose weights' scale is wrong, from 0; None for none.
    """
    plain = brightness_network()
    nodes, constants = (
        [],
        {
            'activation_scale': np.float32(1 / 127),
            'activation_zero': np.int8(0),
        },
    )
    before = 'images'
    for layer in range(LAYERS):
        scale = np.full(3, 1 / 127, np.float32) * (RUIN if layer == ruined_layer else 1.0)
        constants[f'weights{layer}'] = (127 * np.eye(3)).astype(np.int8).reshape(3, 3, 1, 1)
        constants[f'scale{layer}'] = scale.astype(np.float32)
        constants[f'zero{layer}'] = np.zeros(3, np.int8)
        quantizer = ['activation_scale', 'activation_zero']
        nodes += [
            helper.make_node('QuantizeLinear', [before, *quantizer], [f'q{layer}']),
            helper.make_node('DequantizeLinear', [f'q{layer}', *quantizer], [f'dq{layer}']),
            helper.make_node(
                'DequantizeLinear',
                [f'weights{layer}', f'scale{layer}', f'zero{layer}'],
                [f'w{layer}'],
                axis=0,
            ),
            helper.make_node('Conv', [f'dq{layer}', f'w{layer}'], [f'x{layer}']),
        ]
        before = f'x{layer}'
    rest = list(plain.graph.node)
    rest[0].input[0] = before
    tensors = [
        numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    ]
    graph = helper.make_graph(
        [*nodes, *rest],
        'quantized_brightness',
        [helper.make_tensor_value_info('images', TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])],
        [helper.make_tensor_value_info('output0', TensorProto.FLOAT, [1, 7, 3])],
        [*plain.graph.initializer, *tensors],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def write_quantized_model(folder: Path, validation: dict | None = None, **changes) -> Path:
    """Write the model: ``fp32``, ``int8``, and ``ruined``, whose first layer is.

    :param validation: the card's section.
    :param changes: replace the card's other top-level keys.
    """
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(brightness_network(), folder / 'fp32.onnx')
    onnx.save(quantized_network(), folder / 'int8.onnx')
    onnx.save(quantized_network(ruined_layer=0), folder / 'ruined.onnx')
    card = {
        'format': 1,
        'name': 'quantized',
        'task': 'detection',
        'labels': list(LABELS),
        'input': {'size': [WIDTH, HEIGHT]},
        'output': {'decoder': 'yolo', 'defaults': {'score_threshold': 0.4, 'iou_threshold': 0.5}},
        'validation': {'safety_classes': ['red'], 'min_objects': 5} | (validation or {}),
        'variants': [
            {'name': 'fp32', 'onnx': 'fp32.onnx'},
            {'name': 'int8', 'onnx': 'int8.onnx', 'precision': 'int8'},
            {'name': 'ruined', 'onnx': 'ruined.onnx', 'precision': 'int8'},
        ],
        **changes,
    }
    (folder / 'model.yaml').write_text(yaml.safe_dump(card))
    return folder


def coloured_images(count: int = 30) -> list[np.ndarray]:
    """Return BGR pictures: each channel of a picture is either bright or dark, from a seed.

    Every brightness is far from the card's threshold, 0.4, and from any other picture's.
    """
    random = np.random.default_rng(5)
    levels = np.where(random.random((count, 3)) < 0.5, 30, 190) + random.integers(0, 40, (count, 3))
    return [np.full((HEIGHT, WIDTH, 3), level[::-1], np.uint8) for level in levels]


def write_images(folder: Path, count: int = 30) -> Path:
    """Write the pictures as PNG files and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(coloured_images(count)):
        cv2.imwrite(str(folder / f'{number:03}.png'), picture)
    return folder


def true_objects(picture: np.ndarray) -> list[tuple[str, float, list[float]]]:
    """Return what the network should find in a picture, as a recording's truth has it."""
    centres, sizes = BOXES[:, :2], BOXES[:, 2:]
    corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    bright = picture[0, 0, ::-1] > 100
    return [
        (label, 1.0, box.tolist()) for label, box, there in zip(LABELS, corners, bright) if there
    ]
