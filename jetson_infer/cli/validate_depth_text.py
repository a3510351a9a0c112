# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What `jetson-infer validate` found of a depth model's variant, as lines for a person."""

from __future__ import annotations

import math

from jetson_infer.core.depth_validation import DepthCompared
from jetson_infer.toolchain.validate.depth_validation import DepthValidated

__all__ = ['depth_lines']

_WIDTH = 24


def depth_lines(result: DepthValidated) -> list[str]:
    """Return the figures: a line each, the reference's before the variant's."""
    compared = result.comparison
    agreement = compared.agreement
    lines = [
        f'  {"over the reference":<{_WIDTH}}  {compared.frames} images',
        _line('off from it, of itself', _number(agreement.abs_rel)),
        _line('coverage', _number(agreement.coverage)),
    ]
    if compared.frames_with_truth:
        lines += ['', *_against_truth(compared)]
    else:
        lines += ['', *_against_reference(compared, result.unit)]
    for frame in result.worst[:1]:
        told = f'{_number(frame.difference.mean)} off'
        if frame.difference.unknown:
            told += f', {frame.difference.unknown:.4f} of it unknown'
        lines += ['', f'  differs most in image {frame.index} ({frame.name}): {told}']
    return lines


def _against_truth(compared: DepthCompared) -> list[str]:
    before, after = compared.reference, compared.candidate
    told = f'{compared.frames_with_truth} images, {after.pixels} pixels'
    lines = [
        f'  {"over the truth":<{_WIDTH}}  {told}; the reference, then the variant',
        _line('abs-rel', _pair(before.abs_rel, after.abs_rel)),
        _line('delta1', _pair(before.delta1, after.delta1)),
        _line('RMSE, m', _pair(before.rmse_m, after.rmse_m)),
        _line('coverage', _pair(before.coverage, after.coverage)),
        '',
        f'  {"range":<{_WIDTH}}  {"pixels":>10}  {"mean error, m":<20}  bias, m',
    ]
    for old, new in zip(before.at_range, after.at_range):
        if old.pixels or new.pixels:
            lines.append(
                f'  {old.name:<{_WIDTH}}  {new.pixels:10}  '
                f'{_pair(old.mean_error_m, new.mean_error_m):<20}  '
                f'{_pair(old.mean_bias_m, new.mean_bias_m, "+")}'
            )
    return lines


def _against_reference(compared: DepthCompared, unit: str) -> list[str]:
    difference, bias = f'difference, {unit}', f'bias, {unit}'
    lines = [f'  {"range of the reference":<{_WIDTH}}  {"pixels":>10}  {difference}  {bias}']
    lines += [
        f'  {own.name:<{_WIDTH}}  {own.pixels:10}  '
        f'{_number(own.mean_error_m):<{len(difference)}}  {_number(own.mean_bias_m, "+")}'
        for own in compared.agreement.at_range
        if own.pixels
    ]
    return lines


def _line(name: str, told: str) -> str:
    return f'  {name:<{_WIDTH}}  {told}'


def _number(value: float, sign: str = '') -> str:
    return 'n/a' if math.isnan(value) else f'{value:{sign}.4f}'


def _pair(before: float, after: float, sign: str = '') -> str:
    return f'{_number(before, sign):>7} -> {_number(after, sign)}'
