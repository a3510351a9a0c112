# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The recording's frames with what was found drawn bold and what is there drawn thin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from jetson_infer.core.images import CompressedView, ImageView, wrap_compressed, wrap_image
from jetson_infer.dependencies import require
from jetson_infer.pipeline.annotate import annotate
from jetson_infer.pipeline.convert import Converter
from jetson_infer.toolchain.recordings import Recording
from jetson_infer.toolchain.report.accuracy import to_detections
from jetson_infer.toolchain.report.run_result import Frame, RunResult

__all__ = [
    'FramePainter',
    'choose_frames',
    'draw_found',
    'draw_missed',
    'read_images',
    'to_jpeg',
]

WHITE = (255, 255, 255)
BLACK = (0, 0, 0)
DASH_PX = 7

Picture = npt.NDArray[np.uint8]


def read_images(recording: Recording, topic: str, count: int) -> Iterator[Picture]:
    """Yield the first frames of a topic as BGR, ``(H, W, 3)``; each is the caller's to change.

    :raises RecordingError: if the recording is damaged.
    :raises FrameRejected: if a frame is.
    """
    converter = Converter()
    for _, recorded in zip(range(count), recording.messages([topic])):
        message = recorded.message
        if recording.topics[topic].type.endswith('/CompressedImage'):
            view: ImageView | CompressedView = wrap_compressed(message.format, message.data)
        else:
            view = wrap_image(
                message.encoding,
                message.width,
                message.height,
                message.step,
                bool(message.is_bigendian),
                message.data,
            )
        yield np.array(converter.to_bgr(view))


def choose_frames(result: RunResult, spread: int = 6, worst: int = 2) -> dict[int, str]:
    """Choose frames that show the run: the worst, and others spread over its time.

    :param spread: how many at equal distances.
    :param worst: how many with the most mistakes, apart from each other.
    :return: why each was chosen (``''`` or ``'worst'``), by its number, in the recording's order.
    """
    frames = result.frames
    chosen = dict.fromkeys(_worst(result, worst), 'worst')
    for place in np.linspace(0, len(frames) - 1, spread + 2)[1:-1]:
        chosen.setdefault(round(float(place)), '')
    return dict(sorted(chosen.items()))


def _worst(result: RunResult, count: int) -> list[int]:
    """Return the numbers of the frames with the most mistakes, apart in time, none without any."""
    if not result.has_truth:
        return []
    frames = result.frames
    apart_s = min(1.0, frames[-1].time_s / 10)
    mistakes = {frame.number: _mistakes(frame, result.working_score) for frame in frames}
    found: list[int] = []
    for number in sorted(mistakes, key=lambda n: -mistakes[n]):
        if len(found) == count or not mistakes[number]:
            break
        if all(abs(frames[n].time_s - frames[number].time_s) >= apart_s for n in found):
            found.append(number)
    return found


def _mistakes(frame: Frame, min_score: float) -> int:
    match = frame.match(min_score)
    return 2 * len(match.missed) + len(match.false)


class FramePainter:
    """Draws a frame's found and true objects on its picture.

    :param labels: every class, in the order that decides its colour.
    :param min_score: what scores less is not drawn.
    """

    def __init__(self, labels: Sequence[str], min_score: float) -> None:
        self._min_score = min_score
        self._labels = tuple(labels)
        self._ids: Mapping[str, int] = {label: i for i, label in enumerate(labels)}

    def paint(self, picture: Picture, frame: Frame, lines: Sequence[str] = ()) -> Picture:
        """Draw on the picture, in place, and return it.

        True objects are thin and white, those that were missed dashed in black and white, which no
        class has as its colour, with their name; found ones as on the node's debug image.

        :param lines: text for the corner.
        """
        missed = frame.match(self._min_score).missed if frame.truth is not None else ()
        for true in frame.truth or ():
            if true in missed:
                draw_missed(picture, true.box, true.label)
            elif not true.difficult:
                draw_found(picture, true.box)
        found = to_detections(frame.shown(self._min_score), self._ids)
        annotate(picture, found, self._labels, lines)
        return picture


def draw_found(picture: Picture, box: Sequence[float]) -> None:
    """Draw a true object that was found: thin, white.

    :param box: ``x_min, y_min, x_max, y_max`` in pixels of the picture.
    """
    cv2 = require('cv2', 'Drawing frames')
    left, top, right, bottom = _corners(box)
    cv2.rectangle(picture, (left + 1, top + 1), (right + 1, bottom + 1), BLACK, 1)
    cv2.rectangle(picture, (left, top), (right, bottom), WHITE, 1)


def draw_missed(picture: Picture, box: Sequence[float], label: str) -> None:
    """Draw a true object that was missed: dashed in black and white, with its name.

    :param box: ``x_min, y_min, x_max, y_max`` in pixels of the picture.
    """
    cv2 = require('cv2', 'Drawing frames')
    left, top, right, bottom = _corners(box)
    cv2.rectangle(picture, (left, top), (right, bottom), BLACK, 3)
    for x in range(left, right, 2 * DASH_PX):
        for y in (top, bottom):
            cv2.line(picture, (x, y), (min(x + DASH_PX, right), y), WHITE, 2)
    for y in range(top, bottom, 2 * DASH_PX):
        for x in (left, right):
            cv2.line(picture, (x, y), (x, min(y + DASH_PX, bottom)), WHITE, 2)
    place = (left + 3, max(top + 14, 12))
    for colour, thickness in ((BLACK, 3), (WHITE, 1)):
        cv2.putText(
            picture, f'missed {label}', place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, thickness,
            cv2.LINE_AA,
        )  # fmt: skip


def to_jpeg(picture: Picture, width: int | None = None, quality: int = 82) -> bytes:
    """Compress a BGR picture.

    :param width: the largest width; wider pictures are made smaller.
    """
    cv2 = require('cv2', 'Drawing frames')
    if width is not None and picture.shape[1] > width:
        height = round(picture.shape[0] * width / picture.shape[1])
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f'OpenCV cannot compress a picture of shape {picture.shape}')
    return bytes(data)


def _corners(box: Sequence[float]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (round(float(value)) for value in box)
    return left, top, right, bottom
