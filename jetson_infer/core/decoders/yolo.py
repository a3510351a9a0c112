# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""YOLO without objectness: the layout of YOLOv8, YOLOv9, YOLO11 and YOLO12 exporters.

One output ``(1, 4 + classes, N)`` or its transpose ``(1, N, 4 + classes)``; a column holds
``x_centre, y_centre, width, height`` in pixels of the network's input and one score a class.  The
same exporters' RT-DETR has this layout too, with boxes as fractions of the input's size
(``normalized: true``) and nothing to suppress (``nms: false``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jetson_infer.core.boxes import cxcywh_to_xyxy
from jetson_infer.core.decoders.activations import sigmoid
from jetson_infer.core.decoders.base import Decoder, Outputs
from jetson_infer.core.decoders.candidates import (
    CandidateLayout,
    Candidates,
    Finishing,
    raw_threshold,
)
from jetson_infer.core.decoders.outputs import (
    as_float32,
    candidate_layout,
    channel_axis,
    columns_of,
    find,
    reaching,
)
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.fields import Fields
from jetson_infer.core.tensors import TensorSpec

__all__ = ['YoloDecoder']


class YoloDecoder(Decoder):
    """Decodes ``(1, 4 + classes, N)``.

    Settings: ``output`` (its name; needed only where several outputs fit), ``normalized`` (boxes
    are fractions of the input's size; default false), ``activation`` (``none``, or ``sigmoid``
    where the network emits logits; default none), ``nms`` (suppress overlaps; default true),
    ``extra_channels`` (channels after the scores that are skipped, such as the mask coefficients
    of a segmentation network; default 0).
    """

    name = 'yolo'
    allowed_settings = ('output', 'normalized', 'activation', 'nms', 'extra_channels')

    def __init__(self, fields: Fields, labels: Sequence[str]) -> None:
        super().__init__(fields, labels)
        self._wanted = fields.text('output') if fields.has('output') else None
        self._output = ''
        self._normalized = fields.flag('normalized', default=False)
        self._logits = fields.choice('activation', ('none', 'sigmoid'), default='none') != 'none'
        self._nms = fields.flag('nms', default=True)
        self._classes_end = 4 + len(labels)
        extra = fields.integer('extra_channels', 0, 100_000, default=0)
        self._channels = self._classes_end + extra

    def _match(self, outputs: tuple[TensorSpec, ...], input_size: tuple[int, int]) -> None:
        channels = self._channels
        parts = '4 + labels' if channels == self._classes_end else '4 + labels + extra_channels'
        self._output = find(
            outputs,
            lambda output: channel_axis(output.shape, channels) is not None,
            setting='output',
            expected=f'1x{channels}xN or 1xNx{channels} ({channels} = {parts})',
            name=self._wanted,
        ).name

    def _device_candidates(self, outputs: Mapping[str, TensorSpec]) -> CandidateLayout | None:
        finishing = None
        if not self._logits:  # different logits may give one score, and then the anchor decides
            finishing = Finishing(self.input_size if self._normalized else (1, 1), self._nms)
        return candidate_layout(
            outputs[self._output],
            self._channels,
            len(self.labels),
            'none',
            self._logits,
            finishing,
        )

    def _decode(self, outputs: Outputs, limits: DetectionLimits) -> Detections:
        columns = columns_of(outputs[self._output], self._channels, self._output)
        scores = as_float32(columns[4 : self._classes_end])
        picked = reaching(scores, raw_threshold(limits, self._logits))
        scores = scores[:, picked]
        boxes = as_float32(columns[:4, picked].T)
        best = Candidates(boxes, scores.max(axis=0), scores.argmax(axis=0), picked)
        return self._detections(best, limits)

    def _decode_candidates(self, candidates: Candidates, limits: DetectionLimits) -> Detections:
        threshold = raw_threshold(limits, self._logits)
        return self._detections(candidates.reaching(threshold), limits)

    def _detections(self, candidates: Candidates, limits: DetectionLimits) -> Detections:
        boxes, scores = candidates.boxes, candidates.scores
        if self._normalized:
            boxes = boxes * np.array(self.input_size * 2, np.float32)
        return self._finish(
            cxcywh_to_xyxy(boxes),
            sigmoid(scores) if self._logits else scores,
            candidates.class_ids,
            limits,
            suppress=self._nms,
        )
