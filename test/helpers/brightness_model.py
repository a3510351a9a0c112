# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A model whose output is known beforehand, for tests of everything around it.

The network has one box a class, always at the same place.  The score of class 0, 1 and 2 is the
mean of the red, green and blue channel of the image, 0 to 1.  So a test that paints an image knows
what has to be detected, and a mistaken colour order, scale or frame shows.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH, HEIGHT = 64, 48
LABELS = ('red', 'green', 'blue')
BOXES = np.array([[16, 12, 8, 6], [32, 24, 16, 12], [48, 36, 8, 6]], np.float32)
"""Centre x, centre y, width and height of each class's box, in pixels of the network's input."""

CARD = """\
format: 1
name: {name}
task: detection
description: A network whose output is known beforehand.
license: Apache-2.0
labels: [red, green, blue]
input:
  size: [{width}, {height}]
  colour: rgb
  resize: letterbox
  scale: 1/255
output:
  decoder: yolo
  defaults: {{score_threshold: 0.4, iou_threshold: 0.5, max_detections: 10}}
variants:
  - {{name: best, onnx: network.onnx, precision: fp32}}
  - {{name: second, onnx: network.onnx, precision: fp32}}
"""


def brightness_network(layers: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)):
    """Return the network: images (1, 3, 48, 64) to output0 (1, 4 + 3, 3).

    :param layers: so many passes over the image that change nothing but take their time.
    :param size: width and height of the input.
    """
    width, height = size
    boxes = numpy_helper.from_array(BOXES.T[np.newaxis].copy(), 'boxes')
    eye = numpy_helper.from_array(np.eye(3, dtype=np.float32), 'eye')
    shape = numpy_helper.from_array(np.array([1, 1, 3], np.int64), 'row')
    nodes = [
        helper.make_node('ReduceMean', ['images'], ['means'], axes=[2, 3], keepdims=0),
        helper.make_node('Reshape', ['means', 'row'], ['column']),
        helper.make_node('Mul', ['column', 'eye'], ['scores']),
        helper.make_node('Concat', ['boxes', 'scores'], ['output0'], axis=1),
    ]
    constants = [boxes, eye, shape]
    if layers:
        nodes, constants = _slowed(nodes, constants, layers)
    graph = helper.make_graph(
        nodes,
        'brightness',
        [helper.make_tensor_value_info('images', TensorProto.FLOAT, [1, 3, height, width])],
        [helper.make_tensor_value_info('output0', TensorProto.FLOAT, [1, 7, 3])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def _slowed(nodes, constants, layers: int):
    """Put average pooling over the image, again and again, before what reads it.

    Pooling keeps the mean of an image of one colour.
    """
    slow = [
        helper.make_node(
            'AveragePool',
            [f'pooled{n}' if n else 'images'],
            [f'pooled{n + 1}'],
            kernel_shape=[3, 3],
            pads=[1, 1, 1, 1],
        )
        for n in range(layers)
    ]
    nodes[0].input[0] = f'pooled{layers}'
    return [*slow, *nodes], constants


def write_brightness_model(
    folder: Path,
    name: str = 'brightness',
    layers: int = 0,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> Path:
    """Write the model's folder and return it; the parameters are those of the network."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(brightness_network(layers, size), folder / 'network.onnx')
    text = CARD.format(name=name, width=size[0], height=size[1])
    (folder / 'model.yaml').write_text(text)
    return folder
