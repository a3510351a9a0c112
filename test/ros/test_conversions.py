# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that are filled anew say what new messages say."""

import numpy as np
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from jetson_infer.core.detections import Detections
from jetson_infer.ros.conversions import detections_message

LABELS = ('person', 'dog', 'chair')


def detections(count, seed):
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.random((count, 2, 2), np.float32) * 600, axis=1)
    return Detections(
        corners.reshape(count, 4),
        rng.random(count, np.float32),
        rng.integers(0, len(LABELS), count, np.int32),
    )


def header(number):
    made = Header(frame_id=f'camera {number}')
    made.stamp.sec = number
    return made


def test_spare_messages_carry_nothing_over_from_frame_to_frame():
    spare = []
    for number, count in enumerate([3, 7, 0, 1, 7, 12]):
        found = detections(count, number)
        reused = detections_message(header(number), found, LABELS, spare)
        fresh = detections_message(header(number), found, LABELS)
        assert reused == fresh
        assert deserialize_message(serialize_message(reused), Detection2DArray) == fresh
        assert len(reused.detections) == count
    assert len(spare) == 12


def test_values_arrive_as_they_were():
    found = detections(5, 9)
    sent = serialize_message(detections_message(header(4), found, LABELS, []))
    message = deserialize_message(sent, Detection2DArray)
    assert message.header == header(4)
    for index, detection in enumerate(message.detections):
        x_min, y_min, x_max, y_max = found.boxes[index].tolist()
        box = detection.bbox
        assert detection.header == header(4)
        assert box.center.position.x - box.size_x / 2 == np.float64(x_min)
        assert box.center.position.y + box.size_y / 2 == np.float64(y_max)
        assert (box.size_x, box.size_y) == (x_max - x_min, y_max - y_min)
        (result,) = detection.results
        assert result.hypothesis.class_id == LABELS[found.class_ids[index]]
        assert result.hypothesis.score == found.scores[index].item()


def test_without_spare_messages_none_are_shared():
    first = detections_message(header(1), detections(2, 1), LABELS)
    kept = deserialize_message(serialize_message(first), Detection2DArray)
    detections_message(header(2), detections(2, 2), LABELS)
    assert first == kept
