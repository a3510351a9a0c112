# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of service: the profiles by name, and hearing of mismatches on both distributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
)

__all__ = ['INPUT_QOS', 'LATCHED', 'OUTPUT', 'input_profile', 'on_incompatible_publisher']

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

    Depth 1 everywhere: the newest frame is the one that counts, and older ones in a queue of the
    middleware would be replaced by it anyway, uncounted and after having been copied.
    """
    reliability = {
        'sensor_data': ReliabilityPolicy.BEST_EFFORT,
        'reliable': ReliabilityPolicy.RELIABLE,
        'system_default': ReliabilityPolicy.SYSTEM_DEFAULT,
    }[name]
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=reliability)


def on_incompatible_publisher(topic: str, report: Callable[[str], None]) -> Any:
    """Return subscription event callbacks that report a publisher whose QoS does not match."""
    try:
        from rclpy.event_handler import SubscriptionEventCallbacks
    except ImportError:  # Humble's name
        from rclpy.qos_event import SubscriptionEventCallbacks

    def incompatible(event: Any) -> None:
        policy = QoSPolicyKind(event.last_policy_kind).name.lower()
        report(
            f'a publisher on {topic} offers a QoS that the subscription does not accept '
            f'({policy}); nothing of it arrives. Change input_qos or the publisher.'
        )

    return SubscriptionEventCallbacks(incompatible_qos=incompatible)
