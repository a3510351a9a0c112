# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Images to measure with: synthetic ones, or a recording's."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from jetson_infer.core.encodings import find_encoding
from jetson_infer.core.images import (
    CompressedView,
    ImageView,
    view_image,
    wrap_compressed,
    wrap_image,
)
from jetson_infer.errors import FrameRejected
from jetson_infer.toolchain.bench.settings import BenchError, BenchSetting
from jetson_infer.toolchain.recording_files import find_recording
from jetson_infer.toolchain.recordings import Recording, Topic

__all__ = [
    'COMPRESSED',
    'DISTINCT',
    'RAW',
    'image_type',
    'images_of',
    'recorded_images',
    'recorded_messages',
    'synthetic_bytes',
    'synthetic_images',
]

RAW, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'

DISTINCT = 4
"""How many different synthetic images are used in turn: enough that none stays in a cache."""


def synthetic_bytes(encoding: str, size: tuple[int, int], seed: int) -> tuple[bytes, int]:
    """Return the data and the step of an image of noise.

    :param size: width and height in pixels.
    """
    layout = find_encoding(encoding)
    width, height = size
    step = width * layout.channels * layout.itemsize
    return np.random.default_rng(seed).bytes(step * layout.rows(height)), step


def synthetic_images(encoding: str, size: tuple[int, int]) -> list[ImageView]:
    """Return images of noise, each with memory of its own.

    :raises FrameRejected: if there is no such encoding, or no such size in it.
    """
    images = []
    for seed in range(DISTINCT):
        data, step = synthetic_bytes(encoding, size, seed)
        images.append(wrap_image(encoding, *size, step, False, data))
    return images


def recorded_messages(path: Path, count: int) -> tuple[str, list[Any]]:
    """Return the first images of the camera of which a recording has most, as they were recorded.

    :return: their type, :data:`RAW` or :data:`COMPRESSED`, and the messages, at least one.
    :raises RecordingError: if the recording cannot be read.
    :raises BenchError: if it holds no images.
    """
    with Recording.open(path) as recording:
        camera = _camera(recording)
        messages = [each.message for each in islice(recording.messages([camera.name]), count)]
    if not messages:
        raise BenchError(f'{path}: there is no image on {camera.name}')
    return camera.type, messages


def recorded_images(path: Path, count: int) -> list[ImageView | CompressedView]:
    """Return the same, as the views that a pipeline takes.

    :raises FrameRejected: if one cannot be used.
    """
    kind, messages = recorded_messages(path, count)
    if kind == COMPRESSED:
        return [wrap_compressed(message.format, message.data) for message in messages]
    return [view_image(message) for message in messages]


def image_type(setting: BenchSetting) -> str:
    """Return the type of the messages with a setting's images, :data:`RAW` or :data:`COMPRESSED`.

    :raises RecordingError: if there is no such recording, or it cannot be read.
    :raises BenchError: if it holds no images.
    """
    if not setting.recording:
        return RAW
    with Recording.open(find_recording(setting.recording)) as recording:
        return _camera(recording).type


def _camera(recording: Recording) -> Topic:
    topics = recording.topics_of_type(RAW, COMPRESSED)
    if not topics:
        raise BenchError(f'{recording.path}: it holds no camera images ({RAW}, {COMPRESSED})')
    return topics[0]


def images_of(setting: BenchSetting, count: int) -> Sequence[ImageView | CompressedView]:
    """Return the images that a setting names.

    :param count: how many of a recording.
    :raises RecordingError: if there is no such recording, or it cannot be read.
    :raises BenchError: if they cannot be used.
    """
    try:
        if setting.recording:
            return recorded_images(find_recording(setting.recording), count)
        return synthetic_images(setting.encoding, setting.size)
    except FrameRejected as error:
        raise BenchError(f'these images cannot be used: {error}') from error
