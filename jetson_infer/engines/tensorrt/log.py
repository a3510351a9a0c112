# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What TensorRT says, kept for error messages and build logs and handed to Python's logging."""

from __future__ import annotations

import functools
import logging
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from jetson_infer.engines.tensorrt.api import member_name, trt

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ['LogLine', 'MessageLog', 'open_logger']

logger = logging.getLogger(__name__)

LEVELS = {
    'INTERNAL_ERROR': logging.CRITICAL,
    'ERROR': logging.ERROR,
    'WARNING': logging.WARNING,
    # What TensorRT calls information is memory figures and the like, several lines an engine.
    'INFO': logging.DEBUG,
    'VERBOSE': logging.DEBUG - 5,
}
HARMLESS = (
    # Of shapes and indices, which TensorRT before 10 computes in 32 bits; the clamped number is the
    # largest one, by which exporters mean "to the end".
    'generated with INT64 weights',
    'weights outside the range of INT32 was clamped',
    # Weights so near to 0 that float16 keeps fewer digits of them, and the sentences around that.
    'Detected subnormal FP16 values',
    'smallest positive FP16 subnormal value',
    'encountered issues when converting weights between types',
    'If this is not the desired behavior, please modify the weights',
    'Check verbose logs for the list of affected weights',
)
"""Warnings that concern nobody; the build's log keeps them. One that numbers overflow is none."""
SERIOUS = ('INTERNAL_ERROR', 'ERROR')
KEPT = 20_000
SHOWN = 8


class LogLine(NamedTuple):
    """One message: TensorRT's name of its severity, and its text."""

    severity: str
    text: str


class MessageLog:
    """The last messages of TensorRT, from any thread.

    :param keep: how many; older ones are forgotten.
    :param verbose: keep what TensorRT calls verbose too, which is a hundred times as much.
    """

    def __init__(self, keep: int = KEPT, verbose: bool = False) -> None:
        self.verbose = verbose
        self._lines: deque[LogLine] = deque(maxlen=keep)

    def add(self, severity: str, text: str) -> None:
        """Keep a message and hand it to :mod:`logging`."""
        level = LEVELS.get(severity, logging.WARNING)
        if level == logging.WARNING and any(words in text for words in HARMLESS):
            level = logging.DEBUG
        if severity != 'VERBOSE' or self.verbose:
            self._lines.append(LogLine(severity, text.strip()))
        logger.log(level, '%s', text.strip())

    def follow(self) -> None:
        """Have what TensorRT says on this thread come here, until another log follows."""
        _LISTENERS.follow(self)

    @property
    def lines(self) -> tuple[LogLine, ...]:
        """The messages, oldest first."""
        return tuple(self._lines)

    @property
    def text(self) -> str:
        """The messages, a line each: ``ERROR: ...``."""
        return ''.join(f'{line.severity}: {line.text}\n' for line in self._lines)

    def clear(self) -> None:
        """Forget the messages."""
        self._lines.clear()

    def reasons(self, further: Iterable[str] = ()) -> str:
        """Return the errors on one line, for the end of a message; warnings where there are none.

        :param further: errors that came another way; named once if they are in the log too.
        """
        lines = self.lines
        texts = [line.text for line in lines if line.severity in SERIOUS]
        texts += [text for text in further if not any(text in known for known in texts)]
        texts = texts or [line.text for line in lines if line.severity == 'WARNING']
        texts = [' '.join(text.split()) for text in dict.fromkeys(texts)]
        if not texts:
            return 'TensorRT gave no reason'
        more = len(texts) - SHOWN
        return '; '.join(texts[:SHOWN]) + (f'; and {more} more' if more > 0 else '')


class _Listeners:
    """Leads what TensorRT says to the log that follows it: on each thread the one that did last.

    TensorRT's own threads have none; what they say goes to the one that was last of all.
    """

    def __init__(self) -> None:
        self._own = threading.local()
        self._last: weakref.ref[MessageLog] | None = None

    def follow(self, log: MessageLog) -> None:
        self._own.log = self._last = weakref.ref(log)

    def add(self, severity: str, text: str) -> None:
        reference = getattr(self._own, 'log', None) or self._last
        log = reference() if reference is not None else None
        (log if log is not None else _UNHEARD).add(severity, text)


_LISTENERS = _Listeners()
_UNHEARD = MessageLog(keep=0)
"""Hands to :mod:`logging` what is said when no log follows any more."""


def open_logger(log: MessageLog) -> trt.ILogger:
    """Return the logger for TensorRT's builder, runtime and parser; ``log`` follows it from now on.

    It is one and the same for the whole process and lives as long: TensorRT keeps the first logger
    that it is given, as its only one, beyond the life of what it was given for.
    """
    log.follow()
    return _bridge(trt.ILogger)


@functools.cache
def _bridge(base: type) -> Any:
    """Make the logger; its class exists once the module is imported."""

    class Bridge(trt.ILogger):
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
            _LISTENERS.add(member_name(severity), msg)

    return Bridge()
