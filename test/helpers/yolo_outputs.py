# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Random outputs of YOLO networks, of every layout, with everything that can be wrong in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jetson_infer.core.cards import OutputCard
from jetson_infer.core.decoders import make_decoder
from jetson_infer.core.decoders.base import Decoder
from jetson_infer.core.tensors import TensorSpec

SIZE = (64, 48)
CELLS = sum(SIZE[0] // stride * (SIZE[1] // stride) for stride in (8, 16, 32))


@dataclass(frozen=True)
class Layout:
    """One way to write a YOLO network's output.

    :param decoder: the decoder's name, and its settings.
    :param first_score: 4, or 5 after an objectness.
    :param anchors: their number where it is given by the input's size.
    """

    decoder: str
    settings: dict[str, Any] = field(default_factory=dict)
    first_score: int = 4
    anchors: int | None = None


LAYOUTS = {
    'YOLOv8': Layout('yolo'),
    'logits': Layout('yolo', {'activation': 'sigmoid'}),
    'segmentation': Layout('yolo', {'extra_channels': 5}),
    'normalized, without suppression': Layout('yolo', {'normalized': True, 'nms': False}),
    'YOLOv5': Layout('yolo_objectness', first_score=5),
    'objectness only': Layout('yolo_objectness', {'objectness_only': True}, 5),
    'normalized objectness': Layout('yolo_objectness', {'normalized': True}, 5),
    'YOLOX, raw': Layout('yolo_objectness', {'strides': [8, 16, 32]}, 5, CELLS),
}


def decoder_of(layout: Layout, classes: int, spec: TensorSpec) -> Decoder:
    """Return a decoder that was shown the output."""
    labels = [f'class {i}' for i in range(classes)]
    decoder = make_decoder(OutputCard(layout.decoder, layout.settings), labels)
    decoder.check((spec,), SIZE)
    return decoder


def random_output(
    layout: Layout,
    classes: int,
    anchors: int,
    channels_first: bool = True,
    dtype: str = 'float32',
    seed: int = 0,
    hostile: bool = True,
) -> tuple[TensorSpec, np.ndarray]:
    """Return an output and its description.

    :param hostile: with NaN and infinities among boxes and scores, boxes inside out, and scores
        that are equal in several classes or exactly at the usual thresholds.
    """
    random = np.random.default_rng(seed)
    anchors = layout.anchors or anchors
    extra = layout.settings.get('extra_channels', 0)
    channels = layout.first_score + classes + extra
    table = random.normal(0, 1, (anchors, channels)).astype(np.float32)
    table[:, :4] *= 4
    table[:, 2:4] = np.abs(table[:, 2:4])
    scores = random.random((anchors, channels - 4)).astype(np.float32) ** 3
    if layout.settings.get('activation') == 'sigmoid':
        scores = np.log((scores + 1e-6) / (1 - scores + 1e-6))
    table[:, 4:] = scores
    if hostile:
        table[random.random(anchors) < 0.1, layout.first_score :] = 0.5  # equal, and a threshold
        for value in (np.nan, np.inf, -np.inf, 0.25, -0.0):
            table[random.random(table.shape) < 0.01] = value
        table[random.random(anchors) < 0.05, 2] *= -1
    with np.errstate(over='ignore'):
        table = table.astype(dtype)
    array = np.ascontiguousarray(table.T if channels_first else table)[None]
    return TensorSpec('output0', array.dtype, array.shape), array
