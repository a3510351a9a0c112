# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Task-aligned assignment of ground truth to cells (Feng et al. 2021, arXiv:2108.07755)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from predict import iou_matrix

TOP_K = 10
SCORE_POWER, IOU_POWER = 0.5, 6.0
SMALLEST_REACH_PX = 12.0
"""A box smaller than this still offers itself to cells this close, or it might hold no centre."""


@dataclass(frozen=True)
class Truth:
    """Ground truth of a batch, padded to M objects per image.

    Attributes:
        boxes: [B, M, 4], x_min, y_min, x_max, y_max in input pixels.
        classes: int64 [B, M]; meaningless where neither `real` nor `ignored`.
        real: bool [B, M], objects that count.
        ignored: bool [B, M], difficult objects: neither to be found nor to be punished.
    """

    boxes: Tensor
    classes: Tensor
    real: Tensor
    ignored: Tensor


@dataclass(frozen=True)
class Targets:
    """What every cell shall predict.

    Attributes:
        scores: [B, classes, N], 0..1.
        weights: [B, classes, N], 0 where a difficult object makes the answer undecided, else 1.
        boxes: [B, N, 4], meaningful where `positive`.
        positive: bool [B, N].
    """

    scores: Tensor
    weights: Tensor
    boxes: Tensor
    positive: Tensor


def _holds(boxes: Tensor, centres: Tensor, reach: float) -> Tensor:
    """Whether boxes [B, M, 4], of sides `reach` at least, hold centres [2, N]: [B, M, N]."""
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    half = ((boxes[..., 2:] - boxes[..., :2]) / 2).clamp(min=reach / 2)
    away = (middle[..., None] - centres).abs()
    return (away < half[..., None]).all(2)


@torch.no_grad()
def assign(scores: Tensor, boxes: Tensor, centres: Tensor, truth: Truth) -> Targets:
    """Give each object the cells whose score and box already suit it best.

    Args:
        scores: Predicted scores [B, classes, N], 0..1.
        boxes: Predicted boxes [B, N, 4].
        centres: Cell centres [2, N].
        truth: The batch's objects.
    """
    b, c, n = scores.shape
    m = truth.boxes.shape[1]
    inside = _holds(truth.boxes, centres, SMALLEST_REACH_PX) & truth.real[..., None]
    iou = iou_matrix(truth.boxes, boxes)
    own = scores.gather(1, truth.classes.clamp(0, c - 1)[..., None].expand(b, m, n))
    alignment = own.pow(SCORE_POWER) * iou.pow(IOU_POWER) * inside

    # The k best cells of each object; among objects that want one cell, the best overlap gets it.
    best = alignment.topk(TOP_K, 2).indices
    chosen = torch.zeros_like(inside).scatter_(2, best, True) & inside
    winner = torch.where(chosen, iou, -1.0).argmax(1)  # [B, N]
    positive = chosen.any(1)
    chosen &= torch.arange(m, device=boxes.device)[None, :, None] == winner[:, None]

    # An object's best cell aims at its best overlap; its other cells at a share of it.
    alignment = alignment * chosen
    peak = alignment.amax(2, keepdim=True)
    reach = (iou * chosen).amax(2, keepdim=True)
    quality = (alignment / (peak + 1e-9) * reach).amax(1)  # [B, N]

    cell_class = truth.classes.clamp(0, c - 1).gather(1, winner)
    target = torch.zeros_like(scores).scatter_(
        1, cell_class[:, None], (quality * positive)[:, None]
    )
    return Targets(
        scores=target,
        weights=_undecided(scores, centres, truth, target),
        boxes=truth.boxes.gather(1, winner[..., None].expand(b, n, 4)),
        positive=positive,
    )


def _undecided(scores: Tensor, centres: Tensor, truth: Truth, target: Tensor) -> Tensor:
    """Loss weights [B, classes, N]: 0 for a difficult object's class at the cells it covers."""
    covered = _holds(truth.boxes, centres, SMALLEST_REACH_PX) & truth.ignored[..., None]
    index = truth.classes.clamp(0, scores.shape[1] - 1)[..., None].expand_as(covered)
    hits = torch.zeros_like(scores).scatter_add_(1, index, covered.to(scores.dtype))
    return ((hits == 0) | (target > 0)).to(scores.dtype)
