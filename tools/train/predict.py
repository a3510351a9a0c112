# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From the network's raw predictions to boxes: the decoding that is exported, and batched NMS."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model import SceneDetector, cell_centres, side_distances


def decode_xyxy(sides: Tensor, centres: Tensor, strides: Tensor, bins: int) -> Tensor:
    """Boxes [B, N, 4] (x_min, y_min, x_max, y_max, input pixels) of side logits [B, 4 * bins, N].

    Args:
        sides: Logits of the distributions over the four distances of a cell centre to its box.
        centres: Cell centres [2, N] in input pixels.
        strides: Cell strides [N] in input pixels.
        bins: Bins of each distribution.
    """
    distances = side_distances(sides.float(), bins) * strides
    return torch.cat((centres - distances[:, :2], centres + distances[:, 2:]), 1).transpose(1, 2)


class ExportedDetector(nn.Module):
    """The detector with its decoding: the graph that is written to ONNX.

    One output, [1, 4 + classes, N]: rows centre x, centre y, width, height in input pixels, then
    one score in 0..1 per class, which is the layout that YOLOv8 exporters write.
    """

    def __init__(self, model: SceneDetector, width: int, height: int) -> None:
        super().__init__()
        self.model = model
        centres, strides = cell_centres(height, width)
        self.register_buffer('centres', centres[None])
        self.register_buffer('strides', strides[None, None])

    def forward(self, images: Tensor) -> Tensor:
        logits, sides = self.model(images)
        distances = side_distances(sides, self.model.widths.bins) * self.strides
        before, after = distances[:, :2], distances[:, 2:]
        centre = self.centres + (after - before) * 0.5
        return torch.cat((centre, before + after, logits.sigmoid()), 1)


def iou_matrix(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union [..., M, N] of boxes a [..., M, 4] and b [..., N, 4] (x_min ...)."""
    low = torch.maximum(a[..., :, None, :2], b[..., None, :, :2])
    high = torch.minimum(a[..., :, None, 2:], b[..., None, :, 2:])
    shared = (high - low).clamp_(min=0).prod(-1)
    area_a = (a[..., 2:] - a[..., :2]).clamp(min=0).prod(-1)
    area_b = (b[..., 2:] - b[..., :2]).clamp(min=0).prod(-1)
    return shared / (area_a[..., :, None] + area_b[..., None, :] - shared + 1e-7)


def select(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float = 0.5,
    keep: int = 1000,
    floor: float = 1e-3,
) -> tuple[Tensor, Tensor, Tensor]:
    """Non-maximum suppression by class, for a whole batch at once.

    The `keep` best (cell, class) pairs of each image compete: enough of them that a picture full of
    large objects, which tens of cells see, leaves room for the least certain one. A pair falls to a
    better pair of its class that overlaps it by more than the threshold and that did not fall.

    Args:
        boxes: [B, N, 4], x_min, y_min, x_max, y_max.
        scores: [B, classes, N], 0..1.
        iou_threshold: Overlap above which the weaker box falls.
        keep: Pairs that compete, at most.
        floor: Pairs with this score or a lower one are dropped.

    Returns:
        Boxes [B, K, 4], scores [B, K] (0 where suppressed) and classes [B, K], best first.
    """
    b, c, n = scores.shape
    top, index = scores.reshape(b, c * n).topk(min(keep, c * n), 1)
    classes, cells = index // n, index % n
    boxes = boxes.gather(1, cells[..., None].expand(-1, -1, 4))
    rival = (iou_matrix(boxes, boxes) > iou_threshold) & (classes[:, :, None] == classes[:, None])
    alive = top > floor
    for k in range(top.shape[1]):
        fallen = rival[:, k] & alive[:, k, None]
        fallen[:, : k + 1] = False
        alive &= ~fallen
    return boxes, top * alive, classes
