# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Small networks that can be quantized, and a detector among them whose answer is known.

The detector is that of ``brightness_model`` with two convolutions and a residual addition in front
that leave the image as it is: the score of class 0, 1 and 2 is the mean of red, green and blue.
"""

from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import helper

from brightness_model import BOXES, HEIGHT, LABELS, WIDTH
from networks import save, tensor

CARD = """\
# a comment that stays
format: 1
name: {name}
task: detection
description: A network whose output is known beforehand.
license: Apache-2.0
labels: [red, green, blue]
input: {{size: [{width}, {height}], colour: rgb, resize: stretch, scale: 1/255}}
output:
  decoder: yolo
  defaults: {{score_threshold: 0.4, iou_threshold: 0.5, max_detections: 10}}
variants:
  - {{name: fp32, onnx: network.onnx, precision: fp32}}  # the reference
  # and nothing else
"""


def detector(path: Path) -> Path:
    """Write the detector, ``(1, 3, 48, 64)`` to ``(1, 4 + 3, 3)``."""
    eye = np.eye(3, dtype=np.float32)
    nodes = [
        helper.make_node('Conv', ['images', 'w0'], ['x0'], 'first'),
        helper.make_node('Relu', ['x0'], ['x1'], 'relu'),
        helper.make_node('Conv', ['x1', 'w1', 'b1'], ['x2'], 'second'),
        helper.make_node('Add', ['x1', 'x2'], ['x3'], 'residual'),
        helper.make_node('ReduceMean', ['x3'], ['means'], 'mean', axes=[2, 3], keepdims=0),
        helper.make_node('Reshape', ['means', 'row'], ['column'], 'reshape'),
        helper.make_node('Mul', ['column', 'eye'], ['scores'], 'spread'),
        helper.make_node('Concat', ['boxes', 'scores'], ['output0'], 'join', axis=1),
    ]
    constants = {
        'w0': (eye * 0.5)[:, :, np.newaxis, np.newaxis],
        'w1': eye[:, :, np.newaxis, np.newaxis],
        'b1': np.zeros(3, np.float32),
        'row': np.array([1, 1, 3], np.int64),
        'eye': eye,
        'boxes': BOXES.T[np.newaxis].copy(),
    }
    return save(
        path,
        nodes,
        [tensor('images', (1, 3, HEIGHT, WIDTH))],
        [tensor('output0', (1, 4 + len(LABELS), 3))],
        constants,
    )


def write_detector(folder: Path, name: str = 'known') -> Path:
    """Write a model folder with the detector."""
    folder.mkdir(parents=True, exist_ok=True)
    detector(folder / 'network.onnx')
    (folder / 'model.yaml').write_text(CARD.format(name=name, width=WIDTH, height=HEIGHT))
    return folder


def paint(folder: Path, count: int, seed: int = 0) -> Path:
    """Write images of different brightness, colour and noise."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for number in range(count):
        colour = random.integers(0, 256, 3)
        noise = random.normal(0, 12, (HEIGHT, WIDTH, 3))
        image = np.clip(colour + noise, 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f'{number:03d}.png'), image)
    return folder


def stack(path: Path, channels: int = 4) -> Path:
    """Write ``y = Gemm(flat(ConvTranspose(Relu(Conv(x)))))`` with random weights and biases."""
    random = np.random.default_rng(1)

    def weights(*shape: int) -> np.ndarray:
        return random.normal(0, 0.3, shape).astype(np.float32)

    nodes = [
        helper.make_node('Conv', ['x', 'wc', 'bc'], ['c'], 'conv', pads=[1, 1, 1, 1]),
        helper.make_node('Relu', ['c'], ['r'], 'relu'),
        helper.make_node('ConvTranspose', ['r', 'wt', 'bt'], ['t'], 'up', strides=[2, 2]),
        helper.make_node('Flatten', ['t'], ['f'], 'flat'),
        helper.make_node('Gemm', ['f', 'wg', 'bg'], ['y'], 'gemm', transB=1),
    ]
    constants = {
        'wc': weights(channels, 2, 3, 3),
        'bc': weights(channels),
        'wt': weights(channels, 3, 2, 2),
        'bt': weights(3),
        'wg': weights(5, 3 * 12 * 16),
        'bg': weights(5),
    }
    return save(path, nodes, [tensor('x', (1, 2, 6, 8))], [tensor('y', (1, 5))], constants)


def operators(model: onnx.ModelProto) -> list[str]:
    """Return the operators of a model's nodes, in their order."""
    return [node.op_type for node in model.graph.node]
