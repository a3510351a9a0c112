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
from jetson_infer.toolchain.recorded_depth import holds_depth
from jetson_infer.toolchain.recordings import Topic
from jetson_infer.toolchain.whole_recording import IMAGE_TYPES, WholeRecording, stamp_of

__all__ = ['Entry', 'FolderSource', 'ImageSource', 'RecordingSource', 'TrueBox', 'image_files']

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
    """

    path: Path
    topic: str = ''
    count: int
    truth: Mapping[int, tuple[TrueBox, ...]] = {}

    @property
    def complaint(self) -> str:
        """What is lost, and how much is whole; empty where nothing is lost."""
        return ''

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

    :param whole: open; closed with the source.
    :param topic: the camera.
    :param truth: the topic of true objects; None where there is none.
    """

    def __init__(self, whole: WholeRecording, topic: Topic, truth: Topic | None) -> None:
        self.path = whole.path
        self.topic = topic.name
        self.count = topic.count
        self._whole = whole
        self._compressed = topic.type == IMAGE_TYPES[1]
        whole.use(topic, 'images')
        self.truth = dict(self._read_truth(truth.name)) if truth else {}

    @classmethod
    def open(cls, path: Path, topic: str, truth_topic: str) -> RecordingSource:
        """Open a recording, or what is whole of one that was cut.

        :raises RecordingError: if nothing can be read, or it lacks a topic.
        """
        whole = WholeRecording.open(path)
        try:
            camera = _camera(whole, topic)
            truth: Topic | None
            if truth_topic:
                truth = whole.choose(truth_topic, (TRUTH_TYPE,), 'true objects')
            else:
                truth = next((t for t in whole.topics(TRUTH_TYPE) if TRUTH_WORD in t.name), None)
            return cls(whole, camera, truth)
        except BaseException:
            whole.close()
            raise

    @property
    def complaint(self) -> str:
        """See :attr:`ImageSource.complaint`."""
        return self._whole.complaint

    def entries(self) -> Iterator[Entry]:
        """See :meth:`ImageSource.entries`."""
        for raw, message in self._whole.messages(self.topic):
            stamp_ns = stamp_of(message)
            yield Entry(
                f'{self.topic} at {stamp_ns / 1e9:.3f} s',
                stamp_ns,
                raw.cdr,
                partial(self._view, message),
            )

    def close(self) -> None:
        """See :meth:`ImageSource.close`."""
        self._whole.close()

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

    def _read_truth(self, topic: str) -> Iterator[tuple[int, tuple[TrueBox, ...]]]:
        for _, message in self._whole.messages(topic):
            yield stamp_of(message), tuple(_true_box(d) for d in message.detections if d.results)


def image_files(folder: Path) -> list[Path]:
    """Return the PNG and JPEG files in a folder and below, by their paths."""
    return sorted(f for f in folder.rglob('*') if f.suffix.lower() in SUFFIXES and f.is_file())


def _camera(whole: WholeRecording, name: str) -> Topic:
    """Return the camera's topic: the one that is named, or with most images that are no depth."""
    chosen = whole.choose(name, IMAGE_TYPES, 'camera images')
    if name:
        return chosen
    found = whole.topics(*IMAGE_TYPES)
    return next((topic for topic in found if not holds_depth(whole, topic)), chosen)


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
