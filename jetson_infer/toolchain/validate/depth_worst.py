# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The frames in which a variant's depth differs most, kept small while all others pass by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.depth_images import Depth
from jetson_infer.dependencies import require

__all__ = ['DepthFrame', 'Difference', 'WorstDepths', 'difference_of']

WIDEST_PX = 480
"""What is kept to be drawn is made smaller than this."""
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Difference:
    """How a variant's depth of one frame differs from its reference's.

    :param mean: the mean of ``|variant - reference| / reference`` over what both know; NaN where
        that is nothing.
    :param unknown: of the pixels that the reference knows, the share that the variant does not.
    """

    mean: float
    unknown: float

    @property
    def badness(self) -> float:
        """The mean over all that the reference knows; what the variant does not know counts 1."""
        known = 1.0 - self.unknown
        return self.unknown + (self.mean * known if known > 0.0 else 0.0)


@dataclass(frozen=True)
class DepthFrame:
    """One frame, to be drawn; all arrays are of one size, a picture's.

    :param place: its place among the images that were used.
    :param index: its place in the dataset.
    :param name: what a person finds it by.
    :param difference: how the variant differs in the whole frame.
    :param picture: BGR ``(h, w, 3)``.
    :param reference: the reference's depth, ``(h, w)``.
    :param candidate: the variant's.
    """

    place: int
    index: int
    name: str
    difference: Difference
    picture: Picture
    reference: Depth
    candidate: Depth


def difference_of(mean: float, reference: Depth, candidate: Depth) -> Difference | None:
    """Return how two depths differ; None where the reference knows nothing.

    :param mean: of :meth:`jetson_infer.core.depth_validation.DepthComparison.add_frame`.
    """
    known = np.isfinite(reference)
    count = int(np.count_nonzero(known))
    if not count:
        return None
    lost = int(np.count_nonzero(known & ~np.isfinite(candidate)))
    return Difference(mean, lost / count)


class WorstDepths:
    """Keeps the worst frames that do not follow each other closely.

    Of frames that do, the worst stays, so that a few pictures show more than one moment.  What is
    kept is what was measured, at the size of a picture: nothing runs again to be drawn.

    :param frames: how many frames there are in all.
    :param count: how many to keep at most.
    """

    def __init__(self, frames: int, count: int = 4) -> None:
        self._apart = max(1, frames // 30)
        self._count = count
        self._kept: list[DepthFrame] = []

    @property
    def frames(self) -> tuple[DepthFrame, ...]:
        """Those that are kept, the worst first."""
        return tuple(sorted(self._kept, key=lambda frame: -frame.difference.badness))

    def offer(
        self,
        at: tuple[int, int, str],
        difference: Difference,
        picture: Callable[[], Picture],
        depths: tuple[Depth, Depth],
    ) -> None:
        """Keep a frame if it is worse than what is kept.

        :param at: place, index and name.
        :param picture: returns the image as BGR; asked for if it is kept alone.
        :param depths: the reference's and the variant's.
        """
        badness = difference.badness
        near = [kept for kept in self._kept if abs(kept.place - at[0]) < self._apart]
        others = [kept for kept in self._kept if abs(kept.place - at[0]) >= self._apart]
        if badness <= 0.0 or any(kept.difference.badness >= badness for kept in near):
            return
        if len(others) >= self._count:
            least = min(others, key=lambda frame: frame.difference.badness)
            if least.difference.badness >= badness:
                return
            others.remove(least)
        shown = [_shrink(each, exact=True) for each in depths]
        frame = DepthFrame(*at, difference, _shrink(picture(), exact=False), shown[0], shown[1])
        self._kept = [*others, frame]


def _shrink(values: Any, exact: bool) -> Any:
    """Return an array of its own, at most so wide; exactly its values, or their mean."""
    height, width = values.shape[:2]
    if width <= WIDEST_PX:
        return np.array(values)
    cv2 = require('cv2', 'Drawing frames')
    size = WIDEST_PX, max(1, round(height * WIDEST_PX / width))
    # Nearest for depths: a mean over an edge is a depth that is nowhere, and NaN spreads.
    return cv2.resize(values, size, interpolation=cv2.INTER_NEAREST if exact else cv2.INTER_AREA)
