# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Average the weights of models that were fine-tuned from one and the same model.

Run `python tools/train/average.py A.pt B.pt ... --out MEAN.pt`. The mean of such models lies in
their common valley and is as a rule a little better than each (Wortsman et al. 2022,
arXiv:2203.05482).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from checkpoint import load_model, save_model
from model import SceneDetector


def mean_model(models: list[SceneDetector]) -> SceneDetector:
    """A model whose weights and BatchNorm statistics are the mean of the given ones.

    Raises:
        ValueError: The models differ in their widths.
    """
    first = models[0]
    if any(m.widths != first.widths for m in models):
        raise ValueError('the models have different widths; only fine-tuned twins can be averaged')
    states = [m.state_dict() for m in models]
    mean = {
        name: torch.stack([s[name] for s in states]).mean(0) if value.is_floating_point() else value
        for name, value in states[0].items()
    }
    result = SceneDetector(first.classes, first.widths)
    result.load_state_dict(mean)
    return result.eval()


def main() -> None:
    """Average the models of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('models', type=Path, nargs='+', help='checkpoints that train.py wrote')
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    models = [load_model(path, torch.device('cpu')) for path in args.models]
    save_model(args.out, mean_model(models), averaged=[p.name for p in args.models])


if __name__ == '__main__':
    main()
