# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Ending rclpy's context, and going on to the end when someone else does."""

from __future__ import annotations

from collections.abc import Callable

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation

__all__ = ['shut_down', 'spin_to_the_end']


def shut_down() -> None:
    """End rclpy's context, unless it has ended.

    rclpy's own `try_shutdown` looks first and ends it then; a signal's handler, which ends it too,
    may come in between.
    """
    try:
        rclpy.try_shutdown()
    except rclpy_implementation.RCLError:
        if rclpy.ok():
            raise


def spin_to_the_end(spin: Callable[[], object]) -> None:
    """Spin an executor until what it waits for, or until the context has ended.

    :param spin: an executor's ``spin`` or the like.
    :raises RCLError: of a call into rcl that fails while the context is there.
    """
    try:
        spin()
    except ExternalShutdownException:
        return
    except rclpy_implementation.RCLError:
        # A signal may shut the context down in the middle of a call into rcl.
        if rclpy.ok():
            raise
