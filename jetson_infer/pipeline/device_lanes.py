# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""All that frames need on a device, allocated once: streams, kernels, and a lane for each frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jetson_infer.core.cards import ModelCard, VariantCard
from jetson_infer.core.decoders.base import Decoder
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.cuda.device import Device
from jetson_infer.cuda.kernels.preprocess import PreprocessKernel
from jetson_infer.cuda.memory import Buffer, MemoryResource, aligned
from jetson_infer.cuda.pool import BufferPool, BufferSpec, Slot, SlotLayout
from jetson_infer.cuda.staging import TransferChoice
from jetson_infer.cuda.stream import Event
from jetson_infer.engines.inputs import match_inputs
from jetson_infer.engines.session import DeviceBinding, DeviceSession
from jetson_infer.errors import DeviceError, SessionError
from jetson_infer.pipeline.device_input import DeviceInput, InputMemory
from jetson_infer.pipeline.device_output import DeviceOutput, WholeOutput
from jetson_infer.pipeline.device_postprocessing import Postprocessing
from jetson_infer.pipeline.device_times import LaneTimes
from jetson_infer.pipeline.preprocess import Preprocessor

__all__ = ['DEFAULT_LARGEST_IMAGE', 'LANES', 'DeviceMemory', 'Lane', 'Lanes']

LANES = 2
DEFAULT_LARGEST_IMAGE = (1920, 1080)
_LARGEST_PIXEL = 4  # bytes, of bgra8
_WORD = 4  # the kernel loads words where there is room for the last one


@dataclass(frozen=True)
class DeviceMemory:
    """How device memory is laid out.

    :param largest_image: width and height of the largest image, in pixels of up to four bytes, that
        there is room for on the device; larger ones are prepared on the host.
    :param transfer: how bytes cross between host and device.
    :param adapt: wraps every memory resource: to count, to limit.
    """

    largest_image: tuple[int, int] = DEFAULT_LARGEST_IMAGE
    transfer: TransferChoice = 'auto'
    adapt: Callable[[MemoryResource], MemoryResource] = lambda resource: resource

    @property
    def raw_nbytes(self) -> int:
        """The bytes laid out for an image."""
        width, height = self.largest_image
        return aligned(width * height * _LARGEST_PIXEL, _WORD)


class Lane(NamedTuple):
    """All that one frame needs from its camera's bytes to its detections.

    ``times`` is there for who measures alone.
    """

    binding: DeviceBinding
    input: InputMemory
    output: DeviceOutput
    prepared: Event
    done: Event
    times: LaneTimes | None = None


class Lanes:
    """Allocates everything, and gives it back at the end of its block.

    :param device: current on this thread.
    :param timed: whether every lane notes its frames' times on the device.
    :raises SessionError: if card and network do not fit, or the engine refuses.
    :raises KernelError: if the kernels cannot be compiled.
    :raises DeviceMemoryError: if there is not enough memory; what was taken is given back.
    """

    def __init__(
        self,
        card: ModelCard,
        variant: VariantCard,
        session: DeviceSession,
        device: Device,
        decoder: Decoder,
        memory: DeviceMemory,
        timed: bool = False,
    ) -> None:
        self._card = card
        self._size = variant.size
        self._session = session
        self._device = device
        self._decoder = decoder
        self._memory = memory
        self._timed = timed
        self._wanted = match_inputs(session.inputs, card, variant)
        with ExitStack() as stack:
            self.prepare = device.stream()
            """The stream that uploads and prepares."""
            stack.callback(self.prepare.close)
            self.infer = device.stream()
            """The stream that infers and finishes."""
            stack.callback(self.infer.close)
            self._allocate(stack)
            stack.callback(self._settle)
            self._stack = stack.pop_all()

    def _allocate(self, stack: ExitStack) -> None:
        bindings = [self._session.bind(self._wanted.shapes, host=False) for _ in range(LANES)]
        self.why_no_graph = bindings[0].why_no_graph
        """Why an inference is not queued in one call; empty where it is."""
        outputs = tuple(
            TensorSpec(spec.name, spec.dtype, bindings[0].shapes[spec.name])
            for spec in self._session.outputs
        )
        after = Postprocessing(stack, self._device, self._decoder, outputs)
        raw = BufferSpec('raw', 'upload', self._memory.raw_nbytes)
        pool = BufferPool(
            self._device,
            SlotLayout([raw, *after.specs()]),
            LANES,
            self._memory.transfer,
            self._memory.adapt,
        )
        stack.callback(pool.close)
        self.transfer = pool.transfer
        """How bytes cross between the host and the device, and why so."""
        self.input = self._device_input(stack)
        """Prepares images in the lanes."""
        shared = {} if after.needs_whole_outputs else self._whole_memory(stack, outputs)
        lanes = []
        for binding in bindings:
            self._fill_constants(binding)
            slot = pool.lease()
            assert slot is not None  # there are as many as bindings
            whole = WholeOutput(
                self._decoder,
                outputs,
                binding.device_outputs,
                shared or self._whole_memory(stack, outputs),
            )
            stack.callback(whole.let_go)
            output = after.output(binding, slot, whole, self.infer)
            stack.callback(output.let_go)
            times = LaneTimes(*(self._event(stack) for _ in range(5))) if self._timed else None
            lanes.append(
                Lane(
                    binding,
                    self._input_memory(stack, binding, slot, times and times.uploading),
                    output,
                    times.prepared if times else self._event(stack),
                    times.done if times else self._event(stack),
                    times,
                )
            )
        self.lanes: tuple[Lane, ...] = tuple(lanes)
        stack.callback(self.input.let_go)

    def _device_input(self, stack: ExitStack) -> DeviceInput:
        card = self._card.input
        dtype = next(s.dtype for s in self._session.inputs if s.name == self._wanted.image)
        kernel = stack.enter_context(PreprocessKernel(self._device, card, dtype))
        return DeviceInput(kernel, Preprocessor(card, self._size), self._size)

    def _input_memory(
        self, stack: ExitStack, binding: DeviceBinding, slot: Slot, uploading: Event | None
    ) -> InputMemory:
        name = self._wanted.image
        spec = next(spec for spec in self._session.inputs if spec.name == name)
        shape = self._wanted.shapes[name]
        staging = self._pinned(stack, int(np.prod(shape)) * spec.dtype.itemsize)
        assert staging.host is not None
        array: npt.NDArray[Any] = staging.host.view(spec.dtype).reshape(shape)
        target = binding.device_inputs[name]
        memory = InputMemory(slot.staged('raw'), target, staging, array, uploading)
        stack.callback(memory.let_go)
        return memory

    def _whole_memory(
        self, stack: ExitStack, outputs: tuple[TensorSpec, ...]
    ) -> Mapping[str, Buffer]:
        return {
            spec.name: self._pinned(stack, int(np.prod(spec.shape)) * spec.dtype.itemsize)
            for spec in outputs
        }

    def _pinned(self, stack: ExitStack, nbytes: int) -> Buffer:
        resource = self._memory.adapt(self._device.memory('pinned'))
        return stack.enter_context(resource.allocate(nbytes))

    def _event(self, stack: ExitStack) -> Event:
        event = self._device.event(timing=self._timed)
        stack.callback(event.close)
        return event

    def _fill_constants(self, binding: DeviceBinding) -> None:
        for name, values in self._wanted.constants.items():
            with ExitStack() as stack:
                staging = self._pinned(stack, values.nbytes)
                assert staging.host is not None
                staging.host[:] = np.ascontiguousarray(values).view(np.uint8).reshape(-1)
                self.infer.copy(binding.device_inputs[name], staging, values.nbytes)
                self.infer.synchronize()

    def _settle(self) -> None:
        """Let what is in flight end before its memory is given back."""
        with suppress(DeviceError, SessionError):
            self.prepare.synchronize()
            self.infer.synchronize()

    def __enter__(self) -> Lanes:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()
