# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The nodes and the small constants of an ONNX file, read without the onnx library.

Robots build engines of files that were quantized elsewhere; what is wrong with one has to be told
there too.  Field numbers are those of ``onnx.proto``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jetson_infer.engines.wire_format import Span, WireError, fields, text
from jetson_infer.errors import ModelError

__all__ = ['Constant', 'GraphNode', 'ReadGraph', 'read_graph']

_DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64, 10: np.float16}
_LARGEST = 1 << 20  # bytes of a constant whose values are kept: scales and zero points are small


@dataclass(frozen=True)
class Constant:
    """An initializer, or what a Constant node gives.

    :param kind: its element type's number in ONNX: 1 float, 2 uint8, 3 int8, 6 int32, 10 float16.
    :param values: its values; None where it is large or of another type.
    :param shape: its dimensions.
    """

    kind: int
    values: npt.NDArray[np.generic] | None
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class GraphNode:
    """A node; its name may be empty.

    :param attributes: the names of the attributes that it has.
    """

    name: str
    operator: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Sequence[str] = ()

    def __str__(self) -> str:
        output = self.outputs[0] if self.outputs else 'nothing'
        return self.name or f'the {self.operator} that makes {output}'


@dataclass(frozen=True)
class ReadGraph:
    """A file's main graph.

    :param opset: the version of ONNX's own operators.
    :param constants: initializers and what Constant nodes give, by name.
    """

    opset: int
    nodes: Sequence[GraphNode]
    constants: Mapping[str, Constant]

    @cached_property
    def makers(self) -> Mapping[str, GraphNode]:
        """The nodes by what they make."""
        return {output: node for node in self.nodes for output in node.outputs}


def read_graph(path: Path) -> ReadGraph:
    """Read a file's main graph.

    :raises ModelError: if it cannot be read or is no ONNX file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f'{path}: cannot be read: {error.strerror}') from error
    try:
        return _Reader(data).graph()
    except WireError as error:
        raise ModelError(f'{path}: is no ONNX file, or only a part of one: {error}') from error


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._opset = 1
        self._nodes: list[GraphNode] = []
        self._constants: dict[str, Constant] = {}

    def graph(self) -> ReadGraph:
        for number, value in fields(self._data, (0, len(self._data))):
            if isinstance(value, int):
                continue
            if number == 8:
                self._imported(value)
            elif number == 7:
                for part, span in fields(self._data, value):
                    if part == 1 and not isinstance(span, int):
                        self._node(span)
                    elif part == 5 and not isinstance(span, int):
                        name, constant = self._tensor(span)
                        self._constants[name] = constant
        return ReadGraph(self._opset, self._nodes, self._constants)

    def _imported(self, span: Span) -> None:
        domain, version = '', 1
        for number, value in fields(self._data, span):
            if number == 1 and not isinstance(value, int):
                domain = text(self._data, value)
            elif number == 2 and isinstance(value, int):
                version = value
        if domain in ('', 'ai.onnx'):
            self._opset = version

    def _node(self, span: Span) -> None:
        name = operator = ''
        inputs, outputs, tensors, attributes = [], [], [], []
        for number, value in fields(self._data, span):
            if isinstance(value, int):
                continue
            if number == 1:
                inputs.append(text(self._data, value))
            elif number == 2:
                outputs.append(text(self._data, value))
            elif number == 3:
                name = text(self._data, value)
            elif number == 4:
                operator = text(self._data, value)
            elif number == 5:
                for field, part in fields(self._data, value):
                    if field == 1 and not isinstance(part, int):
                        attributes.append(text(self._data, part))
                    elif field == 5 and not isinstance(part, int):
                        tensors.append(part)
        self._nodes.append(GraphNode(name, operator, inputs, outputs, attributes))
        if operator == 'Constant' and outputs and tensors:
            self._constants[outputs[0]] = self._tensor(tensors[0])[1]

    def _tensor(self, span: Span) -> tuple[str, Constant]:
        name, kind = '', 0
        raw: bytes | None = None
        numbers: list[int] = []
        shape: list[int] = []
        for number, value in fields(self._data, span):
            if number == 1:
                shape += [value] if isinstance(value, int) else self._packed(value)
            elif number == 2 and isinstance(value, int):
                kind = value
            elif number == 5:
                numbers += [value] if isinstance(value, int) else self._packed(value)
            elif isinstance(value, int):
                continue
            elif number == 8:
                name = text(self._data, value)
            elif number in (4, 9) and value[1] - value[0] <= _LARGEST:
                raw = self._data[slice(*value)]
        dtype = _DTYPES.get(kind)
        values: npt.NDArray[np.generic] | None = None
        if dtype is not None and raw is not None and len(raw) % np.dtype(dtype).itemsize == 0:
            values = np.frombuffer(raw, dtype)
        elif dtype is not None and numbers:
            signed = np.array([n - (1 << 64) if n >> 63 else n for n in numbers], np.int64)
            values = signed.astype(np.uint16).view(np.float16) if kind == 10 else signed
        return name, Constant(kind, values, tuple(shape))

    def _packed(self, span: Span) -> list[int]:
        found, value, shift = [], 0, 0
        for byte in self._data[slice(*span)]:
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                found.append(value)
                value = shift = 0
        return found
