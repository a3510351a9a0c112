# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A figure of gpu_figures.py beside what is wanted."""

from __future__ import annotations


def verdict(number: str, what: str, value: float, limit: float, most: bool = True) -> dict:
    """Return one line of the table."""
    sign = '<=' if most else '>='
    return {
        'number': number,
        'what': what,
        'value': round(float(value), 4),
        'limit': f'{sign} {limit:g}',
        'passed': bool(value <= limit if most else value >= limit),
    }
