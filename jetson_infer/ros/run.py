# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Spinning a node from start to a clean end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from jetson_infer.ros.lifecycle import RCLError, SafeLifecycleNode
from jetson_infer.ros.memory import keep_freed_memory

__all__ = ['run']


def run(make_node: Callable[[], SafeLifecycleNode], args: Sequence[str] | None = None) -> None:
    """Make a node, spin it until SIGINT, SIGTERM or a shutdown, and release everything.

    :param make_node: makes the node, after rclpy was initialized.
    :param args: command-line arguments; those of the process when None.
    """
    keep_freed_memory()
    rclpy.init(args=args)
    try:
        node = make_node()
        try:
            _spin(node)
        finally:
            node.close()
            node.destroy_node()
    finally:
        rclpy.try_shutdown()


def _spin(node: SafeLifecycleNode) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        return
    except RCLError:
        # A signal may shut the context down in the middle of a call into rcl.
        if rclpy.ok():
            raise
    finally:
        executor.shutdown()
