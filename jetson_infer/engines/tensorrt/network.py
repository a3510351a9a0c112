# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From an ONNX file to a network that the builder takes, or every reason why not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jetson_infer.core.shape_profiles import ShapeProfile
from jetson_infer.engines.tensorrt.api import member_name, trt
from jetson_infer.engines.tensorrt.log import MessageLog
from jetson_infer.engines.tensorrt.parse_errors import describe_error, parse_failure
from jetson_infer.engines.tensorrt.strong_typing import creation_flags
from jetson_infer.engines.tensorrt.types import data_dependent, dtype_of, shape_of, shown
from jetson_infer.errors import EngineBuildError

__all__ = ['ParsedNetwork', 'check_profiles', 'parse_network']

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ParsedNetwork:
    """A parsed network; the parser owns its weights and lives as long.

    :param strongly_typed: whether its precisions come from the ONNX file.
    """

    network: trt.INetworkDefinition
    parser: trt.OnnxParser
    strongly_typed: bool

    @property
    def inputs(self) -> tuple[trt.ITensor, ...]:
        """The inputs, in the network's order."""
        network = self.network
        return tuple(network.get_input(index) for index in range(network.num_inputs))

    @property
    def outputs(self) -> tuple[trt.ITensor, ...]:
        """The outputs, in the network's order."""
        network = self.network
        return tuple(network.get_output(index) for index in range(network.num_outputs))

    def layers(self) -> Iterator[trt.ILayer]:
        """Go through the layers."""
        for index in range(self.network.num_layers):
            yield self.network.get_layer(index)

    @property
    def is_quantized(self) -> bool:
        """Whether it has QuantizeLinear nodes."""
        return any(layer.type == trt.LayerType.QUANTIZE for layer in self.layers())

    def types(self) -> set[str]:
        """Return TensorRT's names of all its tensors' types: ``{'FLOAT', 'INT8'}``."""
        found = {member_name(tensor.dtype) for tensor in self.inputs}
        for layer in self.layers():
            for index in range(layer.num_outputs):
                found.add(member_name(layer.get_output(index).dtype))
        return found


def parse_network(
    builder: trt.Builder, logger: trt.ILogger, log: MessageLog, path: Path, strongly_typed: bool
) -> ParsedNetwork:
    """Parse an ONNX file.

    :param strongly_typed: ask for a strongly typed network, where the version has the choice.
    :raises EngineBuildError: if it cannot be parsed, with every error and its node; or if an input
        or output cannot be exchanged.
    """
    if not path.is_file():
        raise EngineBuildError(f'{path}: there is no such file')
    if not path.stat().st_size:
        raise EngineBuildError(f'{path}: is empty; export or copy it again')
    flags, typed = creation_flags(strongly_typed)
    network = builder.create_network(flags)
    parser = trt.OnnxParser(network, logger)
    log.clear()
    if not parser.parse_from_file(str(path)) or parser.num_errors:
        errors = [
            describe_error(path, parser.get_error(index)) for index in range(parser.num_errors)
        ]
        raise EngineBuildError(parse_failure(path, errors, log))
    parsed = ParsedNetwork(network, parser, typed)
    _check_tensors(path, parsed)
    return parsed


def _check_tensors(path: Path, parsed: ParsedNetwork) -> None:
    """Refuse inputs and outputs that could not be filled or read.

    :raises EngineBuildError: with the tensor's name and what to do.
    """
    if not parsed.inputs or not parsed.outputs:
        raise EngineBuildError(
            f'{path}: the network has {len(parsed.inputs)} inputs and {len(parsed.outputs)} '
            'outputs; both need at least one'
        )
    for tensor in (*parsed.inputs, *parsed.outputs):
        if dtype_of(tensor.dtype) is None:
            raise EngineBuildError(
                f'{path}: {tensor.name} is of type {member_name(tensor.dtype)}, which cannot be '
                'exchanged with NumPy; export the model with float32 or float16 there'
            )
    for tensor in parsed.inputs:
        if tensor.is_shape_tensor:
            raise EngineBuildError(
                f'{path}: the values of the input {tensor.name} decide about shapes, which is not '
                'supported; export the model with these values as constants'
            )
        if shape_of(tensor.shape) is None:
            raise EngineBuildError(
                f'{path}: the input {tensor.name} has no number of dimensions; export the model '
                'with a shape there'
            )
    if all(min(tensor.shape, default=0) >= 0 for tensor in parsed.inputs):
        for tensor in parsed.outputs:
            shape = shape_of(tensor.shape)
            if shape is None or min(shape, default=0) < 0:
                whose = f'of the output {shown(tensor.name, shape)}'
                logger.warning('%s: it seems that %s', path, data_dependent(whose))


def check_profiles(
    path: Path, inputs: tuple[trt.ITensor, ...], profiles: tuple[ShapeProfile, ...]
) -> None:
    """Hold the shape profiles against the network's inputs.

    :raises EngineBuildError: if a dynamic input has no range, or a range does not fit its input.
    """
    shapes = {tensor.name: tuple(tensor.shape) for tensor in inputs}
    dynamic = [name for name, shape in shapes.items() if min(shape, default=0) < 0]
    if dynamic and not profiles:
        raise EngineBuildError(
            f'{path}: the input{"s" if len(dynamic) > 1 else ""} {_shown(shapes, dynamic)} '
            'is dynamic; give the smallest, the most usual and the largest shape'
        )
    for number, profile in enumerate(profiles):
        where = f'{path}: shape profile {number}'
        unknown = sorted(profile.inputs.keys() - shapes.keys())
        if unknown:
            raise EngineBuildError(
                f'{where}: the network has no input {", ".join(unknown)}; it has '
                f'{_shown(shapes, list(shapes))}'
            )
        missing = [name for name in dynamic if name not in profile.inputs]
        if missing:
            raise EngineBuildError(f'{where} has no shapes for {_shown(shapes, missing)}')
        for name, bounds in profile.inputs.items():
            shape = shapes[name]
            fits = len(shape) == len(bounds.minimum) and all(
                own < 0 or own == low == high
                for own, low, high in zip(shape, bounds.minimum, bounds.maximum)
            )
            if not fits:
                raise EngineBuildError(
                    f'{where}: {bounds} does not fit the input {_shown(shapes, [name])}'
                )


def _shown(shapes: dict[str, tuple[int, ...]], names: list[str]) -> str:
    return ', '.join(
        f'{name}[{"x".join("?" if d < 0 else str(d) for d in shapes[name])}]' for name in names
    )
