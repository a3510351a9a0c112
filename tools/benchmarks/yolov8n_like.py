#!/usr/bin/env python3
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Write a model folder with the architecture of YOLOv8n and random weights, for benchmarks.

What a network costs depends on its architecture, not on its training; this one has the size that
detectors on robots have: 3.15 million parameters, 8.7 GFLOP a frame at 640x640.  Written from the
published description: a backbone of C2f blocks with SPPF, a PAN neck, a decoupled head whose box
sides are expectations over 16 bins.  Batch normalization is folded into the convolutions, as
exporters do.  The bias of the scores is set so that a noise image gives about as many candidates
above 0.25 as a busy scene would.

    PYTHONPATH=. python tools/benchmarks/yolov8n_like.py /tmp/yolov8n_like
    jetson-infer bench --model /tmp/yolov8n_like
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import yaml
from onnx import TensorProto, helper, numpy_helper

CLASSES, BINS = 80, 16
STRIDES = (8, 16, 32)
PROVIDERS = ['CPUExecutionProvider']
CANDIDATES = 60
SCORE_THRESHOLD = 0.25


class Graph:
    """Nodes and weights in the making; counts parameters and multiply-adds."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.shapes: dict[str, tuple[int, int, int]] = {}  # channels, height, width
        self.parameters = 0
        self.multiply_adds = 0

    def add(self, kind: str, inputs: list[str], **attributes: object) -> str:
        """Add a node with one output and return that output's name."""
        name = f'{kind.lower()}_{len(self.nodes)}'
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, array: np.ndarray) -> str:
        name = f'constant_{len(self.weights)}'
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def convolution(self, x: str, channels: int, size: int = 1, stride: int = 1, bias=0.0) -> str:
        """Add a plain convolution whose weights keep the activations' spread."""
        before, height, width = self.shapes[x]
        fan_in = before * size * size
        weight = self.random.normal(0, (2.5 / fan_in) ** 0.5, (channels, before, size, size))
        biases = np.full(channels, bias) + self.random.normal(0, 0.05, channels)
        y = self.add(
            'Conv',
            [x, self.constant(weight.astype('f4')), self.constant(biases.astype('f4'))],
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[size // 2] * 4,
        )
        shape = channels, -(-height // stride), -(-width // stride)
        self.parameters += weight.size + channels
        self.multiply_adds += weight.size * shape[1] * shape[2]
        self.shapes[y] = shape
        return y

    def conv(self, x: str, channels: int, size: int = 1, stride: int = 1) -> str:
        """Add a convolution and SiLU."""
        y = self.convolution(x, channels, size, stride)
        return self._like(y, self.add('Mul', [y, self.add('Sigmoid', [y])]))

    def c2f(self, x: str, channels: int, blocks: int, shortcut: bool) -> str:
        """Add a C2f block: halves, of which one passes bottlenecks, all joined at the end."""
        half = channels // 2
        both = self.conv(x, channels)
        parts = [f'{both}_first', f'{both}_second']
        split = self.constant(np.array([half, half]))
        self.nodes.append(helper.make_node('Split', [both, split], parts, axis=1))
        for part in parts:
            self.shapes[part] = half, *self.shapes[both][1:]
        for _ in range(blocks):
            y = self.conv(self.conv(parts[-1], half, 3), half, 3)
            parts.append(self._like(y, self.add('Add', [parts[-1], y])) if shortcut else y)
        return self.conv(self.join(parts), channels)

    def sppf(self, x: str, channels: int) -> str:
        """Add pooling over 5, 9 and 13 pixels as three poolings in a row."""
        parts = [self.conv(x, channels // 2)]
        for _ in range(3):
            y = self.add('MaxPool', [parts[-1]], kernel_shape=[5, 5], pads=[2] * 4, strides=[1, 1])
            parts.append(self._like(parts[0], y))
        return self.conv(self.join(parts), channels)

    def join(self, parts: list[str]) -> str:
        """Concatenate channels."""
        y = self.add('Concat', parts, axis=1)
        channels = sum(self.shapes[part][0] for part in parts)
        self.shapes[y] = channels, *self.shapes[parts[0]][1:]
        return y

    def twice(self, x: str) -> str:
        """Double height and width by repeating pixels."""
        scales = self.constant(np.array([1, 1, 2, 2], 'f4'))
        y = self.add('Resize', [x, '', scales], mode='nearest')
        channels, height, width = self.shapes[x]
        self.shapes[y] = channels, 2 * height, 2 * width
        return y

    def _like(self, known: str, name: str) -> str:
        self.shapes[name] = self.shapes[known]
        return name


def features(graph: Graph) -> list[str]:
    """Add backbone and neck; return their outputs at the three strides."""
    x = graph.conv(graph.conv('images', 16, 3, 2), 32, 3, 2)
    x = graph.c2f(x, 32, 1, True)
    p3 = graph.c2f(graph.conv(x, 64, 3, 2), 64, 2, True)
    p4 = graph.c2f(graph.conv(p3, 128, 3, 2), 128, 2, True)
    p5 = graph.c2f(graph.conv(p4, 256, 3, 2), 256, 1, True)
    p5 = graph.sppf(p5, 256)
    n4 = graph.c2f(graph.join([graph.twice(p5), p4]), 128, 1, False)
    n3 = graph.c2f(graph.join([graph.twice(n4), p3]), 64, 1, False)
    n4 = graph.c2f(graph.join([graph.conv(n3, 64, 3, 2), n4]), 128, 1, False)
    n5 = graph.c2f(graph.join([graph.conv(n4, 128, 3, 2), p5]), 256, 1, False)
    return [n3, n4, n5]


def head(graph: Graph, levels: list[str], score_bias: float) -> str:
    """Add the head; return the name of its output ``(1, 4 + classes, N)``."""
    sides, scores, centres, scale = [], [], [], []
    for x, stride in zip(levels, STRIDES):
        box = graph.conv(graph.conv(x, 64, 3), 64, 3)
        flat = graph.constant(np.array([1, 4 * BINS, -1]))
        sides.append(graph.add('Reshape', [graph.convolution(box, 4 * BINS), flat]))
        score = graph.conv(graph.conv(x, CLASSES, 3), CLASSES, 3)
        flat = graph.constant(np.array([1, CLASSES, -1]))
        score = graph.convolution(score, CLASSES, bias=score_bias)
        scores.append(graph.add('Reshape', [score, flat]))
        _, height, width = graph.shapes[x]
        grid = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        centres.append(np.stack(grid).reshape(2, -1))
        scale.append(np.full(height * width, stride))
    columns = centres[0].shape[1] + centres[1].shape[1] + centres[2].shape[1]
    bins = graph.constant(np.array([1, 4, BINS, columns]))
    side = graph.add('Reshape', [graph.add('Concat', sides, axis=2), bins])
    share = graph.add('Softmax', [graph.add('Transpose', [side], perm=[0, 2, 1, 3])], axis=1)
    weights = graph.constant(np.arange(BINS, dtype='f4').reshape(1, BINS, 1, 1))
    side = graph.add('Conv', [share, weights], kernel_shape=[1, 1])
    side = graph.add('Reshape', [side, graph.constant(np.array([1, 4, columns]))])
    low, high = f'{side}_low', f'{side}_high'
    graph.nodes.append(
        helper.make_node('Split', [side, graph.constant(np.array([2, 2]))], [low, high], axis=1)
    )
    centre = graph.constant(np.concatenate(centres, 1)[None].astype('f4'))
    first = graph.add('Sub', [centre, low])
    last = graph.add('Add', [centre, high])
    middle = graph.add('Div', [graph.add('Add', [first, last]), graph.constant(np.float32([2]))])
    boxes = graph.add('Concat', [middle, graph.add('Sub', [last, first])], axis=1)
    boxes = graph.add(
        'Mul', [boxes, graph.constant(np.concatenate(scale)[None, None].astype('f4'))]
    )
    score = graph.add('Sigmoid', [graph.add('Concat', scores, axis=2)])
    return graph.add('Concat', [boxes, score], axis=1)


def make_network(
    size: tuple[int, int], seed: int, score_bias: float
) -> tuple[onnx.ModelProto, Graph]:
    """Return the network for an input of (width, height), both multiples of 32."""
    width, height = size
    graph = Graph(seed)
    graph.shapes['images'] = 3, height, width
    last = head(graph, features(graph), score_bias)
    graph.nodes.append(helper.make_node('Identity', [last], ['output0']))
    columns = sum(height // stride * (width // stride) for stride in STRIDES)
    tensor = helper.make_tensor_value_info
    network = helper.make_model(
        helper.make_graph(
            graph.nodes,
            'yolov8n_like',
            [tensor('images', TensorProto.FLOAT, [1, 3, height, width])],
            [tensor('output0', TensorProto.FLOAT, [1, 4 + CLASSES, columns])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid('', 13)],
        ir_version=8,
    )
    onnx.checker.check_model(network)
    return network, graph


def score_bias(network: onnx.ModelProto, size: tuple[int, int], seed: int) -> float:
    """Return the bias by which a noise image gets as many candidates as wanted."""
    width, height = size
    noise = np.random.default_rng(seed).random((1, 3, height, width), np.float32)
    session = onnxruntime.InferenceSession(network.SerializeToString(), providers=PROVIDERS)
    best = session.run(None, {'images': noise})[0][0, 4:].max(axis=0).astype(np.float64)
    nth = np.sort(best)[-min(CANDIDATES, len(best))]
    return float(np.log(SCORE_THRESHOLD / (1 - SCORE_THRESHOLD)) - np.log(nth / (1 - nth)))


def hollow(network: onnx.ModelProto, seed: int) -> onnx.ModelProto:
    """Return a network of the same inputs and outputs that does next to nothing.

    Its output is what the whole one makes of noise, whatever the image.  What a node costs around
    its network is measured with it: the whole network's own cost varies by more than that.
    """
    (images,), (output,) = network.graph.input, network.graph.output
    shape = [d.dim_value for d in images.type.tensor_type.shape.dim]
    noise = np.random.default_rng(seed).random(shape, np.float32)
    made = onnxruntime.InferenceSession(network.SerializeToString(), providers=PROVIDERS).run(
        None, {'images': noise}
    )[0]
    nodes = [
        helper.make_node('Slice', ['images', 'start', 'end'], ['pixel']),
        helper.make_node('Mul', ['pixel', 'zero'], ['nothing']),
        helper.make_node('Reshape', ['nothing', 'shape'], ['scalar']),
        helper.make_node('Add', ['made', 'scalar'], ['output0']),
    ]
    weights = {
        'start': np.zeros(4, np.int64),
        'end': np.ones(4, np.int64),
        'zero': np.zeros(1, np.float32),
        'shape': np.ones(1, np.int64),
        'made': made,
    }
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, 'hollow', [images], [output], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)


def write_model(
    folder: Path, size: tuple[int, int] = (640, 640), seed: int = 0, empty: bool = False
) -> Graph:
    """Write the folder and return the graph, which knows what it counts.

    :param empty: write the hollow network instead.
    """
    first, _ = make_network(size, seed, -8.0)
    network, graph = make_network(size, seed, -8.0 + score_bias(first, size, seed))
    if empty:
        network = hollow(network, seed)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(network, folder / 'yolov8n_like.onnx')
    card = {
        'format': 1,
        'name': 'yolov8n_like',
        'task': 'detection',
        'description': 'The architecture of YOLOv8n with random weights; finds nothing real.',
        'labels': [f'class {index}' for index in range(CLASSES)],
        'input': {'size': list(size)},
        'output': {'decoder': 'yolo', 'defaults': {'score_threshold': SCORE_THRESHOLD}},
        'variants': [{'name': 'fp32', 'onnx': 'yolov8n_like.onnx'}],
    }
    (folder / 'model.yaml').write_text(yaml.safe_dump(card, sort_keys=False))
    return graph


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--size', type=int, nargs=2, default=(640, 640), metavar=('W', 'H'))
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--hollow', action='store_true', help='inputs and outputs alone, to measure what is around'
    )
    options = parser.parse_args()
    graph = write_model(options.folder, tuple(options.size), options.seed, options.hollow)
    if options.hollow:
        print(f'{options.folder}: the same inputs and outputs, and no work between them')
        return
    print(
        f'{options.folder}: {graph.parameters / 1e6:.2f} million parameters, '
        f'{2 * graph.multiply_adds / 1e9:.1f} GFLOP a frame'
    )


if __name__ == '__main__':
    main()
