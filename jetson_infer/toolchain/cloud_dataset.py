# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Point clouds of a recording, and the objects that are really in them where that is known.

Read anew for every pass, a cloud at a time.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from jetson_infer.core.bev import BevTruth, box_above
from jetson_infer.core.closing import Closing
from jetson_infer.core.point_clouds import COORDINATES, Points, wrap_cloud
from jetson_infer.core.transforms import Transform
from jetson_infer.errors import FrameRejected, RecordingError
from jetson_infer.toolchain.dataset_sources import TRUTH_WORD
from jetson_infer.toolchain.recorded_frames import RecordedFrames
from jetson_infer.toolchain.recording_files import find_recording
from jetson_infer.toolchain.recordings import Topic
from jetson_infer.toolchain.true_solids import SOLIDS_TYPE, read_solids
from jetson_infer.toolchain.whole_recording import CLOUD_TYPE, WholeRecording, stamp_of

__all__ = ['CloudDataset', 'CloudSample', 'open_clouds']


@dataclass(frozen=True)
class CloudSample:
    """One cloud.

    :param index: its place among all clouds, those included that cannot be used.
    :param name: what a person finds it by.
    :param stamp_ns: its header's stamp.
    :param frame: the frame of reference of points and truth.
    :param points: its points, with the fields that were asked for.
    :param truth: what is in it, from above, classes by :attr:`CloudDataset.labels_of_truth`; None
        where the recording does not say, or not where it is in this frame.
    """

    index: int
    name: str
    stamp_ns: int
    frame: str
    points: Points
    truth: BevTruth | None


class CloudDataset(Closing):
    """The clouds of one topic; close it, or use it as a context manager.  See :func:`open_clouds`.

    :param whole: the recording; closed with this.
    :param topic: the clouds.
    :param truth: the true objects; None where there are none.
    :param fields: the columns of points; x, y and z among them.
    :param frame: the frame of reference that is wanted; empty for the sensor's own.
    """

    def __init__(
        self,
        whole: WholeRecording,
        topic: Topic,
        truth: Topic | None,
        fields: Sequence[str],
        frame: str,
    ) -> None:
        if any(name not in fields for name in COORDINATES):
            raise ValueError(f'x, y and z must be among the fields, not {list(fields)} alone')
        self.path = whole.path
        self.topic = topic.name
        self.truth_topic = truth.name if truth else ''
        self.count = topic.count
        self._whole = whole
        whole.use(topic, 'clouds')
        self._fields = tuple(fields)
        self._axes = [self._fields.index(name) for name in COORDINATES]
        self._frame = frame
        self._frames: RecordedFrames | None = None
        self._truth = read_solids(whole, truth) if truth else {}
        labels = {solid.label for _, solids in self._truth.values() for solid in solids}
        self.labels_of_truth: tuple[str, ...] = tuple(sorted(labels))
        self.rejected: Mapping[str, int] = {}
        """Clouds of the last pass that could not be used, by the reason's fixed word."""
        self.rejected_truths: Counter[str] = Counter()
        """Clouds of the last pass whose objects could not be placed, by the reason's word."""
        self.dropped = 0
        """Points of the last pass that were left out since a value is not finite."""

    @property
    def complaint(self) -> str:
        """What of the recording is lost and how much is whole; empty where nothing is."""
        return self._whole.complaint

    @property
    def has_truth(self) -> bool:
        """Whether the recording says what is in at least one of the clouds."""
        return bool(self._truth)

    def clouds(self, indices: Collection[int] | None = None) -> Iterator[CloudSample]:
        """Iterate over the clouds in the order of recording.

        Those that cannot be used are left out and counted in :attr:`rejected`.

        :param indices: the places of the clouds that are wanted; None for all.
        :raises RecordingError: if none of them can be used, or nothing can be read.
        """
        rejected: Counter[str] = Counter()
        self.rejected, self.rejected_truths, self.dropped = rejected, Counter(), 0
        why, given = '', 0
        for index, (_, message) in enumerate(self._whole.messages(self.topic)):
            if indices is not None and index not in indices:
                continue
            name = f'{self.topic} at {stamp_of(message) / 1e9:.3f} s'
            try:
                sample = self._sample(index, name, message)
            except FrameRejected as error:
                rejected[error.reason] += 1
                why = why or f'{name}: {error}'
                continue
            given += 1
            self.dropped += sample.points.dropped
            yield sample
        if not given:
            raise RecordingError(
                f'{self.path}: none of its {sum(rejected.values())} clouds can be used; the first: '
                f'{why}'
                if rejected
                else f'{self.path}: there are no clouds on {self.topic}'
            )

    def digest(self) -> str:
        """Return the SHA-256 in hex of all clouds as they are given, and their truths."""
        total = hashlib.sha256()
        for sample in self.clouds():
            total.update(repr((sample.index, sample.stamp_ns, sample.points.names)).encode())
            total.update(np.ascontiguousarray(sample.points.values).tobytes())
            if sample.truth is not None:
                for part in (sample.truth.boxes, sample.truth.class_ids, sample.truth.difficult):
                    total.update(part.tobytes())
        total.update(repr(self.labels_of_truth).encode())
        return total.hexdigest()

    def close(self) -> None:
        """Close the files; may be called twice."""
        self._whole.close()

    def _sample(self, index: int, name: str, message: Any) -> CloudSample:
        view = wrap_cloud(
            message.fields,
            message.width,
            message.height,
            message.point_step,
            message.row_step,
            message.is_bigendian,
            message.data,
        )
        points = view.columns(self._fields)
        stamp_ns, own = stamp_of(message), str(message.header.frame_id)
        frame = self._frame or own
        if frame != own:
            values = points.values.copy()
            way = self._lookup(frame, own, stamp_ns)
            values[:, self._axes] = way.apply(values[:, self._axes])
            points = replace(points, values=values)
        truth = self._true_objects(stamp_ns, frame)
        return CloudSample(index, name, stamp_ns, frame, points, truth)

    def _true_objects(self, stamp_ns: int, frame: str) -> BevTruth | None:
        found = self._truth.get(stamp_ns)
        if found is None:
            return None
        own, solids = found
        try:
            way = self._lookup(frame, own, stamp_ns)
        except FrameRejected as error:
            self.rejected_truths[error.reason] += 1
            return None
        poses = [way @ solid.pose for solid in solids]
        boxes = [
            box_above(pose.translation, pose.rotation, np.array(solid.size))
            for pose, solid in zip(poses, solids)
        ]
        return BevTruth(
            np.array(boxes, np.float64).reshape(-1, 5),
            np.array([self.labels_of_truth.index(s.label) for s in solids], np.int32),
            np.array([solid.difficult for solid in solids], np.bool_),
        )

    def _lookup(self, target: str, source: str, stamp_ns: int) -> Transform:
        if target == source:
            return Transform.identity()
        if self._frames is None:
            # A reader of its own: this one is in the middle of the clouds.
            with WholeRecording.open(self.path) as whole:
                self._frames = RecordedFrames(whole)
        return self._frames.lookup(target, source, stamp_ns)


def open_clouds(
    path: str | Path,
    topic: str = '',
    truth_topic: str = '',
    fields: Sequence[str] = COORDINATES,
    frame: str = '',
) -> CloudDataset:
    """Open a recording's point clouds.

    Of a recording that was cut, what is whole is used; :attr:`CloudDataset.complaint` says how
    much.

    :param path: a rosbag2 folder or file, or the name of a recording that is known by name.
    :param topic: of ``sensor_msgs/msg/PointCloud2``; the one with most clouds unless given.
    :param truth_topic: of ``vision_msgs/msg/Detection3DArray``: oriented boxes of what is in the
        clouds, by their stamps, in any frame.  Unless given, one whose name says that it is the
        ground truth: of several the one with as many messages as there are clouds.
    :param fields: the columns of points; x, y and z among them.
    :param frame: the frame of reference in which points and truths are given, found by the
        recording's transforms; the sensor's own unless given.  From above is along its z axis:
        of a sensor that is tilted give one that is not, such as ``base_link``.
    :raises RecordingError: if there is no such path or topic (with those there are), or nothing in
        it can be read.
    :raises MissingDependencyError: if rosbags is not installed.
    :raises ValueError: if x, y and z are not all among the fields.
    """
    whole = WholeRecording.open(find_recording(path))
    try:
        clouds = whole.choose(topic, (CLOUD_TYPE,), 'point clouds')
        truth: Topic | None
        if truth_topic:
            truth = whole.choose(truth_topic, (SOLIDS_TYPE,), 'true objects of clouds')
        else:
            named = [each for each in whole.topics(SOLIDS_TYPE) if TRUTH_WORD in each.name]
            truth = min(named, key=lambda each: abs(each.count - clouds.count), default=None)
        return CloudDataset(whole, clouds, truth, fields, frame)
    except BaseException:
        whole.close()
        raise
