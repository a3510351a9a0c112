# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The detection pipeline on a device: from the camera's bytes to the boxes, nothing returns.

Two streams: one uploads and prepares, one infers and finishes.  Each of two lanes has all the
memory that a frame needs, so that one frame is prepared while the other one is inferred.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import NamedTuple

import numpy as np

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.decoders import make_decoder
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.images import CompressedView, ImageView, wrap_image
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.core.timing import StageClock
from jetson_infer.cuda.device import Device
from jetson_infer.engines.models import Model
from jetson_infer.engines.session import DeviceSession
from jetson_infer.errors import DeviceError, FrameRejected, InternalError
from jetson_infer.pipeline.device_lanes import LANES, DeviceMemory, Lane, Lanes
from jetson_infer.pipeline.device_times import DeviceObserver
from jetson_infer.pipeline.pipelines import OverlappingPipeline

__all__ = ['DeviceDetectionPipeline']

_SURE = 0.8
"""The share of the time a frame took lately that the next one is sure to take."""


class _UnderWay(NamedTuple):
    lane: Lane
    letterbox: Letterbox
    limits: DetectionLimits
    begun_s: float
    queued_s: float


class DeviceDetectionPipeline(OverlappingPipeline[Detections]):
    """One variant of a detection model on a device, ready to run.

    Everything is allocated and warmed up here; a frame allocates nothing on the device.  Made and
    closed on one thread where the device is current, used there or on another one within
    :meth:`current`.

    :param model: the model.
    :param variant: which of its variants.
    :param session: the loaded network.
    :param device: where; current on this thread.
    :param memory: how its memory is laid out.
    :param owned: closed with the pipeline, after all else: what the session and the device need.
    :param observer: told what every frame took on the device, which costs each frame a little.
    :raises CardError, DecoderError, SessionError: if card and network do not fit.
    :raises KernelError: if the kernels cannot be compiled.
    :raises DeviceMemoryError: if there is not enough memory; what was taken is given back.
    """

    def __init__(
        self,
        model: Model,
        variant: VariantCard,
        session: DeviceSession,
        device: Device,
        memory: DeviceMemory | None = None,
        owned: ExitStack | None = None,
        observer: DeviceObserver | None = None,
    ) -> None:
        card = model.card
        self.labels = card.labels
        self.variant = variant
        self._device = device
        self._decoder = make_decoder(card.output, card.labels)
        self._decoder.check(session.outputs, variant.size)
        self.limits = card.output.defaults
        """Which candidates become detections; may be replaced at any moment, from any thread."""
        with ExitStack() as stack:
            if owned is not None:
                stack.push(owned)
            timed = observer is not None
            lanes = stack.enter_context(
                Lanes(
                    card, variant, session, device, self._decoder, memory or DeviceMemory(), timed
                )
            )
            self._input = lanes.input
            self._streams = (lanes.prepare, lanes.infer)
            self._free = list(lanes.lanes)
            self.transfer = lanes.transfer
            """How bytes cross between the host and the device, and why so."""
            self.engine = session.engine
            """What runs the network, for a person."""
            self.why = ''
            """Why it is this engine, for a person; set by whoever chose it."""
            self.unvalidated = ''
            """Why it should not run, though it may; set by whoever chose it."""
            if lanes.why_no_graph:
                self.engine += f', without a CUDA graph: {lanes.why_no_graph}'
            self._observer = observer
            self._under_way: list[_UnderWay] = []
            self._lately_s = 0.0
            self._done_s = 0.0
            self._device_s = 0.0
            self._decode_s = 0.0
            self._warm_up()
            self._stack = stack.pop_all()

    def current(self) -> AbstractContextManager[None]:
        """See :meth:`OverlappingPipeline.current`."""
        return self._device.current()

    @property
    def depth(self) -> int:
        """See :attr:`OverlappingPipeline.depth`."""
        return LANES

    @property
    def patience_s(self) -> float:
        """See :attr:`OverlappingPipeline.patience_s`."""
        begun_s = max(self._under_way[0].begun_s, self._done_s)
        return max(0.0, begun_s + _SURE * self._lately_s - time.monotonic())

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many candidates were dropped so far because they cannot be boxes, by reason."""
        return self._decoder.dropped

    @property
    def prepared_on_host(self) -> Mapping[str, int]:
        """How many images the host prepared, by the reason: ``encoding``, ``size``."""
        return self._input.on_host

    def process(self, image: ImageView | CompressedView, clock: StageClock) -> Detections:
        """Find objects in one image, waiting for the device."""
        return self.finish(self.begin(image, clock), clock)

    def begin(self, image: ImageView | CompressedView, clock: StageClock) -> _UnderWay:
        """See :meth:`OverlappingPipeline.begin`."""
        lane = self._free.pop()
        begun_s = time.monotonic()
        limits = self.limits
        try:
            letterbox = self._enqueue(image, lane, limits, clock)
        except DeviceError:
            raise
        except FrameRejected:  # before anything of it was queued
            self._free.append(lane)
            raise
        except BaseException:
            self._recover(lane)
            raise
        under_way = _UnderWay(lane, letterbox, limits, begun_s, time.monotonic())
        self._under_way.append(under_way)
        self._rehearse(under_way)
        return under_way

    def finish(self, pending: _UnderWay, clock: StageClock) -> Detections:
        """See :meth:`OverlappingPipeline.finish`."""
        if self._under_way.pop(0) is not pending:
            raise InternalError('frames end in the order in which they were begun')
        lane = pending.lane
        try:
            lane.done.synchronize()
            now_s = time.monotonic()
            self._lately_s = now_s - max(pending.begun_s, self._done_s)
            self._device_s = now_s - pending.queued_s
            self._done_s = now_s
            clock.mark('infer')
            found = lane.output.decode(pending.limits, pending.letterbox)
            clock.mark('decode')
            self._decode_s = time.monotonic() - now_s
            if self._observer is not None and lane.times is not None:
                self._observer(lane.times.milliseconds())
        finally:
            self._free.append(lane)
        return found

    def close(self) -> None:
        """See :meth:`OverlappingPipeline.close`."""
        self._under_way.clear()
        self._free.clear()
        self._stack.close()

    def _enqueue(
        self,
        image: ImageView | CompressedView,
        lane: Lane,
        limits: DetectionLimits,
        clock: StageClock,
    ) -> Letterbox:
        prepare, infer = self._streams
        letterbox = self._input.enqueue(image, lane.input, prepare)
        prepare.record(lane.prepared)
        clock.mark('preprocess')
        infer.wait(lane.prepared)
        if lane.times is not None:
            infer.record(lane.times.inferring)
        lane.binding.enqueue(infer)
        if lane.times is not None:
            infer.record(lane.times.inferred)
        lane.output.enqueue(infer, limits, letterbox)
        infer.record(lane.done)
        return letterbox

    def _rehearse(self, frame: _UnderWay) -> None:
        """Go the way of the results once while the device works on them.

        Code and data that the processor used a frame ago have left its caches: decoding takes two
        to five times as long as at once again (docs/benchmarks.md).  The processor only waits now.
        Nothing is lost as long as the device takes longer than decoding; and with another frame
        under way there is something better to do.
        """
        if len(self._under_way) == 1 and self._device_s > self._decode_s:
            frame.lane.output.rehearse(frame.limits, frame.letterbox)

    def _recover(self, lane: Lane) -> None:
        """Let what was queued of a frame that failed end before its lane is used again."""
        for stream in self._streams:
            stream.synchronize()
        self._free.append(lane)

    def _warm_up(self) -> None:
        """Do now what is done lazily, in every lane."""
        width, height = self.variant.size
        row = width * 3
        grey = wrap_image('bgr8', width, height, row, False, np.zeros(row * height, np.uint8))
        for _ in range(2):
            pending = [self.begin(grey, StageClock(0)) for _ in range(self.depth)]
            for under_way in pending:
                self.finish(under_way, StageClock(0))
        self._input.on_host.clear()
