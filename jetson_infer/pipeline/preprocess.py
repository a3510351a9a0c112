# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From a camera's image to the network's input."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.cards import InputCard
from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.dependencies import require
from jetson_infer.pipeline.convert import Converter
from jetson_infer.pipeline.network_input import NetworkInput
from jetson_infer.pipeline.scratch import Scratch

__all__ = ['Preprocessor']

_MAX_ARRAYS = 4  # as many bindings as a pipeline may have in turn


class Preprocessor:
    """Scales, reorders and normalizes images into a network's input.  Used by one thread.

    Images are scaled bilinearly, as `cv2.resize` does by default and trainers do with it; an image
    that has the right size already is not touched.  From the second image of a size on, nothing is
    allocated in proportion to it, but for what decompression needs.

    :param card: the network's input.
    :param size: width and height of the network's input, in pixels.
    """

    def __init__(self, card: InputCard, size: tuple[int, int]) -> None:
        self._cv2 = require('cv2', 'Preparing images for a network')
        self._card = card
        self._size = size
        self._converter = Converter()
        self._scratch = Scratch()
        self._letterbox: Letterbox | None = None
        self._inputs: dict[int, NetworkInput] = {}

    def prepare(self, image: ImageView | CompressedView, out: npt.NDArray[Any]) -> Letterbox:
        """Write an image into the network's input.

        :param out: the network's input; ``(1, C, H, W)`` or ``(1, H, W, C)`` as the card says;
            C-contiguous; float32, float16, or uint8 where the card neither shifts nor scales.  Its
            padding is written when this array comes for the first time or the geometry changes:
            hand over the same object for the same memory, and leave the padding alone.
        :return: the geometry, which takes boxes back to the image.
        :raises FrameRejected: ``decode_failed``.
        :raises ValueError: if `out` does not fit, with what is expected and what is there.
        """
        if isinstance(image, CompressedView):
            image = self._converter.decode(image)
        if self._letterbox is None or self._letterbox.source_size != image.size:
            self._letterbox = Letterbox.fit(image.size, self._size, self._card.resize)
        target = self._target(out, self._letterbox)
        pixels = self._converter.to_pixels(image, grey=self._card.colour == 'grey')
        target.write(self._scaled(pixels.data, self._letterbox.inner_size), pixels.order)
        return self._letterbox

    def let_go(self) -> None:
        """Forget the arrays that were written into, whose memory may be closed next."""
        self._inputs.clear()

    def _scaled(
        self, pixels: npt.NDArray[np.uint8], size: tuple[int, int]
    ) -> npt.NDArray[np.uint8]:
        width, height = size
        if pixels.shape[:2] == (height, width):
            return pixels
        scaled = self._scratch.array('scaled', (height, width, *pixels.shape[2:]))
        return self._cv2.resize(
            _rows_that_count(pixels, height), size, scaled, interpolation=self._cv2.INTER_LINEAR
        )

    def _target(self, out: npt.NDArray[Any], letterbox: Letterbox) -> NetworkInput:
        # The table holds on to the arrays, so that an identity is not given to another one.
        known = self._inputs.get(id(out))
        if known is not None and known.letterbox == letterbox:
            return known
        if known is None and len(self._inputs) == _MAX_ARRAYS:
            del self._inputs[next(iter(self._inputs))]
        target = NetworkInput(out, letterbox, self._card, self._cv2, self._scratch)
        self._inputs[id(out)] = target
        return target


def _rows_that_count(pixels: npt.NDArray[np.uint8], height: int) -> npt.NDArray[np.uint8]:
    """Return the rows that scaling to a height reads, where they are evenly spaced; else all.

    Divided by an odd number, as 1080 rows to 360, an image's rows are sampled at the centres of
    source rows: the others have no weight.  The result is the same to the bit, in four fifths of
    the time, because of rows left out nothing is read from memory.
    """
    factor, rest = divmod(pixels.shape[0], height)
    if rest or factor % 2 == 0:
        return pixels
    return pixels[factor // 2 :: factor]
