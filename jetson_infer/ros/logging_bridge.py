# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Python's log records, as the ROS-free rooms write them, in the node's ROS log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

__all__ = ['RosLogHandler']


class RosLogHandler(logging.Handler):
    """Passes records of the logger ``jetson_infer`` on to a node's logger.

    :param logger: the node's logger.
    """

    def __init__(self, logger: Any) -> None:
        super().__init__()
        # One caller a severity: rclpy refuses a call site whose severity changes.
        self._emitters: tuple[tuple[int, Callable[[str], Any]], ...] = (
            (logging.ERROR, lambda text: logger.error(text)),
            (logging.WARNING, lambda text: logger.warning(text)),
            (logging.INFO, lambda text: logger.info(text)),
            (logging.NOTSET, lambda text: logger.debug(text)),
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on."""
        for level, emitter in self._emitters:
            if record.levelno >= level:
                emitter(self.format(record))
                return
