# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""An execution context: one engine at one shape profile, with shapes and addresses set by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jetson_infer.core.shape_profiles import Shape
from jetson_infer.cuda.stream import Stream
from jetson_infer.engines.layer_times import LayerSample
from jetson_infer.engines.tensorrt.api import trt
from jetson_infer.engines.tensorrt.engine_io import EngineIO
from jetson_infer.engines.tensorrt.error_recorder import open_recorder
from jetson_infer.engines.tensorrt.layer_profiler import open_profiler
from jetson_infer.engines.tensorrt.runtime import Troubles
from jetson_infer.engines.tensorrt.types import data_dependent, shape_of, shown
from jetson_infer.errors import SessionError

__all__ = ['Execution']


class Execution:
    """One way of running an engine; several of one engine may run beside each other.

    Its scratch memory is ours: :attr:`scratch_bytes` says how much it needs, and
    :meth:`use_scratch` gives it, before the first run.  Where a version has no way to do so,
    ``scratch_bytes`` is 0 and TensorRT allocates on its own.

    :param profile: the number of the shape profile.
    :param stream: for the switch to the profile; awaited before the constructor returns.
    :raises DeviceMemoryError: if TensorRT finds no memory.
    :raises SessionError: if it makes no context for another reason.
    """

    def __init__(
        self,
        engine: trt.ICudaEngine,
        io: EngineIO,
        profile: int,
        stream: Stream,
        troubles: Troubles,
    ) -> None:
        self._io = io
        self._troubles = troubles
        troubles.clear()
        context, self.scratch_bytes, self._sized = _create_context(engine, profile)
        if context is None:
            raise troubles.failure('makes no execution context')
        self._context: trt.IExecutionContext = context
        self._context.error_recorder = open_recorder(troubles.errors)
        if context.active_optimization_profile != profile:
            self._choose(profile, stream)

    def _choose(self, profile: int, stream: Stream) -> None:
        what, refusal = f'does not take shape profile {profile}', None
        try:
            taken = self._context.set_optimization_profile_async(profile, stream.handle)
        except RuntimeError as error:  # how all versions refuse
            taken, refusal = False, error
        if not taken:
            what += f' ({refusal})' if refusal else ''
            self._troubles.fail(what, stream)
        stream.synchronize()

    @property
    def run(self) -> Callable[[int], bool]:
        """Queue one inference on a CUDA stream by its handle; False if TensorRT refuses.

        Bound once by who runs frames, so that none costs a look-up.
        """
        return self._context.execute_async_v3

    def use_scratch(self, address: int, nbytes: int) -> None:
        """Give it the scratch memory, aligned to 256 bytes; it must live as long as the context."""
        if self._sized and hasattr(self._context, 'set_device_memory'):
            self._context.set_device_memory(address, nbytes)
        else:
            self._context.device_memory = address

    def set_address(self, name: str, address: int) -> None:
        """Set where an input or output lies.

        :raises SessionError: if TensorRT refuses.
        """
        if not self._context.set_tensor_address(name, address):
            raise self._troubles.failure(f'does not take the address of {name}')

    def set_shapes(self, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
        """Set the shapes of all inputs and return those of all outputs.

        :raises SessionError: if TensorRT refuses one, or an output's shape depends on the data.
        """
        for name, shape in shapes.items():
            if not self._context.set_input_shape(name, trt.Dims(shape)):
                raise self._troubles.failure(f'does not take {name} {list(shape)}')
        try:
            missing = self._context.infer_shapes()
        except RuntimeError as error:
            raise self._troubles.failure(f'infers no shapes ({error})') from error
        if missing:
            raise self._troubles.failure(f'misses the shapes of {", ".join(missing)}')
        outputs = {}
        for spec in self._io.outputs:
            found = shape_of(self._context.get_tensor_shape(spec.name))
            if found is None or min(found, default=0) < 0:
                whose = f'of the output {shown(spec.name, found)}'
                raise SessionError(f'{self._io.source}: {data_dependent(whose)}')
            outputs[spec.name] = found
        return outputs

    def watch_layers(self, report: Callable[[LayerSample], None]) -> None:
        """Have the time of every layer noted from now on, which makes runs slower.

        :param report: told of the layers of the last run by :meth:`report_layers`.
        """
        self._context.profiler = open_profiler(report)
        self._context.enqueue_emits_profile = False  # a run would otherwise wait for its own end

    def report_layers(self) -> None:
        """Tell the times of the last run, which has ended.

        :raises SessionError: if TensorRT does not tell them.
        """
        if not self._context.report_to_profiler():
            raise self._troubles.failure('does not tell how long its layers take')

    def largest_output_bytes(self, name: str) -> int:
        """Return an upper bound of an output's size at this profile, in bytes; below 1: unknown."""
        return int(self._context.get_max_output_size(name))


def _create_context(
    engine: trt.ICudaEngine, profile: int
) -> tuple[trt.IExecutionContext | None, int, bool]:
    """Return a context without memory of its own, how much it needs, and whether to tell its size.

    The calls that tell the size came with streamed weights, and end the process on 10.7 for an
    engine without them (github.com/NVIDIA/TensorRT/issues/4302): the older ones are preferred.
    """
    if hasattr(trt, 'ExecutionContextAllocationStrategy'):
        create: Any = engine.create_execution_context  # takes no strategy before 10
        if hasattr(engine, 'get_device_memory_size_for_profile'):
            context = create(trt.ExecutionContextAllocationStrategy.USER_MANAGED)
            return context, int(engine.get_device_memory_size_for_profile(profile)), False
        if hasattr(engine, 'get_device_memory_size_for_profile_v2'):
            context = create(trt.ExecutionContextAllocationStrategy.USER_MANAGED)
            return context, int(engine.get_device_memory_size_for_profile_v2(profile)), True
    if hasattr(engine, 'create_execution_context_without_device_memory') and hasattr(
        engine, 'device_memory_size'
    ):
        context = engine.create_execution_context_without_device_memory()
        return context, int(engine.device_memory_size), False
    return engine.create_execution_context(), 0, False
