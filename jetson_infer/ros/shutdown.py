# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Ending rclpy's context, whoever else does."""

from __future__ import annotations

import rclpy
from rclpy.impl.implementation_singleton import rclpy_implementation

__all__ = ['shut_down']


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
