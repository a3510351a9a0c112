# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""YOLO with objectness: the layout of YOLOv5, YOLOv6, YOLOv7 and YOLOX exporters.

One output ``(1, N, 5 + classes)`` or its transpose; a row holds ``x_centre, y_centre, width,
height`` in pixels of the network's input, the objectness, and one score a class; a detection's
score is the product of the two.  YOLOX is usually exported before its grids are decoded: with
``strides``, a row of the cell ``(column, row)`` of a stride is ``(x + column) * stride``,
``(y + row) * stride``, ``exp(width) * stride``, ``exp(height) * stride`` (Ge et al., YOLOX, 2021).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.boxes import cxcywh_to_xyxy
from jetson_infer.core.decoders.base import Decoder, Outputs
from jetson_infer.core.decoders.candidates import (
    CandidateLayout,
    Candidates,
    Finishing,
    Objectness,
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
from jetson_infer.errors import DecoderError

__all__ = ['YoloObjectnessDecoder']


class YoloObjectnessDecoder(Decoder):
    """Decodes ``(1, N, 5 + classes)``.

    Settings: ``output`` (its name; needed only where several outputs fit), ``normalized`` (boxes
    are fractions of the input's size; default false), ``strides`` (of raw YOLOX grids, such as
    ``[8, 16, 32]``; default none), ``objectness_only`` (the objectness is the score, as in YOLOv7
    with one class; default false).
    """

    name = 'yolo_objectness'
    allowed_settings = ('output', 'normalized', 'strides', 'objectness_only')

    def __init__(self, fields: Fields, labels: Sequence[str]) -> None:
        super().__init__(fields, labels)
        self._wanted = fields.text('output') if fields.has('output') else None
        self._output = ''
        self._normalized = fields.flag('normalized', default=False)
        self._objectness_only = fields.flag('objectness_only', default=False)
        self._strides = tuple(
            fields.as_integer(f'strides[{index}]', stride, 1, 1024)
            for index, stride in enumerate(fields.items('strides', default=()))
        )
        if self._strides and self._normalized:
            raise fields.error('normalized', 'does not go with strides: raw grids are in cells')
        self._channels = 5 + len(labels)
        self._cells: npt.NDArray[np.float32] = np.empty((0, 3), np.float32)

    def _match(self, outputs: tuple[TensorSpec, ...], input_size: tuple[int, int]) -> None:
        channels = self._channels
        output = find(
            outputs,
            lambda output: channel_axis(output.shape, channels) is not None,
            setting='output',
            expected=f'1xNx{channels} or 1x{channels}xN ({channels} = 5 + labels)',
            name=self._wanted,
        )
        self._output = output.name
        self._cells = cells(input_size, self._strides)
        axis = channel_axis(output.shape, channels)
        if self._strides and axis in (1, 2):
            self._check_count(output.shape[3 - axis], output.name)

    def _device_candidates(self, outputs: Mapping[str, TensorSpec]) -> CandidateLayout | None:
        objectness: Objectness = 'only' if self._objectness_only else 'factor'
        finishing = None
        if not self._strides:  # raw grids need each anchor's cell
            finishing = Finishing(self.input_size if self._normalized else (1, 1), suppress=True)
        layout = candidate_layout(
            outputs[self._output],
            self._channels,
            len(self.labels),
            objectness,
            finishing=finishing,
        )
        if layout is not None and self._strides:
            self._check_count(layout.anchors, layout.output)
        return layout

    def _decode(self, outputs: Outputs, limits: DetectionLimits) -> Detections:
        columns = columns_of(outputs[self._output], self._channels, self._output)
        if self._strides:
            self._check_count(columns.shape[1], self._output)
        threshold = raw_threshold(limits, logits=False)
        objectness = as_float32(columns[4])
        # A class's score is at most 1, so that no candidate of less objectness can pass.
        picked = reaching(objectness, threshold)
        classes = as_float32(columns[5:, picked])
        scores = objectness[picked]
        if not self._objectness_only:
            scores = scores * classes.max(axis=0)
        passed = reaching(scores, threshold)
        picked, classes, scores = picked[passed], classes[:, passed], scores[passed]
        boxes = as_float32(columns[:4, picked].T)
        return self._detections(Candidates(boxes, scores, classes.argmax(axis=0), picked), limits)

    def _decode_candidates(self, candidates: Candidates, limits: DetectionLimits) -> Detections:
        threshold = raw_threshold(limits, logits=False)
        return self._detections(candidates.reaching(threshold), limits)

    def _detections(self, candidates: Candidates, limits: DetectionLimits) -> Detections:
        return self._finish(
            cxcywh_to_xyxy(self._boxes(candidates.boxes, candidates.anchors)),
            candidates.scores,
            candidates.class_ids,
            limits,
            suppress=True,
        )

    def _boxes(
        self, boxes: npt.NDArray[np.float32], anchors: npt.NDArray[Any]
    ) -> npt.NDArray[np.float32]:
        """Return centres and sizes in pixels."""
        if self._normalized:
            return boxes * np.array(self.input_size * 2, np.float32)
        if not self._strides:
            return boxes
        corner, stride = self._cells[anchors, :2], self._cells[anchors, 2:]
        return np.hstack(((boxes[:, :2] + corner) * stride, np.exp(boxes[:, 2:]) * stride))

    def _check_count(self, count: int, name: str) -> None:
        if count not in (len(self._cells), -1):
            raise DecoderError(
                f'{name} has {count} candidates, but an input of this size has '
                f'{len(self._cells)} cells at the strides {list(self._strides)}'
            )


def cells(size: tuple[int, int], strides: Sequence[int]) -> npt.NDArray[np.float32]:
    """Return column, row and stride of every cell, ``(N, 3)``: by stride, then row by row."""
    width, height = size
    grids: list[npt.NDArray[np.float32]] = [np.empty((0, 3), np.float32)]
    for stride in strides:
        rows, columns = np.mgrid[: height // stride, : width // stride].reshape(2, -1)
        grids.append(np.stack((columns, rows, np.full_like(rows, stride)), 1).astype(np.float32))
    return np.concatenate(grids)
