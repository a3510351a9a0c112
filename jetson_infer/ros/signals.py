# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""SIGINT and SIGTERM, from a program's first import to its node's first spin.

rclpy's handlers end the context at once, whatever is being made of it just then: that leaves
exceptions in destructors, and at times a crash.  Python's own raises KeyboardInterrupt, which is
lost where a destructor or a callback of the import system happens to run; the program goes on then
as if nobody had asked it to end.  Here each moment has a way to end of its own: before rclpy is up
the process dies of the signal; while nodes are made the signal waits; and then rclpy takes it.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import rclpy
from rclpy.signals import SignalHandlerOptions, install_signal_handlers

from jetson_infer.ros.shutdown import shut_down

__all__ = ['HeldSignals', 'initialized']

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


class HeldSignals:
    """Holds SIGINT and SIGTERM back until :meth:`release`; the second one ends the process.

    To be made in the main thread, with rclpy's own handlers not installed.
    """

    def __init__(self) -> None:
        self._came = False
        self._held = True
        self._before = {number: signal.signal(number, self._note) for number in _NUMBERS}

    def release(self) -> None:
        """Let rclpy take signals from now on; if one came, end its context."""
        install_signal_handlers(SignalHandlerOptions.ALL)
        self._held = False
        if self._came:
            shut_down()

    def restore(self) -> None:
        """Put back the handlers there were before; once rclpy's context has ended."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._held and self._came:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._came = True


@contextmanager
def initialized(args: Sequence[str] | None = None) -> Iterator[HeldSignals]:
    """Initialize rclpy's default context for a block, and end it, in a program's main thread.

    :param args: command-line arguments; those of the process when None.
    :return: a context that gives the signals, held: to be released when the nodes and their
        executor are made.
    """
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    signals = HeldSignals()
    try:
        yield signals
    finally:
        shut_down()
        signals.restore()
