# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The images that a node takes: their topic, their subscription, and the watch over both."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.parameters import Settings
from jetson_infer.errors import FrameRejected
from jetson_infer.ros import conversions
from jetson_infer.ros.arrivals import ArrivalWatch
from jetson_infer.ros.message_thread import MessageThread
from jetson_infer.ros.qos import input_profile

__all__ = ['ImageInput']

_VIEWS: dict[type, Callable[[Any], ImageView | CompressedView]] = {
    Image: conversions.view_image_message,
    CompressedImage: conversions.view_compressed_message,
}


class ImageInput:
    """Subscribes to raw or compressed images, as the parameters have it, until it is closed.

    :param node: the node that subscribes.
    :param settings: the node's parameters.
    :param receive: given of every message, on a thread of its own, what makes the view on its data,
        its stamp in nanoseconds, and its header; what makes the view raises FrameRejected where
        the middleware could not decode the message, of which nothing else is known then.
    :param on_failure: told why no more images will come, when the middleware fails.
    """

    def __init__(
        self,
        node: Node,
        settings: Settings,
        receive: Callable[[Callable[[], ImageView | CompressedView], int, Any], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        topic, message_type = _topic(node, settings.text('image_transport'))
        profile = input_profile(settings.text('input_qos'))
        self.watch = ArrivalWatch(node, topic, message_type, profile)
        self._receive = receive
        self._view = _VIEWS[message_type]
        self._topic = topic
        self._messages = MessageThread(
            node,
            message_type,
            topic,
            self._on_message,
            profile,
            self._on_undecodable,
            on_failure,
            self.watch.event_callbacks(),
        )

    def close(self) -> None:
        """Unsubscribe; nothing is received any more afterwards.  May be called twice."""
        self._messages.close()

    def _on_message(self, message: Any) -> None:
        stamp_ns = conversions.stamp_ns(message.header)
        self.watch.hear(stamp_ns)
        self._receive(partial(self._view, message), stamp_ns, message.header)

    def _on_undecodable(self) -> None:
        self.watch.hear_undecodable()
        self._receive(self._no_view, 0, None)

    def _no_view(self) -> ImageView | CompressedView:
        raise FrameRejected(
            'undecodable',
            f'a message on {self._topic} could not be decoded: it is cut short, or its publisher '
            'has another definition of the type; see its node, and whether both use one ROS',
        )


def _topic(node: Node, transport: str) -> tuple[str, type]:
    """Return the input's topic, remapped, and its type.

    Compressed images are found beside the raw topic, as image_transport has it; the *raw* topic is
    the one to remap, whichever transport is used.
    """
    base = node.resolve_topic_name('~/input/image')
    if transport == 'raw':
        return base, Image
    return base if base.endswith('/compressed') else f'{base}/compressed', CompressedImage
