# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What of an explicitly quantized network TensorRT does not take, told before minutes of building.

Networks quantized elsewhere, by quantization-aware training or other tools, are checked as ours
are.  The rules are those of TensorRT's ONNX parser: quantization is symmetric in all versions; 8.6
reads opset 17 and no weights that come as INT8; biases are added in 32-bit floats; a convolution
whose weights are not constants has its kernel's shape from its attribute alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jetson_infer.toolchain.quantize.graph_reader import (
    Constant,
    GraphNode,
    ReadGraph,
    read_graph,
)

__all__ = ['QUANTIZED', 'Finding', 'check_quantized', 'told']

MAX_OPSETS = {8: 17}
"""The highest opset of a major version of TensorRT, where that is below what is written today."""

_INT8, _UINT8, _INT32 = 3, 2, 6
_PAIR = ('QuantizeLinear', 'DequantizeLinear')
_FOREIGN = ('DynamicQuantizeLinear', 'QLinearConv', 'QLinearMatMul', 'ConvInteger', 'MatMulInteger')
QUANTIZED = (*_PAIR, *_FOREIGN)
"""Operators that a quantized network is told by."""

_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One thing that TensorRT does not take.

    :param node: the node's name, or what it makes where it has none; empty for the whole file.
    :param problem: what is wrong with it, and what would be right.
    """

    node: str
    problem: str

    def __str__(self) -> str:
        return f'{self.node}: {self.problem}' if self.node else self.problem


def check_quantized(path: Path, major: int = 8) -> tuple[Finding, ...]:
    """Find what of an explicitly quantized network a version of TensorRT does not take.

    :param path: the ONNX file.
    :param major: TensorRT's major version; 8 stands for 8.6.
    :return: in the order of the file's nodes; nothing for a file that has no quantization and an
        opset that can be read.
    :raises ModelError: if it is no ONNX file.
    """
    graph = read_graph(path)
    return tuple(_check(graph, major))


def told(findings: tuple[Finding, ...]) -> str:
    """Return findings for a person: the first few, and how many more there are."""
    lines = [f'\n  {finding}' for finding in findings[:_SHOWN]]
    if len(findings) > _SHOWN:
        lines.append(f'\n  and {len(findings) - _SHOWN} more')
    return ''.join(lines)


def _check(graph: ReadGraph, major: int) -> Iterator[Finding]:
    limit = MAX_OPSETS.get(major)
    if limit is not None and graph.opset > limit:
        yield Finding(
            '', f'opset {graph.opset}, and TensorRT {major} reads {limit} at most; export it so'
        )
    readers: dict[str, list[GraphNode]] = defaultdict(list)
    for node in graph.nodes:
        for name in node.inputs:
            readers[name].append(node)
    for node in graph.nodes:
        if node.operator in _FOREIGN:
            yield Finding(
                str(node), f'{node.operator} is not taken; quantize with QuantizeLinear and '
                'DequantizeLinear',
            )  # fmt: skip
        elif node.operator in _PAIR:
            yield from _check_scale(node, graph)
            yield from _check_zero_point(node, graph)
        if node.operator == 'DequantizeLinear':
            yield from _check_constant(node, graph, readers, major)
        if node.operator == 'Conv' and 'kernel_shape' not in node.attributes:
            yield from _check_kernel(node, graph)


def _check_scale(node: GraphNode, graph: ReadGraph) -> Iterator[Finding]:
    scale = _constant(graph, node, 1)
    if scale is None:
        yield Finding(str(node), 'its scale is computed while the network runs; it must be fixed')
        return
    if scale.values is None:
        return
    values = np.asarray(scale.values, np.float64)
    if not np.all(np.isfinite(values) & (values > 0)):
        bad = values[~(np.isfinite(values) & (values > 0))]
        yield Finding(str(node), f'its scale is {bad[0]:g}; scales must be above 0')
    weights = node.operator == 'QuantizeLinear' and node.inputs[0] in graph.constants
    if node.operator == 'QuantizeLinear' and not weights and len(values) > 1:
        yield Finding(
            str(node),
            f'has {len(values)} scales for a tensor that is computed; activations take one',
        )


def _check_zero_point(node: GraphNode, graph: ReadGraph) -> Iterator[Finding]:
    if len(node.inputs) < 3 or not node.inputs[2]:
        if node.operator == 'QuantizeLinear':
            yield Finding(
                str(node), 'has no zero point, which makes it UINT8; give it one of INT8 zeros'
            )
        return
    zero = _constant(graph, node, 2)
    if zero is None:
        yield Finding(str(node), 'its zero point is computed; it must be fixed at 0')
        return
    if zero.values is not None and np.any(zero.values):
        worst = int(np.asarray(zero.values, np.int64)[np.flatnonzero(zero.values)[0]])
        yield Finding(
            str(node), f'its zero point is {worst}; quantization must be symmetric (zero point 0)'
        )
    elif zero.kind == _UINT8:
        yield Finding(str(node), 'quantizes to UINT8; it must be INT8 with a zero point of 0')


def _check_constant(
    node: GraphNode, graph: ReadGraph, readers: dict[str, list[GraphNode]], major: int
) -> Iterator[Finding]:
    source = graph.constants.get(node.inputs[0]) if node.inputs else None
    if source is None:
        return
    takers = ', '.join(str(reader) for reader in readers[node.outputs[0]][:2])
    if source.kind == _INT32:
        yield Finding(
            str(node), f'dequantizes a bias of INT32 for {takers}; leave biases in 32-bit floats'
        )
    elif source.kind == _INT8 and major < 10:
        yield Finding(
            str(node),
            f'dequantizes weights stored as INT8 for {takers}; TensorRT {major} wants 32-bit '
            'floats followed by QuantizeLinear and DequantizeLinear',
        )


def _check_kernel(node: GraphNode, graph: ReadGraph) -> Iterator[Finding]:
    """Find a convolution that TensorRT's parser takes for one of 1x1, in all versions.

    A ConvTranspose has its kernel's shape from its weights wherever they come from.
    """
    dequantize = graph.makers.get(node.inputs[1])
    if dequantize is None or dequantize.operator != 'DequantizeLinear':
        return
    kernel = _shape_before(graph, dequantize)[2:]
    if kernel and max(kernel) == 1:
        return
    value = str(list(kernel)) if kernel else "its weights' last dimensions"
    yield Finding(
        str(node),
        'has no attribute kernel_shape, which TensorRT needs where weights come through a '
        f'DequantizeLinear ({dequantize}); set it to {value}',
    )


def _shape_before(graph: ReadGraph, node: GraphNode | None) -> tuple[int, ...]:
    """Return the shape of the constant that passes through Q and DQ into a node's output."""
    while node is not None and node.operator in (*_PAIR, 'Identity'):
        if node.inputs[0] in graph.constants:
            return graph.constants[node.inputs[0]].shape
        node = graph.makers.get(node.inputs[0])
    return ()


def _constant(graph: ReadGraph, node: GraphNode, place: int) -> Constant | None:
    """Return the constant that a node reads, through what passes it on unchanged."""
    name = node.inputs[place] if place < len(node.inputs) else ''
    while name not in graph.constants:
        maker = graph.makers.get(name)
        if maker is None or maker.operator != 'Identity':
            return None
        name = maker.inputs[0]
    return graph.constants[name]
