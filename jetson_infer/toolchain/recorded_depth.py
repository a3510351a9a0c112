# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images of a recording as metres, found by their stamps.

A depth image is what :mod:`~jetson_infer.core.depth_images` reads, raw or as a PNG of 16 bits, or
what `compressed_depth_image_transport` writes: 12 bytes (a format and two parameters) before a
PNG, of millimetres or of inverse depths.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jetson_infer.core.closing import Closing
from jetson_infer.core.depth_images import (
    DEPTH_ENCODINGS,
    Depth,
    from_inverse,
    from_millimetres,
    to_depth,
)
from jetson_infer.core.images import wrap_compressed
from jetson_infer.errors import FrameRejected, RecordingError
from jetson_infer.pipeline.convert import Converter
from jetson_infer.toolchain.recordings import RawMessage, Topic
from jetson_infer.toolchain.whole_recording import IMAGE_TYPES, WholeRecording, stamp_of

__all__ = ['RecordedDepth', 'holds_depth', 'read_depth', 'tells_depth']

_HEAD = struct.Struct('<iff')  # of compressed_depth_image_transport


def tells_depth(message: Any) -> bool:
    """Tell whether an image message says that it is depth; ``mono16`` may be anything."""
    if hasattr(message, 'encoding'):
        return str(message.encoding) in ('16UC1', '32FC1', '64FC1')
    source = str(message.format).partition(';')[0].strip()
    return 'compressedDepth' in message.format or source in ('16UC1', '32FC1')


def read_depth(message: Any, converter: Converter) -> Depth:
    """Return the metres of a `sensor_msgs/Image` or `CompressedImage` that holds depth.

    :raises FrameRejected: as :func:`~jetson_infer.core.depth_images.to_depth` and
        :func:`~jetson_infer.core.images.wrap_compressed`; ``decode_failed``; ``not_depth`` (what
        is compressed has not one channel of 16 bits).
    """
    if hasattr(message, 'encoding'):
        return to_depth(
            message.encoding,
            message.width,
            message.height,
            message.step,
            bool(message.is_bigendian),
            message.data,
        )
    source, _, after = str(message.format).partition(';')
    words = after.split()
    if words[:1] != ['compressedDepth']:
        return from_millimetres(_samples(message.format, message.data, converter))
    if words[1:] not in ([], ['png']):
        raise FrameRejected(
            'unknown_format',
            f"depth of the format '{message.format}' cannot be read; of compressed depth only png "
            'can: set the publisher to png',
        )
    if len(message.data) <= _HEAD.size:
        raise FrameRejected(
            'truncated_data',
            f'compressed depth of {len(message.data)} bytes is too short for its own head of '
            f'{_HEAD.size} bytes',
        )
    _, scale, offset = _HEAD.unpack(bytes(message.data[: _HEAD.size]))
    samples = _samples('png', message.data[_HEAD.size :], converter)
    if source.strip() == '32FC1':
        return from_inverse(samples, scale, offset)
    return from_millimetres(samples)


def _samples(form: str, data: Any, converter: Converter) -> Any:
    image = converter.decode(wrap_compressed(form, data))
    if image.encoding != 'mono16':
        raise FrameRejected(
            'not_depth',
            f"a compressed image of the format '{form}' holds {image.encoding}, and depth has one "
            'channel of 16 bits',
        )
    return image.pixels


class RecordedDepth(Closing):
    """The depth images of one topic, by their stamps; made by :meth:`open`.

    Best asked in the order of recording: whoever goes back makes it read anew from the first.

    :param whole: open; closed with this.
    :param topic: the topic.
    """

    def __init__(self, whole: WholeRecording, topic: Topic) -> None:
        self.topic = topic.name
        self._whole = whole
        whole.use(topic, 'depth images')
        self._converter = Converter()
        self._places = {
            stamp_of(message): place
            for place, (_, message) in enumerate(whole.messages(self.topic))
        }
        self._rest: Iterator[RawMessage] = iter(())
        self._next: int | None = None  # the place that the rest begins at

    @classmethod
    def open(cls, path: Path, topic: str) -> RecordedDepth:
        """Open a recording's depth.

        :param topic: the one with most messages that say that they are depth, unless given.
        :raises RecordingError: if nothing can be read, or there is no such topic.
        """
        whole = WholeRecording.open(path)
        try:
            if topic:
                return cls(whole, whole.choose(topic, IMAGE_TYPES, 'depth images'))
            found = [each for each in whole.topics(*IMAGE_TYPES) if holds_depth(whole, each)]
            if not found:
                there = ', '.join(each.name for each in whole.topics(*IMAGE_TYPES))
                raise RecordingError(
                    f'{path}: none of its topics of images holds depth '
                    f'({", ".join(DEPTH_ENCODINGS)}, or these compressed as png); it has '
                    f'{there or "none"}. Name one, or record one'
                )
            return cls(whole, found[0])
        except BaseException:
            whole.close()
            raise

    @property
    def complaint(self) -> str:
        """What of it is lost, and how much is whole; empty where nothing is lost."""
        return self._whole.complaint

    @property
    def count(self) -> int:
        """How many depth images there are."""
        return len(self._places)

    def at(self, stamp_ns: int) -> Depth | None:
        """Return the depth image of a stamp, ``(H, W)`` in metres; None where there is none.

        :raises FrameRejected: if it cannot be read as depth.
        """
        place = self._places.get(stamp_ns)
        if place is None:
            return None
        if self._next is None or place < self._next:
            self._rest, self._next = self._whole.raw(self.topic), 0
        for raw in self._rest:
            self._next += 1
            if self._next > place:
                return read_depth(self._whole.decode(raw), self._converter)
        return None  # what was whole at the first pass is not any more

    def digest(self) -> bytes:
        """Return the SHA-256 of all depth images."""
        total = hashlib.sha256()
        for raw in self._whole.raw(self.topic):
            total.update(hashlib.sha256(raw.cdr).digest())
        self._next = None
        return total.digest()

    def close(self) -> None:
        """Close the files; may be called twice."""
        self._whole.close()


def holds_depth(whole: WholeRecording, topic: Topic) -> bool:
    """Tell whether a topic of images says that it is depth, by its first message."""
    for _, message in whole.messages(topic.name):
        return tells_depth(message)
    return False
