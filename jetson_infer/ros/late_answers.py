# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A service whose callback need not have the answer yet.

rclpy sends what a service's callback returns, so that a callback which takes minutes holds up the
executor's thread for minutes.  (Where the callback is a coroutine, Humble's executor waits for its
end when it is shut down, and nobody is left to resume it.)
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from rclpy.exceptions import InvalidHandle
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.service import Service

__all__ = ['LateService']

_LOGGER = logging.getLogger(__name__)


class LateService(Service):
    """A service whose callback returns a response, or a future of one.

    A future's response is sent by the thread that sets it, to whoever is still there to hear it.

    :param service: the service to take the place of; it is not to be used any more.
    """

    def __init__(self, service: Service, callback: Callable[[Any, Any], Any]) -> None:
        super().__init__(
            service.handle,
            service.srv_type,
            service.srv_name,
            callback,
            service.callback_group,
            service.qos_profile,
        )
        service.callback_group.add_entity(self)

    def send_response(self, response: Any, header: Any) -> None:
        """Send a response now, or when it is there; called by the executor."""
        if isinstance(response, Future):
            response.add_done_callback(lambda done: self._send_late(done.result(), header))
        else:
            super().send_response(response, header)

    def _send_late(self, response: Any, header: Any) -> None:
        try:
            super().send_response(response, header)
        except (rclpy_implementation.RCLError, InvalidHandle) as error:
            # Who asked has gone (Humble raises), or the context or the node has ended.
            _LOGGER.debug('nobody takes the answer of %s: %s', self.srv_name, error)
