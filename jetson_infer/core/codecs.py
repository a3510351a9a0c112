# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The `format` field of `sensor_msgs/CompressedImage`, and what a JPEG or PNG tells of itself.

Nothing is decompressed here: these checks cost microseconds and happen where a frame arrives.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Literal

from jetson_infer.errors import FrameRejected

__all__ = ['Codec', 'Format', 'identify', 'is_complete', 'parse_format']

Codec = Literal['jpeg', 'png']

_CODECS: dict[str, Codec] = {'jpeg': 'jpeg', 'jpg': 'jpeg', 'png': 'png'}
_MAGIC: dict[Codec, bytes] = {'jpeg': b'\xff\xd8\xff', 'png': b'\x89PNG\r\n\x1a\n'}
_LONGEST_MAGIC = 8
_END: dict[Codec, bytes] = {'jpeg': b'\xff\xd9', 'png': b'IEND\xaeB`\x82'}
_JPEG_START_OF_SCAN = 0xDA
_JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}


@dataclass(frozen=True)
class Format:
    """What a `format` field says.

    :param codec: the codec; None where the field is empty, and the data itself must tell.
    :param source_encoding: the encoding of the image before compression, such as ``bayer_rggb8``;
        empty where not told.
    :param red_first: the compressor was handed red first where it expects blue first, so that red
        and blue come out swapped.
    """

    codec: Codec | None
    source_encoding: str = ''
    red_first: bool = False


@functools.lru_cache(maxsize=32)  # a topic keeps to one format
def parse_format(text: str) -> Format:
    """Read a `format` field: ``jpeg``, ``bgr8; png compressed``, ``rgb8; jpeg compressed bgr8``.

    The pattern is the one of `sensor_msgs/CompressedImage.msg`: ``ORIG_PIXFMT; CODEC compressed
    [COMPRESSED_PIXFMT]``.  As in `compressed_image_transport`, a ``COMPRESSED_PIXFMT`` of red
    first tells that the colours were compressed in that order; where it is missing, they lie as the
    codec's own standard says.

    :raises FrameRejected: ``unknown_format``.
    """
    before, separator, after = text.partition(';')
    words = (after if separator else before).split()
    if not words:
        return Format(None)
    codec = _CODECS.get(words[0].lower())
    if codec is None:
        hint = ''
        if 'compressedDepth' in words:
            hint = (
                '; it is a depth image of compressed_depth_image_transport: subscribe to the '
                "colour image's /compressed topic"
            )
        raise FrameRejected(
            'unknown_format', f"compressed image format '{text}' is neither jpeg nor png{hint}"
        )
    return Format(
        codec,
        before.strip() if separator else '',
        words[1:2] == ['compressed'] and words[2:3] in (['rgb8'], ['rgb16']),
    )


def identify(data: memoryview) -> Codec | None:
    """Tell the codec from the first bytes; None if it is neither JPEG nor PNG."""
    start = bytes(data[:_LONGEST_MAGIC])
    for codec, magic in _MAGIC.items():
        if start.startswith(magic):
            return codec
    return None


def is_complete(codec: Codec, data: memoryview) -> bool:
    """Tell whether the end of the picture is there; padding may follow it.

    libjpeg fills what is missing with grey and merely warns, so that a cut picture would pass for
    a whole one.

    :param data: bytes that begin with the codec's magic.
    """
    end = _END[codec]
    if bytes(data[-len(end) :]) == end:
        return True
    # What follows may be padding.  A JPEG's thumbnail, in its header, has an end of its own.
    begin = _start_of_scan(data) if codec == 'jpeg' else 0
    return re.compile(re.escape(end)).search(data, begin) is not None


def _start_of_scan(data: memoryview) -> int:
    """Return where a JPEG's header ends and its pixels begin, or the end of data if nowhere.

    Segments are walked as ITU-T T.81, annex B, lays them out: 0xFF, a marker, and for most markers
    a big-endian length that counts itself.
    """
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == _JPEG_START_OF_SCAN:
            return position
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in _JPEG_WITHOUT_LENGTH:
            position += 2
        else:
            position += 2 + max(2, data[position + 2] << 8 | data[position + 3])
    return len(data)
