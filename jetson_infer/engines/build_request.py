# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What is asked of an engine's builder: a value that travels to another process as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from jetson_infer.core.shape_profiles import ShapeProfile, ShapeRange
from jetson_infer.errors import EngineBuildError

__all__ = ['PRECISIONS', 'BuildRequest', 'ShapeProfile', 'ShapeRange']

PRECISIONS = ('fp32', 'fp16', 'int8', 'mixed')
MAX_OPTIMIZATION_LEVEL = 5


@dataclass(frozen=True)
class BuildRequest:
    """One engine to build from one ONNX file.

    :param onnx: the ONNX file.
    :param precision: what the builder may use.

        - ``fp32``: nothing below float32; TF32 only with ``tf32``.
        - ``fp16``: float16 where it is faster.
        - ``int8``: int8 where the file has QuantizeLinear and DequantizeLinear nodes, which it
          must have; float16 elsewhere where it is faster.
        - ``mixed``: as ``int8``, also for a file without such nodes; with ``float32_layers``.

        A strongly typed network (``strongly_typed``, and every one since TensorRT 11) has its
        precisions in the file itself; then ``precision`` says what the file must hold.
    :param strongly_typed: take every precision from the file, where the version knows how.
    :param profiles: the shapes to build for; empty for a network without dynamic inputs.
    :param float32_layers: layers, by the names of their ONNX nodes, that stay in float32.
    :param sparsity: let layers with weights of 2:4 structured sparsity use it.
    :param dla_core: build for this DLA core; None for the GPU.
    :param gpu_fallback: layers that the DLA cannot run go to the GPU, instead of failing the build.
    :param tf32: let float32 layers use TensorFloat-32, whose mantissa has 10 bits.
    :param external_tactics: let the builder try cuBLAS and cuDNN kernels where the version has such
        tactic sources. The engine then needs these libraries; TensorRT 11 has none.
    :param workspace_bytes: the most scratch memory that a layer may use; None for all there is.
    :param optimization_level: 0 (quick build) to 5 (quick engine); None for the version's own.
    :param timing_cache: a file with the timings of earlier builds to start from; need not exist.
    :raises EngineBuildError: if a value, or two together, cannot work.
    """

    onnx: Path
    precision: str = 'fp32'
    strongly_typed: bool = False
    profiles: tuple[ShapeProfile, ...] = ()
    float32_layers: tuple[str, ...] = ()
    sparsity: bool = False
    dla_core: int | None = None
    gpu_fallback: bool = True
    tf32: bool = False
    external_tactics: bool = False
    workspace_bytes: int | None = None
    optimization_level: int | None = None
    timing_cache: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, 'onnx', Path(self.onnx))
        object.__setattr__(self, 'profiles', tuple(self.profiles))
        object.__setattr__(self, 'float32_layers', tuple(self.float32_layers))
        if self.timing_cache is not None:
            object.__setattr__(self, 'timing_cache', Path(self.timing_cache))
        for problem in self._problems():
            raise EngineBuildError(f'{self.onnx}: cannot be built: {problem}')

    def _problems(self) -> list[str]:
        found = []
        if self.precision not in PRECISIONS:
            found.append(f'precision {self.precision!r} is none of {", ".join(PRECISIONS)}')
        level = self.optimization_level
        if level is not None and not 0 <= level <= MAX_OPTIMIZATION_LEVEL:
            found.append(f'optimization_level {level} is not within 0 to {MAX_OPTIMIZATION_LEVEL}')
        if self.workspace_bytes is not None and self.workspace_bytes <= 0:
            found.append(f'workspace_bytes {self.workspace_bytes} is not above 0')
        if self.dla_core is not None and self.dla_core < 0:
            found.append(f'dla_core {self.dla_core} is below 0')
        if self.dla_core is not None and self.precision == 'fp32':
            found.append('a DLA computes in fp16 and int8 alone, and fp32 was asked for')
        if self.float32_layers and self.precision == 'fp32':
            found.append('float32_layers make no difference in fp32; ask for fp16, int8 or mixed')
        if self.float32_layers and self.strongly_typed:
            found.append(
                'a strongly typed network has its precisions in the ONNX file, where Cast nodes '
                'keep a layer in float32; float32_layers cannot be given besides'
            )
        return found

    def flags(self) -> dict[str, Any]:
        """Return what changes the engine besides file, precision, profiles and DLA core, by name.

        Workspace and optimization level are among it: both decide which kernels are chosen. The
        timing cache is not: it changes how long the choice takes.
        """
        names = (
            'strongly_typed', 'float32_layers', 'sparsity', 'gpu_fallback', 'tf32',
            'external_tactics', 'workspace_bytes', 'optimization_level',
        )  # fmt: skip
        values = {name: getattr(self, name) for name in names}
        return {**values, 'float32_layers': sorted(self.float32_layers)}

    def with_timing_cache(self, path: Path | None) -> BuildRequest:
        """Return the same request with another timing cache."""
        return replace(self, timing_cache=path)

    def to_json(self) -> str:
        """Return the request as one line of JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values['onnx'] = str(self.onnx)
        values['timing_cache'] = None if self.timing_cache is None else str(self.timing_cache)
        values['profiles'] = [profile.to_json() for profile in self.profiles]
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> BuildRequest:
        """Read what :meth:`to_json` wrote.

        :raises EngineBuildError: if it is something else.
        """
        try:
            values = json.loads(text)
            values['profiles'] = tuple(ShapeProfile.from_json(p) for p in values['profiles'])
            return cls(**values)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise EngineBuildError(f'not a request to build an engine: {error!r}') from error
