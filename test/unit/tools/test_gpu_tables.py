# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The tables and comparisons of the program that takes the figures of a GPU."""

import sys
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).resolve().parents[3] / 'tools' / 'benchmarks'


@pytest.fixture
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import gpu_references
    import gpu_tables

    yield gpu_references, gpu_tables
    for name in ('gpu_references', 'gpu_tables'):
        sys.modules.pop(name, None)


def timed(model, precision, bare, whole):
    return {
        'model': model, 'size': '640x480', 'precision': precision,
        'bare_session_ms': {'p50': bare}, 'pipeline_ms': {'p50': whole},
    }  # fmt: skip


def test_engines_are_told_by_their_share_of_the_fp16_engine(tools):
    parts = {
        'a': timed('net', 'int8', 0.5, 0.8),
        'b': timed('net', 'fp16', 1.0, 1.4),
        'c': timed('other', 'mixed', 2.0, 3.0),
        'd': {'error': 'RuntimeError: none'},
    }
    assert tools[1].tables({'parts': parts}).splitlines()[3:] == [
        '| net | 640x480 | int8 | 0.500 | 0.50 | 0.800 |',
        '| net | 640x480 | fp16 | 1.000 | 1.00 | 1.400 |',
        '| other | 640x480 | mixed | 2.000 | - | 3.000 |',
    ]


def test_layers_are_counted_by_kind_and_precision(tools):
    layers = [
        {'kind': kind, 'precision': precision}
        for kind, precision in [
            ('Conv', 'int8'), ('Conv', 'int8'), ('Conv', 'fp16'), ('Add', 'fp32'), ('Shuffle', ''),
        ]
    ]  # fmt: skip
    parts = {'build net int8': {'engine_of': 'net int8', 'layers': layers}}
    assert tools[1].tables({'parts': parts}).splitlines() == [
        '',
        '| engine | layers | int8 | fp16 | bf16 | fp32 |',
        '|---|---|---:|---:|---:|---:|',
        '| net int8 | Add | 0 | 0 | 0 | 1 |',
        '| net int8 | Conv | 2 | 1 | 0 | 0 |',
    ]
    assert tools[1].tables({'parts': {}}) == ''


def test_a_wrong_score_is_seen_beside_boxes_of_hundreds_of_pixels(tools):
    expected = np.full((2, 6, 5), 0.25, np.float32)
    expected[:, :4] = 600
    found = expected.copy()
    found[1, 5, 2] += 0.05
    relative = tools[0].relative_differences(found, expected)
    assert relative == {'boxes': 0.0, 'scores': pytest.approx(0.2)}
    found[0, 0, 0] += 6
    assert tools[0].relative_differences(found, expected)['boxes'] == pytest.approx(0.01)
