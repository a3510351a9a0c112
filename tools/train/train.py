# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Train the scene detector on rendered scenes.

Run `python tools/train/train.py --data DIR --held-out DIR --out DIR --minutes 20`.

The schedule runs over the minutes trained, however many sessions they are spread over: the same
command with `--resume` goes on where `--session-minutes` (or an interruption) ended.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from augment import Strength, augment
from checkpoint import Average, save_model
from evaluate import measure, torch_predictor
from labels import LABELS, SIZES
from loss import detection_loss
from model import SceneDetector, cell_centres
from shards import Batch, load

WARM_UP_STEPS = 300
CLOSING = 0.85
"""From this share of the schedule on, views stay close to the camera's own pictures."""


def optimizer_for(model: nn.Module, rate: float, decay: float) -> torch.optim.AdamW:
    """AdamW; weight decay on convolution weights only, not on biases or BatchNorm."""
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{'params': weights, 'weight_decay': decay}, {'params': others, 'weight_decay': 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99))


class Trainer:
    """One training run: the model, its average, the optimizer and the time spent.

    Args:
        args: The command line, see `_arguments`.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        torch.manual_seed(args.seed)
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision('high')
        self.model = SceneDetector(len(LABELS)).to(self.device, memory_format=torch.channels_last)
        self.average = Average(self.model)
        self.optimizer = optimizer_for(self.model, args.rate, args.decay)
        self.step, self.seconds = 0, 0.0
        if args.resume and self.path('state.pt').exists():
            self._restore()
        compiled = args.compile and self.device.type == 'cuda'
        self.forward = torch.compile(self.model, dynamic=False) if compiled else self.model
        self.loss = torch.compile(detection_loss, dynamic=False) if compiled else detection_loss
        self.grids = {s: cell_centres(s[1], s[0], self.device) for s in SIZES}

    def path(self, name: str) -> Path:
        return self.args.out / name

    @property
    def progress(self) -> float:
        """Share of the schedule that is done, 0..1."""
        return min(1.0, self.seconds / (60 * self.args.minutes))

    def _restore(self) -> None:
        state = torch.load(self.path('state.pt'), map_location=self.device, weights_only=True)
        self.model.load_state_dict(state['model'])
        self.average.model.load_state_dict(state['average'])
        self.optimizer.load_state_dict(state['optimizer'])
        self.average.updates = self.step = state['step']
        self.seconds = state['seconds']
        torch.manual_seed(self.args.seed + self.step)
        print(f'resumed at step {self.step}, {self.seconds / 60:.1f} minutes', flush=True)

    def save(self) -> None:
        """Write the state to go on from, and the averaged model to use."""
        self.path('').mkdir(parents=True, exist_ok=True)
        state = {
            'model': self.model.state_dict(),
            'average': self.average.model.state_dict(),
            'optimizer': self.optimizer.state_dict(),
            'step': self.step,
            'seconds': self.seconds,
        }
        torch.save(state, self.path('state.part'))
        self.path('state.part').replace(self.path('state.pt'))
        facts = {'step': self.step, 'minutes': self.seconds / 60, 'seed': self.args.seed}
        save_model(self.path('model.pt'), self.average.model, **facts)

    def _rate(self) -> float:
        warm = min(1.0, (self.step + 1) / WARM_UP_STEPS)
        cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.progress))
        return self.args.rate * warm * cosine

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """One update; the two input sizes take turns."""
        size = SIZES[self.step % len(SIZES)]
        strength = Strength()
        if self.progress >= CLOSING:
            strength = replace(strength, plain=0.7, noise=0.015, soft=0.05)
        views, truth = augment(batch, size, strength)
        views = views.contiguous(memory_format=torch.channels_last)
        for group in self.optimizer.param_groups:
            group['lr'] = self._rate()
        with torch.autocast(self.device.type, torch.bfloat16, self.device.type == 'cuda'):
            logits, sides = self.forward(views)
        total, parts = self.loss(logits, sides, *self.grids[size], truth, self.model.widths.bins)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        parts['gradient'] = nn.utils.clip_grad_norm_(self.model.parameters(), self.args.clip)
        self.optimizer.step()
        self.average.update(self.model)
        self.step += 1
        return parts

    def report(self, held_out: Batch) -> None:
        """Print the averaged model's AP on held-out pictures, at each size."""
        for size in SIZES:
            score = measure(torch_predictor(self.average.model, *size), held_out, size)
            print(f'AP at {size[0]}x{size[1]}, step {self.step}:\n{score.table()}', flush=True)

    def run(self, data: Batch, held_out: Batch | None) -> None:
        """Train until the schedule or the session ends."""
        args = self.args
        start = last_print = last_report = time.monotonic()
        order = torch.empty(0, dtype=torch.long, device=self.device)
        counted = self.step
        while self.progress < 1 and time.monotonic() - start < 60 * args.session_minutes:
            tick = time.monotonic()
            if len(order) < args.batch:
                order = torch.randperm(len(data), device=self.device)
            parts = self.train_step(data.take(order[: args.batch]))
            order = order[args.batch :]
            if self.step % 20 == 0 and self.device.type == 'cuda':
                torch.cuda.synchronize()
            now = time.monotonic()
            self.seconds += now - tick
            if now - last_print > args.print_seconds:
                speed = (self.step - counted) * args.batch / (now - last_print)
                values = ' '.join(f'{k} {float(v):.3f}' for k, v in parts.items())
                share = f'{100 * self.progress:.0f} %'
                print(f'step {self.step} {share} {speed:.0f} images/s {values}', flush=True)
                last_print, counted = time.monotonic(), self.step
            if held_out is not None and now - last_report > 60 * args.report_minutes:
                self.report(held_out)
                self.save()
                last_report = last_print = time.monotonic()
                counted = self.step
        self.save()
        if held_out is not None:
            self.report(held_out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', type=Path, required=True, help='folder of training shards')
    parser.add_argument('--held-out', type=Path, help='folder of held-out shards')
    parser.add_argument('--out', type=Path, required=True, help='folder for state.pt and model.pt')
    parser.add_argument('--minutes', type=float, default=20, help='length of the schedule')
    parser.add_argument('--session-minutes', type=float, default=math.inf, help='stop after these')
    parser.add_argument(
        '--resume', action='store_true', help='go on from OUT/state.pt if it exists'
    )
    parser.add_argument('--batch', type=int, default=128)
    parser.add_argument('--rate', type=float, default=3e-3, help='peak learning rate')
    parser.add_argument('--decay', type=float, default=0.02, help='weight decay')
    parser.add_argument('--clip', type=float, default=10.0, help='largest norm of a gradient')
    parser.add_argument('--frames', type=int, default=None, help='train on no more than this many')
    parser.add_argument('--held-out-frames', type=int, default=1000)
    parser.add_argument('--report-minutes', type=float, default=2.5, help='between reports of AP')
    parser.add_argument('--print-seconds', type=float, default=20.0, help='between progress lines')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--compile', action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def main() -> None:
    """Load the data, then train."""
    args = _arguments()
    trainer = Trainer(args)
    start = time.monotonic()
    data = load(args.data, trainer.device, args.frames)
    # Robots' cameras arrive compressed as often as raw.
    data.compress(0.6, (35, 97), seed=args.seed)
    held_out = load(args.held_out, trainer.device, args.held_out_frames) if args.held_out else None
    print(f'loaded {len(data)} frames in {time.monotonic() - start:.0f} s', flush=True)
    trainer.run(data, held_out)


if __name__ == '__main__':
    main()
