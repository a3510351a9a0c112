# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Measure AP50 and AP50:95 per class of a checkpoint or an exported ONNX file.

Run `python tools/train/evaluate.py MODEL --data DIR [--size 640x480] [--json FILE]`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from assign import Truth
from augment import letterbox
from average_precision import Found, Score, average_precision
from checkpoint import load_model
from labels import LABELS, SIZES
from model import SceneDetector, cell_centres
from pool import load
from predict import decode_xyxy, select
from shards import Batch, batches

DETECTIONS = 100
Predict = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Images [B, 3, H, W] to boxes [B, N, 4] (x_min ...) and scores [B, classes, N]."""


def torch_predictor(model: SceneDetector, width: int, height: int) -> Predict:
    """Predict with the PyTorch model, in bfloat16 on a GPU."""
    device = next(model.parameters()).device
    centres, strides = cell_centres(height, width, device)

    def predict(images: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == 'cuda'):
            logits, sides = model(images.contiguous(memory_format=torch.channels_last))
        boxes = decode_xyxy(sides, centres, strides, model.widths.bins)
        return boxes, logits.float().sigmoid()

    return predict


def onnx_predictor(path: Path) -> tuple[Predict, tuple[int, int]]:
    """Predict with ONNX Runtime on the CPU; also answers the network's width and height."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    height, width = session.get_inputs()[0].shape[2:]

    def predict(images: Tensor) -> tuple[Tensor, Tensor]:
        rows = [session.run(None, {'images': x[None].cpu().numpy()})[0] for x in images]
        out = torch.from_numpy(np.concatenate(rows)).to(images.device)
        centre, half = out[:, :2], out[:, 2:4] / 2
        return torch.cat((centre - half, centre + half), 1).transpose(1, 2), out[:, 4:]

    return predict, (width, height)


@torch.no_grad()
def measure(predict: Predict, data: Batch, size: tuple[int, int], batch: int = 32) -> Score:
    """Average precision over all pictures of `data`, letterboxed to `size` (width, height)."""
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    truths: list[Truth] = []
    for part in batches(data, batch):
        images, truth = letterbox(part, size)
        found.append(_best(*select(*predict(images.float()))))
        truths.append(truth)
    columns = [torch.cat(c) for c in zip(*found, strict=True)]
    names = Truth.__dataclass_fields__
    truth = Truth(**{n: torch.cat([getattr(t, n) for t in truths]) for n in names})
    return average_precision(Found(*columns), truth)


def _best(boxes: Tensor, scores: Tensor, classes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The DETECTIONS best of each picture, as COCO's rules have it, best first."""
    scores, index = scores.topk(min(DETECTIONS, scores.shape[1]), 1)
    boxes = boxes.gather(1, index[..., None].expand(-1, -1, 4))
    return boxes, scores, classes.gather(1, index)


def as_record(score: Score) -> dict[str, object]:
    """What a program may read of a score."""
    per_class = {
        name: {'ap50': float(a), 'ap50_95': float(b), 'objects': int(n)}
        for name, a, b, n in zip(LABELS, score.ap50, score.ap50_95, score.objects, strict=True)
    }
    return {
        'ap50': float(np.nanmean(score.ap50)),
        'ap50_95': float(np.nanmean(score.ap50_95)),
        'classes': per_class,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', type=Path, help='checkpoint (.pt) or exported network (.onnx)')
    parser.add_argument('--data', type=Path, required=True, help='folder of held-out shards')
    parser.add_argument('--size', default=None, help='input of a checkpoint, as 640x480')
    parser.add_argument('--frames', type=int, default=None, help='evaluate no more than this many')
    parser.add_argument(
        '--jpeg', type=float, default=None, help='pass all through JPEG of this quality'
    )
    parser.add_argument('--json', type=Path, default=None, help='also write the figures here')
    return parser.parse_args()


def main() -> None:
    """Evaluate one model at one or all of its sizes."""
    args = _arguments()
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    data = load(args.data, device, args.frames)
    if args.jpeg is not None:
        data.compress(1.0, (args.jpeg, args.jpeg))
    runs: list[tuple[tuple[int, int], Predict]] = []
    if args.model.suffix == '.onnx':
        predict, size = onnx_predictor(args.model)
        runs.append((size, predict))
    else:
        model = load_model(args.model, device)
        wanted = [tuple(map(int, args.size.split('x')))] if args.size else list(SIZES)
        runs = [((w, h), torch_predictor(model, w, h)) for w, h in wanted]
    records = {}
    for size, predict in runs:
        score = measure(predict, data, size)
        name = f'{size[0]}x{size[1]}'
        print(f'{args.model.name} at {name}, {len(data)} frames: AP50, AP50:95, objects')
        print(score.table(), flush=True)
        records[name] = {'frames': len(data), **as_record(score)}
    if args.json:
        args.json.write_text(json.dumps(records, indent=2) + '\n')


if __name__ == '__main__':
    main()
