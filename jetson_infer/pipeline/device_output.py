# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From the network's outputs on a device to detections on the host."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.decoders.base import Decoder
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.cuda.kernels.candidates import CandidatesKernel
from jetson_infer.cuda.memory import Buffer
from jetson_infer.cuda.staging import StagedBuffer
from jetson_infer.cuda.stream import Stream

__all__ = ['CandidateOutput', 'DeviceOutput', 'WholeOutput']


class DeviceOutput(ABC):
    """One frame's outputs, from the end of its inference on."""

    @abstractmethod
    def enqueue(self, stream: Stream, limits: DetectionLimits) -> None:
        """Queue what brings the outputs to the host.

        :param limits: which candidates become detections.
        :raises DeviceError: if the device is lost.
        """

    @abstractmethod
    def decode(self, limits: DetectionLimits) -> Detections:
        """Decode the outputs, once the stream has come to the end of :meth:`enqueue`.

        :param limits: those that were enqueued.
        :return: detections in pixels of the network's input.
        :raises DeviceError: if the device is lost.
        """

    def rehearse(self, limits: DetectionLimits) -> Detections | None:
        """Do what :meth:`decode` does, with made-up outputs and without the device.

        :return: None where that would take as long as the whole outputs do.
        """
        return None


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

    def enqueue(self, stream: Stream, limits: DetectionLimits) -> None:
        """See :meth:`DeviceOutput.enqueue`."""
        for target, source, nbytes in self._copies:
            stream.copy(target, source, nbytes)

    def decode(self, limits: DetectionLimits) -> Detections:
        """See :meth:`DeviceOutput.decode`."""
        return self._decoder.decode(self._arrays, limits)

    def let_go(self) -> None:
        """Drop the views of the host's memory, which is closed next; no frame can come any more."""
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

    def enqueue(self, stream: Stream, limits: DetectionLimits) -> None:
        """See :meth:`DeviceOutput.enqueue`."""
        if limits is not self._written:
            self._kernel.write_settings(self._settings.host, limits)
            self._settings.upload(stream)
            self._written = limits
        self._kernel.enqueue(stream, self._output, self._settings.device, self._results.device)
        self._results.download(stream)

    def decode(self, limits: DetectionLimits) -> Detections:
        """See :meth:`DeviceOutput.decode`."""
        chosen = self._kernel.read(self._results.host)
        if chosen.lost:
            self._whole.enqueue(self._stream, limits)
            self._stream.synchronize()
            return self._whole.decode(limits)
        return self._decoder.decode_candidates(chosen.candidates, limits)

    def rehearse(self, limits: DetectionLimits) -> Detections | None:
        """See :meth:`DeviceOutput.rehearse`."""
        chosen = self._kernel.read(self._example)
        return self._decoder.decode_candidates(chosen.candidates, limits)


def _nbytes(spec: TensorSpec) -> int:
    return int(np.prod(spec.shape, dtype=np.int64)) * spec.dtype.itemsize


def _array(buffer: Buffer, spec: TensorSpec) -> npt.NDArray[Any]:
    assert buffer.host is not None
    return buffer.host[: _nbytes(spec)].view(spec.dtype).reshape(spec.shape)
