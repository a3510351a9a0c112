# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs of an ONNX Runtime session, allocated once and shared with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.tensors import TensorSpec
from jetson_infer.engines.onnxruntime.failures import one_line
from jetson_infer.engines.session import Binding
from jetson_infer.errors import SessionError

__all__ = ['OnnxRuntimeBinding']


class OnnxRuntimeBinding(Binding):
    """Arrays that ONNX Runtime reads from and writes to without copies.

    Inputs and outputs of known shape are NumPy arrays that ONNX Runtime is told to work on.  An
    output whose shape only running can tell (``(N, 7)``) is allocated by ONNX Runtime's arena and
    seen through a view.

    :param path: the file the network came from, for messages.
    :param shapes: see :meth:`Session.bind`.
    :raises SessionError: if a shape is missing or does not fit.
    """

    def __init__(
        self,
        runtime: ModuleType,
        session: Any,
        path: str,
        inputs: tuple[TensorSpec, ...],
        outputs: tuple[TensorSpec, ...],
        shapes: Mapping[str, tuple[int, ...]],
    ) -> None:
        self._path = path
        self._session = session
        self._binding = session.io_binding()
        self._values: list[Any] = []  # OrtValues that see our arrays; they must live as long
        make = runtime.OrtValue.ortvalue_from_numpy
        self._inputs = _allocate(inputs, _input_shapes(path, inputs, shapes))
        for name, array in self._inputs.items():
            self._values.append(make(array))
            self._binding.bind_ortvalue_input(name, self._values[-1])
        self._outputs = _allocate(
            outputs, {output.name: output.shape for output in outputs if output.is_static}
        )
        for name, array in self._outputs.items():
            self._values.append(make(array))
            self._binding.bind_ortvalue_output(name, self._values[-1])
        self._dynamic = tuple(output for output in outputs if not output.is_static)
        self._order = (*self._outputs, *(output.name for output in self._dynamic))

    @property
    def inputs(self) -> Mapping[str, npt.NDArray[Any]]:
        """See :attr:`Binding.inputs`."""
        return MappingProxyType(self._inputs)

    @property
    def outputs(self) -> Mapping[str, npt.NDArray[Any]]:
        """See :attr:`Binding.outputs`; an output of dynamic shape is there after the first run."""
        return MappingProxyType(self._outputs)

    def run(self) -> Mapping[str, npt.NDArray[Any]]:
        """See :meth:`Binding.run`."""
        if self._binding is None:
            raise SessionError(f'{self._path}: the session is closed')
        for output in self._dynamic:
            # Bound anew, because ONNX Runtime would insist on the shape of the run before.
            self._outputs.pop(output.name, None)
            self._binding.bind_output(output.name)
        try:
            self._session.run_with_iobinding(self._binding)
        except Exception as error:  # ONNX Runtime's own exceptions have no common base but this
            raise SessionError(f'{self._path}: ONNX Runtime failed: {one_line(error)}') from error
        if self._dynamic:
            values = dict(zip(self._order, self._binding.get_outputs()))
            for output in self._dynamic:
                self._outputs[output.name] = _view(values[output.name], output.dtype)
        return self.outputs

    def close(self) -> None:
        """Let go of the session and of what it allocated; our own arrays stay readable."""
        for output in self._dynamic:
            self._outputs.pop(output.name, None)
        self._binding = None
        self._session = None
        self._values.clear()


def _allocate(
    specs: Iterable[TensorSpec], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, npt.NDArray[Any]]:
    return {
        spec.name: np.zeros(shapes[spec.name], spec.dtype) for spec in specs if spec.name in shapes
    }


def _input_shapes(
    path: str, inputs: tuple[TensorSpec, ...], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[int, ...]]:
    """Return the shape of every input.

    :raises SessionError: if one is missing or does not fit.
    """
    unknown = sorted(set(shapes) - {spec.name for spec in inputs})
    if unknown:
        raise SessionError(
            f'{path}: the network has no input {", ".join(unknown)}; its inputs: {_listing(inputs)}'
        )
    complete = {}
    for spec in inputs:
        shape = tuple(shapes.get(spec.name, spec.shape))
        if any(dimension < 0 for dimension in shape):
            raise SessionError(f'{path}: the input {spec} is dynamic; its shape has to be given')
        if not spec.admits(shape):
            raise SessionError(f'{path}: the input {spec} does not take the shape {list(shape)}')
        complete[spec.name] = shape
    return complete


def _listing(specs: Iterable[TensorSpec]) -> str:
    return ', '.join(str(spec) for spec in specs)


class _Memory:
    """An OrtValue as NumPy's array interface; an array made of it keeps the OrtValue alive."""

    def __init__(self, value: Any, dtype: np.dtype[Any]) -> None:
        self._value = value
        self.__array_interface__ = {
            'version': 3,
            'shape': tuple(value.shape()),
            'typestr': dtype.str,
            'data': (value.data_ptr(), False),
        }


def _view(value: Any, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array that sees an OrtValue's memory, where ``OrtValue.numpy`` would copy it."""
    if 0 in value.shape():
        return np.empty(value.shape(), dtype)
    return np.asarray(_Memory(value, dtype))
