# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Where a dataset's images come from: a recording's camera, or files in a folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jetson_infer.core.depth_images import Depth
from jetson_infer.core.images import CompressedView, ImageView, view_image, wrap_compressed
from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.recorded_depth import RecordedDepth, holds_depth
from jetson_infer.toolchain.recordings import Topic
from jetson_infer.toolchain.whole_recording import IMAGE_TYPES, WholeRecording, stamp_of

__all__ = [
    'Entry',
    'FolderSource',
    'ImageSource',
    'RecordingSource',
    'TrueBox',
    'image_files',
    'joined',
]

TRUTH_TYPE = 'vision_msgs/msg/Detection2DArray'
TRUTH_WORD = 'ground_truth'
SUFFIXES = ('.png', '.jpg', '.jpeg')


def no_depth() -> Depth | None:
    """Return that it is not known how far away things are."""
    return None


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
    :param truth: what is in it; None where that is not known.
    :param depth: reads how far away that is, None where that is not known; raises FrameRejected
        if it cannot be read.
    """

    name: str
    stamp_ns: int
    content: bytes
    open: Callable[[], ImageView | CompressedView]
    truth: tuple[TrueBox, ...] | None = None
    depth: Callable[[], Depth | None] = no_depth


class ImageSource(ABC):
    """Images in a fixed order.

    :ivar path: what was opened.
    :ivar topic: the camera's topic; empty where there is none.
    :ivar count: how many images there are.
    :ivar has_truth: whether it is known what is in at least one of them.
    :ivar labels: the classes of what is in them.
    :ivar depth_count: how many true depth images there are.
    """

    path: Path
    topic: str = ''
    count: int
    has_truth: bool = False
    labels: frozenset[str] = frozenset()
    depth_count: int = 0

    @property
    def complaint(self) -> str:
        """What is lost, and how much is whole; empty where nothing is lost."""
        return ''

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """Iterate over all images from the first; may be called again."""

    def depth_digest(self) -> bytes:
        """Return the SHA-256 of all true depth images; nothing where there are none."""
        return b''

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
    :param depth: the true depth, closed with the source; None where it was not asked for.
    """

    def __init__(
        self,
        whole: WholeRecording,
        topic: Topic,
        truth: Topic | None,
        depth: RecordedDepth | None = None,
    ) -> None:
        self.path = whole.path
        self.topic = topic.name
        self.count = topic.count
        self._whole = whole
        self._depth = depth
        self.depth_count = depth.count if depth else 0
        self._compressed = topic.type == IMAGE_TYPES[1]
        whole.use(topic, 'images')
        self._truth = dict(self._read_truth(truth.name)) if truth else {}
        self.has_truth = bool(self._truth)
        self.labels = frozenset(box.label for boxes in self._truth.values() for box in boxes)

    @classmethod
    def open(
        cls, path: Path, topic: str, truth_topic: str, depth_topic: str | None = None
    ) -> RecordingSource:
        """Open a recording, or what is whole of one that was cut.

        :param depth_topic: the true depth; empty for the one that there is, None for none.
        :raises RecordingError: if nothing can be read, or it lacks a topic.
        """
        with ExitStack() as opened:
            whole = opened.enter_context(WholeRecording.open(path))
            camera = _camera(whole, topic)
            truth: Topic | None
            if truth_topic:
                truth = whole.choose(truth_topic, (TRUTH_TYPE,), 'true objects')
            else:
                truth = next((t for t in whole.topics(TRUTH_TYPE) if TRUTH_WORD in t.name), None)
            depth = None
            if depth_topic is not None:
                depth = opened.enter_context(RecordedDepth.open(path, depth_topic))
            source = cls(whole, camera, truth, depth)
            opened.pop_all()
            return source

    @property
    def complaint(self) -> str:
        """See :attr:`ImageSource.complaint`."""
        return joined([self._whole.complaint, self._depth.complaint if self._depth else ''])

    def entries(self) -> Iterator[Entry]:
        """See :meth:`ImageSource.entries`."""
        for raw, message in self._whole.messages(self.topic):
            stamp_ns = stamp_of(message)
            yield Entry(
                f'{self.topic} at {stamp_ns / 1e9:.3f} s',
                stamp_ns,
                raw.cdr,
                partial(self._view, message),
                self._truth.get(stamp_ns),
                partial(self._depth.at, stamp_ns) if self._depth else no_depth,
            )

    def depth_digest(self) -> bytes:
        """See :meth:`ImageSource.depth_digest`."""
        return self._depth.digest() if self._depth else b''

    def close(self) -> None:
        """See :meth:`ImageSource.close`."""
        self._whole.close()
        if self._depth:
            self._depth.close()

    def _view(self, message: Any) -> ImageView | CompressedView:
        if self._compressed:
            return wrap_compressed(message.format, message.data)
        return view_image(message)

    def _read_truth(self, topic: str) -> Iterator[tuple[int, tuple[TrueBox, ...]]]:
        for _, message in self._whole.messages(topic):
            yield stamp_of(message), tuple(_true_box(d) for d in message.detections if d.results)


def joined(complaints: Iterable[str]) -> str:
    """Return complaints as one, without saying a line twice."""
    lines = (line for complaint in complaints for line in complaint.splitlines())
    return '\n'.join(dict.fromkeys(lines))


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
