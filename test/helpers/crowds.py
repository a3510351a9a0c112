# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Crowds of candidates, as a device chooses them, and what the host makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from jetson_infer.core.cards import OutputCard
from jetson_infer.core.decoders import make_decoder
from jetson_infer.core.decoders.base import Decoder
from jetson_infer.core.decoders.candidates import Candidates
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.cuda.kernels.candidates_reference import ROW
from jetson_infer.pipeline.detection import in_image

SIZE = (64, 48)
STYLES = ('spread', 'heap', 'grid', 'equal', 'huge', 'tiny', 'flat', 'hostile')


def crowd(seed: int, count: int, classes: int, styles: tuple[str, ...] = STYLES) -> np.ndarray:
    """Return candidates as ``ROW``, in no order.

    :param styles: what to mix: boxes all over the input; many around a few places; corners on whole
        pixels, so that overlaps are exactly 1/2, 1/3 and the like; the same box; coordinates whose
        squares overflow float32, and some that do themselves; ones whose squares underflow; boxes
        without area; and NaN, infinities and negative sizes.
    """
    random = np.random.default_rng(seed)
    rows = np.zeros(count, ROW)
    rows['anchor'] = random.permutation(8 * count)[:count]
    rows['class_id'] = random.integers(0, classes, count)
    levels = random.choice([3, 20, 1 << 20])  # of few, many are equal
    rows['score'] = random.integers(0, levels + 1, count) / levels
    for number, style in enumerate(random.choice(styles, count)):
        with np.errstate(over='ignore'):
            rows['box'][number] = _box(random, style)
        if style == 'hostile':
            rows['score'][number] = random.choice([np.nan, np.inf, -0.0, 0.0, 1.02, 1.04, 0.5])
    return rows


def _box(random: np.random.Generator, style: str) -> Any:
    if style == 'spread':
        return (*random.uniform(0, SIZE), *random.uniform(0, 20, 2))
    if style == 'heap':
        place = 10.0 * random.integers(1, 4, 2)
        return (*(place + random.normal(0, 1, 2)), *(12 + random.normal(0, 1, 2)))
    if style == 'grid':
        return (*random.integers(0, 8, 2), *(2 * random.integers(1, 4, 2)))
    if style == 'equal':
        return (20, 20, 8, 8)
    if style == 'huge':
        scale = random.choice([1e17, 1e18, 1e19, 1e30, 3e37, 9e37])
        return scale * random.uniform(1, 4, 4)
    if style == 'tiny':
        scale = random.choice([1e-45, 1e-39, 1e-22, 3e-22, 1e-20, 1e-16])
        return scale * random.uniform(1, 4, 4)
    if style == 'flat':
        return (*random.integers(0, 64, 2), *random.permutation([0, 4]))
    box = np.array([*random.uniform(-9, 70, 2), *random.uniform(1, 9, 2)])
    box[random.integers(4)] = random.choice([np.nan, np.inf, -np.inf, -3.0, -0.0, 7.0])
    return box


def decoder_for(classes: int, **settings: Any) -> tuple[Decoder, Any]:
    """Return a decoder of YOLOv8's layout, and how the device finishes in its place."""
    decoder = make_decoder(OutputCard('yolo', settings), [f'class {i}' for i in range(classes)])
    specs = (TensorSpec('output0', np.dtype(np.float32), (1, 4 + classes, 8400)),)
    decoder.check(specs, SIZE)
    layout = decoder.device_candidates(specs)
    assert layout is not None
    return decoder, layout.finishing


def on_host(
    decoder: Decoder, rows: np.ndarray, limits: DetectionLimits, letterbox: Letterbox
) -> Detections:
    """Return what the host makes of candidates."""
    candidates = Candidates(rows['box'], rows['score'], rows['class_id'], rows['anchor'])
    with np.errstate(over='ignore'):
        return in_image(decoder.decode_candidates(candidates, limits), letterbox)


def assert_equal_to_the_bit(found: Detections, expected: Detections) -> None:
    """Compare detections; of a coordinate 0 the sign does not matter."""
    assert found.class_ids.tolist() == expected.class_ids.tolist()
    for here, there in ((found.scores, expected.scores), (found.boxes + 0, expected.boxes + 0)):
        assert here.dtype == there.dtype == np.float32
        np.testing.assert_array_equal(here.view(np.uint32), there.view(np.uint32))
