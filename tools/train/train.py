# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Train the scene detector on rendered scenes.

Run `python tools/train/train.py --data DIR --held-out DIR --out DIR --minutes 17`.

The schedule runs over the minutes trained, however many sessions they are spread over: the same
command with `--resume` goes on where `--session-minutes` (or an interruption) ended. With
`--follow`, shards that appear in DIR while it trains are taken in, so that rendering and training
share the time.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from augment import Strength, augment
from checkpoint import Average, load_model, save_model
from evaluate import measure, torch_predictor
from graphed import graphed_gradients, plain_gradients
from labels import LABELS, SIZES
from model import SceneDetector
from pool import Follower, Pool, load
from shards import Batch, frames_in

WARM_UP_STEPS = 300
CLOSE = Strength(plain=0.7, light=0.25, colour=0.3, tint=0.08, noise=0.015, soft=0.05)
"""Views that stay close to the camera's own pictures, for the end of the schedule."""


def optimizer_for(model: nn.Module, rate: float, decay: float) -> torch.optim.AdamW:
    """AdamW; weight decay on convolution weights only, not on biases or BatchNorm."""
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{'params': weights, 'weight_decay': decay}, {'params': others, 'weight_decay': 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), fused=True)


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
        torch.backends.cudnn.benchmark_limit = 3  # trying all ten takes a minute
        torch.set_float32_matmul_precision('high')
        self.model = SceneDetector(len(LABELS)).to(self.device, memory_format=torch.channels_last)
        self.average = Average(self.model)
        self.optimizer = optimizer_for(self.model, args.rate, args.decay)
        self.step, self.seconds = 0, 0.0
        for p in self.model.parameters():
            p.grad = torch.zeros_like(p)
        if args.graphs and self.device.type == 'cuda':
            self.gradients = {s: graphed_gradients(self.model, s, args.batch) for s in SIZES}
        else:
            self.gradients = {s: plain_gradients(self.model, s) for s in SIZES}
        if args.resume and self.path('state.pt').exists():
            self._restore()
        elif args.start_from:
            weights = load_model(args.start_from, self.device).state_dict()
            self.model.load_state_dict(weights)
            self.average.model.load_state_dict(weights)

    def path(self, name: str) -> Path:
        """A file in the output folder."""
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
        self.args.out.mkdir(parents=True, exist_ok=True)
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
        """One update, at one of the two input sizes."""
        large, small = SIZES
        turn = self.step % (self.args.large_steps + 1)
        size = large if turn < self.args.large_steps else small
        strength = CLOSE if self.progress >= self.args.closing else Strength()
        for group in self.optimizer.param_groups:
            group['lr'] = self._rate()
        parts = self.gradients[size](*augment(batch, size, strength))
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.args.clip)
        self.optimizer.step()
        self.average.update(self.model)
        self.step += 1
        return {**parts, 'gradient': norm}

    def report(self, held_out: Batch) -> None:
        """Print the averaged model's AP on held-out pictures, at each size."""
        for size in SIZES:
            score = measure(torch_predictor(self.average.model, *size), held_out, size)
            print(f'AP at {size[0]}x{size[1]}, step {self.step}:\n{score.table()}', flush=True)

    def run(self, pool: Pool, held_out: Batch | None) -> None:
        """Train until the schedule or the session ends."""
        args = self.args
        start = last_print = last_report = last_save = time.monotonic()
        if args.until is not None:
            args.minutes = (self.seconds + max(1.0, args.until - time.time())) / 60
        order = torch.empty(0, dtype=torch.long, device=self.device)
        counted = self.step
        while self.progress < 1 and time.monotonic() - start < 60 * args.session_minutes:
            tick = time.monotonic()
            if len(order) < args.batch:
                # Short rounds, so that a growing pool's new pictures are soon among them.
                order = torch.randperm(pool.count, device=self.device)[: 100 * args.batch]
            parts = self.train_step(pool.data.take(order[: args.batch]))
            order = order[args.batch :]
            if self.step % 20 == 0 and self.device.type == 'cuda':
                torch.cuda.synchronize()
            now = time.monotonic()
            self.seconds += now - tick
            if now - last_print > args.print_seconds:
                speed = (self.step - counted) * args.batch / (now - last_print)
                values = ' '.join(f'{k} {float(v):.3f}' for k, v in parts.items())
                share = f'{100 * self.progress:.0f} % of {args.minutes} minutes'
                print(
                    f'step {self.step}, {share}, {pool.count} frames, {speed:.0f}/s: {values}',
                    flush=True,
                )
                last_print, counted = time.monotonic(), self.step
            if held_out is not None and now - last_report > 60 * args.report_minutes:
                self.report(held_out)
                last_report = last_print = time.monotonic()
                counted = self.step
            if now - last_save > 60 * args.save_minutes:
                self.save()
                last_save = time.monotonic()
        self.save()
        if held_out is not None:
            self.report(held_out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', type=Path, required=True, help='folder of training shards')
    parser.add_argument('--held-out', type=Path, help='folder of held-out shards')
    parser.add_argument('--out', type=Path, required=True, help='folder for state.pt and model.pt')
    parser.add_argument('--minutes', type=float, default=17, help='length of the schedule')
    parser.add_argument('--until', type=float, help='end the schedule at this Unix time instead')
    parser.add_argument('--session-minutes', type=float, default=math.inf, help='stop after these')
    parser.add_argument('--resume', action='store_true', help='go on from OUT/state.pt')
    parser.add_argument('--start-from', type=Path, help='model.pt to begin with')
    parser.add_argument('--follow', action='store_true', help='take in new shards while training')
    parser.add_argument('--consume', action='store_true', help='delete shards once taken in')
    parser.add_argument('--frames', type=int, default=60_000, help='room for training frames')
    parser.add_argument('--least-frames', type=int, default=1, help='frames to wait for')
    parser.add_argument('--held-out-frames', type=int, default=1000)
    parser.add_argument('--batch', type=int, default=128)
    parser.add_argument('--rate', type=float, default=2e-3, help='peak learning rate')
    parser.add_argument('--decay', type=float, default=0.02, help='weight decay')
    parser.add_argument('--clip', type=float, default=10.0, help='largest norm of a gradient')
    parser.add_argument('--jpeg-share', type=float, default=0.3, help='frames through JPEG')
    parser.add_argument('--report-minutes', type=float, default=2.5, help='between reports of AP')
    parser.add_argument('--print-seconds', type=float, default=20.0, help='between progress lines')
    parser.add_argument('--save-minutes', type=float, default=2.5, help='between checkpoints')
    parser.add_argument(
        '--large-steps', type=int, default=1, help='steps at the larger size for one at the smaller'
    )
    parser.add_argument(
        '--closing', type=float, default=0.85, help='share after which views are mild'
    )
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--graphs', action='store_true', help='replay steps as CUDA graphs')
    return parser.parse_args()


def _fill(device: torch.device, args: argparse.Namespace) -> tuple[Pool, Follower | None]:
    """A pool with the frames that there are, and who fills it with those that come."""
    room = args.frames if args.follow else min(args.frames, frames_in(args.data))
    pool = Pool(device, room, held_out=False, jpeg_share=args.jpeg_share)
    if not args.follow:
        pool.take_in(args.data, consume=args.consume)
        return pool, None
    follower = Follower(pool, args.data, args.consume)
    follower.start()
    while pool.count < args.least_frames and follower.is_alive():
        time.sleep(1)
    return pool, follower


def main() -> None:
    """Gather the data, then train."""
    args = _arguments()
    start = time.monotonic()
    trainer = Trainer(args)
    print(f'ready after {time.monotonic() - start:.0f} s', flush=True)
    pool, follower = _fill(trainer.device, args)
    held_out = load(args.held_out, trainer.device, args.held_out_frames) if args.held_out else None
    print(f'{pool.count} frames after {time.monotonic() - start:.0f} s', flush=True)
    trainer.run(pool, held_out)
    if follower:
        follower.end()


if __name__ == '__main__':
    main()
