# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The errors that TensorRT's objects report, from any of its threads."""

from __future__ import annotations

import functools
import threading
from typing import Any, NamedTuple

from jetson_infer.engines.tensorrt.api import member_name, trt

__all__ = ['ErrorStack', 'RecordedError', 'open_recorder']

CAPACITY = 64


class RecordedError(NamedTuple):
    """One error: TensorRT's code, its name, and the description."""

    code: Any
    name: str
    text: str


class ErrorStack:
    """Errors in the order in which they came; safe for use from several threads.

    What comes after :data:`CAPACITY` errors is counted and dropped: the first ones tell the cause.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._errors: list[RecordedError] = []
        self._dropped = 0

    def add(self, code: Any, text: str) -> None:
        """Keep an error."""
        with self._lock:
            if len(self._errors) < CAPACITY:
                self._errors.append(RecordedError(code, member_name(code), text))
            else:
                self._dropped += 1

    def clear(self) -> None:
        """Forget all errors."""
        with self._lock:
            self._errors.clear()
            self._dropped = 0

    @property
    def errors(self) -> tuple[RecordedError, ...]:
        """The errors, oldest first."""
        with self._lock:
            return tuple(self._errors)

    @property
    def dropped(self) -> int:
        """How many came after the list was full."""
        with self._lock:
            return self._dropped

    @property
    def texts(self) -> tuple[str, ...]:
        """The errors' descriptions, oldest first."""
        return tuple(error.text for error in self.errors)


def open_recorder(stack: ErrorStack) -> trt.IErrorRecorder:
    """Return an error recorder for TensorRT's objects that writes into ``stack``."""
    return _bridge(trt.IErrorRecorder)(stack)


@functools.cache
def _bridge(base: type) -> Any:
    """Derive a class from IErrorRecorder, which exists once the module is imported."""

    class Bridge(trt.IErrorRecorder):
        def __init__(self, stack: ErrorStack) -> None:
            trt.IErrorRecorder.__init__(self)
            self._stack = stack

        def report_error(self, val: trt.ErrorCodeTRT, desc: str) -> bool:
            self._stack.add(val, desc)
            return False  # leaves it to TensorRT whether it goes on

        # TensorRT asks for the number by this name, though the class shows it as num_errors.
        def get_num_errors(self) -> int:
            return len(self._stack.errors)

        def num_errors(self) -> int:
            return self.get_num_errors()

        # An exception here would pass through TensorRT's own code: what is not there is empty.
        def get_error_code(self, error_idx: int) -> trt.ErrorCodeTRT:
            found = self._stack.errors[error_idx : error_idx + 1]
            return found[0].code if found else trt.ErrorCodeTRT.UNSPECIFIED_ERROR

        def get_error_desc(self, error_idx: int) -> str:
            found = self._stack.errors[error_idx : error_idx + 1]
            return found[0].text if found else ''

        def has_overflowed(self) -> bool:
            return self._stack.dropped > 0

        def clear(self) -> None:
            self._stack.clear()

    return Bridge
