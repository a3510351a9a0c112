# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Values on the command line, checked as they are read."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

__all__ = ['positive_number', 'share', 'time_s', 'whole_number']


def positive_number(text: str) -> float:
    """Read a number above 0.

    :raises argparse.ArgumentTypeError: if it is not one.
    """
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f'must be above 0, not {text}')
    return value


def share(text: str) -> float:
    """Read a number above 0 and below 1.

    :raises argparse.ArgumentTypeError: if it is not one.
    """
    value = _number(text)
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f'must be above 0 and below 1, not {text}')
    return value


def time_s(text: str) -> float:
    """Read a time in seconds, 0 or more.

    :raises argparse.ArgumentTypeError: if it is not one.
    """
    value = _number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f'must be 0 or more seconds, not {text}')
    return value


def whole_number(minimum: int, maximum: int) -> Callable[[str], int]:
    """Return what reads an integer within limits.

    What is returned raises argparse.ArgumentTypeError if it is not one.
    """

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f'{text!r} is not a whole number') from None
        if not minimum <= value <= maximum:
            raise argparse.ArgumentTypeError(f'must be from {minimum} to {maximum}, not {text}')
        return value

    return read


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number') from None
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f'{text!r} is not a finite number')
    return value
