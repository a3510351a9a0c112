# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Watches a subscription and gathers the facts that say why nothing arrives."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from jetson_infer.core.arrivals import (
    LEAST_PACED,
    ArrivalFacts,
    Finding,
    Problem,
    PublisherFacts,
    explain,
)
from jetson_infer.core.rhythm import CountWindow, Rhythm
from jetson_infer.core.stamps import StampLog

__all__ = ['ArrivalWatch']

_PROFILE_VARIABLES = {
    'rmw_fastrtps_cpp': ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'),
    'rmw_cyclonedds_cpp': ('CYCLONEDDS_URI',),
}


class ArrivalWatch:
    """Looks at one input from activation to deactivation.

    Messages and events are told of on one thread, and :meth:`look` is called on another.

    :param node: the node that subscribes.
    :param topic: the topic, remapped and fully qualified.
    :param message_type: the type that is subscribed to.
    :param profile: the quality of service that is asked for.
    """

    def __init__(self, node: Node, topic: str, message_type: type, profile: QoSProfile) -> None:
        self._node = node
        self._topic = topic
        self._type = _type_name(message_type)
        self._asks_reliable = profile.reliability == ReliabilityPolicy.RELIABLE
        self._began = time.monotonic()
        self._rhythm = Rhythm(self._began)
        self._newest_age_ms: float | None = None
        self._stamps = StampLog()
        self._lost_total = self._lost_told = 0
        self._counts = CountWindow()
        self._clock_ns = -1

    def event_callbacks(self) -> Any:
        """Return what the subscription is to be created with."""
        try:
            from rclpy.event_handler import SubscriptionEventCallbacks
        except ImportError:  # Humble's name
            from rclpy.qos_event import SubscriptionEventCallbacks

        # Not rclpy's own, which log what a look at the publishers tells, with the remedy.
        return SubscriptionEventCallbacks(message_lost=self._on_lost, use_default_callbacks=False)

    def hear(self, stamp_ns: int) -> None:
        """Note that a message has come.

        :param stamp_ns: its header's stamp.
        """
        self._rhythm.hear(time.monotonic())
        self._stamps.add(stamp_ns)
        self._newest_age_ms = (
            (self._node.get_clock().now().nanoseconds - stamp_ns) * 1e-6 if stamp_ns else None
        )

    def hear_undecodable(self) -> None:
        """Note that a message has come of which nothing can be read, not even its stamp."""
        self._rhythm.hear(time.monotonic())

    def look(
        self, counts: Mapping[str, int], problem: Problem | None, stale_after_ms: float
    ) -> Finding | None:
        """Return why nothing, or little, has come since the last look, or None.

        :param counts: the node's counters of frames, ever growing.
        :param problem: the gravest problem of a single frame that is recent.
        :param stale_after_ms: the limit in force.
        """
        now = time.monotonic()
        self._counts.add(now, counts)
        lost_total = self._lost_total
        lost, self._lost_told = lost_total - self._lost_told, lost_total
        publishers = self._publishers()
        facts = ArrivalFacts(
            topic=self._topic,
            type=self._type,
            asks_reliable=self._asks_reliable,
            active_s=now - self._began,
            publishers=publishers,
            same_type=() if publishers else self._topics_of_type(),
            counts=self._counts.latest().counts,
            silent_s=self._rhythm.silent_s(now),
            period_s=self._rhythm.period_s(),
            pace=self._counts.with_least('received', LEAST_PACED),
            problem=problem,
            newest_age_ms=self._newest_age_ms,
            stamps=self._stamps.wrong(),
            stale_after_ms=stale_after_ms,
            lost=lost,
            clock_stands=self._clock_stands(),
            transport_profile=_transport_profile(),
        )
        return explain(facts)

    def stamp_values(self) -> dict[str, str]:
        """Return how many stamps were not as they should be, for the diagnostics."""
        return {f'stamps/{word}': str(count) for word, count in self._stamps.counts().items()}

    def _publishers(self) -> tuple[PublisherFacts, ...]:
        return tuple(
            PublisherFacts(
                f'{info.node_namespace.rstrip("/")}/{info.node_name}',
                info.topic_type,
                info.qos_profile.reliability == ReliabilityPolicy.RELIABLE,
            )
            for info in self._node.get_publishers_info_by_topic(self._topic)
        )

    def _topics_of_type(self) -> tuple[str, ...]:
        return tuple(
            sorted(
                name
                for name, types in self._node.get_topic_names_and_types()
                if self._type in types and self._others_publish(name)
            )
        )

    def _others_publish(self, topic: str) -> bool:
        own = (self._node.get_name(), self._node.get_namespace())
        return any(
            (info.node_name, info.node_namespace) != own
            for info in self._node.get_publishers_info_by_topic(topic)
        )

    def _clock_stands(self) -> bool:
        if not self._node.get_parameter('use_sim_time').value:
            return False
        before, self._clock_ns = self._clock_ns, self._node.get_clock().now().nanoseconds
        return before == self._clock_ns

    def _on_lost(self, event: Any) -> None:
        self._lost_total = int(event.total_count)


def _type_name(message_type: type) -> str:
    """Return a message class's name as ROS writes it: ``sensor_msgs/msg/Image``."""
    package, kind, *_ = message_type.__module__.split('.')
    return f'{package}/{kind}/{message_type.__name__}'


def _transport_profile() -> bool:
    """Tell whether a profile for large messages is set for the middleware in use."""
    variables = _PROFILE_VARIABLES.get(rclpy.get_rmw_implementation_identifier())
    return variables is None or any(os.environ.get(name) for name in variables)
