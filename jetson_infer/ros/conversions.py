# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Between ROS messages and the values of the ROS-free rooms; no pixel is touched here."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from vision_msgs.msg import (
    Detection2D,
    Detection2DArray,
    LabelInfo,
    ObjectHypothesisWithPose,
    VisionClass,
)

from jetson_infer.core.detections import Detections
from jetson_infer.core.images import CompressedView, ImageView, view_image, wrap_compressed

__all__ = [
    'bgr_image_message',
    'detections_message',
    'labels_message',
    'stamp_ns',
    'view_compressed_message',
    'view_image_message',
]


def stamp_ns(header: Any) -> int:
    """Return a header's stamp in nanoseconds."""
    stamp = header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def view_image_message(message: Image) -> ImageView:
    """Return a view on a sensor_msgs/Image, without copying its data.

    :raises FrameRejected: if the message's fields contradict each other or are not supported.
    """
    return view_image(message)


def view_compressed_message(message: CompressedImage) -> CompressedView:
    """Return a view on a sensor_msgs/CompressedImage, without decoding it.

    :raises FrameRejected: if the data is empty or not of the format told.
    """
    return wrap_compressed(message.format, message.data)


def detections_message(
    header: Any,
    detections: Detections,
    labels: Sequence[str],
    spare: list[Detection2D] | None = None,
) -> Detection2DArray:
    """Return the detections of one frame as a message.

    :param header: the input's header, which becomes that of the array and of every detection.
    :param detections: boxes in pixels of the source image.
    :param labels: the class names by class index.
    :param spare: messages that may be overwritten, and to which missing ones are added: making
        one, with all that is in it, takes longer than filling it.  Whoever gives the same list
        twice must be done with what the first call returned; publishing serializes it at once.
        None makes messages that nobody else holds.
    """
    count = len(detections)
    spare = [] if spare is None else spare
    spare += [_new_detection() for _ in range(count - len(spare))]
    # Plain Python numbers, all at once: one conversion an element is what costs here.
    values = zip(
        spare, detections.boxes.tolist(), detections.scores.tolist(), detections.class_ids.tolist()
    )
    for message, (x_min, y_min, x_max, y_max), score, class_id in values:
        message.header = header
        hypothesis = message.results[0].hypothesis
        hypothesis.class_id = labels[class_id]
        hypothesis.score = score
        box = message.bbox
        centre = box.center.position
        centre.x = (x_min + x_max) / 2.0
        centre.y = (y_min + y_max) / 2.0
        box.size_x = x_max - x_min
        box.size_y = y_max - y_min
    return Detection2DArray(header=header, detections=spare[:count])


def _new_detection() -> Detection2D:
    return Detection2D(results=[ObjectHypothesisWithPose()])


def labels_message(header: Any, labels: Sequence[str], threshold: float) -> LabelInfo:
    """Return the class names as a message.

    :param threshold: the score below which nothing is published.
    """
    return LabelInfo(
        header=header,
        class_map=[VisionClass(class_id=i, class_name=name) for i, name in enumerate(labels)],
        threshold=threshold,
    )


def bgr_image_message(header: Any, pixels: np.ndarray) -> Image:
    """Return a picture as a message.

    :param pixels: uint8 ``(H, W, 3)``, blue, green, red.
    """
    height, width, _ = pixels.shape
    data = array('B')
    # array.array is the one type that rclpy assigns without looking at every byte.
    data.frombytes(np.ascontiguousarray(pixels).data)
    return Image(
        header=header,
        height=height,
        width=width,
        encoding='bgr8',
        is_bigendian=0,
        step=3 * width,
        data=data,
    )
