# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From the network's outputs on a device to detections on the host, in three ways.

The device finishes the frame, and a few boxes cross; it chooses the candidates, which the host
decodes; or the whole outputs cross.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jetson_infer.core.decoders.base import Decoder
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.cuda.kernels.candidates import CandidatesKernel
from jetson_infer.cuda.kernels.detections import DetectionsKernel, FinishedResults
from jetson_infer.cuda.memory import Buffer
from jetson_infer.cuda.staging import StagedBuffer
from jetson_infer.cuda.stream import Stream
from jetson_infer.pipeline.detection import in_image

__all__ = ['CandidateOutput', 'DetectionMemory', 'DetectionOutput', 'DeviceOutput', 'WholeOutput']


class DeviceOutput(ABC):
    """One frame's outputs, from the end of its inference on."""

    @abstractmethod
    def enqueue(self, stream: Stream, limits: DetectionLimits, letterbox: Letterbox) -> None:
        """Queue what brings the outputs to the host.

        :param limits: which candidates become detections.
        :param letterbox: how the image lies in the network's input.
        :raises DeviceError: if the device is lost.
        """

    @abstractmethod
    def decode(self, limits: DetectionLimits, letterbox: Letterbox) -> Detections:
        """Decode the outputs, once the stream has come to the end of :meth:`enqueue`.

        :param limits: those that were enqueued.
        :param letterbox: the one that was enqueued.
        :return: detections in pixels of the image, within it.
        :raises DecoderError: if scores exceed 1, which only logits do.
        :raises DeviceError: if the device is lost.
        """

    def rehearse(self, limits: DetectionLimits, letterbox: Letterbox) -> None:
        """Do what :meth:`decode` does, with made-up outputs and without the device.

        Nothing where that would take as long as the whole outputs do.
        """
        return

    def let_go(self) -> None:
        """Drop the views of the host's memory, which is closed next; no frame can come any more."""
        return


class WholeOutput(DeviceOutput):
    """Brings whole outputs to the host.

    :param decoder: decodes them.
    :param outputs: the network's outputs, with the shapes they have now.
    :param device: where they lie on the device, by name.
    :param host: page-locked memory for them, by name.
    """

    def __init__(
        self,
        decoder: Decoder,
        outputs: tuple[TensorSpec, ...],
        device: Mapping[str, Buffer],
        host: Mapping[str, Buffer],
    ) -> None:
        self._decoder = decoder
        self._copies = [(host[spec.name], device[spec.name], _nbytes(spec)) for spec in outputs]
        self._arrays = {spec.name: _array(host[spec.name], spec) for spec in outputs}

    def enqueue(self, stream: Stream, limits: DetectionLimits, letterbox: Letterbox) -> None:
        """See :meth:`DeviceOutput.enqueue`."""
        for target, source, nbytes in self._copies:
            stream.copy(target, source, nbytes)

    def decode(self, limits: DetectionLimits, letterbox: Letterbox) -> Detections:
        """See :meth:`DeviceOutput.decode`."""
        return in_image(self._decoder.decode(self._arrays, limits), letterbox)

    def fetch(self, stream: Stream, limits: DetectionLimits, letterbox: Letterbox) -> Detections:
        """Bring the outputs of a frame that has ended, and decode them; waits for the device."""
        self.enqueue(stream, limits, letterbox)
        stream.synchronize()
        return self.decode(limits, letterbox)

    def let_go(self) -> None:
        """See :meth:`DeviceOutput.let_go`."""
        self._arrays.clear()


class CandidateOutput(DeviceOutput):
    """Lets the device choose the candidates and brings those alone to the host.

    :param kernel: chooses them.
    :param decoder: decodes them.
    :param output: the network's output on the device.
    :param settings: tells the kernel the score threshold.
    :param results: takes what it chooses.
    :param whole: brings everything in the rare frame that has more candidates than `results` has
        room for; waits for the device.
    :param stream: of the inference.
    """

    def __init__(
        self,
        kernel: CandidatesKernel,
        decoder: Decoder,
        output: Buffer,
        settings: StagedBuffer,
        results: StagedBuffer,
        whole: WholeOutput,
        stream: Stream,
    ) -> None:
        self._kernel = kernel
        self._decoder = decoder
        self._output = output
        self._settings = settings
        self._results = results
        self._whole = whole
        self._stream = stream
        self._written: DetectionLimits | None = None
        self._example = kernel.example()

    def enqueue(self, stream: Stream, limits: DetectionLimits, letterbox: Letterbox) -> None:
        """See :meth:`DeviceOutput.enqueue`."""
        if limits is not self._written:
            self._kernel.write_settings(self._settings.host, limits)
            self._settings.upload(stream)
            self._written = limits
        self._kernel.enqueue(stream, self._output, self._settings.device, self._results.device)
        self._results.download(stream)

    def decode(self, limits: DetectionLimits, letterbox: Letterbox) -> Detections:
        """See :meth:`DeviceOutput.decode`."""
        chosen = self._kernel.read(self._results.host)
        if chosen.lost:
            return self._whole.fetch(self._stream, limits, letterbox)
        return in_image(self._decoder.decode_candidates(chosen.candidates, limits), letterbox)

    def rehearse(self, limits: DetectionLimits, letterbox: Letterbox) -> None:
        """See :meth:`DeviceOutput.rehearse`."""
        chosen = self._kernel.read(self._example)
        in_image(self._decoder.decode_candidates(chosen.candidates, limits), letterbox)


class DetectionMemory(NamedTuple):
    """What one frame needs to be finished on the device.

    :param threshold: tells the candidates kernel the score threshold.
    :param limits: tells the detections kernel the other limits.
    :param candidates: takes the candidates, on the device.
    :param results: takes the detections.
    """

    threshold: StagedBuffer
    limits: StagedBuffer
    candidates: Buffer
    results: StagedBuffer


class DetectionOutput(DeviceOutput):
    """Lets the device finish the frame and brings its few boxes alone to the host.

    :param choosing: chooses the candidates.
    :param finishing: makes detections of them.
    :param decoder: counts what was dropped.
    :param output: the network's output on the device.
    :param memory: of this frame.
    :param whole: brings everything in the rare frame that has more candidates than there is room
        for; waits for the device.
    :param stream: of the inference.
    """

    def __init__(
        self,
        choosing: CandidatesKernel,
        finishing: DetectionsKernel,
        decoder: Decoder,
        output: Buffer,
        memory: DetectionMemory,
        whole: WholeOutput,
        stream: Stream,
    ) -> None:
        self._choosing = choosing
        self._finishing = finishing
        self._decoder = decoder
        self._output = output
        self._memory = memory
        self._whole = whole
        self._stream = stream
        self._written: DetectionLimits | None = None
        self._results_nbytes = memory.results.nbytes
        self._finished = FinishedResults(memory.results.host)
        self._example = finishing.example()

    def enqueue(self, stream: Stream, limits: DetectionLimits, letterbox: Letterbox) -> None:
        """See :meth:`DeviceOutput.enqueue`."""
        memory = self._memory
        if limits is not self._written:
            self._choosing.write_settings(memory.threshold.host, limits)
            self._finishing.write_settings(memory.limits.host, limits)
            memory.threshold.upload(stream)
            memory.limits.upload(stream)
            self._results_nbytes = self._finishing.written_nbytes(limits)
            self._written = limits
        threshold, candidates = memory.threshold.device, memory.candidates
        self._choosing.enqueue(stream, self._output, threshold, candidates)
        self._finishing.enqueue(
            stream, candidates, memory.limits.device, memory.results.device, letterbox
        )
        memory.results.download(stream, self._results_nbytes)

    def decode(self, limits: DetectionLimits, letterbox: Letterbox) -> Detections:
        """See :meth:`DeviceOutput.decode`."""
        finished = self._finished.read()
        if finished.lost:
            return self._whole.fetch(self._stream, limits, letterbox)
        self._decoder.account(finished.non_finite, finished.inside_out, finished.above_one)
        return finished.detections

    def rehearse(self, limits: DetectionLimits, letterbox: Letterbox) -> None:
        """See :meth:`DeviceOutput.rehearse`."""
        self._example.read()

    def let_go(self) -> None:
        """See :meth:`DeviceOutput.let_go`."""
        self._finished.let_go()


def _nbytes(spec: TensorSpec) -> int:
    return int(np.prod(spec.shape, dtype=np.int64)) * spec.dtype.itemsize


def _array(buffer: Buffer, spec: TensorSpec) -> npt.NDArray[Any]:
    assert buffer.host is not None
    return buffer.host[: _nbytes(spec)].view(spec.dtype).reshape(spec.shape)
