# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Write a trained checkpoint as ONNX files, one an input size, with their model card.

Run `python tools/train/export.py MODEL.pt --out models/scene_detector`.
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import yaml
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from checkpoint import load_model
from labels import LABELS, PAD_VALUE, SIZES
from model import ConvBnRelu, SceneDetector
from predict import ExportedDetector

OPSET = 17  # the newest that TensorRT 8.6 reads
TOLERANCE = 1e-4
DESCRIPTION = (
    "Finds people, a dog, furniture and doors from the height of a humanoid's head. "
    'Trained on rendered indoor scenes alone; docs/models.md says how, and what it cannot do.'
)


def fold_batchnorm(model: SceneDetector) -> SceneDetector:
    """A copy of the model in which every BatchNorm is part of the convolution before it."""
    folded = copy.deepcopy(model).cpu().eval()
    for block in folded.modules():
        if isinstance(block, ConvBnRelu):
            block[0] = fuse_conv_bn_eval(block[0], block[1])
            block[1] = nn.Identity()
    return folded


def write_onnx(model: SceneDetector, path: Path, width: int, height: int) -> None:
    """Trace the model at one input size and write it, checked, to `path`."""
    images = torch.zeros(1, 3, height, width)
    torch.onnx.export(
        ExportedDetector(fold_batchnorm(model), width, height).eval(),
        (images,),
        str(path),
        input_names=['images'],
        output_names=['output0'],
        opset_version=OPSET,
        dynamo=False,
    )
    network = onnx.load(path)
    _tidy(network)
    onnx.checker.check_model(network, full_check=True)
    onnx.save(network, path)


def _tidy(network: onnx.ModelProto) -> None:
    """Turn constant nodes into initializers and give every node a unique name without prefix."""
    network.producer_name, network.producer_version = 'jetson_infer tools/train', ''
    graph = network.graph
    for node in [n for n in graph.node if n.op_type == 'Constant']:
        graph.initializer.append(node.attribute[0].t)
        graph.initializer[-1].name = node.output[0]
        graph.node.remove(node)
    used = {value for node in graph.node for value in node.input}
    for tensor in [t for t in graph.initializer if t.name not in used]:
        graph.initializer.remove(tensor)
    seen: dict[str, int] = {}
    for node in graph.node:
        name = node.name.removeprefix('/model/').strip('/')
        seen[name] = seen.get(name, 0) + 1
        node.name = name if seen[name] == 1 else f'{name}_{seen[name]}'
        node.doc_string = ''


def check_onnx(model: SceneDetector, path: Path, width: int, height: int) -> tuple[float, float]:
    """Largest differences between ONNX Runtime and the unfolded model: of boxes in px, of scores.

    Raises:
        ValueError: One is larger than TOLERANCE (boxes: of the input's width).
    """
    rng = np.random.default_rng(0)
    coarse = rng.random((1, 3, height // 16, width // 16), dtype=np.float32)
    images = np.kron(coarse, np.ones((1, 1, 16, 16), np.float32))
    images = np.clip(images + rng.normal(0, 0.05, images.shape), 0, 1).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    got = session.run(None, {'images': images})[0]
    with torch.no_grad():
        want = ExportedDetector(model.cpu(), width, height).eval()(torch.from_numpy(images)).numpy()
    boxes, scores = np.abs(got - want)[:, :4].max(), np.abs(got - want)[:, 4:].max()
    if boxes > TOLERANCE * width or scores > TOLERANCE:
        raise ValueError(
            f'{path} differs from the checkpoint by {boxes:.2e} px in boxes and {scores:.2e} in '
            f'scores (at most {TOLERANCE * width:.2e} and {TOLERANCE:.0e}); do not use it'
        )
    return float(boxes), float(scores)


def card(folder_name: str, files: dict[tuple[int, int], str]) -> dict[str, object]:
    """The model card, as docs/models.md describes its keys."""
    variants = [
        {'name': f'fp32_{w}x{h}', 'onnx': name, 'precision': 'fp32', 'size': [w, h]}
        for (w, h), name in files.items()
    ]
    return {
        'format': 1,
        'name': folder_name,
        'task': 'detection',
        'description': DESCRIPTION,
        'license': 'Apache-2.0',
        'labels': list(LABELS),
        'input': {
            'name': 'images',
            'size': list(SIZES[0]),
            'layout': 'nchw',
            'colour': 'rgb',
            'resize': 'letterbox',
            'pad_value': PAD_VALUE,
            'mean': 0,
            'scale': '1/255',
            'dtype': 'float32',
        },
        'output': {
            'decoder': 'yolo',
            'settings': {},
            'defaults': {'score_threshold': 0.45, 'iou_threshold': 0.5, 'max_detections': 100},
        },
        'variants': variants,
    }


class _Flow(yaml.SafeDumper):
    """Writes lists of scalars, and variants, on one line."""

    def represent_sequence(self, tag, sequence, flow_style=None):
        scalars = all(not isinstance(x, (list, dict)) for x in sequence)
        return super().represent_sequence(tag, sequence, scalars or flow_style)


def main() -> None:
    """Export every size, check each, write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', type=Path, help='checkpoint that train.py wrote (model.pt)')
    parser.add_argument('--out', type=Path, default=Path('models/scene_detector'))
    args = parser.parse_args()
    model = load_model(args.model, torch.device('cpu'))
    args.out.mkdir(parents=True, exist_ok=True)
    files = {}
    for width, height in SIZES:
        path = args.out / f'{args.out.name}_{width}x{height}.onnx'
        write_onnx(model, path, width, height)
        boxes, scores = check_onnx(model, path, width, height)
        size = path.stat().st_size / 1e6
        print(f'{path}: {size:.2f} MB; differs by {boxes:.1e} px, {scores:.1e} in scores')
        files[width, height] = path.name
    text = yaml.dump(card(args.out.name, files), Dumper=_Flow, sort_keys=False, width=100)
    header = '# Copyright 2026 The jetson_infer authors\n# SPDX-License-Identifier: Apache-2.0\n'
    (args.out / 'model.yaml').write_text(header + text)


if __name__ == '__main__':
    main()
