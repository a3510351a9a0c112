# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A thread that takes the messages of one subscription.

rclpy's executor gathers every service, timer, guard and event of a node anew, in Python, whenever
one message comes.  A node has some forty of them, and that costs more than everything else that a
camera image goes through on the host (docs/benchmarks.md).  Here one image wakes one thread that
waits for nothing else; and an image no longer waits until a service call is answered, nor a service
call for a burst of images.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos import QoSProfile

from jetson_infer.errors import JetsonInferError

__all__ = ['MessageThread', 'MessagesEnded']

_LOGGER = logging.getLogger(__name__)
_EVENTS_PERIOD_S = 1.0


class MessagesEnded(JetsonInferError):
    """No more messages are taken: the middleware failed."""


class MessageThread:
    """Subscribes, and calls back on a thread of its own, one message after the other.

    The subscription's events (incompatible QoS, lost messages) are looked at once a second, on the
    same thread.  To wait for them would wake the waiting thread twice for every message, because
    the middleware counts the message itself among them.

    :param node: the node that subscribes.
    :param message_type: the topic's type.
    :param topic: the topic.
    :param callback: called with every message; what it raises is logged, and the thread goes on.
    :param profile: the quality of service.
    :param on_undecodable: called for every message of which the middleware makes nothing: Fast DDS
        announces such a message, and then has none to take.  (Cyclone DDS hands over as much of
        it as it could read.)
    :param on_failure: told why no more messages will be taken, when the middleware fails.
    :param event_callbacks: rclpy's `SubscriptionEventCallbacks`.
    """

    def __init__(
        self,
        node: Node,
        message_type: type,
        topic: str,
        callback: Callable[[Any], None],
        profile: QoSProfile,
        on_undecodable: Callable[[], None],
        on_failure: Callable[[BaseException], None],
        event_callbacks: Any = None,
    ) -> None:
        self._node = node
        self._callback = callback
        self._on_undecodable = on_undecodable
        self._on_failure = on_failure
        self._context = node.context
        self._stopping = False
        self._wake = rclpy_implementation.GuardCondition(self._context.handle)
        self._subscription = node.create_subscription(
            message_type,
            topic,
            callback,
            profile,
            callback_group=_NotForExecutors(),
            event_callbacks=event_callbacks,
        )
        self._thread = threading.Thread(target=self._run, name=f'messages of {topic}', daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Unsubscribe; the callback is not running any more afterwards.  May be called twice.

        Not to be called from the callback.
        """
        if self._stopping:
            return
        self._stopping = True
        self._wake.trigger_guard_condition()
        self._thread.join()
        self._node.destroy_subscription(self._subscription)
        self._wake.destroy_when_not_in_use()

    def _run(self) -> None:
        try:
            self._serve()
        except Exception as error:
            # A signal may shut the context down in the middle of a call into rcl.
            if self._context.ok():
                _LOGGER.debug('no more messages are taken', exc_info=error)
                self._on_failure(
                    MessagesEnded(
                        f'no more messages of {self._subscription.topic} are taken, because the '
                        f'middleware failed: {type(error).__name__}: {error}; configure the node '
                        'again'
                    )
                )

    def _serve(self) -> None:
        with ExitStack() as in_use:
            events = self._subscription.event_handlers
            for entity in (self._context.handle, self._subscription.handle, self._wake, *events):
                in_use.enter_context(entity)
            wait_set = rclpy_implementation.WaitSet(
                1, 1, 0, 0, 0, len(events), self._context.handle
            )
            next_look_s = 0.0
            while self._goes_on():
                look = time.monotonic() >= next_look_s
                self._wait(wait_set, look)
                if look:
                    next_look_s = time.monotonic() + _EVENTS_PERIOD_S
                    self._look_at_events(wait_set)
                if self._goes_on() and wait_set.get_ready_entities('subscription'):
                    self._take()

    def _goes_on(self) -> bool:
        return not self._stopping and bool(self._context.ok())

    def _wait(self, wait_set: Any, look_at_events: bool) -> None:
        """Wait for a message; with the events among them only as long as looking takes."""
        wait_set.clear_entities()
        wait_set.add_subscription(self._subscription.handle)
        wait_set.add_guard_condition(self._wake)
        if look_at_events:
            for event in self._subscription.event_handlers:
                event.add_to_wait_set(wait_set)
        wait_set.wait(0 if look_at_events else int(_EVENTS_PERIOD_S * 1e9))

    def _look_at_events(self, wait_set: Any) -> None:
        for event in self._subscription.event_handlers:
            if event.is_ready(wait_set):
                data = event.take_data()
                if data is not None:
                    self._call(event.callback, data)

    def _take(self) -> None:
        # One at a time: if another one is there already, the next wait returns at once.
        taken = self._subscription.handle.take_message(self._subscription.msg_type, False)
        if taken is not None:
            self._call(self._callback, taken[0])
        else:
            self._call(self._on_undecodable)

    def _call(self, callback: Callable[..., None], *arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception:
            _LOGGER.exception('a message of %s could not be handled', self._subscription.topic)


class _NotForExecutors(CallbackGroup):
    """Hides what belongs to it from every executor."""

    def can_execute(self, entity: Any) -> bool:
        """Tell an executor whether to wait for an entity."""
        return False

    def beginning_execution(self, entity: Any) -> bool:
        """Tell an executor whether it may begin a callback."""
        return False

    def ending_execution(self, entity: Any) -> None:
        """Hear from an executor that a callback has ended, which never comes to pass."""
