# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How an image is laid into a network's input, and how boxes find their way back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ['RESIZE_MODES', 'Letterbox', 'take_back']

RESIZE_MODES = ('letterbox', 'letterbox_top_left', 'stretch')
"""Keep the aspect ratio and centre; keep it and pad at the right and the bottom; do not keep it."""

_Float = TypeVar('_Float', np.float32, np.float64)


@dataclass(frozen=True)
class Letterbox:
    """A source image scaled into a part of the network's input; the rest is padding.

    Coordinates are continuous: pixel ``i`` covers ``[i, i + 1)``, as bilinear resizing in OpenCV
    has it, so that a position only scales and shifts.  Both directions use the same two numbers an
    axis, and one is the inverse of the other.

    :param source_size: width and height of the source image, in pixels.
    :param network_size: width and height of the network's input, in pixels.
    :param inner_size: width and height of the scaled image within the network's input.
    :param pad_x: columns of padding left of the scaled image.
    :param pad_y: rows of padding above the scaled image.
    """

    source_size: tuple[int, int]
    network_size: tuple[int, int]
    inner_size: tuple[int, int]
    pad_x: int = 0
    pad_y: int = 0

    @staticmethod
    def fit(
        source_size: tuple[int, int], network_size: tuple[int, int], mode: str = 'letterbox'
    ) -> Letterbox:
        """Lay a source image into a network's input.

        With the gain ``r = min(W / w, H / h)`` the scaled image is ``round(w * r)`` by
        ``round(h * r)``, and the padding before it ``round((W - round(w * r)) / 2 - 0.1)``, where
        ``round`` takes halves to even: an odd row or column of padding goes to the bottom or the
        right.  This is the geometry of Ultralytics' `LetterBox` and of the networks trained with
        it.  Their boxes go back by ``r``; here they go back by ``round(w * r) / w``, which is what
        the pixels were scaled by.  The two differ by half a network pixel at the far edge at most.

        :param source_size: width and height, at least 1 pixel.
        :param network_size: width and height, at least 1 pixel.
        :param mode: one of :data:`RESIZE_MODES`.
        :raises ValueError: if a size is not positive or the mode unknown.
        """
        width, height = source_size
        network_width, network_height = network_size
        if min(width, height, network_width, network_height) < 1:
            raise ValueError(
                f'sizes must be positive, not {width}x{height} and {network_width}x{network_height}'
            )
        if mode not in RESIZE_MODES:
            raise ValueError(f"resize mode '{mode}' is not one of {', '.join(RESIZE_MODES)}")
        if mode == 'stretch':
            return Letterbox(source_size, network_size, network_size)
        gain = min(network_width / width, network_height / height)
        # A strip thinner than half a pixel keeps one.
        inner_width = max(1, round(width * gain))
        inner_height = max(1, round(height * gain))
        if mode == 'letterbox_top_left':
            return Letterbox(source_size, network_size, (inner_width, inner_height))
        return Letterbox(
            source_size,
            network_size,
            (inner_width, inner_height),
            round((network_width - inner_width) / 2 - 0.1),
            round((network_height - inner_height) / 2 - 0.1),
        )

    @property
    def scale_x(self) -> float:
        """Network pixels a source pixel, horizontally."""
        return self.inner_size[0] / self.source_size[0]

    @property
    def scale_y(self) -> float:
        """Network pixels a source pixel, vertically."""
        return self.inner_size[1] / self.source_size[1]

    @property
    def fills(self) -> bool:
        """Whether there is no padding."""
        return self.inner_size == self.network_size

    def to_network(self, boxes: npt.NDArray[_Float]) -> npt.NDArray[_Float]:
        """Take boxes from the source image to the network's input.

        :param boxes: floats ``(..., 4)``; ``x_min, y_min, x_max, y_max`` in source pixels.
        :returns: a new array of the same shape and type, in pixels of the network's input.
        """
        scale, shift = _axes(self, boxes.dtype)
        return boxes * scale + shift

    def to_source(self, boxes: npt.NDArray[_Float], clip: bool = False) -> npt.NDArray[_Float]:
        """Take boxes from the network's input to the source image.

        :param boxes: floats ``(..., 4)``; ``x_min, y_min, x_max, y_max`` in pixels of the network's
            input.
        :param clip: cut off what lies outside the source image.  A box that lies in the padding
            alone becomes one without area at the image's edge.
        :returns: a new array of the same shape and type, in source pixels.
        """
        scale, shift = _axes(self, boxes.dtype)
        far_corner = _far_corner(self.source_size, boxes.dtype) if clip else None
        return take_back(boxes, scale, shift, far_corner)


def take_back(
    boxes: npt.NDArray[_Float],
    scale: npt.NDArray[_Float],
    shift: npt.NDArray[_Float],
    far_corner: npt.NDArray[_Float] | None,
) -> npt.NDArray[_Float]:
    """Take boxes from the network's input to the source image, by the numbers of a letterbox.

    :param boxes: floats ``(N, 4)``.
    :param scale: ``(4,)``; network pixels a source pixel, along each coordinate.
    :param shift: ``(4,)``; the padding before the scaled image.
    :param far_corner: ``(4,)``; width and height of the source image, twice; cut off what lies
        outside it.  None: leave it.
    :returns: a new array of the same shape and type, in source pixels.
    """
    source = boxes - shift
    source /= scale
    if far_corner is not None:
        np.maximum(source, 0, out=source)
        np.minimum(source, far_corner, out=source)
    return source


# Every frame of a camera has the same geometry, and making small arrays costs more than using them.


@lru_cache(maxsize=64)
def _axes(letterbox: Letterbox, dtype: np.dtype[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    scale = np.array((letterbox.scale_x, letterbox.scale_y) * 2, dtype)
    return _constant(scale), _constant(np.array((letterbox.pad_x, letterbox.pad_y) * 2, dtype))


@lru_cache(maxsize=64)
def _far_corner(size: tuple[int, int], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    return _constant(np.array(size * 2, dtype))


def _constant(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.flags.writeable = False
    return array
