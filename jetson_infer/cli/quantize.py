# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer quantize`: INT8 and mixed-precision variants of a model, from recorded images."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from jetson_infer.cli.quantize_text import as_text
from jetson_infer.cli.validate_view import ProgressView
from jetson_infer.cli.values import share, whole_number
from jetson_infer.engines.models import Model, find_model, load_model
from jetson_infer.toolchain.calibration.calibration_set import MINIMUM_FRAMES
from jetson_infer.toolchain.dataset import open_dataset
from jetson_infer.toolchain.quantize.job import QuantizeSettings, check_task, quantize
from jetson_infer.toolchain.quantize.write import (
    check_target,
    figures,
    files_of,
    write_copy,
    write_in_place,
)

__all__ = ['add_arguments', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    usual = QuantizeSettings()
    parser.add_argument('model', metavar='MODEL', help='model folder or name')
    parser.add_argument(
        'recording',
        metavar='RECORDING',
        help='rosbag2 recording (path or name), folder of recordings, or folder of images: what '
        'the robot will see',
    )
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument(
        '--out', type=Path, metavar='FOLDER', help='write a copy of the model with the new variants'
    )
    target.add_argument(
        '--in-place', action='store_true', help="add the new variants to the model's own folder"
    )
    parser.add_argument(
        '--variant', default='auto', metavar='NAME', help='the variant to quantize (the first)'
    )
    parser.add_argument('--topic', default='', help="the camera's topic (that with most images)")
    parser.add_argument(
        '--frames',
        type=whole_number(MINIMUM_FRAMES, 4096),
        default=usual.frames,
        metavar='N',
        help=f'images to calibrate with, {MINIMUM_FRAMES} or more ({usual.frames})',
    )
    parser.add_argument(
        '--evaluation-frames',
        type=whole_number(MINIMUM_FRAMES, 100_000),
        default=usual.evaluation_frames,
        metavar='N',
        help=f'other images of the recording, to measure on ({usual.evaluation_frames})',
    )
    parser.add_argument(
        '--seed',
        type=whole_number(0, 2**31 - 1),
        default=usual.seed,
        metavar='N',
        help='decides the first calibration image, and with it the others (0)',
    )
    parser.add_argument(
        '--max-loss',
        type=share,
        default=usual.max_loss,
        metavar='X',
        help='share of AP50 and of recall that INT8 may lose; mixed precision half of it '
        f'({usual.max_loss:g})',
    )
    parser.add_argument('--json', action='store_true', help='print the result as JSON')


def run(options: argparse.Namespace) -> int:
    """Quantize, write the variants, and tell what was measured."""
    model = load_model(find_model(options.model))
    check_task(model)
    variant = model.variant(options.variant)
    if options.out is not None:
        check_target(options.out)
    settings = QuantizeSettings(
        options.frames, options.evaluation_frames, options.seed, options.max_loss
    )
    with open_dataset(options.recording, options.topic) as dataset:
        with ProgressView(not options.json, 'step') as view:
            result = quantize(model, variant, dataset, settings, view.show)
        complaint = dataset.complaint
    files = files_of(model, variant, result)
    written = _write(model, files, options.out)
    if complaint:
        print(f'note: {complaint}', file=sys.stderr)
    if options.json:
        told = {**figures(result), 'folder': str(written.folder), 'files': sorted(files)}
        print(json.dumps(told, indent=2))
    else:
        print(as_text(result, written, variant))
    return 0


def _write(model: Model, files: dict[str, bytes], out: Path | None) -> Model:
    return write_in_place(model, files) if out is None else write_copy(model, files, out)
