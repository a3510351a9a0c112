# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Candidates: what of a network's output is worth decoding, chosen on the device or on the host.

Of the thousands of anchors of a YOLO network a few dozen reach the score threshold.  Where the
device chooses those, only they cross to the host; where it also makes detections of them, only
these do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from jetson_infer.core.decoders.activations import logit
from jetson_infer.core.detections import DetectionLimits

__all__ = ['CandidateLayout', 'Candidates', 'Finishing', 'Objectness']

Objectness = Literal['none', 'factor', 'only']
"""Whether an anchor has an objectness: no; the score is its product with the best class's score; it
alone is the score."""


@dataclass(frozen=True)
class Finishing:
    """What makes detections of candidates, where a device can do that too.

    Boxes are scaled, turned into corners, suppressed class by class, and the scores are as the
    network wrote them.

    :param box_scale: what raw boxes are multiplied by, horizontally and vertically, to be in pixels
        of the network's input.
    :param suppress: whether overlapping boxes of one class are suppressed.
    """

    box_scale: tuple[int, int]
    suppress: bool


@dataclass(frozen=True)
class CandidateLayout:
    """How the anchors of one output lie, as far as choosing candidates goes.

    An anchor has the channels ``x, y, width, height``, the objectness where there is one, one score
    a class, and what else the network adds.

    :param output: the output's name.
    :param channels_first: ``(1, channels, anchors)``, or ``(1, anchors, channels)``.
    :param anchors: how many anchors there are.
    :param channels: how many channels an anchor has.
    :param classes: how many of them are class scores, at least 1.
    :param objectness: whether there is an objectness, and what it does.
    :param logits: class scores are logits; never together with an objectness.
    :param dtype: float32 or float16.
    :param finishing: what makes detections of the candidates; None where it takes the decoder.
    """

    output: str
    channels_first: bool
    anchors: int
    channels: int
    classes: int
    objectness: Objectness
    logits: bool
    dtype: np.dtype[Any]
    finishing: Finishing | None = None

    @property
    def first_class(self) -> int:
        """The channel of the first class."""
        return 4 if self.objectness == 'none' else 5

    def threshold(self, limits: DetectionLimits) -> np.float32:
        """Return what a candidate's raw score has to reach."""
        return raw_threshold(limits, self.logits)


@dataclass(frozen=True)
class Candidates:
    """Anchors that reach the threshold, or are not a number; as raw as the network wrote them.

    :param boxes: float32 ``(K, 4)``; the first four channels.
    :param scores: float32 ``(K,)``; the best class's score or logit, together with the objectness
        where there is one.  NaN where any class is.
    :param class_ids: integers ``(K,)``; the first of the best classes.
    :param anchors: integers ``(K,)``; which anchors they are, each once.
    :param ordered: they are known to be in the order of their anchors.
    """

    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    class_ids: npt.NDArray[Any]
    anchors: npt.NDArray[Any]
    ordered: bool = False

    def __len__(self) -> int:
        return len(self.anchors)

    def take(self, rows: npt.NDArray[Any]) -> Candidates:
        """Return some of them, in the order of the row numbers or as a mask has them."""
        return Candidates(
            self.boxes[rows], self.scores[rows], self.class_ids[rows], self.anchors[rows]
        )

    def in_order(self) -> Candidates:
        """Return them in the order of their anchors, which a device does not keep."""
        return self if self.ordered else self.take(np.argsort(self.anchors, kind='stable'))

    def reaching(self, threshold: np.float32) -> Candidates:
        """Return those whose raw score is not below a threshold; NaN is not, and counted later."""
        below = self.scores < threshold
        return self.take(~below) if below.any() else self


def raw_threshold(limits: DetectionLimits, logits: bool) -> np.float32:
    """Return the score threshold in the network's own terms, as float32.

    Comparing logits with it saves computing the scores of all that fall short.
    """
    threshold = limits.score_threshold
    return np.float32(logit(threshold) if logits else threshold)
