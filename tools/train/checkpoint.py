# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Weights on disk, and the running average of them that is evaluated and exported."""

from __future__ import annotations

import copy
import math
from dataclasses import asdict
from pathlib import Path

import torch

from labels import LABELS
from model import SceneDetector, Widths


class Average:
    """Exponential moving average of a model's weights and BatchNorm statistics.

    Args:
        model: The model that is trained.
        decay: Weight of the past, reached after a few times `ramp` updates.
        ramp: Updates over which the decay grows, so that early weights are soon forgotten.
    """

    def __init__(self, model: SceneDetector, decay: float = 0.9995, ramp: float = 1000.0) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay, self.ramp, self.updates = decay, ramp, 0

    @torch.no_grad()
    def update(self, model: SceneDetector) -> None:
        """Move the average towards the model's present weights."""
        self.updates += 1
        share = 1 - self.decay * (1 - math.exp(-self.updates / self.ramp))
        mine, theirs = self.model.state_dict(), model.state_dict()
        real = [n for n, v in mine.items() if v.is_floating_point()]
        torch._foreach_lerp_([mine[n] for n in real], [theirs[n] for n in real], share)


def save_model(path: Path, model: SceneDetector, **facts: object) -> None:
    """Write weights, widths and labels, and whatever facts about the training, to one file."""
    state = {
        'weights': model.state_dict(),
        'widths': asdict(model.widths),
        'labels': LABELS,
        **facts,
    }
    temporary = path.with_suffix('.part')
    torch.save(state, temporary)
    temporary.replace(path)


def load_model(path: Path, device: torch.device) -> SceneDetector:
    """Read a model, ready to predict, from a file that `save_model` wrote.

    Raises:
        ValueError: The file's labels are not those of this program.
    """
    state = torch.load(path, map_location=device, weights_only=True)
    if tuple(state['labels']) != LABELS:
        raise ValueError(f'{path} knows {state["labels"]}, this program {LABELS}; retrain it')
    widths = Widths(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in state['widths'].items()}
    )
    model = SceneDetector(len(LABELS), widths)
    model.load_state_dict(state['weights'])
    return model.to(device).eval()
