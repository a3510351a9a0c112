# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that come at a rate, as from a camera: what is dropped, and how long each waits."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from jetson_infer.core.accounting import FrameAccount
from jetson_infer.core.detections import Detections
from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.timing import StageClock
from jetson_infer.errors import DeviceError
from jetson_infer.pipeline.frame import Frame
from jetson_infer.pipeline.runner import FrameRunner, RunnerHooks, RunnerSettings
from jetson_infer.toolchain.bench.subject import Subject

__all__ = ['run_paced']

DRAIN_S = 30.0


def _given(image: ImageView | CompressedView) -> ImageView | CompressedView:
    return image


def run_paced(subject: Subject, frames: int, rate_hz: float) -> dict[str, Any]:
    """Send images at a rate through the runner that the nodes use.

    :return: for a program: the account's counters, and percentiles of the stages over the newest
        512 frames, in ms.
    :raises DeviceError: if the engine was lost.
    """
    account = FrameAccount()
    lost: list[BaseException] = []

    def deliver(frame: Frame, result: Detections, clock: StageClock) -> None:
        pass

    hooks: RunnerHooks[Detections] = RunnerHooks(
        deliver, lambda frame: 0.0, lambda reason, text: None, lost.append
    )
    runner = FrameRunner(subject.paced_pipeline, account, hooks, RunnerSettings())
    start, late_s = time.monotonic(), 0.0
    try:
        for number in range(frames):
            due = start + number / rate_hz
            time.sleep(max(0.0, due - time.monotonic()))
            late_s = max(late_s, time.monotonic() - due)
            runner.receive(partial(_given, subject.image(number)), 0, None)
        runner.drain(DRAIN_S)
    finally:
        runner.stop()
    if lost:
        raise DeviceError(f'the engine was lost: {lost[0]}') from lost[0]
    stages = runner.statistics.percentiles()
    return {
        'rate_hz': rate_hz,
        'frames': account.counts().as_dict(),
        'stages_ms': {
            name: {'p50': round(p.p50, 3), 'p95': round(p.p95, 3), 'p99': round(p.p99, 3)}
            for name, p in stages.items()
        },
        'latest_send_ms': round(late_s * 1e3, 3),
    }
