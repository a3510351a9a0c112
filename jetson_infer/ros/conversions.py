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
from jetson_infer.core.images import CompressedView, ImageView, wrap_compressed, wrap_image

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
    return wrap_image(
        message.encoding,
        message.width,
        message.height,
        message.step,
        bool(message.is_bigendian),
        message.data,
    )


def view_compressed_message(message: CompressedImage) -> CompressedView:
    """Return a view on a sensor_msgs/CompressedImage, without decoding it.

    :raises FrameRejected: if the data is empty or not of the format told.
    """
    return wrap_compressed(message.format, message.data)


def detections_message(
    header: Any, detections: Detections, labels: Sequence[str]
) -> Detection2DArray:
    """Return the detections of one frame as a message.

    :param header: the input's header, which becomes that of the array and of every detection.
    :param detections: boxes in pixels of the source image.
    :param labels: the class names by class index.
    """
    message = Detection2DArray(header=header)
    # Plain Python numbers, all at once: one conversion an element is what costs here.
    for (x_min, y_min, x_max, y_max), score, class_id in zip(
        detections.boxes.tolist(), detections.scores.tolist(), detections.class_ids.tolist()
    ):
        hypothesis = ObjectHypothesisWithPose()
        hypothesis.hypothesis.class_id = labels[class_id]
        hypothesis.hypothesis.score = score
        detection = Detection2D(header=header, results=[hypothesis])
        box = detection.bbox
        box.center.position.x = (x_min + x_max) / 2.0
        box.center.position.y = (y_min + y_max) / 2.0
        box.size_x = x_max - x_min
        box.size_y = y_max - y_min
        message.detections.append(detection)
    return message


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
