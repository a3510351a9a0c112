# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images against values packed one by one, and what their messages lie about."""

import math
import struct

import numpy as np
import pytest

from jetson_infer.core.depth_images import from_inverse, to_depth
from jetson_infer.errors import FrameRejected

NAN = math.nan


def packed(code, rows, padding, big):
    order = '>' if big else '<'
    return b''.join(struct.pack(f'{order}{len(row)}{code}', *row) + bytes(padding) for row in rows)


@pytest.mark.parametrize('big', [False, True])
@pytest.mark.parametrize('padding', [0, 12])
def test_metres_stay_metres_and_what_is_no_depth_is_nan(big, padding):
    rows = [[0.5, NAN, math.inf], [-math.inf, 0.0, -1.0], [1e-3, 3e38, 7.25]]
    found = to_depth('32FC1', 3, 3, 12 + padding, big, packed('f', rows, padding, big))
    assert found.dtype == np.float32
    expected = [[0.5, NAN, NAN], [NAN, NAN, NAN], [1e-3, 3e38, 7.25]]
    assert np.array_equal(found, np.array(expected, np.float32), equal_nan=True)


@pytest.mark.parametrize('encoding', ['16UC1', 'mono16'])
@pytest.mark.parametrize('big', [False, True])
def test_millimetres_become_metres_and_0_is_unknown(encoding, big):
    rows = [[0, 1, 1000], [65535, 256, 2500]]
    found = to_depth(encoding, 3, 2, 10, big, packed('H', rows, 4, big))
    expected = np.array([[NAN, 0.001, 1.0], [65.535, 0.256, 2.5]])
    assert found.dtype == np.float32
    assert np.allclose(found, expected, rtol=1e-6, equal_nan=True)


def test_inverse_depths_are_undone_as_they_were_made():
    depths = np.array([[0.4, 1.0, 2.0, 9.9]])
    quantum, largest = 100.0, 10.0  # compressed_depth_image_transport's defaults
    scale = quantum * (quantum + 1.0)
    offset = 1.0 - scale / largest
    stored = np.append(scale / depths + offset, 0).round().astype(np.uint16).reshape(1, 5)
    found = from_inverse(stored, scale, offset)
    assert np.isnan(found[0, 4])
    # A step of what is stored is depth squared over the scale.
    assert np.all(np.abs(found[0, :4] - depths[0]) <= 0.51 * depths[0] ** 2 / scale)
    for wild in ((scale, 3.0), (NAN, 1.0), (1.0, NAN), (0.0, 0.0), (3e38, -1e-30)):
        depth = from_inverse(stored, *wild)
        assert np.all(np.isnan(depth) | (np.isfinite(depth) & (depth > 0)))


@pytest.mark.parametrize(
    ('fields', 'reason', 'told'),
    [
        (('bgr8', 2, 2, 8, 0, bytes(16)), 'unknown_encoding', "'bgr8' is no depth image"),
        (('64FC1', 2, 2, 16, 0, bytes(32)), 'unknown_encoding', '32FC1, 16UC1, mono16'),
        (('32FC1', 0, 2, 8, 0, b''), 'zero_size', '0x2 has no pixels'),
        (('32FC1', 2, 2, 7, 0, bytes(16)), 'bad_step', 'it must be at least 8'),
        (('32FC1', 2, 2, 10, 0, bytes(20)), 'bad_step', 'it must be a multiple of 4'),
        (('32FC1', 2, 2, 8, 0, bytes(15)), 'short_data', 'make 16'),
        (('32FC1', 2, 2, 8, 0, bytes(16 + 4096)), 'long_data', '4096 bytes longer'),
        (('16UC1', 2, 2, 4, 0, bytes(7)), 'short_data', 'make 8'),
        (('16UC1', 2, 2, 3, 0, bytes(7)), 'bad_step', 'at least 4'),
        (('32FC1', 2**32 - 1, 2**32 - 1, 2**34, 0, bytes(7)), 'short_data', 'too short'),
    ],
)
def test_what_a_message_lies_about_is_named(fields, reason, told):
    with pytest.raises(FrameRejected) as caught:
        to_depth(*fields)
    assert caught.value.reason == reason
    assert told in str(caught.value)
