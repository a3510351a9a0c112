# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Where ROS's own conversion is installed, ours gives the same pixels."""

from types import SimpleNamespace

import numpy as np
import pytest

from jetson_infer.core.images import ENCODINGS, wrap_image
from jetson_infer.pipeline.convert import Converter

try:
    from cv_bridge import CvBridge, CvBridgeError
except ImportError as error:  # not installed, or built for another NumPy
    pytest.skip(f'cv_bridge is not at hand: {error}', allow_module_level=True)

WIDTH, HEIGHT = 64, 48
# What a cv_bridge must be able to read, whatever its version.
LEAST = {'rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8', 'mono16', 'yuv422', 'bayer_rggb8'}


@pytest.mark.parametrize('encoding', sorted(ENCODINGS))
@pytest.mark.parametrize('target', ['bgr8', 'mono8'])
@pytest.mark.parametrize('big_endian', [0, 1])
def test_pixels_are_those_of_cv_bridge(encoding, target, big_endian):
    layout = ENCODINGS[encoding]
    step = WIDTH * layout.channels * layout.itemsize
    data = np.random.default_rng(11).integers(0, 256, layout.rows(HEIGHT) * step, np.uint8)
    message = SimpleNamespace(
        encoding=encoding,
        width=WIDTH,
        height=HEIGHT,
        step=step,
        is_bigendian=big_endian,
        data=data.tobytes(),
    )
    try:
        expected = CvBridge().imgmsg_to_cv2(message, target)
    except (CvBridgeError, ValueError, TypeError) as error:
        if encoding in LEAST:
            raise
        pytest.skip(f'cv_bridge does not convert {encoding} to {target}: {error}')
    view = wrap_image(encoding, WIDTH, HEIGHT, step, big_endian, message.data)
    converter = Converter()
    if target == 'bgr8':
        found = converter.to_bgr(view)
    else:
        pixels = converter.to_pixels(view, grey=True)
        if pixels.order != 'grey':
            pytest.skip(f'{encoding} becomes grey after scaling only')
        found = pixels.data
    np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)
