# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From a camera's image on the host to the network's input on a device."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.cuda.kernels.geometry import RawImage, supports
from jetson_infer.cuda.kernels.preprocess import PreprocessKernel
from jetson_infer.cuda.memory import Buffer
from jetson_infer.cuda.staging import StagedBuffer
from jetson_infer.cuda.stream import Event, Stream
from jetson_infer.pipeline.convert import Converter
from jetson_infer.pipeline.preprocess import Preprocessor

__all__ = ['DeviceInput', 'InputMemory']


@dataclass
class InputMemory:
    """What one frame's input needs; all of it is free when :meth:`DeviceInput.enqueue` begins.

    :param raw: takes the camera's bytes.
    :param network: the network's input on the device.
    :param staging: page-locked, of the network input's size, for what the host prepares.
    :param array: the view on it as the network's input, always the same object.
    :param uploading: recorded before the first byte crosses, for who measures.
    """

    raw: StagedBuffer
    network: Buffer
    staging: Buffer
    array: npt.NDArray[Any]
    uploading: Event | None = None

    def let_go(self) -> None:
        """Drop the view of `staging`, which is closed next; no frame can come any more."""
        self.array = np.empty(0, self.array.dtype)


class DeviceInput:
    """Prepares images, on the device where it can.

    Of an image that is scaled down so far that whole rows are not sampled, only the others cross.

    An image whose encoding the kernel does not read, or that is larger than the memory laid out for
    it, is prepared on the host, as the other engines have it; :attr:`on_host` counts them.

    :param kernel: prepares on the device.
    :param preprocessor: prepares on the host.
    :param size: width and height of the network's input, in pixels.
    """

    def __init__(
        self, kernel: PreprocessKernel, preprocessor: Preprocessor, size: tuple[int, int]
    ) -> None:
        self._kernel = kernel
        self._preprocessor = preprocessor
        self._converter = Converter()
        self._size = size
        self.on_host: Counter[str] = Counter()
        """How many images were prepared on the host, by the reason: ``encoding``, ``size``."""

    def enqueue(
        self, image: ImageView | CompressedView, memory: InputMemory, stream: Stream
    ) -> Letterbox:
        """Queue the preparation of one image, whose bytes are not needed any more afterwards.

        :return: the geometry, which takes boxes back to the image.
        :raises FrameRejected: ``decode_failed``.
        :raises DeviceError: if the device is lost.
        """
        if isinstance(image, CompressedView):
            image = self._converter.decode(image)
        if not supports(image.encoding):
            return self._prepare_on_host(image, memory, stream, 'encoding')
        raw = RawImage.of(image)
        packing = self._kernel.packing(raw, self._size)
        if packing is not None:
            raw = packing.image
        if raw.nbytes > memory.raw.nbytes:
            return self._prepare_on_host(image, memory, stream, 'size')
        if packing is not None:
            packing.copy(image.pixels, memory.raw.host)
        else:
            memory.raw.host[: raw.nbytes] = _bytes_of(image, raw)
        if memory.uploading is not None:
            stream.record(memory.uploading)
        memory.raw.upload(stream, raw.nbytes)
        return self._kernel.enqueue(stream, raw, memory.raw.device, memory.network, self._size)

    def let_go(self) -> None:
        """Drop all views of page-locked memory, which is closed next; no frame can come any more.

        Those of one frame's memory are dropped by :meth:`InputMemory.let_go`.
        """
        self._preprocessor.let_go()

    def _prepare_on_host(
        self, image: ImageView, memory: InputMemory, stream: Stream, reason: str
    ) -> Letterbox:
        self.on_host[reason] += 1
        letterbox = self._preprocessor.prepare(image, memory.array)
        if memory.uploading is not None:
            stream.record(memory.uploading)
        stream.copy(memory.network, memory.staging, memory.array.nbytes)
        return letterbox


def _bytes_of(image: ImageView, raw: RawImage) -> npt.NDArray[np.uint8]:
    """View the bytes of an image as they lie in memory, from its first pixel to its last."""
    if image.pixels.flags.c_contiguous:
        return image.pixels.reshape(-1)
    view: npt.NDArray[np.uint8] = np.lib.stride_tricks.as_strided(
        image.pixels, (raw.nbytes,), (1,), writeable=False
    )
    return view
