# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Spinning a node from start to a clean end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from jetson_infer.ros.lifecycle import RCLError, SafeLifecycleNode
from jetson_infer.ros.memory import keep_freed_memory, spare_collector
from jetson_infer.ros.shutdown import shut_down

__all__ = ['run']

PATIENCE_S = 1.5
"""How long a process that is to end waits for a transition that was called off.

The executor may need up to a second more to see that a signal has ended the context: where it waits
again before that is so, the next timer wakes it.
"""


def run(make_node: Callable[[], SafeLifecycleNode], args: Sequence[str] | None = None) -> None:
    """Make a node, spin it until SIGINT, SIGTERM or a shutdown, and release everything.

    A transition that is under way then is called off.  Where it does not heed that, because it is
    in the middle of a library's call, the process dies of SIGTERM all the same.

    :param make_node: makes the node, after rclpy was initialized.
    :param args: command-line arguments; those of the process when None.
    """
    keep_freed_memory()
    rclpy.init(args=args)
    try:
        node = _make(make_node)
        if node is not None:
            spare_collector()
            _live(node)
    finally:
        shut_down()


def _make(make_node: Callable[[], SafeLifecycleNode]) -> SafeLifecycleNode | None:
    """Make the node; None if a signal came before it was made."""
    try:
        return make_node()
    except KeyboardInterrupt:
        return None
    except Exception:
        # Whatever is made after the context has ended fails in a way of its own.
        if rclpy.ok():
            raise
        return None


def _live(node: SafeLifecycleNode) -> None:
    try:
        _spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        return
    except RCLError:
        # A signal may shut the context down in the middle of a call into rcl.
        if rclpy.ok():
            raise
    finally:
        if not node.end_transitions(PATIENCE_S):
            _die(node)
        node.close()
        node.destroy_node()


def _spin(node: SafeLifecycleNode) -> None:
    executor = SingleThreadedExecutor()
    try:
        executor.add_node(node)
        executor.spin()
    finally:
        executor.shutdown()


def _die(node: SafeLifecycleNode) -> None:
    """End the process now; a thread is in a call that nothing else can end."""
    doing = f' ({node.progress})' if node.progress else ''
    # After SIGINT no logger is left.
    sys.stderr.write(
        f'the node is still {node.state}{doing} {PATIENCE_S:g} s after it was asked to end; '
        'the process ends without waiting for it\n'
    )
    sys.stderr.flush()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.raise_signal(signal.SIGTERM)
