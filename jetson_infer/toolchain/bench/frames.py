# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Images to measure with: synthetic ones, or a recording's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jetson_infer.core.encodings import find_encoding
from jetson_infer.core.images import CompressedView, ImageView, wrap_compressed, wrap_image
from jetson_infer.toolchain.bench.settings import BenchError
from jetson_infer.toolchain.recordings import Recording

__all__ = ['IMAGE_TYPES', 'recorded_images', 'synthetic_bytes', 'synthetic_images']

IMAGE_TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')

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


def recorded_images(path: Path, count: int) -> list[ImageView | CompressedView]:
    """Return the first images of the camera of which a recording has most.

    :raises RecordingError: if the recording cannot be read.
    :raises BenchError: if it holds no images.
    :raises FrameRejected: if one cannot be used.
    """
    with Recording.open(path) as recording:
        topics = recording.topics_of_type(*IMAGE_TYPES)
        if not topics:
            raise BenchError(f'{path}: it holds no camera images ({", ".join(IMAGE_TYPES)})')
        images: list[ImageView | CompressedView] = []
        for _, recorded in zip(range(count), recording.messages([topics[0].name])):
            message = recorded.message
            if topics[0].type == IMAGE_TYPES[1]:
                images.append(wrap_compressed(message.format, message.data))
                continue
            images.append(
                wrap_image(
                    message.encoding,
                    message.width,
                    message.height,
                    message.step,
                    bool(message.is_bigendian),
                    message.data,
                )
            )
        return images
