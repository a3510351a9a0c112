# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Putting explicit quantization into a network: a Q and a DQ node before what computes in INT8.

What every TensorRT from 8.6 on takes, and ONNX Runtime too: symmetric INT8 with zero points of 0,
activations with one scale a tensor in [-128, 127], weights with one scale an output channel in
[-127, 127] that stay 32-bit initializers in front of their Q, biases left alone. Convolutions have
their kernel's shape as an attribute: TensorRT's parser sees none in weights that come out of a DQ.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.dependencies import require
from jetson_infer.toolchain.quantize.graph import CONVOLUTIONS, PURPOSE, Layer, Network

__all__ = ['WEIGHT_LEVELS', 'quantized', 'weight_scales']

LEVELS = 127
WEIGHT_LEVELS = 127


def quantized(
    network: Network,
    scales: Mapping[str, float],
    layers: Collection[str],
    metadata: Mapping[str, str] | None = None,
) -> Any:
    """Return a copy of a network in which some layers compute in INT8.

    Layers that read the same tensor share its Q and DQ.

    :param scales: of every activation that these layers read.
    :param layers: their names.
    :param metadata: what to write into the file's metadata.
    :return: an ``onnx.ModelProto`` of the same opset.
    """
    onnx = require('onnx', PURPOSE)
    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    chosen = [layer for layer in network.layers if layer.name in layers]
    writer = _Writer(onnx, model)
    for layer in chosen:
        for name in layer.activations:
            writer.activation(layer, name, scales[name])
        if layer.weight:
            writer.weight(layer, network.weights[layer.weight])
    writer.finish()
    for key, value in (metadata or {}).items():
        model.metadata_props.add(key=key, value=value)
    return model


def weight_scales(weights: npt.NDArray[np.float32], axis: int) -> npt.NDArray[np.float32]:
    """Return the scale of every output channel: its largest magnitude becomes 127.

    :return: ``(channels,)``; 1 for a channel of zeros.
    """
    others = tuple(a for a in range(weights.ndim) if a != axis % weights.ndim)
    largest = np.abs(weights).max(axis=others).astype(np.float64)
    return np.where(largest > 0, largest / WEIGHT_LEVELS, 1.0).astype(np.float32)


class _Writer:
    """Adds Q and DQ nodes to a model and lets layers read what comes out of them."""

    def __init__(self, onnx: Any, model: Any) -> None:
        self._onnx = onnx
        self._graph = model.graph
        self._nodes = list(model.graph.node)
        self._made: dict[tuple[str, int | None], str] = {}
        self._before: dict[int, list[Any]] = {}
        self._tensors: list[Any] = []

    def activation(self, layer: Layer, name: str, scale: float) -> None:
        """Let a layer read a computed tensor through a Q and a DQ."""
        self._redirect(layer, name, self._pair(layer, name, np.float32(scale), None))

    def weight(self, layer: Layer, weights: npt.NDArray[np.float32]) -> None:
        """Let a layer read its weights through a Q and a DQ."""
        scales = weight_scales(weights, layer.axis)
        self._redirect(layer, layer.weight, self._pair(layer, layer.weight, scales, layer.axis))
        node = self._nodes[layer.index]
        if layer.kind in CONVOLUTIONS and all(a.name != 'kernel_shape' for a in node.attribute):
            kernel = [int(size) for size in weights.shape[2:]]
            node.attribute.append(self._onnx.helper.make_attribute('kernel_shape', kernel))

    def finish(self) -> None:
        """Write the nodes and the scales into the graph."""
        ordered = []
        for index, node in enumerate(self._nodes):
            ordered += [*self._before.get(index, ()), node]
        del self._graph.node[:]
        self._graph.node.extend(ordered)
        self._graph.initializer.extend(self._tensors)

    def _pair(self, layer: Layer, name: str, scale: Any, axis: int | None) -> str:
        """Return the output of a tensor's Q and DQ, which stand before their first reader."""
        if (name, axis) in self._made:
            return self._made[name, axis]
        helper, numpy_helper = self._onnx.helper, self._onnx.numpy_helper
        stem = name if axis is None else f'{name}_axis{axis}'
        scale = np.asarray(scale, np.float32)
        self._tensors += [
            numpy_helper.from_array(scale, f'{stem}_scale'),
            numpy_helper.from_array(np.zeros(scale.shape, np.int8), f'{stem}_zero_point'),
        ]
        attributes = {} if axis is None else {'axis': axis}
        constants = [f'{stem}_scale', f'{stem}_zero_point']
        q, dq = f'{stem}_quantized', f'{stem}_dequantized'
        self._before.setdefault(layer.index, []).extend(
            [
                helper.make_node(
                    'QuantizeLinear',
                    [name, *constants],
                    [q],
                    f'{stem}_QuantizeLinear',
                    **attributes,
                ),
                helper.make_node(
                    'DequantizeLinear',
                    [q, *constants],
                    [dq],
                    f'{stem}_DequantizeLinear',
                    **attributes,
                ),
            ]
        )
        self._made[name, axis] = dq
        return dq

    def _redirect(self, layer: Layer, name: str, to: str) -> None:
        node = self._nodes[layer.index]
        for position, read in enumerate(node.input):
            if read == name:
                node.input[position] = to
                return
