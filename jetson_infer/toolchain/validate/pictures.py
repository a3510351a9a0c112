# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The worst frames as pictures: what the reference found beside what the variant found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jetson_infer.core.detections import Detections
from jetson_infer.core.evaluation import GroundTruth
from jetson_infer.core.matching import match_frame
from jetson_infer.pipeline.annotate import annotate
from jetson_infer.pipeline.convert import Converter
from jetson_infer.toolchain.report.pictures import draw_found, draw_missed, to_jpeg
from jetson_infer.toolchain.validate.collect import Collected, Data
from jetson_infer.toolchain.validate.validation import Validated, WorstFrame

__all__ = ['FramePair', 'choose_worst', 'draw_worst']

PICTURE_WIDTH = 560
Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class FramePair:
    """One frame, drawn twice.

    :param name: what a person finds the frame by.
    :param number: its place in the dataset.
    :param reference: JPEG with what the reference found.
    :param candidate: JPEG with what the variant found.
    :param size: width and height of both.
    :param captions: what is seen in the two.
    :param text: what differs.
    """

    name: str
    number: int
    reference: bytes
    candidate: bytes
    size: tuple[int, int]
    captions: tuple[str, str]
    text: str


def choose_worst(worst: Sequence[WorstFrame], count: int, frames: int) -> list[WorstFrame]:
    """Choose frames that do not follow each other closely, the worst first.

    :param worst: the worst first.
    :param count: at most so many.
    :param frames: how many frames there are in all.
    """
    apart = max(1, frames // 30)
    chosen: list[WorstFrame] = []
    for frame in worst:
        if len(chosen) == count:
            break
        if all(abs(frame.place - other.place) >= apart for other in chosen):
            chosen.append(frame)
    return chosen


def draw_worst(
    data: Data, labels: Sequence[str], reference: Collected, validated: Validated, count: int = 4
) -> list[FramePair]:
    """Draw the worst frames of a variant, the worst first.

    :raises RecordingError: if the data cannot be read any more.
    """
    chosen = choose_worst(validated.worst, count, len(data.indices))
    frames = {data.indices[frame.place]: frame for frame in chosen}
    pairs: dict[int, FramePair] = {}
    converter = Converter()
    for sample in data.dataset.frames(set(frames)) if frames else ():
        frame = frames[sample.index]
        picture = np.array(converter.to_bgr(sample.image))
        found = (reference.detections[frame.place], validated.detections[frame.place])
        truth = validated.truth[frame.place]
        score = validated.comparison.working_score
        sides = [_draw(picture.copy(), each, truth, labels, score) for each in found]
        height, width = picture.shape[:2]
        scale = min(1.0, PICTURE_WIDTH / width)
        pairs[frame.place] = FramePair(
            sample.name,
            sample.index,
            to_jpeg(sides[0][0], PICTURE_WIDTH),
            to_jpeg(sides[1][0], PICTURE_WIDTH),
            (round(width * scale), round(height * scale)),
            (sides[0][1], sides[1][1]),
            _difference(frame, truth, labels),
        )
    return [pairs[frame.place] for frame in chosen if frame.place in pairs]


def _draw(
    picture: Image, found: Detections, truth: GroundTruth, labels: Sequence[str], score: float
) -> tuple[Image, str]:
    """Draw objects thin, missed ones dashed, and detections bold; and say what is seen."""
    match = match_frame(found, truth, score)
    for row in match.pairs[:, 1]:
        draw_found(picture, truth.boxes[row])
    for row in match.missed:
        draw_missed(picture, truth.boxes[row], labels[int(truth.class_ids[row])])
    shown = found.scores >= np.float32(score)
    kept = Detections(found.boxes[shown], found.scores[shown], found.class_ids[shown])
    annotate(picture, kept, labels)
    text = f'found {len(match.pairs)} of {len(match.pairs) + len(match.missed)}'
    if len(match.false):
        text += f'; {len(match.false)} false'
    return picture, text


def _difference(frame: WorstFrame, truth: GroundTruth, labels: Sequence[str]) -> str:
    parts = []
    missed = _counted(truth.class_ids[frame.difference.newly_missed].tolist(), labels)
    if missed:
        parts.append(f'newly missed: {missed}')
    if frame.difference.more_false > 0:
        parts.append(f'{frame.difference.more_false} more false')
    if not parts:
        parts.append(f'boxes overlap their objects by {frame.difference.iou_lost:.2f} less in all')
    return '; '.join(parts)


def _counted(class_ids: Sequence[int], labels: Sequence[str]) -> str:
    counts = Counter(labels[class_id] for class_id in class_ids)
    return ', '.join(f'{n} {label}' if n > 1 else label for label, n in counts.most_common())
