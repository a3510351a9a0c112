# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Objects in bird's-eye view: what detections in point clouds are compared by.

``Evaluation``, ``match_frame`` and ``DetectionComparison`` take them with the kind
:data:`BEV_BOXES`.  All boxes of a frame are in one frame of reference whose z axis points up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from jetson_infer.core.detections import Detections
from jetson_infer.core.evaluation import BoxKind, GroundTruth
from jetson_infer.core.ground_boxes import ground_iou

__all__ = ['BEV_BOXES', 'BevDetections', 'BevTruth', 'box_above']


@dataclass(frozen=True)
class BevDetections(Detections):
    """Objects found in one cloud, best score first.

    :param boxes: ``(N, 5)``; ``x, y, length, width, yaw`` in metres and radians, see
        :mod:`~jetson_infer.core.ground_boxes`.
    """

    COLUMNS: ClassVar[int] = 5


@dataclass(frozen=True)
class BevTruth(GroundTruth):
    """The objects that are really in one cloud.

    :param boxes: ``(M, 5)``; ``x, y, length, width, yaw`` in metres and radians.
    """

    COLUMNS: ClassVar[int] = 5


def box_above(
    centre: npt.NDArray[Any], rotation: npt.NDArray[Any], size: npt.NDArray[Any]
) -> tuple[float, float, float, float, float]:
    """Return a box in space as it is seen from above.

    :param centre: ``(3,)`` in metres.
    :param rotation: ``(3, 3)``, the box's axes as columns.
    :param size: ``(3,)`` along these axes; the third one is the box's height, and should point up.
    :return: ``x, y, length, width, yaw``; the length lies along the first axis.
    """
    yaw = float(np.arctan2(rotation[1, 0], rotation[0, 0]))
    return float(centre[0]), float(centre[1]), float(size[0]), float(size[1]), yaw


def _centres_off(found: npt.NDArray[Any], real: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    offsets = found[:, :2].astype(np.float64) - real[:, :2]
    return np.asarray(np.hypot(offsets[:, 0], offsets[:, 1]))


BEV_BOXES = BoxKind(BevTruth, ground_iou, _centres_off, 'm')
"""``x, y, length, width, yaw`` from above; their error is the distance of the centres in metres."""
