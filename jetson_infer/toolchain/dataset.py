# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Images to calibrate and to validate with, and what is really in them where that is known.

A dataset is a recording's camera, that of several recordings, or a folder of images.  It is read
anew for every pass, an image at a time, so that its size does not matter.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from jetson_infer.core.closing import Closing
from jetson_infer.core.depth_images import Depth
from jetson_infer.core.evaluation import GroundTruth
from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.errors import FrameRejected, RecordingError
from jetson_infer.toolchain.dataset_sources import (
    Entry,
    FolderSource,
    ImageSource,
    RecordingSource,
    TrueBox,
    image_files,
)
from jetson_infer.toolchain.recording_files import find_recording
from jetson_infer.toolchain.several_recordings import (
    SeveralRecordings,
    is_recording,
    recordings_in,
)

__all__ = ['Dataset', 'Sample', 'open_dataset', 'relabelled']


T = TypeVar('T', bound=GroundTruth)


@dataclass(frozen=True)
class Sample:
    """One image of a dataset.

    :param index: its place among all images of the dataset, those included that cannot be used.
    :param name: what a person finds it by: a file's name, or a topic and a stamp.
    :param stamp_ns: its header's stamp; 0 for a file.
    :param image: the image as a camera would have sent it, not decompressed.
    :param truth: what is in it, boxes in its pixels, classes by :attr:`Dataset.labels_of_truth`;
        None where the dataset does not say.
    :param depth: how far away that is, float32 ``(H, W)`` in metres, NaN where unknown; None where
        the dataset does not say, or was not asked.
    """

    index: int
    name: str
    stamp_ns: int
    image: ImageView | CompressedView
    truth: GroundTruth | None
    depth: Depth | None = None


class Dataset(Closing):
    """An open dataset; close it, or use it as a context manager.  Made by :func:`open_dataset`.

    :param source: where the images come from.
    """

    def __init__(self, source: ImageSource) -> None:
        self._source = source
        self.labels_of_truth: tuple[str, ...] = tuple(sorted(source.labels))
        self._digest = ''
        self.rejected: Mapping[str, int] = {}
        """Images of the last pass that could not be used, by the reason's fixed word."""
        self.rejected_depths: Counter[str] = Counter()
        """True depths of the last pass that could not be read, by the reason's fixed word."""

    @property
    def path(self) -> Path:
        """The recording or the folder, of images or of recordings."""
        return self._source.path

    @property
    def topic(self) -> str:
        """The camera's topic; empty for a folder."""
        return self._source.topic

    @property
    def count(self) -> int:
        """How many images there are, those included that cannot be used."""
        return self._source.count

    @property
    def has_truth(self) -> bool:
        """Whether the dataset says what is in at least one of its images."""
        return self._source.has_truth

    @property
    def depth_count(self) -> int:
        """How many true depth images there are; 0 where they were not asked for."""
        return self._source.depth_count

    @property
    def complaint(self) -> str:
        """What of the dataset is lost and how much is whole; empty where nothing is."""
        return self._source.complaint

    @property
    def digest(self) -> str:
        """SHA-256 in hex of all images, stamps, truths and depths; the first call reads all."""
        if not self._digest:
            total = hashlib.sha256()
            for entry in self._source.entries():
                total.update(hashlib.sha256(entry.content).digest())
                total.update(repr((entry.stamp_ns, entry.truth)).encode())
            total.update(self._source.depth_digest())
            self._digest = total.hexdigest()
        return self._digest

    def frames(self, indices: Collection[int] | None = None) -> Iterator[Sample]:
        """Iterate over the images in the order of recording, or of their files' names.

        Images that cannot be used are left out and counted in :attr:`rejected`.

        :param indices: the places of the images that are wanted; None for all.
        :raises RecordingError: if none of them can be used, or nothing can be read.
        """
        rejected: Counter[str] = Counter()
        self.rejected, self.rejected_depths = rejected, Counter()
        why, given = '', 0
        for index, entry in enumerate(self._source.entries()):
            if indices is not None and index not in indices:
                continue
            try:
                image = entry.open()
            except FrameRejected as error:
                rejected[error.reason] += 1
                why = why or f'{entry.name}: {error}'
                continue
            given += 1
            truth, depth = self._truth(entry), self._true_depth(entry)
            yield Sample(index, entry.name, entry.stamp_ns, image, truth, depth)
        if not given:
            number = sum(rejected.values())
            raise RecordingError(
                f'{self.path}: none of its {number} images can be used; the first: {why}'
                if number
                else f'{self.path}: there are no images{f" on {self.topic}" if self.topic else ""}'
            )

    def close(self) -> None:
        """Close the files; may be called twice."""
        self._source.close()

    def _true_depth(self, entry: Entry) -> Depth | None:
        try:
            return entry.depth()
        except FrameRejected as error:
            self.rejected_depths[error.reason] += 1
            return None

    def _truth(self, entry: Entry) -> GroundTruth | None:
        return None if entry.truth is None else _ground_truth(entry.truth, self.labels_of_truth)


def open_dataset(
    path: str | Path, topic: str = '', truth_topic: str = '', depth_topic: str | None = None
) -> Dataset:
    """Open a recording, a folder of recordings, or a folder of images.

    Of a recording that was cut, what is whole is used; :attr:`Dataset.complaint` says how much.

    :param path: a rosbag2 folder or file, the name of a recording that is known by name, a folder
        of such folders, which are read one after the other by their names, or a folder with PNG
        and JPEG files (those of its sub-folders too).
    :param topic: the camera's topic; unless given the one with most images that are no depth.
    :param truth_topic: a topic of ``vision_msgs/msg/Detection2DArray`` that says what is in the
        images, by their stamps.  Unless given, one whose name says that it is the ground truth:
        other topics of that type may be some detector's.
    :param depth_topic: a topic of depth images (raw ``32FC1`` or ``16UC1``, or compressed as PNG)
        that says how far away what is in the images is, by their stamps; empty for the one that
        the recording has; None, as for detection, for none at all.
    :raises RecordingError: if there is no such path or topic (with those there are), or nothing in
        it can be read.
    :raises MissingDependencyError: if it is a recording and rosbags is not installed.
    """
    place = Path(path).expanduser()
    if place.is_dir() and not is_recording(place) and image_files(place):
        if topic or truth_topic or depth_topic is not None:
            raise RecordingError(f'{place}: a folder of images has no topics; leave the topic out')
        return Dataset(FolderSource(place))
    several = recordings_in(place)
    if several:
        return Dataset(SeveralRecordings.open(place, several, topic, truth_topic, depth_topic))
    return Dataset(RecordingSource.open(find_recording(path), topic, truth_topic, depth_topic))


def relabelled(truth: T, source: Sequence[str], labels: Sequence[str]) -> T:
    """Return a truth whose classes are counted by another list of labels.

    :param source: the labels by which its classes are counted.
    :param labels: the labels by which they shall be; objects of other classes are left out.
    """
    places = {label: number for number, label in enumerate(labels)}
    table = np.array([places.get(label, -1) for label in source], np.int32)
    ids = table[truth.class_ids] if len(truth.class_ids) else truth.class_ids
    known = ids >= 0
    return type(truth)(truth.boxes[known], ids[known], truth.difficult[known])


def _ground_truth(boxes: Sequence[TrueBox], labels: Sequence[str]) -> GroundTruth:
    return GroundTruth(
        np.array([box.box for box in boxes], np.float32).reshape(-1, 4),
        np.array([labels.index(box.label) for box in boxes], np.int32),
        np.array([box.difficult for box in boxes], np.bool_),
    )
