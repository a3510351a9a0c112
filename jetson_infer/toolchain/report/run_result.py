# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A finished run beside its recording: every frame with what was in it and what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jetson_infer.core.boxes import iou_matrix
from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.recordings import Recording
from jetson_infer.toolchain.report.run_record import DetectedObject, Published, RunRecord

__all__ = ['IMAGE_TYPES', 'Frame', 'RunResult', 'TrueObject', 'join_run', 'stamp_ns']

IMAGE_TYPES = ('sensor_msgs/msg/CompressedImage', 'sensor_msgs/msg/Image')
TRUTH_TYPE = 'vision_msgs/msg/Detection2DArray'

MIN_VISIBLE = 0.3
MIN_SIDE_PX = 12.0
MATCH_IOU = 0.5


@dataclass(frozen=True)
class TrueObject:
    """One object that is in a frame.

    :param label: its class.
    :param visible: the fraction of it that can be seen, 0 to 1; 0 also where the recording says
        that the object does not count.
    :param box: ``x_min, y_min, x_max, y_max`` in pixels of the image.
    """

    label: str
    visible: float
    box: tuple[float, float, float, float]

    @property
    def difficult(self) -> bool:
        """Whether so little of it is to be seen that neither finding nor missing it counts."""
        x_min, y_min, x_max, y_max = self.box
        return self.visible < MIN_VISIBLE or min(x_max - x_min, y_max - y_min) < MIN_SIDE_PX


@dataclass(frozen=True)
class Frame:
    """One frame that was played.

    :param number: its place in the recording, from 0.
    :param time_s: its stamp, in s of the recording since the first one's.
    :param published: what the detector published for it; None if nothing.
    :param truth: what is in it; None where the recording does not say.
    """

    number: int
    time_s: float
    published: Published | None
    truth: tuple[TrueObject, ...] | None

    @property
    def objects(self) -> tuple[DetectedObject, ...]:
        """What was found."""
        return self.published.objects if self.published else ()

    def shown(self, min_score: float) -> tuple[DetectedObject, ...]:
        """What was found and scores at least so much."""
        return tuple(item for item in self.objects if item.score >= min_score)

    def match(self, min_score: float) -> Match:
        """Compare what was found with what is there: same class, IoU at least 0.5, best first.

        :param min_score: found objects that score less are left out.
        """
        found = sorted(self.shown(min_score), key=lambda item: -item.score)
        truth = self.truth or ()
        overlap = _overlaps(found, truth)
        taken: dict[int, int] = {}
        false: list[DetectedObject] = []
        for i, item in enumerate(found):
            same = [
                j
                for j, true in enumerate(truth)
                if true.label == item.label and overlap[i, j] >= MATCH_IOU and j not in taken
            ]
            if same:
                # Plain objects before difficult ones, as COCO's evaluation matches.
                best = max(same, key=lambda j: (not truth[j].difficult, overlap[i, j]))
                taken[best] = i
            else:
                false.append(item)
        missed = [t for j, t in enumerate(truth) if j not in taken and not t.difficult]
        hits = [t for j, t in enumerate(truth) if j in taken and not t.difficult]
        return Match(tuple(hits), tuple(missed), tuple(false))


@dataclass(frozen=True)
class Match:
    """A frame's objects that were found, those that were missed, and what is not there.

    :param hits: true objects that were found.
    :param missed: true objects that were not, difficult ones aside.
    :param false: found objects that match no true one.
    """

    hits: tuple[TrueObject, ...]
    missed: tuple[TrueObject, ...]
    false: tuple[DetectedObject, ...]


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    :param frames: every frame that was played, in the recording's order.
    :param labels: every class that occurs, found or true, in alphabetical order.
    :param record: what was seen of the run while it ran.
    :param image_topic: the recording's topic that the frames come from.
    :param working_score: the score from which on objects are shown and counted as found, 0 to 1.
    """

    frames: tuple[Frame, ...]
    labels: tuple[str, ...]
    record: RunRecord
    image_topic: str
    working_score: float

    @property
    def has_truth(self) -> bool:
        """Whether the recording says what is in its frames."""
        return any(frame.truth is not None for frame in self.frames)

    @property
    def processed(self) -> list[Frame]:
        """The frames for which detections were published."""
        return [frame for frame in self.frames if frame.published is not None]

    def latency_ms(self, *percentiles: float) -> tuple[float, ...]:
        """Return percentiles of the end-to-end latency; NaN where no frame was processed."""
        values = [f.published.latency_ms for f in self.frames if f.published is not None]
        if not values:
            return (float('nan'),) * len(percentiles)
        return tuple(float(v) for v in np.percentile(values, percentiles))


def join_run(
    recording: Recording,
    record: RunRecord,
    image_topic: str,
    truth_topic: str | None,
    working_score: float,
) -> RunResult:
    """Put what was published beside what the recording holds, frame by frame.

    :param recording: what was played, from its beginning.
    :param record: what was published.
    :param image_topic: the topic that the detector was given.
    :param truth_topic: the topic that says what is in the images, with their stamps; None if none.
    :param working_score: the score from which on objects are shown and counted as found.
    :raises RecordingError: if nothing was played, or the recording is damaged.
    """
    time_map = record.time_map
    played = record.frames_played(image_topic)
    if time_map is None or not played:
        raise RecordingError(f'no message of {image_topic} was played; there is nothing to report')
    published = {item.stamp_ns: item for item in record.published}
    truths = _read_truth(recording, truth_topic) if truth_topic else {}
    stamps = [stamp_ns(m.message) for m in _first(recording, image_topic, played)]
    frames = tuple(
        Frame(
            number,
            (stamp - stamps[0]) / 1e9,
            published.get(time_map.to_live(stamp)),
            truths.get(stamp),
        )
        for number, stamp in enumerate(stamps)
    )
    labels = {o.label for f in frames for o in f.objects}
    labels |= {o.label for f in frames for o in f.truth or ()}
    return RunResult(frames, tuple(sorted(labels)), record, image_topic, working_score)


def stamp_ns(message: Any) -> int:
    """Return a message's header stamp in ns."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def _first(recording: Recording, topic: str, count: int) -> Iterator[Any]:
    for _, message in zip(range(count), recording.messages([topic])):
        yield message


def _read_truth(recording: Recording, topic: str) -> dict[int, tuple[TrueObject, ...]]:
    return {
        stamp_ns(m.message): tuple(_true_object(d) for d in m.message.detections)
        for m in recording.messages([topic])
    }


def _true_object(detection: Any) -> TrueObject:
    centre, box = detection.bbox.center.position, detection.bbox
    half_width, half_height = box.size_x / 2, box.size_y / 2
    hypothesis = detection.results[0].hypothesis if detection.results else None
    return TrueObject(
        hypothesis.class_id if hypothesis else '',
        float(hypothesis.score) if hypothesis else 1.0,
        (
            centre.x - half_width,
            centre.y - half_height,
            centre.x + half_width,
            centre.y + half_height,
        ),
    )


def _overlaps(found: Sequence[DetectedObject], truth: Sequence[TrueObject]) -> Any:
    if not found or not truth:
        return np.zeros((len(found), len(truth)))
    return iou_matrix(
        np.array([o.box for o in found], np.float32), np.array([t.box for t in truth], np.float32)
    )
