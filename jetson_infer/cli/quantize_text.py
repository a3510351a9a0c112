# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What quantizing found, for a terminal."""

from __future__ import annotations

import math
import shlex

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.models import Model
from jetson_infer.toolchain.calibration.selection import METHOD
from jetson_infer.toolchain.quantize.job import Candidate, Quantization
from jetson_infer.toolchain.quantize.sensitivity import decibels
from jetson_infer.toolchain.quantize.write import FOLDER

__all__ = ['as_text']

SHOWN = 8
"""Layers in the list of the noisiest."""


def as_text(result: Quantization, written: Model, reference: VariantCard) -> str:
    """Return the tables and where everything is."""
    return '\n'.join(
        [
            *_about(result),
            '',
            *_table(result, reference),
            '',
            *_noisiest(result),
            '',
            *(f'note: {note}' for note in result.notes),
            *_next_steps(written, reference),
        ]
    )


def _about(result: Quantization) -> list[str]:
    against = 'its ground truth' if result.has_truth else "the reference's own detections"
    lines = [
        f'calibrated with {len(result.calibration.sources)} images: {METHOD}',
        f'digest of the calibration data: {result.calibration.digest[:16]}',
        f'measured on {result.reference.frames} others of the same recording, against {against}',
    ]
    if result.rejected:
        told = ', '.join(f'{count} {reason}' for reason, count in result.rejected.items())
        lines.append(f'images that could not be used: {told}')
    return lines


def _table(result: Quantization, reference: VariantCard) -> list[str]:
    safety = f'recall {"+".join(result.safety)}' if result.safety else ''
    head = f'{"":25}{"scales":14}{"float layers":>13}{"AP50":>8}{"recall":>8}'
    lines = [head + (f'  {safety}' if safety else '') + f'{"kept":>9}{"noise":>11}']

    def row(name: str, scales: str, left: str, candidate: Candidate | None) -> str:
        accuracy = candidate.accuracy if candidate else result.reference
        text = f'{name:25}{scales:14}{left:>13}{_number(accuracy.ap50)}{_number(accuracy.recall())}'
        if safety:
            text += f'  {_number(accuracy.recall(result.safety)):>{len(safety)}}'
        if candidate is None:
            return text
        return text + f'{candidate.kept:9.4f}{-decibels(candidate.noise):8.1f} dB'

    lines.append(row(reference.name, '', '', None))
    lines += [row(f'{one.name}, all layers', one.method, '0', one) for one in result.compared]
    lines += [row(one.name, one.method, f'{len(one.left_out)}', one) for one in result.made]
    lines.append(
        'kept: the smallest of the ratios of AP50 and of recall to the reference; '
        'noise: at the outputs, beside their signal'
    )
    return lines


def _number(value: float) -> str:
    """Write a share; a dash for what there is nothing to tell of."""
    return f'{"-":>8}' if math.isnan(value) else f'{value:8.4f}'


def _noisiest(result: Quantization) -> list[str]:
    total = sum(item.noise for item in result.layers) or 1.0
    left = {one.name: set(one.left_out) for one in result.made}
    lines = [f'the noisiest of {len(result.layers)} layers, each alone in INT8:']
    for item in sorted(result.layers, key=lambda each: -each.noise)[:SHOWN]:
        name = item.layer.name
        spared = [kind for kind in ('int8', 'mixed') if name in left[kind]]
        told = f', in floating point in {" and ".join(spared)}' if spared else ''
        lines.append(
            f'  {item.noise / total:6.1%} of the noise, {item.cost:6.2%} of the time  {name}{told}'
        )
    return lines


def _next_steps(written: Model, reference: VariantCard) -> list[str]:
    folder = shlex.quote(str(written.folder))
    return [
        f'written: {written.folder}, its card names the variants',
        f'the layers: {written.folder}/{FOLDER}/{reference.name}_sensitivity.svg and .csv',
        f'next: jetson-infer validate {folder} ANOTHER_RECORDING',
    ]
