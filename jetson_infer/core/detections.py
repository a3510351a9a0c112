# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Detections of one frame, and the limits under which they are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

__all__ = ['DetectionLimits', 'Detections']


@dataclass(frozen=True)
class Detections:
    """Objects found in one frame, best score first.

    :param boxes: float32 ``(N, 4)``; ``x_min, y_min, x_max, y_max`` in pixels, where pixel ``i``
        covers ``[i, i + 1)``.  Whether of the source image or of the network's input is said by
        whoever returns them.
    :param scores: float32 ``(N,)`` in 0 to 1.
    :param class_ids: int32 ``(N,)``, indices into the card's labels.
    :raises ValueError: if a shape does not fit, with the expected and the actual shape.
    """

    COLUMNS: ClassVar[int] = 4

    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    class_ids: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        count = len(self.scores)
        for name, array, shape in (
            ('boxes', self.boxes, (count, self.COLUMNS)),
            ('scores', self.scores, (count,)),
            ('class_ids', self.class_ids, (count,)),
        ):
            if array.shape != shape:
                raise ValueError(f'{name} must have shape {shape}, not {array.shape}')

    def __len__(self) -> int:
        return len(self.scores)

    @staticmethod
    def empty() -> Detections:
        """Return no detections."""
        return Detections(
            np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int32)
        )


@dataclass(frozen=True)
class DetectionLimits:
    """Which of a network's candidates become detections; may change from frame to frame.

    :param score_threshold: candidates scoring less are dropped; 0 to 1.
    :param iou_threshold: of two boxes of one class that overlap more than this, the better stays;
        0 to 1.  Without effect where the network suppresses overlaps itself.
    :param max_detections: at most so many, the best ones; at least 1.
    :param class_ids: the class indices to keep, or None for all.
    :raises ValueError: if a value is out of its range.
    """

    score_threshold: float = 0.25
    iou_threshold: float = 0.45
    max_detections: int = 300
    class_ids: frozenset[int] | None = None

    def __post_init__(self) -> None:
        for name in ('score_threshold', 'iou_threshold'):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise ValueError(f'{name} must lie in 0 to 1, not {value}')
        if self.max_detections < 1:
            raise ValueError(f'max_detections must be at least 1, not {self.max_detections}')
