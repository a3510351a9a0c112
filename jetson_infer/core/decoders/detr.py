# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The DETR family: a fixed number of queries, each with one box and a score a class; no overlaps.

Boxes ``(1, N, 4)`` and scores or logits ``(1, N, C)``: DETR, Deformable DETR and RT-DETR as Hugging
Face's exporter writes them (``pred_boxes``, ``logits``), RF-DETR (``dets``, ``labels``); or both in
one output ``(1, N, 4 + C)``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from jetson_infer.core.boxes import cxcywh_to_xyxy
from jetson_infer.core.decoders.activations import ACTIVATIONS, sigmoid, softmax
from jetson_infer.core.decoders.base import Decoder, Outputs
from jetson_infer.core.decoders.outputs import as_float32, find, fits, reaching, row_of
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.fields import Fields
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import DecoderError

__all__ = ['DetrDecoder']


class DetrDecoder(Decoder):
    """Decodes boxes ``(1, N, 4)`` and scores ``(1, N, C)``, or ``(1, N, 4 + C)``.

    A query becomes at most one detection, of its best class.

    Settings: ``boxes`` and ``scores`` (the outputs' names; needed only where their shapes do not
    tell them apart), ``activation`` (``sigmoid``, ``softmax`` or ``none``; default sigmoid for two
    outputs and none for one), ``background`` (the class without a label: ``none``, ``first`` or
    ``last``; default last with softmax and none otherwise), ``box_format`` (``cxcywh`` or
    ``xyxy``; default cxcywh), ``normalized`` (boxes are fractions of the input's size; default
    true).
    """

    name = 'detr'
    allowed_settings = (
        'boxes',
        'scores',
        'activation',
        'background',
        'box_format',
        'normalized',
    )

    def __init__(self, fields: Fields, labels: Sequence[str]) -> None:
        super().__init__(fields, labels)
        self._wanted = {
            key: fields.text(key) if fields.has(key) else None for key in ('boxes', 'scores')
        }
        self._wanted_activation = (
            fields.choice('activation', ACTIVATIONS) if fields.has('activation') else None
        )
        usual = 'last' if self._wanted_activation == 'softmax' else 'none'
        background = fields.choice('background', ('none', 'first', 'last'), default=usual)
        box_format = fields.choice('box_format', ('cxcywh', 'xyxy'), default='cxcywh')
        self._normalized = fields.flag('normalized', default=True)
        self._centres = box_format == 'cxcywh'
        self._first_class = 1 if background == 'first' else 0
        self._classes = len(labels) + (background != 'none')
        self._activation = 'none'
        self._boxes = self._scores = ''

    def _match(self, outputs: tuple[TensorSpec, ...], input_size: tuple[int, int]) -> None:
        joined = 4 + self._classes
        if len(outputs) == 1 and fits(outputs[0], 1, None, joined):
            self._boxes = self._scores = outputs[0].name
            self._activation = self._wanted_activation or 'none'
            return
        boxes, scores = self._wanted['boxes'], self._wanted['scores']
        self._boxes = find(
            [output for output in outputs if boxes or output.name != scores],
            lambda output: fits(output, 1, None, 4),
            setting='boxes',
            expected=f'the boxes, 1xNx4 (nor is there a single output 1xNx{joined})',
            name=boxes,
        ).name
        background = self._classes - len(self.labels)
        self._scores = find(
            [output for output in outputs if output.name != self._boxes],
            lambda output: fits(output, 1, None, self._classes),
            setting='scores',
            expected=f'the scores, 1xNx{self._classes} (labels + {background} background)',
            name=scores,
        ).name
        self._activation = self._wanted_activation or 'sigmoid'

    def _decode(self, outputs: Outputs, limits: DetectionLimits) -> Detections:
        boxes, logits = self._tables(outputs)
        if self._activation == 'softmax':
            scores = softmax(logits)
        else:
            scores = sigmoid(logits) if self._activation == 'sigmoid' else as_float32(logits)
        scores = scores[:, self._first_class : self._first_class + len(self.labels)]
        best = scores.max(axis=1)
        picked = reaching(best, limits.score_threshold)
        corners = as_float32(boxes[picked])
        if self._normalized:
            corners = corners * np.array(self.input_size * 2, np.float32)
        if self._centres:
            corners = cxcywh_to_xyxy(corners)
        class_ids = scores[picked].argmax(axis=1)
        return self._finish(corners, best[picked], class_ids, limits, suppress=False)

    def _tables(self, outputs: Outputs) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return boxes ``(N, 4)`` and logits ``(N, C)``."""
        boxes = row_of(outputs[self._boxes], self._boxes)
        logits = row_of(outputs[self._scores], self._scores)
        if self._boxes == self._scores:
            boxes, logits = boxes[:, :4], logits[:, 4:]
        if boxes.shape != (len(logits), 4) or logits.shape[1] != self._classes:
            raise DecoderError(
                f'boxes turned out to be {list(boxes.shape)} and scores {list(logits.shape)}; '
                f'expected [N, 4] and [N, {self._classes}]'
            )
        return boxes, logits
