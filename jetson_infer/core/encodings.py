# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The encodings of `sensor_msgs/Image` that can be read, and how their bytes lie.

The names are those of `sensor_msgs/image_encodings.hpp`.  OpenCV's type names stand for what
`cv_bridge` users put into them: ``8UC1`` for ``mono8``, ``8UC3`` for ``bgr8``, ``8UC4`` for
``bgra8``, ``16UC1`` for ``mono16``.
"""

from __future__ import annotations

import difflib
import functools
from dataclasses import dataclass
from typing import Literal

from jetson_infer.errors import FrameRejected

__all__ = ['ENCODINGS', 'Encoding', 'Kind', 'find_encoding']

Kind = Literal['grey', 'rgb', 'bgr', 'rgba', 'bgra', 'bayer', 'yuv422', 'yuv420']


@dataclass(frozen=True)
class Encoding:
    """One way to put pixels into bytes.

    :param name: the canonical name, one for all aliases.
    :param kind: what the samples mean: ``grey``, ``rgb``, ``bgr``, ``rgba``, ``bgra`` (interleaved
        channels in that order), ``bayer`` (a colour mosaic), ``yuv422`` (luma and alternating
        chroma, two bytes a pixel), ``yuv420`` (a luma plane, then interleaved chroma at half
        resolution in both directions).
    :param channels: samples that a pixel takes in its row (1 for the luma rows of ``yuv420``).
    :param itemsize: bytes of a sample, 1 or 2.
    """

    name: str
    kind: Kind
    channels: int
    itemsize: int = 1

    def rows(self, height: int) -> int:
        """Return the rows of bytes that an image of a height takes."""
        return height * 3 // 2 if self.kind == 'yuv420' else height


_CANONICAL = (
    Encoding('mono8', 'grey', 1),
    Encoding('rgb8', 'rgb', 3),
    Encoding('bgr8', 'bgr', 3),
    Encoding('rgba8', 'rgba', 4),
    Encoding('bgra8', 'bgra', 4),
    Encoding('mono16', 'grey', 1, 2),
    Encoding('rgb16', 'rgb', 3, 2),
    Encoding('bgr16', 'bgr', 3, 2),
    Encoding('rgba16', 'rgba', 4, 2),
    Encoding('bgra16', 'bgra', 4, 2),
    Encoding('uyvy', 'yuv422', 2),
    Encoding('yuyv', 'yuv422', 2),
    Encoding('nv12', 'yuv420', 1),
    Encoding('nv21', 'yuv420', 1),
    *(Encoding(f'bayer_{p}8', 'bayer', 1) for p in ('rggb', 'bggr', 'gbrg', 'grbg')),
    *(Encoding(f'bayer_{p}16', 'bayer', 1, 2) for p in ('rggb', 'bggr', 'gbrg', 'grbg')),
)

_ALIASES = {
    '8UC1': 'mono8',
    '8UC3': 'bgr8',
    '8UC4': 'bgra8',
    '16UC1': 'mono16',
    '16UC3': 'bgr16',
    '16UC4': 'bgra16',
    'yuv422': 'uyvy',
    'yuv422_yuy2': 'yuyv',
}

ENCODINGS = {encoding.name: encoding for encoding in _CANONICAL}
ENCODINGS.update({alias: ENCODINGS[name] for alias, name in _ALIASES.items()})
"""Every name that is read, aliases included."""

_HINTS = {
    '32FC1': 'it is a depth image in metres; subscribe to the colour or grey image instead',
    '64FC1': 'it is a depth image; subscribe to the colour or grey image instead',
}


def find_encoding(name: str) -> Encoding:
    """Return the encoding of a name.

    :raises FrameRejected: ``unknown_encoding``; the message lists those that are read.
    """
    encoding = ENCODINGS.get(name)
    if encoding is None:
        raise FrameRejected('unknown_encoding', _unknown(name))
    return encoding


@functools.lru_cache(maxsize=16)  # a publisher that is wrong is wrong in every frame
def _unknown(name: str) -> str:
    hint = _HINTS.get(name, '')
    close = difflib.get_close_matches(name.lower(), ENCODINGS, n=1)
    if not hint and close:
        hint = f"did you mean '{close[0]}'?"
    readable = ', '.join(ENCODINGS)
    return f"image encoding '{name}' cannot be read{hint and '; ' + hint}; readable: {readable}"
