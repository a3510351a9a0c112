# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Spinning a node from start to a clean end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence

from rclpy.executors import Executor, SingleThreadedExecutor

from jetson_infer.ros.lifecycle import SafeLifecycleNode
from jetson_infer.ros.memory import keep_freed_memory, spare_collector
from jetson_infer.ros.shutdown import spin_to_the_end
from jetson_infer.ros.signals import initialized

__all__ = ['run']

PATIENCE_S = 1.5
"""How long a process that is to end waits for a transition that was called off.

The executor may need up to a second more to see that a signal has ended the context: where it waits
again before that is so, the next timer wakes it.
"""


def run(make_node: Callable[[], SafeLifecycleNode], args: Sequence[str] | None = None) -> int:
    """Make a node, spin it until SIGINT, SIGTERM or a shutdown, and release everything.

    A transition that is under way then is called off.  Where it does not heed that, because it is
    in the middle of a library's call, the process dies of SIGTERM all the same.  A signal that
    comes while the node is made ends it once it is there.

    :param make_node: makes the node, after rclpy was initialized.
    :param args: command-line arguments; those of the process when None.
    :return: the process's exit code: 1 if the node asked for the end because of a fault, else 0.
    """
    keep_freed_memory()
    with initialized(args) as signals:
        node = make_node()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        spare_collector()
        signals.release()
        _live(node, executor)
    return int(node.ended_by_fault)


def _live(node: SafeLifecycleNode, executor: Executor) -> None:
    try:
        _spin(executor)
    finally:
        if not node.end_transitions(PATIENCE_S):
            _die(node)
        node.close()
        node.destroy_node()


def _spin(executor: Executor) -> None:
    try:
        spin_to_the_end(executor.spin)
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
