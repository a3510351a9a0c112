# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Forward, loss and backward of one batch; on a GPU recorded once and replayed as a CUDA graph.

The network is small: launching its thousands of kernels one by one takes longer than they run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import torch
from torch import Tensor

from assign import Truth
from loss import detection_loss
from model import SceneDetector, cell_centres
from shards import MAX_OBJECTS

WARM_UP_RUNS = 3
Gradients = Callable[[Tensor, Truth], dict[str, Tensor]]
"""Views [B, 3, H, W] and their objects to the parts of the loss; leaves gradients behind."""


def plain_gradients(model: SceneDetector, size: tuple[int, int]) -> Gradients:
    """Compute gradients operation by operation; `size` is width and height of the views."""
    device = next(model.parameters()).device
    grid = cell_centres(size[1], size[0], device)
    # The weights change between batches: there is nothing for autocast to cache.
    half = torch.autocast(
        device.type, torch.bfloat16, enabled=device.type == 'cuda', cache_enabled=False
    )

    def run(views: Tensor, truth: Truth) -> dict[str, Tensor]:
        torch._foreach_zero_([p.grad for p in model.parameters()])
        with half:
            logits, sides = model(views.contiguous(memory_format=torch.channels_last))
        total, parts = detection_loss(logits, sides, *grid, truth, model.widths.bins)
        total.backward()
        return parts

    return run


def _stand_in(batch: int, size: tuple[int, int], device: torch.device) -> tuple[Tensor, Truth]:
    """Views and objects of the right shape, to warm up and to record with."""
    shape = (batch, 3, size[1], size[0])
    views = torch.rand(shape, device=device, dtype=torch.float16)
    low = torch.rand(batch, MAX_OBJECTS, 2, device=device) * min(size) / 2
    boxes = torch.cat((low, low + min(size) / 4), 2)
    real = torch.zeros(batch, MAX_OBJECTS, dtype=torch.bool, device=device)
    classes = torch.zeros(batch, MAX_OBJECTS, dtype=torch.long, device=device)
    return views, Truth(boxes, classes, real.clone().fill_(True), real)


def graphed_gradients(model: SceneDetector, size: tuple[int, int], batch: int) -> Gradients:
    """The same as `plain_gradients` for a fixed batch size, as one CUDA graph.

    The parameters' gradients must exist and stay where they are. BatchNorm's running statistics
    see the few stand-in views of the recording; they forget them within some hundred batches.
    """
    device = next(model.parameters()).device
    run = plain_gradients(model, size)
    static_views, static_truth = _stand_in(batch, size, device)
    static_views = static_views.contiguous(memory_format=torch.channels_last)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP_RUNS):
            run(static_views, static_truth)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        parts = run(static_views, static_truth)

    # The graph reads memory by address: `run` holds the cells' centres and must live as long.
    keep_alive = (run, graph)

    def replay(views: Tensor, truth: Truth) -> dict[str, Tensor]:
        static_views.copy_(views)
        for f in fields(Truth):
            getattr(static_truth, f.name).copy_(getattr(truth, f.name))
        keep_alive[1].replay()
        return parts

    return replay
