# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Networks of a public exporter with random weights, made to find something.

Freshly initialised, such a network answers the same everywhere, with scores near zero.  So its
batch normalizations take their statistics from pictures, and the last convolution of every head is
scaled by what it answers to them: scores then spread over the whole range, boxes have many sizes,
and hundreds of candidates pass a usual threshold and overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

DISTANCES = (0.05, -2.0), (0.95, 4.0)
SCORES = (0.99, -3.0), (0.9996, 2.0)
HEADS = {'cv2': DISTANCES, 'cv3': SCORES, 'one2one_cv2': DISTANCES, 'one2one_cv3': SCORES}
"""Two quantiles of what a head answers, and the logits that they get."""

Quantiles = tuple[tuple[float, float], tuple[float, float]]


def picture(width: int, height: int, seed: int) -> np.ndarray:
    """Return a BGR image of blurred noise, rectangles and gradients: something at every scale."""
    random = np.random.default_rng(seed)
    image = np.zeros((height, width, 3), np.float32)
    for octave in (4, 16, 64, 256):
        noise = random.uniform(0, 1, (height // octave + 2, width // octave + 2, 3))
        image += cv2.resize(noise.astype(np.float32), (width, height)) * 64
    for _ in range(30):
        x, y = random.integers(0, (width, height))
        right, bottom = random.integers(10, 200, 2) + np.array((x, y))
        colour = random.integers(0, 255, 3).tolist()
        cv2.rectangle(image, (int(x), int(y)), (int(right), int(bottom)), colour, -1)
    return np.clip(image, 0, 255).astype(np.uint8)


def spread(layer: nn.Module, answers: list[torch.Tensor], wanted: Quantiles) -> None:
    """Scale a layer with weights and bias so that two quantiles of its answers are as wanted."""
    answer = torch.cat([answer.flatten() for answer in answers]).numpy()
    (low_share, low), (high_share, high) = wanted
    found_low, found_high = np.quantile(answer, (low_share, high_share)).tolist()
    factor = (high - low) / (found_high - found_low)
    with torch.no_grad():
        layer.bias.copy_((layer.bias - found_low) * factor + low)
        layer.weight.mul_(factor)


def tensor_of(image: np.ndarray) -> torch.Tensor:
    """Return a BGR image as the networks take it: RGB, ``(1, 3, H, W)``, 0 to 1."""
    return torch.from_numpy(image[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255)


def inputs(width: int, height: int) -> Iterator[torch.Tensor]:
    """Yield pictures as a network sees them: whole, and between the bars of a letterbox."""
    for seed, (x, y) in enumerate(((0, 0), (0, 0), (width // 4, 0), (0, height // 8)), start=20):
        image = np.full((height, width, 3), 114, np.uint8)
        image[y : height - y, x : width - x] = picture(width - 2 * x, height - 2 * y, seed)
        yield tensor_of(image)


def settle(network: nn.Module, size: tuple[int, int]) -> None:
    """Give the batch normalizations the statistics of a few pictures."""
    normalizations = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    for module in normalizations:
        module.reset_running_stats()
        module.momentum = None  # the mean over all pictures
    network.eval()
    for module in normalizations:
        module.train()
    with torch.no_grad():
        for image in inputs(*size):
            network(image)
    network.eval()


def enliven(network: nn.Module, layers: dict[nn.Module, Quantiles], size) -> None:
    """Spread the answers of the given layers to a few pictures."""
    answers: dict[nn.Module, list[torch.Tensor]] = {layer: [] for layer in layers}
    hooks = [
        layer.register_forward_hook(lambda layer, _, out: answers[layer].append(out.detach()))
        for layer in layers
    ]
    with torch.no_grad():
        for image in inputs(*size):
            network(image)
    for hook in hooks:
        hook.remove()
    for layer, wanted in layers.items():
        if answers[layer]:
            spread(layer, answers[layer], wanted)


def export(kind: str, folder: Path, size: tuple[int, int], **options) -> Path:
    """Write an ONNX file of a network with random weights and return its path.

    :param kind: the network, such as ``yolov8n``.
    :param size: width and height of its input.
    """
    from ultralytics import RTDETR, YOLO

    torch.manual_seed(0)
    width, height = size
    model = (RTDETR if kind.startswith('rtdetr') else YOLO)(f'{kind}.yaml')
    settle(model.model, size)
    head = model.model.model[-1]
    if kind.startswith('rtdetr'):
        layers = dict.fromkeys(head.dec_score_head, SCORES)
    else:
        layers = {
            branch[-1]: wanted
            for name, wanted in HEADS.items()
            for branch in getattr(head, name, None) or ()
        }
    enliven(model.model, layers, size)
    file = folder / f'{kind}.pt'
    model.save(str(file))
    saved = type(model)(str(file))
    return Path(
        saved.export(format='onnx', opset=17, imgsz=(height, width), simplify=False, **options)
    )
