# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Which way the network's outputs go from the device to the host, and the kernels for it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from jetson_infer.core.decoders.base import Decoder
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.cuda.device import Device
from jetson_infer.cuda.kernels.candidates import CandidatesKernel
from jetson_infer.cuda.kernels.detections import DetectionsKernel
from jetson_infer.cuda.pool import BufferSpec, Slot
from jetson_infer.cuda.stream import Stream
from jetson_infer.engines.session import DeviceBinding
from jetson_infer.pipeline.device_output import (
    CandidateOutput,
    DetectionMemory,
    DetectionOutput,
    DeviceOutput,
    WholeOutput,
)

__all__ = ['Postprocessing']


class Postprocessing:
    """What follows the network on the device, as far as the decoder lets it.

    :param stack: closes the kernels.
    :param device: current on this thread.
    :param decoder: tells what the device may do in its place.
    :param outputs: the network's outputs as they are bound.
    :raises DecoderError: if an output of dynamic shape turns out not to fit.
    :raises KernelError: if the kernels cannot be compiled.
    """

    def __init__(
        self, stack: ExitStack, device: Device, decoder: Decoder, outputs: Sequence[TensorSpec]
    ) -> None:
        self._decoder = decoder
        self._choosing: CandidatesKernel | None = None
        self._finishing: DetectionsKernel | None = None
        layout = decoder.device_candidates(outputs)
        if layout is None:
            return
        self._output = layout.output
        self._choosing = stack.enter_context(CandidatesKernel(device, layout))
        if layout.finishing is not None:
            self._finishing = stack.enter_context(
                DetectionsKernel(device, layout.finishing, layout.classes)
            )

    @property
    def needs_whole_outputs(self) -> bool:
        """Whether every frame's whole outputs cross, rather than those of rare ones."""
        return self._choosing is None

    def specs(self) -> list[BufferSpec]:
        """Return what each frame needs memory for."""
        choosing, finishing = self._choosing, self._finishing
        if choosing is None:
            return []
        threshold = BufferSpec('threshold', 'upload', choosing.settings_nbytes)
        if finishing is None:
            return [threshold, BufferSpec('results', 'download', choosing.results_nbytes)]
        return [
            threshold,
            BufferSpec('limits', 'upload', finishing.settings_nbytes),
            BufferSpec('candidates', 'device', choosing.results_nbytes),
            BufferSpec('results', 'download', finishing.results_nbytes),
        ]

    def output(
        self, binding: DeviceBinding, slot: Slot, whole: WholeOutput, stream: Stream
    ) -> DeviceOutput:
        """Return one lane's way.

        :param binding: its network.
        :param slot: its memory, by :meth:`specs`.
        :param whole: its way for whole outputs.
        :param stream: of the inference.
        """
        choosing, finishing = self._choosing, self._finishing
        if choosing is None:
            return whole
        output = binding.device_outputs[self._output]
        threshold, results = slot.staged('threshold'), slot.staged('results')
        if finishing is None:
            return CandidateOutput(
                choosing, self._decoder, output, threshold, results, whole, stream
            )
        memory = DetectionMemory(
            threshold, slot.staged('limits'), slot.device('candidates'), results
        )
        return DetectionOutput(choosing, finishing, self._decoder, output, memory, whole, stream)
