# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Image messages as NumPy views: checked, never copied.

Whatever a message can lie about is found here, before anything is computed from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.codecs import Codec, identify, is_complete, parse_format
from jetson_infer.core.encodings import ENCODINGS, Encoding, find_encoding
from jetson_infer.core.image_rows import check_rows
from jetson_infer.errors import FrameRejected

if TYPE_CHECKING:
    import array

    Buffer = bytes | bytearray | memoryview | array.array[int] | npt.NDArray[np.uint8]

__all__ = [
    'ENCODINGS',
    'CompressedView',
    'ImageView',
    'view_image',
    'wrap_compressed',
    'wrap_image',
]

_SMALLEST_MOSAIC = 3  # OpenCV makes smaller ones black


@dataclass(frozen=True)
class ImageView:
    """An image, as a read-only view on somebody else's bytes.

    :param encoding: a canonical name of :data:`~jetson_infer.core.encodings.ENCODINGS`.
    :param width: pixels in a row.
    :param height: rows of pixels.
    :param pixels: uint8, or uint16 in the sender's byte order; ``(height, width)`` for one channel
        and for Bayer mosaics, ``(height, width, C)`` for several and for packed YUV 4:2:2 (C = 2),
        ``(height * 3 / 2, width)`` for YUV 4:2:0.  Rows may lie apart; within a row the samples
        are contiguous.
    """

    encoding: str
    width: int
    height: int
    pixels: npt.NDArray[Any]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height


@dataclass(frozen=True)
class CompressedView:
    """A compressed image that begins and ends as one; not decompressed yet.

    :param codec: ``jpeg`` or ``png``.
    :param data: uint8 ``(N,)``, read-only, a view on the message's bytes.
    :param source_encoding: the encoding before compression where the sender told it, else empty.
    :param red_first: red and blue come out of the decoder swapped (see
        :class:`~jetson_infer.core.codecs.Format`).
    """

    codec: Codec
    data: npt.NDArray[np.uint8]
    source_encoding: str = ''
    red_first: bool = False


def wrap_image(
    encoding: str, width: int, height: int, step: int, is_bigendian: bool | int, data: Buffer
) -> ImageView:
    """View the fields of a `sensor_msgs/Image` as pixels, without a copy.

    :param step: bytes from one row to the next, padding included.
    :param data: the bytes, C-contiguous.  The last row's padding may be missing, as many drivers
        leave it out.  What follows the last row is taken for the alignment of the driver's buffer
        and left alone as long as it is shorter than a row or a memory page (4096 bytes).
    :raises FrameRejected: ``unknown_encoding``, ``zero_size``, ``odd_size`` (4:2:2 needs an even
        width, 4:2:0 an even height too), ``too_small`` (one pixel, or a mosaic of less than 3x3),
        ``bad_step``, ``short_data``, ``long_data`` (more than alignment explains: the height, the
        step or the encoding is wrong).
    """
    layout = find_encoding(encoding)
    _check_size(layout, width, height)
    pixel = layout.channels, layout.itemsize
    rows = layout.rows(height)
    check_rows(encoding, (width, height), rows, pixel, step, _bytes_of(data).nbytes)
    dtype = np.dtype('u1' if layout.itemsize == 1 else '>u2' if is_bigendian else '<u2')
    shape = (rows, width, layout.channels)
    strides = (step, layout.channels * layout.itemsize, layout.itemsize)
    axes = 2 if layout.channels == 1 else 3
    pixels: npt.NDArray[Any] = np.ndarray(shape[:axes], dtype, data, 0, strides[:axes])
    pixels.flags.writeable = False
    return ImageView(layout.name, width, height, pixels)


def view_image(message: Any) -> ImageView:
    """Return the same of a message, without copying its data.

    :param message: with the fields of sensor_msgs/Image, wherever it comes from.
    :raises FrameRejected: if they contradict each other or are not supported.
    """
    return wrap_image(
        message.encoding,
        message.width,
        message.height,
        message.step,
        bool(message.is_bigendian),
        message.data,
    )


def _bytes_of(data: Buffer) -> memoryview:
    # NumPy's stubs tell of its arrays' buffers from Python 3.12 on.
    return memoryview(data).cast('B')  # type: ignore[arg-type]


def _check_size(layout: Encoding, width: int, height: int) -> None:
    name = f'a {layout.name} image of {width}x{height}'
    if width <= 0 or height <= 0:
        raise FrameRejected('zero_size', f'{name} has no pixels')
    if layout.kind == 'yuv422' and width % 2:
        raise FrameRejected('odd_size', f'{name} cannot be: two pixels share their chroma')
    if layout.kind == 'yuv420' and (width % 2 or height % 2):
        raise FrameRejected('odd_size', f'{name} cannot be: 2x2 pixels share their chroma')
    if layout.kind == 'bayer' and min(width, height) < _SMALLEST_MOSAIC:
        raise FrameRejected('too_small', f'{name} cannot be interpolated; 3x3 is the least')
    if width == height == 1:
        raise FrameRejected('too_small', f'{name} is no picture')  # nor will OpenCV 4.5 take it


def wrap_compressed(format: str, data: Buffer) -> CompressedView:  # noqa: A002 (the field's name)
    """View the fields of a `sensor_msgs/CompressedImage`, without a copy and not decompressed.

    :param format: as :func:`~jetson_infer.core.codecs.parse_format` reads it; where it is empty,
        the first bytes of the data tell.
    :raises FrameRejected: ``unknown_format``, ``empty_data``, ``format_mismatch`` (the data begins
        otherwise than the format says), ``truncated_data`` (the end is missing).
    """
    told = parse_format(format)
    view = _bytes_of(data)
    if not view.nbytes:
        raise FrameRejected('empty_data', f"a compressed image of format '{format}' has no data")
    found = identify(view)
    if found is None or found != (told.codec or found):
        start = bytes(view[:4]).hex(' ')
        what = f'is {found}' if found else 'is neither jpeg nor png'
        raise FrameRejected(
            'format_mismatch',
            f'compressed data of {len(view)} bytes that begins with {start} {what}; its format '
            f"field says '{format}'",
        )
    if not is_complete(found, view):
        raise FrameRejected(
            'truncated_data',
            f'{found} data of {len(view)} bytes lacks its end; the sender or the transport cut it',
        )
    pixels = np.frombuffer(view, np.uint8)
    pixels.flags.writeable = False
    return CompressedView(found, pixels, told.source_encoding, told.red_first)
