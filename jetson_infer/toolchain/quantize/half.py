# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The same quantized network for TensorRT 11, which computes in the types that the file says.

From the first layer to the last that has weights everything that is not INT8 becomes 16-bit floats,
scales included; what follows, which makes boxes in pixels of raw outputs, stays in 32 bits, because
16 bits tell no half pixels apart from 1024 on.  Q and DQ of 16-bit floats need opset 19.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jetson_infer.dependencies import require
from jetson_infer.errors import ModelError
from jetson_infer.toolchain.quantize.graph import PURPOSE, WEIGHTED

__all__ = ['strongly_typed']

OPSET = 19
IR_VERSION = 9  # of ONNX 1.14, which brought opset 19
_FLOAT, _HALF = 1, 10  # of onnx.TensorProto
_KEEPS_FLOAT = {'Resize': (1, 2)}
"""Inputs by operator that are read as they are: a Resize's scales have to be of 32 bits."""


def strongly_typed(model: Any, name: str) -> Any:
    """Return a copy of an explicitly quantized model in 16-bit floats.

    :param model: an ``onnx.ModelProto`` of opset 13 to 17.
    :param name: what to call it in messages.
    :raises ModelError: if it has sub-graphs or weights that 16 bits cannot hold, or its operators
        cannot be taken to opset 19.
    """
    onnx = require('onnx', PURPOSE)
    converter = require('onnx.version_converter', PURPOSE)
    try:
        converted = converter.convert_version(model, OPSET)
    except Exception as error:  # onnx raises RuntimeError and more of its own
        raise ModelError(f'{name}: cannot be taken to opset {OPSET}: {error}') from error
    for node in converted.graph.node:
        if any(attribute.type in (5, 10) for attribute in node.attribute):
            raise ModelError(f'{name}: {node.name} holds a sub-graph, which is not converted')
    converted.ir_version = IR_VERSION
    del converted.metadata_props[:]
    converted.metadata_props.extend(model.metadata_props)
    _Conversion(onnx, converted, name).run()
    return converted


class _Conversion:
    def __init__(self, onnx: Any, model: Any, name: str) -> None:
        self._onnx = onnx
        self._graph = model.graph
        self._name = name
        self._constants = {i.name: i for i in self._graph.initializer}
        self._types = self._infer(model)
        self._half: set[str] = set()
        self._nodes: list[Any] = []
        self._made: dict[tuple[str, int], str] = {}
        self._tensors: dict[str, Any] = {}

    def run(self) -> None:
        """Convert the graph in place."""
        body = self._body()
        for index, node in enumerate(self._graph.node):
            keeps = _KEEPS_FLOAT.get(node.op_type, ())
            wanted = _HALF if index in body else _FLOAT
            for position, read in enumerate(node.input):
                if read and position not in keeps and self._types.get(read) == _FLOAT:
                    node.input[position] = self._as(read, wanted)
            if index in body:
                self._half.update(name for name in node.output if self._types.get(name) == _FLOAT)
            self._nodes.append(node)
        for output in self._graph.output:
            self._restore(output)
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        self._graph.initializer.extend(self._tensors.values())
        used = {name for node in self._graph.node for name in node.input}
        kept = [i for i in self._graph.initializer if i.name in used]
        del self._graph.initializer[:]
        self._graph.initializer.extend(kept)
        del self._graph.value_info[:]

    def _body(self) -> set[int]:
        """Return the places of the layers with weights and of all that leads to them."""
        makers = {name: i for i, node in enumerate(self._graph.node) for name in node.output}
        waiting = [i for i, node in enumerate(self._graph.node) if node.op_type in WEIGHTED]
        body: set[int] = set()
        while waiting:
            index = waiting.pop()
            if index not in body:
                body.add(index)
                reads = self._graph.node[index].input
                waiting += [makers[name] for name in reads if name in makers]
        return body

    def _as(self, name: str, kind: int) -> str:
        """Return the name under which a tensor of floats is there in a type."""
        if name in self._constants:
            return name if kind == _FLOAT else self._constant(name)
        if (name in self._half) == (kind == _HALF):
            return name
        if (name, kind) not in self._made:
            cast = f'{name}_{"half" if kind == _HALF else "float"}'
            self._nodes.append(
                self._onnx.helper.make_node('Cast', [name], [cast], f'{cast}_Cast', to=kind)
            )
            self._made[name, kind] = cast
        return self._made[name, kind]

    def _constant(self, name: str) -> str:
        half = f'{name}_half'
        if half not in self._tensors:
            values = self._onnx.numpy_helper.to_array(self._constants[name])
            if np.abs(values).max(initial=0.0) > np.finfo(np.float16).max:
                raise ModelError(
                    f'{self._name}: {name} holds {np.abs(values).max():g}, more than 16-bit floats '
                    'can; the network cannot compute in them'
                )
            narrow = values.astype(np.float16)
            if name.endswith('_scale'):
                # A scale must not become 0.
                narrow = np.maximum(narrow, np.finfo(np.float16).smallest_subnormal)
            self._tensors[half] = self._onnx.numpy_helper.from_array(narrow, half)
        return half

    def _restore(self, output: Any) -> None:
        """Let an output that the layers in 16 bits make be of 32 bits, as the card has it."""
        name = output.name
        if name not in self._half:
            return
        inner = f'{name}_half'
        for node in self._nodes:
            for names in (node.input, node.output):
                for position, each in enumerate(names):
                    if each == name:
                        names[position] = inner
        helper = self._onnx.helper
        self._nodes.append(helper.make_node('Cast', [inner], [name], f'{name}_Cast', to=_FLOAT))

    def _infer(self, model: Any) -> dict[str, int]:
        graph = self._onnx.shape_inference.infer_shapes(model).graph
        types = {
            value.name: value.type.tensor_type.elem_type
            for value in (*graph.input, *graph.value_info, *graph.output)
        }
        types.update({i.name: i.data_type for i in graph.initializer})
        return types
