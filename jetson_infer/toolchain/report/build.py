# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Making the report's files: the page, the video and the summary."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jetson_infer.errors import JetsonInferError
from jetson_infer.toolchain.recordings import Recording
from jetson_infer.toolchain.report.accuracy import Accuracy, measure_accuracy
from jetson_infer.toolchain.report.ladder_panel import LadderPanel, panel_summary
from jetson_infer.toolchain.report.page import PageInputs, Picture, render_page, stage_table
from jetson_infer.toolchain.report.pictures import (
    FramePainter,
    choose_frames,
    read_images,
    to_jpeg,
)
from jetson_infer.toolchain.report.run_result import Frame, RunResult
from jetson_infer.toolchain.report.video import VideoWriter

__all__ = ['FILES', 'ReportFolderError', 'ReportOptions', 'build_report', 'prepare_folder']

PAGE, VIDEO, SUMMARY = 'report.html', 'detections.webm', 'summary.json'
FILES = (PAGE, VIDEO, SUMMARY)
"""What a report consists of."""

PICTURE_WIDTH = 560
LEGEND = 'thin: really there   dashed: missed'


class ReportFolderError(JetsonInferError):
    """A folder that the report cannot be written to."""


@dataclass(frozen=True)
class ReportOptions:
    """How a report is made.

    :param folder: where its files go; it exists.
    :param video: whether to make the video, which takes longest.
    :param facts: what the run was made on, for a person, in order.
    :param command: how to do it again.
    :param when: when it was made, for a person.
    :param ladder: what is shown of the model's ladder; None for nothing.
    """

    folder: Path
    video: bool
    facts: Mapping[str, str]
    command: str
    when: str
    ladder: LadderPanel | None = None


def build_report(
    result: RunResult,
    recording: Recording,
    options: ReportOptions,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Write the page, the video and the summary, and return the summary.

    :param progress: told of every frame: ``progress(done, total)``.
    :raises RecordingError: if the recording is damaged.
    :raises VideoError: if this OpenCV cannot write the video.
    """
    accuracy = measure_accuracy(result) if result.has_truth else None
    pictures = _draw(result, recording, options, progress)
    video = VIDEO if options.video else ''
    page = render_page(
        PageInputs(
            result,
            accuracy,
            pictures,
            video,
            options.facts,
            options.command,
            options.when,
            options.ladder,
        )
    )
    (options.folder / PAGE).write_text(page, encoding='utf-8')
    summary = summarize(result, accuracy, options)
    (options.folder / SUMMARY).write_text(json.dumps(summary, indent=2) + '\n', encoding='utf-8')
    return summary


def summarize(
    result: RunResult, accuracy: Accuracy | None, options: ReportOptions
) -> dict[str, Any]:
    """Return the report's numbers; a number that there is none of is null."""
    median, p95, p99 = (_finite(value) for value in result.latency_ms(50, 95, 99))
    stages = {
        row['name']: {p: round(row[p], 3) for p in ('p50', 'p95', 'p99')}
        for row in stage_table(result)
    }
    return {
        'frames': {
            'played': len(result.frames),
            'processed': len(result.processed),
            'share': len(result.processed) / len(result.frames),
        },
        'latency_ms': {'p50': median, 'p95': p95, 'p99': p99},
        'stages_ms': stages,
        'working_score': result.working_score,
        'accuracy': None if accuracy is None else _accuracy(accuracy),
        'counters': result.record.counters,
        'ladder': panel_summary(options.ladder),
        'facts': dict(options.facts),
        'command': options.command,
        'when': options.when,
        'files': {
            'report': str(options.folder / PAGE),
            'video': str(options.folder / VIDEO) if options.video else None,
        },
    }


def _accuracy(accuracy: Accuracy) -> dict[str, Any]:
    def numbers(item: Any) -> dict[str, Any]:
        return {
            'ap50': item.ap50,
            'ap50_95': item.ap,
            'objects': item.objects,
            'found': item.found,
            'false': item.false,
        }

    return {
        **numbers(accuracy.mean),
        'classes': {item.label: numbers(item) for item in accuracy.classes},
    }


def _finite(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None


def _draw(
    result: RunResult,
    recording: Recording,
    options: ReportOptions,
    progress: Callable[[int, int], None],
) -> list[Picture]:
    """Draw every frame once: into the video, and those that were chosen for the page."""
    frames = result.frames
    chosen = choose_frames(result)
    painter = FramePainter(result.labels, result.working_score)
    pictures: list[Picture] = []
    legend = [LEGEND] if result.has_truth else []
    images = read_images(recording, result.image_topic, len(frames))
    with VideoWriter(options.folder / VIDEO, _rate_hz(frames)) as video:
        for frame, image in zip(frames, images):
            if frame.number in chosen:
                drawn = painter.paint(image.copy(), frame, _caption(frame))
                pictures.append(_picture(frame, drawn, chosen[frame.number] == 'worst'))
            if options.video:
                video.write(painter.paint(image, frame, [*_caption(frame), *legend]))
            progress(frame.number + 1, len(frames))
    return pictures


def _picture(frame: Frame, drawn: Any, worst: bool) -> Picture:
    height, width = drawn.shape[:2]
    scale = min(1.0, PICTURE_WIDTH / width)
    size = (round(width * scale), round(height * scale))
    return Picture(frame, to_jpeg(drawn, PICTURE_WIDTH), size, worst)


def _caption(frame: Frame) -> list[str]:
    if frame.published is None:
        return [f'{frame.time_s:.2f} s', 'lost']
    return [f'{frame.time_s:.2f} s   {frame.published.latency_ms:.1f} ms']


def _rate_hz(frames: Sequence[Frame]) -> float:
    seconds = frames[-1].time_s - frames[0].time_s
    rate = (len(frames) - 1) / seconds if seconds > 0 else 10.0
    # Players take odd rates badly; a hundredth of a hertz is all that a recording's clock is worth.
    return max(1.0, round(rate, 2))


def prepare_folder(folder: Path, names: Sequence[str]) -> None:
    """Make the folder, and remove what an earlier run left in it.

    :raises ReportFolderError: if it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise ReportFolderError(
            f'{folder}: cannot be written to ({error.strerror}); choose another with --out'
        ) from error
