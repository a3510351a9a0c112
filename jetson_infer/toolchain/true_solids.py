# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What is really there, as oriented boxes in space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jetson_infer.core.transforms import Transform
from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.recordings import Topic
from jetson_infer.toolchain.whole_recording import WholeRecording, stamp_of

__all__ = ['SOLIDS_TYPE', 'TrueSolid', 'read_solids']

SOLIDS_TYPE = 'vision_msgs/msg/Detection3DArray'


@dataclass(frozen=True)
class TrueSolid:
    """One object that is really there, as an oriented box.

    :param label: its class.
    :param pose: from the box's axes to the frame in which it was recorded.
    :param size: along its axes, in metres; the third is its height.
    :param difficult: whether it need not be found.
    """

    label: str
    pose: Transform
    size: tuple[float, float, float]
    difficult: bool


def read_solids(
    whole: WholeRecording, topic: Topic
) -> dict[int, tuple[str, tuple[TrueSolid, ...]]]:
    """Return the objects of every moment, by its stamp, and the frame that they are placed in.

    :raises RecordingError: if an object has no place.
    """
    found = {}
    for raw, message in whole.messages(topic.name):
        try:
            solids = tuple(_solid(each) for each in message.detections if each.results)
        except ValueError as error:
            raise RecordingError(
                f'{whole.path}: an object on {topic.name}, recorded at {raw.log_ns} ns, has no '
                f'place: {error}; name another topic of true objects'
            ) from error
        found[stamp_of(message)] = (str(message.header.frame_id), solids)
    return found


def _solid(detection: Any) -> TrueSolid:
    """Return an object.

    :raises ValueError: if its pose is none.
    """
    best = max(detection.results, key=lambda result: result.hypothesis.score).hypothesis
    place, turn = detection.bbox.center.position, detection.bbox.center.orientation
    size = detection.bbox.size
    pose = Transform.of((turn.x, turn.y, turn.z, turn.w), (place.x, place.y, place.z))
    # A truth's score is the visible share of the object; 0 stands for hardly any.
    return TrueSolid(best.class_id, pose, (size.x, size.y, size.z), best.score <= 0.0)
