# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""YOLO without objectness: the layout of YOLOv8, YOLOv9, YOLO11 and YOLO12 exporters.

One output ``(1, 4 + classes, N)`` or its transpose ``(1, N, 4 + classes)``; a column holds
``x_centre, y_centre, width, height`` in pixels of the network's input and one score a class.  The
exporters' RT-DETR has the same layout with boxes in 0 to 1 (``normalized: true``) and needs no
suppression (``nms: false``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jetson_infer.core.boxes import cxcywh_to_xyxy
from jetson_infer.core.decoders.base import Decoder, Outputs
from jetson_infer.core.decoders.outputs import as_float32, only_match, rows_of
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.fields import Fields
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import DecoderError

__all__ = ['YoloDecoder']


class YoloDecoder(Decoder):
    """Decodes ``(1, 4 + classes, N)``.

    Settings: ``output`` (name; needed only where several outputs fit), ``normalized`` (boxes are
    fractions of the input's size; default false), ``nms`` (suppress overlaps; default true),
    ``extra_channels`` (channels after the scores that are skipped, such as mask coefficients;
    default 0).
    """

    name = 'yolo'
    allowed_settings = ('output', 'normalized', 'nms', 'extra_channels')

    def __init__(self, fields: Fields, labels: Sequence[str]) -> None:
        super().__init__(fields, labels)
        self._output = fields.text('output') if fields.has('output') else None
        self._normalized = fields.flag('normalized', default=False)
        self._nms = fields.flag('nms', default=True)
        self._channels = 4 + len(labels) + fields.integer('extra_channels', 0, 100_000, default=0)
        self._spec: TensorSpec | None = None

    def _match(self, outputs: tuple[TensorSpec, ...], input_size: tuple[int, int]) -> None:
        self._spec = only_match(
            outputs,
            lambda output: (
                len(output.shape) == 3
                and output.shape[0] in (1, -1)
                and channel_axis(output.shape, self._channels) is not None
            ),
            setting='output',
            expected=f'1x{self._channels}xN or 1xNx{self._channels} (4 + one a label'
            f'{" + extra_channels" if self._channels > 4 + len(self.labels) else ""})',
            name=self._output,
        )

    def _decode(self, outputs: Outputs, limits: DetectionLimits) -> Detections:
        assert self._spec is not None, 'check() comes before decode()'
        array = outputs[self._spec.name]
        axis = channel_axis(array.shape, self._channels)
        if axis is None or axis < 0:
            raise DecoderError(
                f'{self._spec.name} has shape {array.shape}, in which nothing is {self._channels}'
            )
        columns = rows_of(array, self._spec.name)
        if axis == 2:
            columns = columns.T  # a view; the reduction below runs along memory either way
        scores = columns[4 : 4 + len(self.labels)]
        best = scores.max(axis=0)
        self._non_finite += int(np.count_nonzero(np.isnan(best)))
        picked = np.flatnonzero(best >= limits.score_threshold)
        boxes = as_float32(columns[:4, picked].T)
        if self._normalized:
            boxes = boxes * np.array(self.input_size * 2, np.float32)
        return self._finish(
            cxcywh_to_xyxy(boxes),
            as_float32(best[picked]),
            scores[:, picked].argmax(axis=0),
            limits,
            suppress=self._nms,
        )


def channel_axis(shape: Sequence[int], channels: int) -> int | None:
    """Return which of dimensions 1 and 2 holds the channels.

    :return: 1 or 2; 1 where both could; -1 where only running the network can tell; None where
        neither can.
    """
    if len(shape) != 3:
        return None
    for axis in (1, 2):
        if shape[axis] == channels:
            return axis
    return -1 if -1 in shape[1:] else None
