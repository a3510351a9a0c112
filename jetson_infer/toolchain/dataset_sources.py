# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Where a dataset's images come from: a recording's camera, or files in a folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jetson_infer.core.images import CompressedView, ImageView, wrap_compressed, wrap_image
from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.recordings import RawMessage, Recording, Topic
from jetson_infer.toolchain.salvage import salvage

__all__ = ['Entry', 'FolderSource', 'ImageSource', 'RecordingSource', 'TrueBox', 'image_files']

IMAGE_TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
TRUTH_TYPE = 'vision_msgs/msg/Detection2DArray'
TRUTH_WORD = 'ground_truth'
SUFFIXES = ('.png', '.jpg', '.jpeg')


@dataclass(frozen=True)
class TrueBox:
    """One object that is really there.

    :param label: its class.
    :param box: ``x_min, y_min, x_max, y_max`` in the image's pixels.
    :param difficult: whether it need not be found.
    """

    label: str
    box: tuple[float, float, float, float]
    difficult: bool


@dataclass(frozen=True)
class Entry:
    """One image before it is looked at.

    :param content: the bytes that make it; what the digest is made of.
    :param open: views the image; raises FrameRejected if it cannot be used.
    """

    name: str
    stamp_ns: int
    content: bytes
    open: Callable[[], ImageView | CompressedView]


class ImageSource(ABC):
    """Images in a fixed order.

    :ivar path: what was opened.
    :ivar topic: the camera's topic; empty where there is none.
    :ivar count: how many images there are.
    :ivar truth: what is in the images, by their stamps.
    :ivar complaint: what is lost, and how much is whole; empty where nothing is lost.
    """

    path: Path
    topic: str = ''
    count: int
    truth: Mapping[int, tuple[TrueBox, ...]] = {}
    complaint: str = ''

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """Iterate over all images from the first; may be called again."""

    def close(self) -> None:
        """Close what is open; may be called twice."""
        return


class FolderSource(ImageSource):
    """The PNG and JPEG files of a folder and those below it, by their paths.

    :raises RecordingError: if there are none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = image_files(path)
        self.count = len(self._files)

    def entries(self) -> Iterator[Entry]:
        """See :meth:`ImageSource.entries`."""
        for file in self._files:
            try:
                content = file.read_bytes()
            except OSError as error:
                raise RecordingError(f'{file}: cannot be read: {error.strerror}') from error
            name = file.relative_to(self.path).as_posix()
            yield Entry(name, 0, content, partial(wrap_compressed, '', content))


class RecordingSource(ImageSource):
    """The images of one topic of a recording; made by :meth:`open`.

    :param recording: open; closed with the source.
    :param topic: the camera.
    :param truth: the topic of true objects; None where there is none.
    :param complaint: what is lost of the recording.
    """

    def __init__(
        self, recording: Recording, topic: Topic, truth: Topic | None, complaint: str
    ) -> None:
        self.path = recording.path
        self.topic = topic.name
        self.count = topic.count
        self.complaint = complaint
        self._recording = recording
        self._compressed = topic.type == IMAGE_TYPES[1]
        self.truth = dict(self._read_truth(truth.name)) if truth else {}

    @classmethod
    def open(cls, path: Path, topic: str, truth_topic: str) -> RecordingSource:
        """Open a recording, or what is whole of one that was cut.

        :raises RecordingError: if nothing can be read, or it lacks a topic.
        """
        try:
            recording, damage = Recording.open(path), ''
            promised: Mapping[str, int] = {}
        except RecordingError as error:
            recording, promised = salvage(path, error)
            damage = str(error)
        try:
            camera = _choose(recording, topic, IMAGE_TYPES, 'camera images')
            truth: Topic | None
            if truth_topic:
                truth = _choose(recording, truth_topic, (TRUTH_TYPE,), 'true objects')
            else:
                named = (t for t in recording.topics_of_type(TRUTH_TYPE) if TRUTH_WORD in t.name)
                truth = next(named, None)
            if damage:
                damage += (
                    f'\nWhat is whole of it is used: {camera.count} of '
                    f'{promised.get(camera.name, "an unknown number of")} images on {camera.name}'
                )
            return cls(recording, camera, truth, damage)
        except BaseException:
            recording.close()
            raise

    def entries(self) -> Iterator[Entry]:
        """See :meth:`ImageSource.entries`."""
        for raw, message in self._whole(self.topic):
            stamp = message.header.stamp
            stamp_ns = int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
            yield Entry(
                f'{self.topic} at {stamp_ns / 1e9:.3f} s',
                stamp_ns,
                raw.cdr,
                partial(self._view, message),
            )

    def close(self) -> None:
        """See :meth:`ImageSource.close`."""
        self._recording.close()

    def _view(self, message: Any) -> ImageView | CompressedView:
        if self._compressed:
            return wrap_compressed(message.format, message.data)
        return wrap_image(
            message.encoding,
            message.width,
            message.height,
            message.step,
            bool(message.is_bigendian),
            message.data,
        )

    def _whole(self, topic: str) -> Iterator[tuple[RawMessage, Any]]:
        """Iterate over a topic's messages until its end, or until damage."""
        count = 0
        messages = self._recording.raw([topic])
        while True:
            try:
                raw = next(messages)
                message = self._recording.decode(raw)
            except StopIteration:
                return
            except RecordingError as error:
                if not count:
                    raise
                promised = self._recording.topics[topic].count
                told = (
                    f'{self.path}: only the first {count} of {promised} messages on {topic} are '
                    f'whole: {error}'
                )
                if told not in self.complaint:
                    self.complaint = f'{self.complaint}\n{told}'.lstrip()
                return
            count += 1
            yield raw, message

    def _read_truth(self, topic: str) -> Iterator[tuple[int, tuple[TrueBox, ...]]]:
        for _, message in self._whole(topic):
            stamp = message.header.stamp
            stamp_ns = int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
            yield stamp_ns, tuple(_true_box(d) for d in message.detections if d.results)


def image_files(folder: Path) -> list[Path]:
    """Return the PNG and JPEG files in a folder and below, by their paths."""
    return sorted(f for f in folder.rglob('*') if f.suffix.lower() in SUFFIXES and f.is_file())


def _choose(recording: Recording, name: str, types: tuple[str, ...], what: str) -> Topic:
    """Return a topic by its name, or the one with most messages.

    :raises RecordingError: if there is none, it is of another type, or it is empty.
    """
    if name:
        topic = recording.require_topics([name])[0]
        if topic.type not in types:
            raise RecordingError(
                f'{recording.path}: {name} is of the type {topic.type}; {what} are of '
                f'{" or ".join(types)}'
            )
        if not topic.count:
            raise RecordingError(f'{recording.path}: there are no messages on {name}')
        return topic
    found = recording.topics_of_type(*types)
    if found:
        return found[0]
    there = ''.join(f'\n  {t.name}  ({t.type}, {t.count})' for t in recording.topics.values())
    raise RecordingError(
        f'{recording.path}: it holds no {what} ({" or ".join(types)}); '
        f'it holds{there or " nothing: the recording is empty"}'
    )


def _true_box(detection: Any) -> TrueBox:
    centre, box = detection.bbox.center.position, detection.bbox
    best = max(detection.results, key=lambda result: result.hypothesis.score).hypothesis
    half_width, half_height = box.size_x / 2, box.size_y / 2
    corners = (
        centre.x - half_width,
        centre.y - half_height,
        centre.x + half_width,
        centre.y + half_height,
    )
    # A truth's score is the visible share of the object; 0 stands for hardly any.
    return TrueBox(best.class_id, corners, best.score <= 0.0)
