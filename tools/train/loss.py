# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The training loss: quality-aware classification, complete IoU and distribution focal loss."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from assign import Targets, Truth, assign
from predict import decode_xyxy

CLASS_WEIGHT, BOX_WEIGHT, SIDES_WEIGHT = 1.0, 2.5, 0.5
NEGATIVE_WEIGHT, FOCUS = 0.75, 2.0


def classification_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Varifocal loss (Zhang et al. 2021, arXiv:2008.13367), summed.

    Positive cells weigh as much as their target score, negative ones as the square of the score
    they wrongly predict.
    """
    score = logits.detach().sigmoid()
    weight = torch.where(targets.scores > 0, targets.scores, NEGATIVE_WEIGHT * score.pow(FOCUS))
    loss = functional.binary_cross_entropy_with_logits(logits, targets.scores, reduction='none')
    return (loss * weight * targets.weights).sum()


def complete_iou(a: Tensor, b: Tensor) -> Tensor:
    """Complete IoU, [...], of boxes [..., 4] (Zheng et al. 2020, arXiv:1911.08287).

    IoU less the squared distance of the centres over the enclosing diagonal's square, less a term
    for unlike aspect ratios.
    """
    size_a, size_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    overlap = torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])
    # Written out: the gradient of prod() would make the host wait for the device.
    shared = overlap[..., 0].clamp(min=0) * overlap[..., 1].clamp(min=0)
    areas = size_a[..., 0] * size_a[..., 1] + size_b[..., 0] * size_b[..., 1]
    iou = shared / (areas - shared + 1e-7)
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    apart = ((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2).square().sum(-1)
    angle = torch.atan(size_b[..., 0] / (size_b[..., 1] + 1e-7)) - torch.atan(
        size_a[..., 0] / (size_a[..., 1] + 1e-7)
    )
    aspect = (4 / math.pi**2) * angle.square()
    with torch.no_grad():
        share = aspect / (1 - iou + aspect + 1e-7)
    return iou - apart / (hull.square().sum(-1) + 1e-7) - share * aspect


def distribution_loss(sides: Tensor, distances: Tensor, bins: int) -> Tensor:
    """Distribution focal loss [B, N] (Li et al. 2020, arXiv:2006.04388), mean over the four sides.

    Args:
        sides: Logits [B, 4 * bins, N].
        distances: Wanted distances [B, 4, N] in strides, within 0 .. bins - 1.
        bins: Bins of each distribution.
    """
    b, _, n = sides.shape
    log_p = sides.float().view(b, 4, bins, n).log_softmax(2)
    low = distances.floor().clamp(0, bins - 2)
    share = distances - low
    index = low.long()[:, :, None]
    at_low = log_p.gather(2, index)[:, :, 0]
    at_high = log_p.gather(2, index + 1)[:, :, 0]
    return -(at_low * (1 - share) + at_high * share).mean(1)


def detection_loss(
    logits: Tensor, sides: Tensor, centres: Tensor, strides: Tensor, truth: Truth, bins: int
) -> tuple[Tensor, dict[str, Tensor]]:
    """The whole loss of a batch.

    Args:
        logits: Class logits [B, classes, N].
        sides: Box-side logits [B, 4 * bins, N].
        centres: Cell centres [2, N] in input pixels.
        strides: Cell strides [N].
        truth: The batch's objects.
        bins: Bins of the side distributions.

    Returns:
        The scalar to minimise, and its parts, detached, for the log.
    """
    logits = logits.float()
    boxes = decode_xyxy(sides, centres, strides, bins)
    targets = assign(logits.detach().sigmoid(), boxes.detach(), centres, truth)
    mass = targets.scores.sum().clamp(min=1.0)

    weight = targets.scores.amax(1) * targets.positive
    overlap = torch.where(targets.positive, complete_iou(boxes, targets.boxes), 0.0)
    box = ((1 - overlap) * weight).sum() / mass

    wanted = targets.boxes.transpose(1, 2)
    distances = torch.cat((centres - wanted[:, :2], wanted[:, 2:] - centres), 1) / strides
    spread = distribution_loss(sides, distances.clamp(0, bins - 1.01), bins)
    spread = (spread * weight).sum() / mass

    cls = classification_loss(logits, targets) / mass
    total = CLASS_WEIGHT * cls + BOX_WEIGHT * box + SIDES_WEIGHT * spread
    parts = {'class': cls, 'box': box, 'sides': spread, 'positives': targets.positive.sum()}
    return total, {name: part.detach() for name, part in parts.items()}
