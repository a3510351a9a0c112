# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Tiny ONNX networks for tests, built node by node, and model folders around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import yaml
from onnx import helper, numpy_helper

OPSET = 17
IR_VERSION = 8  # what the oldest ONNX Runtime that is tested reads

Shape = Sequence['int | str']


def save(path: Path, nodes, inputs, outputs, constants: Mapping[str, np.ndarray] | None = None):
    """Write a checked ONNX file of a graph and return its path."""
    initializers = [
        numpy_helper.from_array(array, name) for name, array in (constants or {}).items()
    ]
    graph = helper.make_graph(nodes, 'test', inputs, outputs, initializers)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', OPSET)], ir_version=IR_VERSION
    )
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def tensor(name: str, shape: Shape, dtype=np.float32):
    """Declare an input or output."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, kind, list(shape))


def doubling(path: Path, shape: Shape = (1, 3, 4, 5), dtype=np.float32) -> Path:
    """``doubled = image + image``."""
    return save(
        path,
        [helper.make_node('Add', ['image', 'image'], ['doubled'])],
        [tensor('image', shape, dtype)],
        [tensor('doubled', shape, dtype)],
    )


def nonzero(path: Path, shape: Shape = (4, 5)) -> Path:
    """``doubled = image + image``, and ``places`` ``(rank, N)``: where the image is not zero."""
    return save(
        path,
        [
            helper.make_node('NonZero', ['image'], ['places']),
            helper.make_node('Add', ['image', 'image'], ['doubled']),
        ],
        [tensor('image', shape)],
        [tensor('places', (len(shape), 'found'), np.int64), tensor('doubled', shape)],
    )


def emitting(
    path: Path,
    outputs: Mapping[str, np.ndarray],
    image: Shape = (1, 3, 64, 64),
    dynamic: Sequence[str] = (),
    extra: Mapping[str, tuple[Shape, type]] | None = None,
) -> Path:
    """Build a network that takes an image and always answers with the given arrays.

    :param dynamic: the outputs whose dimensions are declared unknown.
    :param extra: further inputs, by name: shape and dtype; without effect.
    """
    nodes = [
        helper.make_node('ReduceSum', ['image'], ['sum'], keepdims=0),
        helper.make_node('Mul', ['sum', 'nothing'], ['none']),  # keeps the image in the graph
    ]
    constants = {'nothing': np.zeros((), np.float32)}
    declared = []
    for name, array in outputs.items():
        constants[f'{name}_value'] = array
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        nodes.append(helper.make_node('Cast', ['none'], [f'{name}_none'], to=kind))
        nodes.append(helper.make_node('Add', [f'{name}_value', f'{name}_none'], [name]))
        shape = [f'{name}_{axis}' for axis in range(array.ndim)] if name in dynamic else array.shape
        declared.append(tensor(name, shape, array.dtype))
    inputs = [tensor('image', image)]
    inputs += [tensor(name, shape, dtype) for name, (shape, dtype) in (extra or {}).items()]
    return save(path, nodes, inputs, declared, constants)


def convolving(path: Path, size: int = 96, channels: int = 32, layers: int = 4) -> Path:
    """Build a stack of convolutions with fixed random weights: work for several threads."""
    random = np.random.default_rng(0)
    constants, nodes, before = {}, [], 'image'
    for layer in range(layers):
        depth = 3 if layer == 0 else channels
        weights = random.normal(0, 0.1, (channels, depth, 3, 3)).astype(np.float32)
        constants[f'w{layer}'] = weights
        after = f'x{layer}' if layer < layers - 1 else 'features'
        nodes.append(helper.make_node('Conv', [before, f'w{layer}'], [after], pads=[1, 1, 1, 1]))
        before = after
    shape = (1, 3, size, size)
    return save(
        path,
        nodes,
        [tensor('image', shape)],
        [tensor('features', (1, channels, size, size))],
        constants,
    )


def looking_up(path: Path) -> Path:
    """``found = [0, 10, 20][index]``, which fails for an index that is out of range."""
    return save(
        path,
        [helper.make_node('Gather', ['table', 'index'], ['found'])],
        [tensor('index', (1,), np.int64)],
        [tensor('found', (1,))],
        {'table': np.array([0, 10, 20], np.float32)},
    )


def card(**changes) -> dict:
    """Return the mapping of a small valid card; ``changes`` replace its top-level keys."""
    return {
        'format': 1,
        'name': 'tiny',
        'task': 'detection',
        'description': 'For tests.',
        'license': 'Apache-2.0',
        'labels': ['person', 'dog'],
        'input': {'size': [64, 64]},
        'output': {'decoder': 'depth' if changes.get('task') == 'depth' else 'yolo'},
        'variants': [{'name': 'fp32', 'onnx': 'tiny.onnx', 'precision': 'fp32'}],
        **changes,
    }


def write_model(folder: Path, mapping: Mapping | None = None) -> Path:
    """Write a card, and an empty image-in network where the card's files are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    mapping = card() if mapping is None else mapping
    (folder / 'model.yaml').write_text(yaml.safe_dump(dict(mapping)), encoding='utf-8')
    for variant in mapping['variants']:
        file = folder / variant['onnx']
        if not file.exists():
            channels = 4 + len(mapping['labels'])
            emitting(file, {'output0': np.zeros((1, channels, 20), np.float32)})
    return folder
