# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The name and operator of an ONNX file's node, by its index.

TensorRT 8.6 names the node at fault by its index alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jetson_infer.engines.wire_format import Span, WireError, fields, text

__all__ = ['OnnxNode', 'find_node']

# https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
MODEL_GRAPH, GRAPH_NODE, NODE_NAME, NODE_OP_TYPE = 7, 1, 3, 4


class OnnxNode(NamedTuple):
    """A node's name, which may be empty, and its operator: ``'Conv'``."""

    name: str
    operator: str


def find_node(path: Path, index: int) -> OnnxNode | None:
    """Return the node of the main graph at an index; None if there is none, or no ONNX file."""
    try:
        data = path.read_bytes()
        for number, span in enumerate(_nodes(data)):
            if number == index:
                return _node(data, span)
    except (OSError, WireError):
        return None
    return None


def _nodes(data: bytes) -> Iterator[Span]:
    for graph in _within(data, (0, len(data)), MODEL_GRAPH):
        yield from _within(data, graph, GRAPH_NODE)


def _within(data: bytes, span: Span, wanted: int) -> Iterator[Span]:
    for number, value in fields(data, span):
        if number == wanted and not isinstance(value, int):
            yield value


def _node(data: bytes, span: Span) -> OnnxNode:
    told = {NODE_NAME: '', NODE_OP_TYPE: ''}
    for number, value in fields(data, span):
        if number in told and not isinstance(value, int):
            told[number] = text(data, value)
    if not told[NODE_OP_TYPE]:
        raise WireError('a node without an operator')
    return OnnxNode(told[NODE_NAME], told[NODE_OP_TYPE])
