# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How much noise every layer adds when it alone computes in INT8, and what sparing it costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.dependencies import require
from jetson_infer.toolchain.quantize.graph import PURPOSE, Layer, Network
from jetson_infer.toolchain.quantize.insert import quantized
from jetson_infer.toolchain.quantize.measure import noise_to_signal, run_network

__all__ = ['Sensitivity', 'decibels', 'layer_costs', 'measure_sensitivity']

OPERATIONS_A_BYTE = 200.0
"""INT8 multiplications for which there is time while a byte is moved: a Jetson AGX Orin's GPU makes
42e12 a second, and its memory moves 205e9 bytes."""


@dataclass(frozen=True)
class Sensitivity:
    """One layer.

    :param layer: the layer.
    :param noise: the noise at the network's outputs beside their signal, with this layer alone in
        INT8; see :func:`noise_to_signal`.
    :param cost: its share in what all layers cost more in 16 bits than in 8; 0 to 1.
    """

    layer: Layer
    noise: float
    cost: float


def decibels(noise: float) -> float:
    """Return a noise-to-signal ratio as the signal-to-noise ratio in dB; 120 for hardly any."""
    return 120.0 if noise <= 1e-12 else -10.0 * math.log10(noise)


def measure_sensitivity(
    network: Network,
    scales: Mapping[str, float],
    feeds: Sequence[Mapping[str, npt.NDArray[Any]]],
    threads: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Sensitivity]:
    """Measure all layers, in the network's order.

    :param scales: of every activation.
    :param feeds: images to measure on; a dozen will do, as errors are averaged over all outputs.
    :param progress: told how many layers are done, of how many.
    """
    reference = run_network(network.model, feeds, threads)
    costs = layer_costs(network, {name: array.shape for name, array in feeds[0].items()})
    found = []
    for number, (layer, cost) in enumerate(zip(network.layers, costs)):
        outputs = run_network(quantized(network, scales, [layer.name]), feeds, threads)
        found.append(Sensitivity(layer, noise_to_signal(reference, outputs), cost))
        progress(number + 1, len(network.layers))
    return found


def layer_costs(network: Network, shapes: Mapping[str, tuple[int, ...]]) -> list[float]:
    """Return every layer's share in the time that INT8 saves; positive, their sum is 1.

    The time of a layer counts as that of its multiplications and of moving what it reads and
    writes.

    :param shapes: of the network's inputs.
    """
    sizes = _sizes(network, shapes)
    costs = []
    for layer in network.layers:
        node = network.model.graph.node[layer.index]
        written = sizes.get(node.output[0], 0)
        moved = written + sum(sizes.get(name, 0) for name in layer.activations)
        operations = 0.0
        if layer.weight:
            weights = network.weights[layer.weight]
            moved += weights.size
            if layer.kind == 'ConvTranspose':
                operations = float(sizes.get(layer.activations[0], 0)) * weights[0].size
            else:
                operations = float(written) * weights.size / weights.shape[layer.axis]
        costs.append(operations + OPERATIONS_A_BYTE * max(moved, 1))
    total = sum(costs)
    return [cost / total for cost in costs]


def _sizes(network: Network, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Return how many numbers tensors hold, as far as their shapes can be inferred."""
    onnx = require('onnx', PURPOSE)
    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    for value in model.graph.input:
        for dimension, extent in zip(value.type.tensor_type.shape.dim, shapes.get(value.name, ())):
            dimension.dim_value = extent
    graph = onnx.shape_inference.infer_shapes(model).graph
    return {
        value.name: int(np.prod([d.dim_value for d in value.type.tensor_type.shape.dim] or [1]))
        for value in (*graph.input, *graph.value_info, *graph.output)
    }
