# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""YOLO networks that suppress overlaps themselves and answer with one table of detections.

YOLOv10, YOLO26 and any YOLO that was exported with NMS write rows of ``x_min, y_min, x_max, y_max,
score, class``; YOLOv7's end-to-end export writes ``batch, x_min, y_min, x_max, y_max, class,
score``.  Other orders are a setting, such as that of the YOLO exporters' RT-DETR of 2026:
``x_centre, y_centre, width, height, score, class`` with boxes as fractions of the input's size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jetson_infer.core.boxes import cxcywh_to_xyxy
from jetson_infer.core.decoders.base import Decoder, Outputs
from jetson_infer.core.decoders.outputs import as_float32, find, fits, reaching, row_of
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.fields import Fields
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import DecoderError

__all__ = ['YoloEndToEndDecoder']

_BOX = ('x_min', 'y_min', 'x_max', 'y_max')
_CENTRED = ('x_centre', 'y_centre', 'width', 'height')
_COLUMNS = (*_BOX, 'score', 'class')
_BATCH_FIRST = ('batch', *_BOX, 'class', 'score')


class YoloEndToEndDecoder(Decoder):
    """Decodes ``(1, N, 6)``, or ``(N, 7)`` with the batch first.

    Settings: ``output`` (its name; needed only where several outputs fit), ``columns`` (their
    names in order, of ``x_min, y_min, x_max, y_max`` or ``x_centre, y_centre, width, height``,
    and ``score, class, batch`` and ``skip``; the first of the layouts above unless the output has
    seven columns), ``normalized`` (boxes are fractions of the input's size; default false).  Rows
    that score 0 are padding.
    """

    name = 'yolo_end_to_end'
    allowed_settings = ('output', 'columns', 'normalized')

    def __init__(self, fields: Fields, labels: Sequence[str]) -> None:
        super().__init__(fields, labels)
        self._wanted = fields.text('output') if fields.has('output') else None
        self._output = ''
        self._normalized = fields.flag('normalized', default=False)
        self._layouts = _layouts(fields)

    def _match(self, outputs: tuple[TensorSpec, ...], input_size: tuple[int, int]) -> None:
        widths = [len(columns) for columns in self._layouts]
        self._output = find(
            outputs,
            lambda output: any(
                fits(output, 1, None, width) or fits(output, None, width) for width in widths
            ),
            setting='output',
            expected=' or '.join(f'1xNx{width} or Nx{width}' for width in widths),
            name=self._wanted,
        ).name

    def _decode(self, outputs: Outputs, limits: DetectionLimits) -> Detections:
        table = outputs[self._output]
        if table.ndim == 3:
            table = row_of(table, self._output)
        columns = self._columns(table.shape)
        scores = as_float32(table[:, columns.index('score')])
        picked = reaching(scores, limits.score_threshold)
        picked = picked[scores[picked] != 0]
        rows = as_float32(table[picked])
        centred = 'width' in columns
        boxes = rows[:, [columns.index(name) for name in (_CENTRED if centred else _BOX)]]
        if self._normalized:
            boxes = boxes * np.array(self.input_size * 2, np.float32)
        if centred:
            boxes = cxcywh_to_xyxy(boxes)
        classes = np.rint(rows[:, columns.index('class')])
        return self._finish(boxes, scores[picked], classes, limits, suppress=False)

    def _columns(self, shape: Sequence[int]) -> tuple[str, ...]:
        for columns in self._layouts:
            if shape[-1] == len(columns):
                return columns
        raise DecoderError(f'{self._output} turned out to have {shape[-1]} columns')


def _layouts(fields: Fields) -> tuple[tuple[str, ...], ...]:
    """Return the orders of columns that are possible, each of another length."""
    if not fields.has('columns'):
        return (_COLUMNS, _BATCH_FIRST)
    columns = fields.items('columns')
    known = (*_COLUMNS, *_CENTRED, 'batch', 'skip')
    for index, name in enumerate(columns):
        if name not in known:
            raise fields.error(f'columns[{index}]', f'must be one of {", ".join(known)}')
        if name != 'skip' and columns.index(name) < index:
            raise fields.error(f'columns[{index}]', f'{name} is there twice')
    box, other = (_CENTRED, _BOX) if 'width' in columns else (_BOX, _CENTRED)
    missing = [name for name in (*box, 'score', 'class') if name not in columns]
    if missing:
        raise fields.error('columns', f'lacks {", ".join(missing)}')
    if any(name in columns for name in other):
        raise fields.error('columns', f'mixes {", ".join(_BOX)} with {", ".join(_CENTRED)}')
    return (tuple(str(name) for name in columns),)
