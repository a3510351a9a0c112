# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Values on the command line, checked as they are read."""

from __future__ import annotations

import argparse
import math

__all__ = ['positive_number', 'time_s']


def positive_number(text: str) -> float:
    """Read a number above 0.

    :raises argparse.ArgumentTypeError: if it is not one.
    """
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f'must be above 0, not {text}')
    return value


def time_s(text: str) -> float:
    """Read a time in seconds, 0 or more.

    :raises argparse.ArgumentTypeError: if it is not one.
    """
    value = _number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f'must be 0 or more seconds, not {text}')
    return value


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number') from None
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f'{text!r} is not a finite number')
    return value
