# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What an engine takes and gives: names, types, shapes and the ranges of its shape profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jetson_infer.core.shape_profiles import Shape, ShapeProfile, ShapeRange
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.engines.tensorrt.api import member_name, trt, version
from jetson_infer.engines.tensorrt.runtime import Troubles
from jetson_infer.engines.tensorrt.types import data_dependent, dtype_of, shape_of
from jetson_infer.errors import EngineError, SessionError

__all__ = ['EngineIO', 'read_io']


@dataclass(frozen=True)
class EngineIO:
    """An engine's inputs and outputs.

    :param source: where the engine came from, for messages.
    :param inputs: the inputs, in the engine's order; -1 where a dimension is dynamic.
    :param outputs: the outputs, likewise.
    :param profiles: by number, the ranges of all inputs.
    """

    source: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    profiles: tuple[ShapeProfile, ...]

    def complete(self, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
        """Return the concrete shape of every input.

        :raises SessionError: if one is unknown, missing or does not fit.
        """
        unknown = sorted(set(shapes) - {spec.name for spec in self.inputs})
        if unknown:
            raise SessionError(
                f'{self.source}: the engine has no input {", ".join(unknown)}; its inputs: '
                f'{", ".join(map(str, self.inputs))}'
            )
        complete = {}
        for spec in self.inputs:
            shape = tuple(int(d) for d in shapes.get(spec.name, spec.shape))
            if any(dimension < 0 for dimension in shape):
                raise SessionError(
                    f'{self.source}: the input {spec} is dynamic; its shape has to be given'
                )
            if not spec.admits(shape):
                raise SessionError(
                    f'{self.source}: the input {spec} does not take the shape {list(shape)}'
                )
            complete[spec.name] = shape
        return complete

    def choose_profile(self, shapes: Mapping[str, Shape]) -> int:
        """Return the number of the first profile that admits the shapes of all inputs.

        :raises SessionError: if none does, with the ranges of each.
        """
        for number, profile in enumerate(self.profiles):
            if profile.admits(shapes):
                return number
        raise SessionError(self.outside(shapes, self.profiles))

    def outside(self, shapes: Mapping[str, Shape], profiles: tuple[ShapeProfile, ...]) -> str:
        """Say which shapes lie outside of what was built for, and what to do."""
        wrong = {
            name: shape
            for name, shape in shapes.items()
            if not all(profile.admits({name: shape}) for profile in profiles)
        }
        asked = ', '.join(f'{name} {list(shape)}' for name, shape in wrong.items())
        ranges = ' | '.join(
            '; '.join(f'{name}: {profile.inputs[name]}' for name in wrong) for profile in profiles
        )
        return (
            f'{self.source}: the engine does not take {asked}; it was built for {ranges}. '
            "Keep within, or build it for more (the card's size range)"
        )


def read_io(engine: trt.ICudaEngine, troubles: Troubles) -> EngineIO:
    """Read an engine's inputs, outputs and profiles.

    :param troubles: what TensorRT says of it.
    :raises EngineError: if it has some that cannot be exchanged.
    """
    troubles.clear()
    inputs: list[TensorSpec] = []
    outputs: list[TensorSpec] = []
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        is_input = engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
        (inputs if is_input else outputs).append(_spec(engine, name, troubles))
    profiles = tuple(
        ShapeProfile({spec.name: _range(engine, spec, number) for spec in inputs})
        for number in range(engine.num_optimization_profiles)
    )
    return EngineIO(troubles.source, tuple(inputs), tuple(outputs), profiles)


def _spec(engine: trt.ICudaEngine, name: str, troubles: Troubles) -> TensorSpec:
    source = troubles.source
    dtype = dtype_of(engine.get_tensor_dtype(name))
    if dtype is None:
        raise EngineError(
            f'{source}: {name} is of type {member_name(engine.get_tensor_dtype(name))}, which '
            'cannot be exchanged with NumPy; build it from a model with float32 or float16 there'
        )
    if (
        engine.is_shape_inference_io(name)
        or engine.get_tensor_location(name) != trt.TensorLocation.DEVICE
    ):
        raise EngineError(
            f'{source}: the values of {name} decide about shapes, which is not supported; build '
            'it from a model with these values as constants'
        )
    if engine.get_tensor_format(name) != trt.TensorFormat.LINEAR:
        raise EngineError(
            f'{source}: {name} is laid out as {engine.get_tensor_format_desc(name)}, not row by '
            'row; build it with jetson-infer build'
        )
    shape = shape_of(engine.get_tensor_shape(name))
    if shape is None:  # so 8.6 answers for any tensor of an engine with such an output
        raise EngineError(
            f'{source}: TensorRT {version()} does not tell the shape of {name} '
            f'({troubles.reasons()}). {data_dependent("of an output")}'
        )
    return TensorSpec(name, dtype, shape)


def _range(engine: trt.ICudaEngine, spec: TensorSpec, profile: int) -> ShapeRange:
    if spec.is_static:
        return ShapeRange.fixed(spec.shape)
    minimum, optimum, maximum = engine.get_tensor_profile_shape(spec.name, profile)
    return ShapeRange(tuple(minimum), tuple(optimum), tuple(maximum))
