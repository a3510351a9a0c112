# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The report as one page of HTML that needs nothing from anywhere else."""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jetson_infer.pipeline.annotate import class_colour
from jetson_infer.toolchain.report import charts, meanings
from jetson_infer.toolchain.report.accuracy import Accuracy, ClassAccuracy
from jetson_infer.toolchain.report.ladder_panel import LadderPanel, panel_context
from jetson_infer.toolchain.report.run_record import STAGES
from jetson_infer.toolchain.report.run_result import (
    MIN_SIDE_PX,
    MIN_VISIBLE,
    Frame,
    RunResult,
)
from jetson_infer.toolchain.report.template import fill_page

__all__ = ['PageInputs', 'Picture', 'render_page']


@dataclass(frozen=True)
class Picture:
    """A frame for the page.

    :param frame: which.
    :param jpeg: drawn on and compressed.
    :param size: width and height.
    :param worst: whether it is shown for its mistakes.
    """

    frame: Frame
    jpeg: bytes
    size: tuple[int, int]
    worst: bool


@dataclass(frozen=True)
class PageInputs:
    """All that a page is made of.

    :param result: the run.
    :param accuracy: against the truth; None where there is none.
    :param pictures: frames to show.
    :param video: the video's name, beside the page; empty without one.
    :param facts: what the run was made on, in order.
    :param command: how to do it again.
    :param when: when it was made, for a person.
    :param ladder: what is shown of the model's ladder; None for nothing.
    """

    result: RunResult
    accuracy: Accuracy | None
    pictures: Sequence[Picture]
    video: str
    facts: Mapping[str, str]
    command: str
    when: str
    ladder: LadderPanel | None = None


def render_page(inputs: PageInputs) -> str:
    """Return the page.

    :raises MissingDependencyError: if Jinja2 is not installed.
    """
    return fill_page('jetson_infer.toolchain.report', 'page.html.j2', _context(inputs))


def _context(inputs: PageInputs) -> dict[str, Any]:
    result = inputs.result
    return {
        'title': f'jetson_infer demo: {_headline(inputs)}',
        'when': inputs.when,
        'headline': _headline(inputs),
        'lede': _lede(inputs),
        'tiles': _tiles(inputs),
        'warnings': _warnings(result),
        'has_truth': result.has_truth,
        'min_visible': MIN_VISIBLE,
        'min_side': MIN_SIDE_PX,
        'video': inputs.video,
        'poster': _data_url(inputs.pictures[0].jpeg) if inputs.pictures else '',
        'pictures': [_picture(p, result.working_score) for p in inputs.pictures],
        'frames_total': len(result.frames),
        'lowest_score': min((o.score for f in result.frames for o in f.objects), default=0.0),
        'working_score': result.working_score,
        **_objects_a_frame(result),
        **_accuracy(inputs.accuracy),
        **_latency(result),
        **_frames(result),
        'ladder': panel_context(inputs.ladder),
        'facts': dict(inputs.facts),
        'command': inputs.command,
    }


def _headline(inputs: PageInputs) -> str:
    return f'{inputs.facts.get("model", "a detector")} on {inputs.facts.get("recording", "")}'


def _lede(inputs: PageInputs) -> str:
    frames = inputs.result.frames
    seconds = frames[-1].time_s - frames[0].time_s
    rate = (len(frames) - 1) / seconds if seconds else 0.0
    return (
        f'A ROS 2 lifecycle node took {len(frames)} camera images from the recording '
        f'{inputs.facts.get("recording", "")} ({seconds:.1f} s at {rate:.1f} Hz), played '
        'over DDS at their own times, and published what it found in them. This page compares '
        'that with what is really there, and tells how long it took.'
    )


def _tiles(inputs: PageInputs) -> list[dict[str, str]]:
    result = inputs.result
    processed, total = len(result.processed), len(result.frames)
    median, p99 = result.latency_ms(50, 99)
    mean = inputs.accuracy.mean if inputs.accuracy else None
    tiles = [
        ('frames processed', f'{100 * processed / total:.1f}', '%', f'{processed} of {total}'),
        (
            'AP50, mean of classes',
            f'{mean.ap50:.3f}' if mean and mean.ap50 is not None else 'n/a',
            '',
            f'{mean.objects} objects' if mean else 'no ground truth in the recording',
        ),
        ('latency, median', _milliseconds(median), 'ms', 'from image stamp to received detections'),
        ('latency, p99', _milliseconds(p99), 'ms', '99 of 100 frames are faster'),
    ]
    return [dict(zip(('name', 'value', 'unit', 'note'), tile)) for tile in tiles]


def _warnings(result: RunResult) -> list[str]:
    """Return what the node warned of while it was given frames, most often first."""
    counts = Counter(report.warning for report in result.record.reports if report.warning)
    return [f'{text} (in {n} of its reports)' for text, n in counts.most_common(3)]


def _picture(picture: Picture, min_score: float) -> dict[str, Any]:
    frame = picture.frame
    if frame.truth is None:
        text = f'{len(frame.shown(min_score))} objects found'
    else:
        match = frame.match(min_score)
        there = len(match.hits) + len(match.missed)
        text = f'found {len(match.hits)} of {there}'
        if match.missed:
            text += f'; missed {_list(o.label for o in match.missed)}'
        if match.false:
            text += f'; false {_list(o.label for o in match.false)}'
    width, height = picture.size
    return {
        'data': _data_url(picture.jpeg),
        'time_s': frame.time_s,
        'text': text if frame.published else 'lost: nothing was published',
        'worst': picture.worst,
        'width': width,
        'height': height,
    }


def _list(labels: Iterable[str]) -> str:
    """Count labels for a caption; many kinds are summed up."""
    counts = Counter(labels)
    if len(counts) > 3:
        return f'{sum(counts.values())} objects'
    return ', '.join(f'{n} {label}' if n > 1 else label for label, n in counts.most_common())


def _accuracy(accuracy: Accuracy | None) -> dict[str, Any]:
    if accuracy is None:
        return {'accuracy': [], 'mean': None}
    colours = [class_colour(i) for i in range(len(accuracy.classes))]
    rows = [_class_row(item, colour) for item, colour in zip(accuracy.classes, colours)]
    return {'accuracy': rows, 'mean': _class_row(accuracy.mean)}


def _class_row(item: ClassAccuracy, colour: tuple[int, int, int] = (0, 0, 0)) -> dict[str, Any]:
    blue, green, red = colour
    chart = charts.precision_recall_plot(item.recall, item.precision, item.point, item.label)
    return {
        'label': item.label,
        'colour': f'rgb({red}, {green}, {blue})',
        'ap50_text': _number(item.ap50),
        'ap_text': _number(item.ap),
        'ap50_percent': round(100 * (item.ap50 or 0.0), 1),
        'objects': item.objects,
        'found': item.found,
        'missed': item.objects - item.found,
        'false': item.false,
        'chart': chart,
    }


def _milliseconds(value: float) -> str:
    return 'n/a' if math.isnan(value) else f'{value:.1f}'


def _number(value: float | None) -> str:
    return 'n/a' if value is None else f'{value:.3f}'


def _latency(result: RunResult) -> dict[str, Any]:
    processed = [f for f in result.frames if f.published is not None]
    latencies = [f.published.latency_ms for f in processed if f.published is not None]
    reports = [r for r in result.record.reports if r.latency('infer')]
    begin = reports[0].received_ns if reports else 0
    series = {s: [r.latency(s).get('p50', 0.0) for r in reports] for s in STAGES}
    return {
        'latency_chart': charts.latency_plot([f.time_s for f in processed], latencies),
        'stages_chart': charts.stages_plot(
            [(r.received_ns - begin) / 1e9 for r in reports], series
        ),
        'stages': stage_table(result),
    }


def stage_table(result: RunResult) -> list[dict[str, Any]]:
    """Return the stages' percentiles over the run, each the median of what was reported.

    The node reports the percentiles of its latest frames each second; their median over the run
    is not moved by its first second.
    """
    measured = {}
    for stage in meanings.STAGES:
        reported = [values for r in result.record.reports if len(values := r.latency(stage)) == 3]
        if reported:
            measured[stage] = {p: float(np.median([v[p] for v in reported])) for p in reported[0]}
    longest = max((values['p99'] for values in measured.values()), default=1.0)
    return [
        {
            'name': stage,
            'meaning': meanings.STAGES[stage],
            'chart': charts.stage_bar(values, longest, f'stage-{stage}'),
            **values,
        }
        for stage, values in measured.items()
    ]


def _objects_a_frame(result: RunResult) -> dict[str, float]:
    frames = result.processed or result.frames
    published = sum(len(frame.objects) for frame in frames) / len(frames)
    shown = sum(len(frame.shown(result.working_score)) for frame in frames) / len(frames)
    return {'objects_published': published, 'objects_shown': shown}


def _frames(result: RunResult) -> dict[str, Any]:
    processed = [frame.published is not None for frame in result.frames]
    lost = processed.count(False)
    counters = result.record.counters
    unheard = len(processed) - counters.get('received', 0)
    sentence = (
        f'The player published {len(processed)} images; detections of '
        f'{len(processed) - lost} came back.'
    )
    if counters and unheard > 0:
        sentence += f' {unheard} never reached the node: they were lost in the middleware.'
    unseen = counters.get('processed', 0) - (len(processed) - lost)
    if unseen > 0:
        sentence += f' Of {unseen} more that the node processed nothing was heard.'
    sentence += (
        ' Each stroke is a frame, in the order of the recording.'
        + (' Red ones were lost.' if lost else ' None was lost.')
        + (
            " The counters are the node's own and add up to the images received."
            if counters
            else ''
        )
    )
    rows = [
        {
            'name': name,
            'count': count,
            'meaning': meanings.counter_meaning(name),
            'bad': bool(count) and name.partition('/')[0] in meanings.LOSSES,
        }
        for name, count in counters.items()
    ]
    return {
        'frames_sentence': sentence,
        'strip': charts.frame_strip(processed),
        'counters': rows,
    }


def _data_url(jpeg: bytes) -> str:
    return 'data:image/jpeg;base64,' + base64.b64encode(jpeg).decode()
