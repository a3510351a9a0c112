# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Average precision by COCO's rules, for a whole set of pictures at once on the device.

Detections are taken greedily by falling score; each takes the free object of its class that it
overlaps most. A difficult object may be found, once, or not, without consequence. Precision is
made monotonic and averaged over 101 recalls, 0 to 1 (the rules of cocodataset/cocoapi's
evaluation, which it was held against).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from assign import Truth
from labels import LABELS
from predict import iou_matrix

THRESHOLDS = tuple(0.5 + 0.05 * i for i in range(10))
RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Score:
    """Average precision of every class.

    Attributes:
        ap: float [thresholds, classes], NaN for a class that no picture holds.
        objects: int [classes], objects that count (not difficult).
    """

    ap: np.ndarray
    objects: np.ndarray

    @property
    def ap50(self) -> np.ndarray:
        """AP at an overlap of 0.5, [classes]."""
        return self.ap[0]

    @property
    def ap50_95(self) -> np.ndarray:
        """AP averaged over overlaps 0.5, 0.55 .. 0.95, [classes]."""
        return self.ap.mean(0)

    def table(self) -> str:
        """A line per class and one for the mean: AP50, AP50:95, objects."""
        rows = zip(LABELS, self.ap50, self.ap50_95, self.objects, strict=True)
        lines = [f'{name:8s} {a:.3f} {b:.3f} {n:6d}' for name, a, b, n in rows]
        mean = f'{"mean":8s} {np.nanmean(self.ap50):.3f} {np.nanmean(self.ap50_95):.3f}'
        return '\n'.join([*lines, f'{mean} {self.objects.sum():6d}'])


@dataclass(frozen=True)
class Found:
    """Detections of P pictures, K each, best first: boxes [P, K, 4], scores, classes [P, K]."""

    boxes: Tensor
    scores: Tensor
    classes: Tensor


def match(found: Found, truth: Truth) -> tuple[Tensor, Tensor]:
    """Decide at every overlap threshold which detections are right and which do not matter.

    Returns:
        Two bool tensors [thresholds, P, K]: matched to an object that counts; matched to a
        difficult one.
    """
    same = found.classes[:, :, None] == truth.classes[:, None]
    usable = (truth.real | truth.ignored)[:, None] & same
    overlap = torch.where(usable, iou_matrix(found.boxes, truth.boxes), -1.0)
    limits = torch.tensor(THRESHOLDS, device=overlap.device)[:, None, None]
    free = (truth.real | truth.ignored)[None].repeat(len(THRESHOLDS), 1, 1)
    right, void = [], []
    for k in range(overlap.shape[1]):
        here = overlap[None, :, k]
        # An object that counts comes before a difficult one, however well that overlaps.
        value = torch.where((here >= limits) & free, here + 2 * truth.real, -1.0)
        best, index = value.max(2, keepdim=True)
        free = free.scatter(2, index, free.gather(2, index) & (best < 0))
        right.append(best[..., 0] >= 2)
        void.append((best[..., 0] >= 0) & (best[..., 0] < 2))
    return torch.stack(right, 2), torch.stack(void, 2)


def _one_class(scores: np.ndarray, right: np.ndarray, objects: int) -> float:
    """AP of detections with `scores` [D], right or wrong [D], against a number of objects."""
    if objects == 0:
        return float('nan')
    hits = np.cumsum(right[np.argsort(-scores, kind='stable')])
    if hits.size == 0:
        return 0.0
    precision = np.maximum.accumulate((hits / np.arange(1, hits.size + 1))[::-1])[::-1]
    index = np.searchsorted(hits / objects, RECALLS, side='left')
    return float(np.append(precision, 0.0)[np.minimum(index, hits.size)].mean())


def average_precision(found: Found, truth: Truth) -> Score:
    """AP of every class at every threshold, over all pictures together."""
    right, void = (x.cpu().numpy() for x in match(found, truth))
    scores, classes = found.scores.cpu().numpy(), found.classes.cpu().numpy()
    counted = truth.classes[truth.real].cpu().numpy()
    objects = np.bincount(counted, minlength=len(LABELS))
    ap = np.empty((len(THRESHOLDS), len(LABELS)))
    for t in range(len(THRESHOLDS)):
        for c in range(len(LABELS)):
            rows = (classes == c) & (scores > 0) & ~void[t]
            ap[t, c] = _one_class(scores[rows], right[t][rows], int(objects[c]))
    return Score(ap, objects)
