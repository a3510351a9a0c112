# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Where a ROS installation has cv_bridge: our conversions give the pixels that it gives.

The frame's way does not go through cv_bridge, so that an image means the same with and without it.
"""

import numpy as np
import pytest

from jetson_infer.pipeline.convert import Converter
from jetson_infer.ros.conversions import view_image_message
from ros_peer import image_message

cv_bridge = pytest.importorskip(
    'cv_bridge', reason='cv_bridge is not installed; the sandbox has none'
)

CHANNELS = {
    'rgb8': 3,
    'bgr8': 3,
    'rgba8': 4,
    'bgra8': 4,
    'mono8': 1,
    'mono16': 1,
    'yuv422': 2,
    'yuv422_yuy2': 2,
    'bayer_rggb8': 1,
    'bayer_bggr8': 1,
    'bayer_gbrg8': 1,
    'bayer_grbg8': 1,
}


@pytest.mark.parametrize('encoding', CHANNELS)
def test_conversion_to_bgr_agrees_with_cv_bridge(encoding):
    rng = np.random.default_rng(11)
    depth = np.uint16 if encoding.endswith('16') else np.uint8
    shape = (48, 64) if CHANNELS[encoding] == 1 else (48, 64, CHANNELS[encoding])
    pixels = rng.integers(0, np.iinfo(depth).max, shape, depth, endpoint=True)
    message = image_message(pixels, encoding)
    theirs = cv_bridge.CvBridge().imgmsg_to_cv2(message, 'bgr8')
    ours = Converter().to_bgr(view_image_message(message))
    assert np.abs(ours.astype(int) - theirs).max() <= 1
