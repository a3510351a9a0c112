# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The scene detector's network: inverted-residual backbone, path-aggregation neck, decoupled head.

Ideas, each from its paper: inverted residuals with linear bottlenecks (Sandler et al. 2018,
arXiv:1801.04381), fused early blocks (Tan & Le 2021, arXiv:2104.00298; Qin et al. 2024,
arXiv:2404.10518), path aggregation (Liu et al. 2018, arXiv:1803.01534), anchor-free decoupled head
(Ge et al. 2021, arXiv:2107.08430), box sides as distributions (Li et al. 2020, arXiv:2006.04388).

Only Conv, BatchNorm, ReLU, MaxPool, nearest Resize, Add and Concat stand before the decoder: all of
them quantize to INT8, and BatchNorm folds away. Every width is a multiple of 16, the block size of
the CPU's and of Tensor Core convolution kernels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

STRIDES = (8, 16, 32)


@dataclass(frozen=True)
class Widths:
    """Channel widths of one network; the defaults are those of the delivered model."""

    stem: int = 16
    stage4: int = 32
    stage8: int = 48
    stage16: int = 96
    stage32: int = 160
    neck: int = 64
    blocks: tuple[int, int, int, int] = (1, 2, 3, 2)
    """Residual blocks after the striding block of stages 4, 8, 16 and 32."""
    bins: int = 16
    """Bins of the distribution over a box side's distance, in strides: 0 .. bins - 1."""


class ConvBnRelu(nn.Sequential):
    """Convolution without bias, BatchNorm, and ReLU unless `relu` is False."""

    def __init__(
        self, c_in: int, c_out: int, k: int = 1, s: int = 1, groups: int = 1, relu: bool = True
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(c_in, c_out, k, s, k // 2, groups=groups, bias=False),
            nn.BatchNorm2d(c_out, momentum=0.03, eps=1e-3),
        ]
        if relu:
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class Separable(nn.Sequential):
    """Depthwise k x k and pointwise 1 x 1 convolution, each with BatchNorm and ReLU."""

    def __init__(self, c_in: int, c_out: int, k: int = 3, s: int = 1) -> None:
        super().__init__(ConvBnRelu(c_in, c_in, k, s, groups=c_in), ConvBnRelu(c_in, c_out))


class InvertedResidual(nn.Module):
    """Expand 1 x 1, depthwise k x k, project 1 x 1 (linear); identity added where shapes agree."""

    def __init__(self, c_in: int, c_out: int, expand: int, k: int = 3, s: int = 1) -> None:
        super().__init__()
        self.expand = ConvBnRelu(c_in, expand)
        self.depthwise = ConvBnRelu(expand, expand, k, s, groups=expand)
        self.project = ConvBnRelu(expand, c_out, relu=False)
        self.residual = s == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class PooledContext(nn.Module):
    """Chained 5 x 5 max pools, concatenated: views of 5, 9 and 13 cells, mixed by 1 x 1."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.reduce = ConvBnRelu(c_in, c_in // 2)
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.mix = ConvBnRelu(c_in // 2 * 4, c_out)

    def forward(self, x: Tensor) -> Tensor:
        views = [self.reduce(x)]
        for _ in range(3):
            views.append(self.pool(views[-1]))
        return self.mix(torch.cat(views, 1))


class Backbone(nn.Module):
    """Images to features at strides 8, 16 and 32."""

    def __init__(self, w: Widths) -> None:
        super().__init__()
        n4, n8, n16, n32 = w.blocks
        self.stem = ConvBnRelu(3, w.stem, 3, 2)
        self.stage4 = nn.Sequential(
            ConvBnRelu(w.stem, w.stage4, 3, 2),
            *(InvertedResidual(w.stage4, w.stage4, w.stage4 * 2) for _ in range(n4)),
        )
        self.stage8 = self._stage(w.stage4, w.stage8, n8, k=3)
        self.stage16 = self._stage(w.stage8, w.stage16, n16, k=5)
        self.stage32 = self._stage(w.stage16, w.stage32, n32, k=5)

    @staticmethod
    def _stage(c_in: int, c_out: int, n: int, k: int) -> nn.Sequential:
        return nn.Sequential(
            InvertedResidual(c_in, c_out, c_in * 4, k, 2),
            *(InvertedResidual(c_out, c_out, c_out * 3, k) for _ in range(n)),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        c3 = self.stage8(self.stage4(self.stem(x)))
        c4 = self.stage16(c3)
        return c3, c4, self.stage32(c4)


class Neck(nn.Module):
    """Top-down then bottom-up aggregation; three maps of equal width come out."""

    def __init__(self, w: Widths) -> None:
        super().__init__()
        n = w.neck
        self.lateral3 = ConvBnRelu(w.stage8, n)
        self.lateral4 = ConvBnRelu(w.stage16, n)
        self.lateral5 = PooledContext(w.stage32, n)
        self.up = nn.Upsample(scale_factor=2.0, mode='nearest')
        self.fuse4, self.fuse3 = self._fuse(n), self._fuse(n)
        self.down3, self.down4 = Separable(n, n, 3, 2), Separable(n, n, 3, 2)
        self.merge4, self.merge5 = self._fuse(n), self._fuse(n)

    @staticmethod
    def _fuse(n: int) -> nn.Sequential:
        return nn.Sequential(ConvBnRelu(2 * n, n), Separable(n, n, 5))

    def forward(self, c3: Tensor, c4: Tensor, c5: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        p5 = self.lateral5(c5)
        p4 = self.fuse4(torch.cat((self.up(p5), self.lateral4(c4)), 1))
        p3 = self.fuse3(torch.cat((self.up(p4), self.lateral3(c3)), 1))
        n4 = self.merge4(torch.cat((self.down3(p3), p4), 1))
        n5 = self.merge5(torch.cat((self.down4(n4), p5), 1))
        return p3, n4, n5


class LevelHead(nn.Module):
    """One stride's head: class logits and box-side distributions from separate branches."""

    def __init__(self, width: int, classes: int, bins: int, stride: int) -> None:
        super().__init__()
        self.cls = nn.Sequential(Separable(width, width), Separable(width, width))
        self.box = nn.Sequential(Separable(width, width), Separable(width, width))
        self.cls_out = nn.Conv2d(width, classes, 1)
        self.box_out = nn.Conv2d(width, 4 * bins, 1)
        # A prior of about 4 objects among a 640 x 480 image's cells keeps the first steps calm.
        prior = 4 / (640 * 480 / stride**2)
        nn.init.constant_(self.cls_out.bias, math.log(prior / (1 - prior)))
        nn.init.constant_(self.box_out.bias, 1.0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        # Reshaped, not flattened: the tracer then writes constants, not shape arithmetic.
        b, _, h, w = x.shape
        logits, sides = self.cls_out(self.cls(x)), self.box_out(self.box(x))
        return logits.reshape(b, -1, h * w), sides.reshape(b, -1, h * w)


class SceneDetector(nn.Module):
    """The whole network, from images to raw predictions per cell.

    Args:
        classes: Number of classes.
        widths: Channel widths and depths.
    """

    def __init__(self, classes: int, widths: Widths | None = None) -> None:
        super().__init__()
        self.widths = widths or Widths()
        self.classes = classes
        self.backbone = Backbone(self.widths)
        self.neck = Neck(self.widths)
        self.heads = nn.ModuleList(
            LevelHead(self.widths.neck, classes, self.widths.bins, s) for s in STRIDES
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Predict every cell of every stride.

        Args:
            images: float [B, 3, H, W], RGB in 0..1; H and W multiples of 32.

        Returns:
            Class logits [B, classes, N] and box-side logits [B, 4 * bins, N], where N runs over
            strides 8, 16, 32 and, within a stride, over rows, then columns.
        """
        features = self.neck(*self.backbone(images))
        logits, sides = zip(*(h(f) for h, f in zip(self.heads, features, strict=True)), strict=True)
        return torch.cat(logits, 2), torch.cat(sides, 2)


def cell_centres(
    height: int, width: int, device: torch.device | str = 'cpu'
) -> tuple[Tensor, Tensor]:
    """Centres of all cells in input pixels, float [2, N] (x, y), and their strides, float [N]."""
    points, strides = [], []
    for s in STRIDES:
        y, x = torch.meshgrid(
            torch.arange(height // s, device=device),
            torch.arange(width // s, device=device),
            indexing='ij',
        )
        points.append((torch.stack((x, y)).flatten(1) + 0.5) * s)
        strides.append(torch.full((x.numel(),), float(s), device=device))
    return torch.cat(points, 1), torch.cat(strides)


def side_distances(sides: Tensor, bins: int) -> Tensor:
    """Expected distances in strides, [B, 4, N] (left, top, right, bottom), of [B, 4 * bins, N]."""
    b, _, n = sides.shape
    probabilities = sides.view(b, 4, bins, n).softmax(2)
    steps = torch.arange(bins, dtype=sides.dtype, device=sides.device).view(1, 1, bins, 1)
    return (probabilities * steps).sum(2)
