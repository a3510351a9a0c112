# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What an ONNX file is made of, as far as it can be told without any inference library.

Field numbers are those of ``onnx.proto`` (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto),
which never change.  Weights are skipped, not read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from jetson_infer.core.tensors import TensorSpec
from jetson_infer.engines.wire_format import Span, WireError, fields, text
from jetson_infer.errors import ModelError

__all__ = ['OnnxFile', 'read_onnx']

_BLOCK = 1 << 20  # bytes read at once to digest external data
_DEEPEST = 100  # nested messages; as in protobuf's own readers

# message: {field number: the message it holds}; what is not listed is skipped.
_NESTED = {
    'model': {7: 'graph', 14: 'metadata', 20: 'training', 25: 'function'},
    'training': {1: 'graph', 2: 'graph'},
    'function': {7: 'node'},
    'graph': {1: 'node', 5: 'tensor', 11: 'value', 12: 'value', 15: 'sparse'},
    'node': {5: 'attribute'},
    'attribute': {
        5: 'tensor', 10: 'tensor', 6: 'graph', 11: 'graph', 22: 'sparse', 23: 'sparse',
    },
    'sparse': {1: 'tensor', 2: 'tensor'},
    'tensor': {13: 'external'},
}  # fmt: skip
_GRAPH_INPUT, _GRAPH_OUTPUT = 11, 12
_NODE_OP_TYPE, _TENSOR_NAME = 4, 8
_DTYPES = {
    1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32,
    7: np.int64, 9: np.bool_, 10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64,
}  # fmt: skip


@dataclass(frozen=True)
class OnnxFile:
    """An ONNX file's outside.

    :param path: the file.
    :param digest: SHA-256 in hex of the file; where it has external data, of what is printed by
        ``(sha256sum < FILE; sha256sum EXTERNAL_FILE ...)``, the latter sorted, in its folder.
    :param inputs: the inputs that have to be given values, in the network's order.
    :param outputs: the outputs, in the network's order.
    :param external: the files that hold weights outside of the ONNX file.
    :param operators: the operators that occur, in any sub-graph or function.
    :param metadata: what the exporter wrote into ``metadata_props``.
    """

    path: Path
    digest: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    external: tuple[Path, ...] = ()
    operators: frozenset[str] = frozenset()
    metadata: Mapping[str, str] = field(default_factory=dict)


def read_onnx(path: Path) -> OnnxFile:
    """Read an ONNX file's outside and digest it with its external data.

    :raises ModelError: if a file is missing, cannot be read, or is no ONNX file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f'{path}: cannot be read: {error.strerror}') from error
    walk = _Walk(content)
    try:
        walk.message('model', (0, len(content)), 0)
    except WireError as error:
        raise ModelError(
            f'{path}: is no ONNX file, or only a part of one ({len(content)} bytes): it has '
            f'{error}; export or copy it again'
        ) from error
    if not walk.outputs:
        raise ModelError(f'{path}: is no ONNX file: it holds no graph with an output')
    external = tuple(_external(path, location) for location in sorted(walk.locations))
    return OnnxFile(
        path=path,
        digest=_digest(path, content, external),
        inputs=tuple(
            _spec(path, content, value)
            for value in walk.inputs
            if value.name not in walk.initializers
        ),
        outputs=tuple(_spec(path, content, value) for value in walk.outputs),
        external=external,
        operators=frozenset(walk.operators),
        metadata=walk.metadata,
    )


@dataclass(frozen=True)
class _Value:
    """A graph's input or output: its name, its element type's number and its shape."""

    name: str
    kind: int
    shape: tuple[int, ...]


class _Walk:
    """Collects what is told of a model, message by message."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.inputs: list[_Value] = []
        self.outputs: list[_Value] = []
        self.initializers: set[str] = set()
        self.locations: set[str] = set()
        self.operators: set[str] = set()
        self.metadata: dict[str, str] = {}

    def message(self, kind: str, span: Span, depth: int, top: bool = False) -> None:
        """Look into a message; ``top`` for the model's own graph and what stands in it."""
        if depth > _DEEPEST:
            raise WireError(f'messages nested deeper than {_DEEPEST}')
        nested = _NESTED[kind]
        for number, value in fields(self._data, span):
            if isinstance(value, int):
                continue
            inner = nested.get(number)
            if inner == 'metadata':
                key, told = self._entry(value)
                self.metadata[key] = told
            elif inner == 'external':
                key, told = self._entry(value)
                if key == 'location':
                    self.locations.add(told)
            elif inner == 'value':
                if top:
                    (self.inputs if number == _GRAPH_INPUT else self.outputs).append(
                        self._value(value)
                    )
            elif inner is not None:
                main_graph = kind == 'model' and inner == 'graph'
                in_main_graph = top and kind == 'graph' and inner == 'tensor'
                self.message(inner, value, depth + 1, main_graph or in_main_graph)
            elif kind == 'node' and number == _NODE_OP_TYPE:
                self.operators.add(text(self._data, value))
            elif kind == 'tensor' and number == _TENSOR_NAME and top:
                self.initializers.add(text(self._data, value))

    def _entry(self, span: Span) -> tuple[str, str]:
        """Return a ``StringStringEntryProto``."""
        found = {1: '', 2: ''}
        for number, value in fields(self._data, span):
            if number in found and not isinstance(value, int):
                found[number] = text(self._data, value)
        return found[1], found[2]

    def _value(self, span: Span) -> _Value:
        """Return a ``ValueInfoProto``; of what is no tensor, type 0."""
        name, kind = '', 0
        shape: tuple[int, ...] = ()
        for number, value in fields(self._data, span):
            if number == 1 and not isinstance(value, int):
                name = text(self._data, value)
            elif number == 2 and not isinstance(value, int):
                for type_number, tensor in fields(self._data, value):
                    if type_number == 1 and not isinstance(tensor, int):
                        kind, shape = self._tensor_type(tensor)
        return _Value(name, kind, shape)

    def _tensor_type(self, span: Span) -> tuple[int, tuple[int, ...]]:
        kind, shape = 0, []
        for number, value in fields(self._data, span):
            if number == 1 and isinstance(value, int):
                kind = value
            elif number == 2 and not isinstance(value, int):
                for _, dimension in fields(self._data, value):
                    if not isinstance(dimension, int):
                        shape.append(self._dimension(dimension))
        return kind, tuple(shape)

    def _dimension(self, span: Span) -> int:
        for number, value in fields(self._data, span):
            if number == 1 and isinstance(value, int) and 0 < value < 1 << 63:
                return value
        return -1


def _spec(path: Path, content: bytes, value: _Value) -> TensorSpec:
    if value.kind not in _DTYPES:
        raise ModelError(
            f'{path}: {value.name} is of ONNX type {value.kind}, which cannot be exchanged with '
            f'NumPy; export the model with inputs and outputs of usual number types'
        )
    return TensorSpec(value.name, np.dtype(_DTYPES[value.kind]), value.shape)


def _external(path: Path, location: str) -> Path:
    relative = PurePosixPath(location)
    if relative.is_absolute() or '..' in relative.parts or not location or '\0' in location:
        raise ModelError(
            f'{path}: has weights in {location!r}; external data must lie in the folder of the '
            'ONNX file or below: export it again'
        )
    return path.parent / relative


def _digest(path: Path, content: bytes, external: tuple[Path, ...]) -> str:
    own = hashlib.sha256(content).hexdigest()
    if not external:
        return own
    lines = [f'{own}  -\n']
    for file in external:
        name = file.relative_to(path.parent).as_posix()
        lines.append(f'{_file_digest(path, file)}  {name}\n')
    return hashlib.sha256(''.join(lines).encode()).hexdigest()


def _file_digest(path: Path, file: Path) -> str:
    digest = hashlib.sha256()
    try:
        with file.open('rb') as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise ModelError(
            f'{path}: its weights in {file} cannot be read: {error.strerror}; copy that file too'
        ) from error
    return digest.hexdigest()
