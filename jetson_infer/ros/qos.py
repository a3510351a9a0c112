# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of service: the profiles by name."""

from __future__ import annotations

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
)

__all__ = ['INPUT_QOS', 'LATCHED', 'OUTPUT', 'input_profile']

INPUT_QOS = ('sensor_data', 'reliable', 'system_default')
"""The choices of the parameter `input_qos`."""

OUTPUT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=5, reliability=ReliabilityPolicy.RELIABLE
)
"""Of every output: RViz, rqt and most consumers ask for reliable delivery."""

LATCHED = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""Of outputs that a late subscriber must still get, such as the labels."""


def input_profile(name: str) -> QoSProfile:
    """Return the profile for a choice of :data:`INPUT_QOS`.

    Depth 10 everywhere: of a short queue the middleware drops, uncounted, what comes while the
    machine is busy (of 1080p images at 30 Hz on two cores up to 1.6 % with a queue of one, up to
    0.3 % with five, none with ten; docs/benchmarks.md).  Every image is taken, and whatever the
    network is too slow for is replaced in the slot, and counted there.
    """
    reliability = {
        'sensor_data': ReliabilityPolicy.BEST_EFFORT,
        'reliable': ReliabilityPolicy.RELIABLE,
        'system_default': ReliabilityPolicy.SYSTEM_DEFAULT,
    }[name]
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=10, reliability=reliability)
