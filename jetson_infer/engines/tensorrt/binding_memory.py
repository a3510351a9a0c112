# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The memory of one binding: inputs, outputs and TensorRT's scratch, for the largest shapes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import numpy as np

from jetson_infer.core.tensors import TensorSpec
from jetson_infer.cuda.device import Device
from jetson_infer.cuda.memory import Buffer, MemoryKind, MemoryResource
from jetson_infer.cuda.pool import BufferPool, BufferSpec, SlotLayout
from jetson_infer.cuda.staging import StagedBuffer
from jetson_infer.engines.tensorrt.engine_io import EngineIO
from jetson_infer.engines.tensorrt.execution import Execution

__all__ = ['Adapt', 'BindingMemory']

Adapt = Callable[[MemoryResource], MemoryResource]
"""Wraps a memory resource before it is used: to count, to limit, to fail."""


class BindingMemory:
    """Memory that does not move until it is closed.

    :param execution: tells the sizes; its shapes are set to the profile's largest on the way.
    :param profile: the number of its shape profile.
    :param host: whether inputs and outputs have a host's side.
    :param adapt: wraps the device's memory resources.
    :raises SessionError: if TensorRT does not take the profile's largest shapes.
    :raises DeviceMemoryError: if there is not enough memory; what was taken is given back.
    """

    def __init__(
        self,
        device: Device,
        execution: Execution,
        io: EngineIO,
        profile: int,
        host: bool,
        adapt: Adapt,
    ) -> None:
        adapt = _once(adapt)
        with ExitStack() as stack:
            self._scratch_bytes = self._give_scratch(device, execution, adapt, stack)
            self._lay_out(device, execution, io, profile, host, adapt, stack)
            self._stack = stack.pop_all()

    @staticmethod
    def _give_scratch(device: Device, execution: Execution, adapt: Adapt, stack: ExitStack) -> int:
        """Give TensorRT its scratch memory, before anything is asked of the context."""
        nbytes = execution.scratch_bytes
        if nbytes <= 0:
            return 0
        layout = SlotLayout([BufferSpec('scratch', 'device', nbytes)])
        pool = stack.enter_context(BufferPool(device, layout, 1, adapt=adapt))
        slot = pool.lease()
        assert slot is not None  # it is the first
        execution.use_scratch(slot.device('scratch').address, nbytes)
        return pool.device_bytes

    def _lay_out(
        self,
        device: Device,
        execution: Execution,
        io: EngineIO,
        profile: int,
        host: bool,
        adapt: Adapt,
        stack: ExitStack,
    ) -> None:
        """Allocate inputs and outputs."""
        largest = {name: bounds.maximum for name, bounds in io.profiles[profile].inputs.items()}
        outputs = execution.set_shapes(largest)
        specs = [
            BufferSpec(spec.name, 'upload' if host else 'device', _nbytes(spec, largest))
            for spec in io.inputs
        ]
        specs += [
            BufferSpec(
                spec.name,
                'download' if host else 'device',
                max(_nbytes(spec, outputs), execution.largest_output_bytes(spec.name)),
            )
            for spec in io.outputs
        ]
        self._pool = stack.enter_context(BufferPool(device, SlotLayout(specs), 1, adapt=adapt))
        self.buffers: dict[str, Buffer] = {}
        """The device's side of every input and output, by its name."""
        self.staged: dict[str, StagedBuffer] = {}
        """Both sides of every input and output; empty without a host's side."""
        slot = self._pool.lease()
        assert slot is not None  # it is the first
        for spec in (*io.inputs, *io.outputs):
            self.buffers[spec.name] = slot.device(spec.name)
            if host:
                self.staged[spec.name] = slot.staged(spec.name)

    @property
    def device_bytes(self) -> int:
        """How many bytes of the device's memory it takes."""
        return self._pool.device_bytes + self._scratch_bytes

    def connect(self, execution: Execution) -> None:
        """Give the execution all addresses; they stay the same.

        :raises SessionError: if TensorRT refuses one.
        """
        for name, buffer in self.buffers.items():
            execution.set_address(name, buffer.address)

    def close(self) -> None:
        """Give all memory back; may be called twice."""
        self._stack.close()


def _once(adapt: Adapt) -> Adapt:
    """Wrap every resource once, so that both pools share what counts, limits and fails."""
    adapted: dict[MemoryKind, MemoryResource] = {}

    def wrapped(resource: MemoryResource) -> MemoryResource:
        if resource.kind not in adapted:
            adapted[resource.kind] = adapt(resource)
        return adapted[resource.kind]

    return wrapped


def _nbytes(spec: TensorSpec, shapes: dict[str, tuple[int, ...]]) -> int:
    return max(1, int(np.prod(shapes[spec.name], dtype=np.int64)) * spec.dtype.itemsize)
