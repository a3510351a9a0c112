# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Networks that answer with finished detections: boxes, scores and classes as separate outputs.

``detr_postprocessed``: RT-DETR and D-FINE as their own exporters write them; give the card
``input.extra: {orig_target_sizes: input_size}``, so that boxes are in pixels of the input.
``efficient_nms``: any network that ends in TensorRT's EfficientNMS plug-in, which adds a count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

import numpy as np

from jetson_infer.core.decoders.base import Decoder, Outputs
from jetson_infer.core.decoders.outputs import as_float32, find, fits, reaching, row_of
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.fields import Fields
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import DecoderError

__all__ = ['DetrPostprocessedDecoder', 'EfficientNmsDecoder']


class DetrPostprocessedDecoder(Decoder):
    """Decodes labels ``(1, N)``, boxes ``(1, N, 4)`` as corners, and scores ``(1, N)``.

    Settings: ``labels``, ``boxes`` and ``scores`` (the outputs' names; needed only where shape and
    type do not tell them apart), ``first_label`` (the number of the card's first label; default
    0), ``normalized`` (boxes are fractions of the input's size; default false).
    """

    name = 'detr_postprocessed'
    allowed_settings: ClassVar[tuple[str, ...]] = (
        'labels',
        'boxes',
        'scores',
        'first_label',
        'normalized',
    )

    def __init__(self, fields: Fields, labels: Sequence[str]) -> None:
        super().__init__(fields, labels)
        self._names = {
            key: fields.text(key) if fields.has(key) else None
            for key in ('boxes', 'scores', 'labels')
        }
        self._normalized = fields.flag('normalized', default=False)
        self._first_label = fields.integer('first_label', 0, 100_000, default=0)
        self._boxes = self._scores = self._labels = ''

    def _match(self, outputs: tuple[TensorSpec, ...], input_size: tuple[int, int]) -> None:
        self._boxes = _choose(outputs, self._names, 'boxes', 'f', (1, None, 4))
        self._scores = _choose(outputs, self._names, 'scores', 'f', (1, None))
        self._labels = _choose(outputs, self._names, 'labels', 'iu', (1, None))

    def _decode(self, outputs: Outputs, limits: DetectionLimits) -> Detections:
        boxes = row_of(outputs[self._boxes], self._boxes)
        scores = as_float32(row_of(outputs[self._scores], self._scores))
        labels = row_of(outputs[self._labels], self._labels)
        if not boxes.shape == (len(scores), 4) or len(labels) != len(scores):
            raise DecoderError(
                f'{self._boxes}, {self._scores} and {self._labels} turned out to have the shapes '
                f'{list(boxes.shape)}, {list(scores.shape)} and {list(labels.shape)}'
            )
        count = self._count(outputs, len(scores))
        picked = reaching(scores[:count], limits.score_threshold)
        corners = as_float32(boxes[picked])
        if self._normalized:
            corners = corners * np.array(self.input_size * 2, np.float32)
        # As float64, which holds every label exactly and lets an unsigned one go below zero.
        class_ids = labels[picked].astype(np.float64) - self._first_label
        return self._finish(corners, scores[picked], class_ids, limits, suppress=False)

    def _count(self, outputs: Outputs, rows: int) -> int:
        """Return how many rows are valid."""
        return rows


class EfficientNmsDecoder(DetrPostprocessedDecoder):
    """Decodes count ``(1, 1)``, boxes ``(1, N, 4)``, scores ``(1, N)`` and labels ``(1, N)``.

    Settings: those of ``detr_postprocessed``, and ``count`` (that output's name).
    """

    name = 'efficient_nms'
    allowed_settings: ClassVar[tuple[str, ...]] = (
        'count',
        *DetrPostprocessedDecoder.allowed_settings,
    )

    def __init__(self, fields: Fields, labels: Sequence[str]) -> None:
        super().__init__(fields, labels)
        self._names['count'] = fields.text('count') if fields.has('count') else None
        self._count_output = ''

    def _match(self, outputs: tuple[TensorSpec, ...], input_size: tuple[int, int]) -> None:
        self._count_output = _choose(outputs, self._names, 'count', 'iu', (1, 1), (1,))
        rest = tuple(output for output in outputs if output.name != self._count_output)
        super()._match(rest, input_size)

    def _count(self, outputs: Outputs, rows: int) -> int:
        return int(np.clip(outputs[self._count_output].ravel()[0], 0, rows))


def _choose(
    outputs: Iterable[TensorSpec],
    names: dict[str, str | None],
    key: str,
    kinds: str,
    *shapes: tuple[int | None, ...],
) -> str:
    """Return the name of the output for a key.

    :param names: the outputs' names as far as the card gives them, by key.
    :param kinds: NumPy's letters for the kinds of dtype by which it is told apart.
    :param shapes: the shapes it may have.
    """
    taken = {name for other, name in names.items() if other != key and name is not None}
    kinds = 'iuf' if names[key] is not None else kinds
    shape = ' or '.join('x'.join('N' if d is None else str(d) for d in each) for each in shapes)
    return find(
        (output for output in outputs if output.name not in taken),
        lambda output: output.dtype.kind in kinds and any(fits(output, *each) for each in shapes),
        setting=key,
        expected=f'the {key}, {"float" if "f" in kinds else "integer"} {shape}',
        name=names[key],
    ).name
