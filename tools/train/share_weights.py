#!/usr/bin/env python3
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Put the weights of several ONNX files into one file beside them, equal ones once.

    python tools/train/share_weights.py models/scene_detector scene_detector_*_*.onnx

Variants that were quantized from networks with the same weights hold them all again, as floats in
front of their quantizers; shared, each file is its graph and its scales alone.  ONNX calls it
external data: ONNX Runtime and TensorRT read it, and an engine's key digests it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ALIGNMENT = 64
"""Bytes: no kernel wants its weights at a coarser multiple."""

LEAST = 256
"""Bytes; what is smaller stays in the graph."""


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and rewrite the files; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('files', nargs='+', help='names of ONNX files within the folder')
    parser.add_argument('--into', default='shared.weights', help='the name of the file of weights')
    args = parser.parse_args(argv)
    shared = share(args.folder, sorted(args.files), args.into)
    sizes = [(args.folder / name).stat().st_size for name in args.files]
    print(f'{args.into}: {shared} bytes; {sum(sizes)} in {len(sizes)} files')
    return 0


def share(folder: Path, names: list[str], into: str) -> int:
    """Rewrite ONNX files so that their weights lie in one file; returns its size in bytes."""
    import onnx
    from onnx.external_data_helper import set_external_data

    weights = bytearray()
    places: dict[bytes, int] = {}
    models = {name: onnx.load(folder / name) for name in names}
    for model in models.values():
        for tensor in model.graph.initializer:
            content = onnx.numpy_helper.to_array(tensor).tobytes()
            if len(content) < LEAST:
                continue
            if content not in places:
                weights.extend(bytes(-len(weights) % ALIGNMENT))
                places[content] = len(weights)
                weights.extend(content)
            tensor.raw_data = content
            set_external_data(tensor, into, places[content], len(content))
            tensor.ClearField('raw_data')
    (folder / into).write_bytes(weights)
    for name, model in models.items():
        (folder / name).write_bytes(model.SerializeToString())
    return len(weights)


if __name__ == '__main__':
    sys.exit(main())
