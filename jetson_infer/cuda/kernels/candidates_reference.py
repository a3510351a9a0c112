# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the candidates kernel chooses, in NumPy, in the order of the anchors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.decoders.candidates import CandidateLayout

__all__ = ['ROW', 'candidates_reference']

ROW = np.dtype(
    [('box', 'f4', 4), ('score', 'f4'), ('class_id', 'i4'), ('anchor', 'i4'), ('reserved', 'i4')],
    align=True,
)
"""The kernels' ``Candidate``, member by member (candidates.cuh)."""


def candidates_reference(
    output: npt.NDArray[Any], layout: CandidateLayout, threshold: np.float32
) -> npt.NDArray[np.void]:
    """Choose every anchor whose score is not below a threshold; a NaN is not.

    :param output: one frame's output, of the layout's shape and type.
    :param threshold: as :meth:`CandidateLayout.threshold` gives it.
    :return: all of them, as :data:`ROW` ``(K,)``, sorted by anchor.
    """
    table = output.reshape(
        (layout.channels, layout.anchors)
        if layout.channels_first
        else (layout.anchors, layout.channels)
    )
    channels = (table if layout.channels_first else table.T).astype(np.float32)
    classes = channels[layout.first_class : layout.first_class + layout.classes]
    with np.errstate(invalid='ignore', over='ignore'):
        scores = classes.max(axis=0)
        chosen = np.ones(layout.anchors, np.bool_)
        if layout.objectness != 'none':
            objectness = channels[4]
            chosen &= ~(objectness < threshold)
            scores = objectness if layout.objectness == 'only' else objectness * scores
        chosen &= ~(scores < threshold)
    anchors = np.flatnonzero(chosen)
    rows = np.zeros(len(anchors), ROW)
    rows['box'] = channels[:4, anchors].T
    rows['score'] = scores[anchors]
    rows['class_id'] = classes[:, anchors].argmax(axis=0)
    rows['anchor'] = anchors
    return rows
