# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What of a network can compute in INT8: its weighted layers and its residual additions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jetson_infer.dependencies import require
from jetson_infer.errors import ModelError

__all__ = ['CONVOLUTIONS', 'WEIGHTED', 'Layer', 'Network', 'load_network', 'opset_of']

CONVOLUTIONS = ('Conv', 'ConvTranspose')
WEIGHTED = (*CONVOLUTIONS, 'Gemm', 'MatMul')
MAX_OPSET = 17  # of TensorRT 8.6's parser
MIN_OPSET = 13  # the first with a scale for every channel
PURPOSE = 'Quantizing networks'


@dataclass(frozen=True)
class Layer:
    """One node that INT8 may serve.

    :param name: the node's name; made from its output where the exporter gave none.
    :param kind: its operator.
    :param index: its place among the graph's nodes.
    :param activations: the tensors that are computed and that it reads in INT8.
    :param weight: its weights, an initializer's name; empty for an addition.
    :param axis: the weights' axis of output channels.
    """

    name: str
    kind: str
    index: int
    activations: tuple[str, ...]
    weight: str = ''
    axis: int = 0


@dataclass(frozen=True)
class Network:
    """A loaded network that can be quantized.

    :param path: its file.
    :param model: the ``onnx.ModelProto``; not changed by anybody.
    :param layers: what INT8 may serve, in the network's order.
    :param weights: the layers' weights, by the initializers' names.
    """

    path: Path
    model: Any
    layers: tuple[Layer, ...]
    weights: Mapping[str, np.ndarray]

    @property
    def activations(self) -> tuple[str, ...]:
        """The tensors whose ranges are needed, in the order in which layers read them."""
        return tuple(dict.fromkeys(name for layer in self.layers for name in layer.activations))


def load_network(path: Path) -> Network:
    """Read an ONNX file of 32-bit floats that no one has quantized.

    :raises ModelError: if it cannot be read, is quantized already, is of an opset that explicit
        quantization for all versions of TensorRT cannot have, computes in other types, or has no
        layer that could be quantized.
    :raises MissingDependencyError: if onnx is not installed.
    """
    onnx = require('onnx', PURPOSE)
    try:
        model = onnx.load(str(path))
    except Exception as error:  # protobuf's errors and the file system's
        raise ModelError(f'{path}: cannot be read as ONNX: {error}') from error
    named = _named(model)
    quantized = [node for node in model.graph.node if _is_quantized(node.op_type)]
    if quantized:
        raise ModelError(
            f'{path}: is quantized already: {quantized[0].name or quantized[0].op_type} is a '
            f'{quantized[0].op_type}; name the file in the card as a variant of precision int8, or '
            'give the network of full precision'
        )
    opset = opset_of(model)
    if not MIN_OPSET <= opset <= MAX_OPSET:
        raise ModelError(
            f'{path}: is of opset {opset}; one scale a channel needs {MIN_OPSET}, and TensorRT 8.6 '
            f'reads no more than {MAX_OPSET}: export it again with opset {MAX_OPSET}'
        )
    foreign = [node for node in model.graph.node if node.domain not in ('', 'ai.onnx')]
    if foreign:
        kinds = ', '.join(sorted({f'{node.domain}.{node.op_type}' for node in foreign}))
        raise ModelError(
            f'{path}: holds operators that cannot be measured on ONNX Runtime: {kinds}; export it '
            'without plug-ins (NMS is done by the decoder)'
        )
    weights = {i.name: onnx.numpy_helper.to_array(i) for i in model.graph.initializer}
    layers = _layers(named, weights)
    if not layers:
        kinds = ', '.join(sorted({node.op_type for node in model.graph.node}))
        raise ModelError(
            f'{path}: has no layer that INT8 would serve ({", ".join(WEIGHTED)} with weights of 32 '
            f'bits); it holds {kinds}'
        )
    used = {layer.weight for layer in layers if layer.weight}
    return Network(path, named, layers, {name: weights[name] for name in used})


def opset_of(model: Any) -> int:
    """Return the version of ONNX's own operators that a model uses."""
    return max((o.version for o in model.opset_import if o.domain in ('', 'ai.onnx')), default=1)


def _named(model: Any) -> Any:
    """Give every node a name, which the sensitivity's table and messages need."""
    taken = {node.name for node in model.graph.node}
    for node in model.graph.node:
        if not node.name:
            name = f'{node.op_type}_{node.output[0]}'
            while name in taken:
                name += '_'
            node.name = name
            taken.add(name)
    return model


def _is_quantized(kind: str) -> bool:
    return kind in ('QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear') or kind in (
        'QLinearConv',
        'QLinearMatMul',
        'ConvInteger',
        'MatMulInteger',
    )


def _layers(model: Any, weights: Mapping[str, np.ndarray]) -> tuple[Layer, ...]:
    nodes = list(model.graph.node)
    makers = {name: node for node in nodes for name in node.output}
    readers: dict[str, int] = defaultdict(int)
    for node in nodes:
        for name in node.input:
            readers[name] += 1
    for output in model.graph.output:
        readers[output.name] += 1
    layers = []
    for index, node in enumerate(nodes):
        if node.op_type in WEIGHTED:
            layer = _weighted(node, index, weights)
        elif node.op_type == 'Add':
            layer = _residual(node, index, weights, makers, readers)
        else:
            layer = None
        if layer is not None:
            layers.append(layer)
    return tuple(layers)


def _weighted(node: Any, index: int, weights: Mapping[str, np.ndarray]) -> Layer | None:
    data, weight = node.input[0], node.input[1]
    if data in weights or weight not in weights or weights[weight].dtype != np.float32:
        return None
    attributes = {a.name: a.i for a in node.attribute}
    axis = 0
    if node.op_type == 'ConvTranspose':
        axis = 1
        if attributes.get('group', 1) != 1:
            return None  # its channels are split over two axes
    elif node.op_type == 'MatMul':
        axis = weights[weight].ndim - 1
        if weights[weight].ndim != 2:
            return None
    elif node.op_type == 'Gemm':
        axis = 0 if attributes.get('transB', 0) else 1
    return Layer(node.name, node.op_type, index, (data,), weight, axis)


def _residual(
    node: Any,
    index: int,
    weights: Mapping[str, np.ndarray],
    makers: Mapping[str, Any],
    readers: Mapping[str, int],
) -> Layer | None:
    """Return the layer of an addition that ends a residual block, else nothing.

    Only the shortcut is quantized: the convolution's output, which nobody else reads, is added
    before it is rounded, in the same kernel.
    """
    if any(name in weights for name in node.input) or node.input[0] == node.input[1]:
        return None
    fused = [
        name
        for name in node.input
        if name in makers and makers[name].op_type in WEIGHTED and readers[name] == 1
    ]
    if not fused:
        return None
    shortcut = tuple(name for name in node.input if name != fused[-1])
    return Layer(node.name, node.op_type, index, shortcut)
