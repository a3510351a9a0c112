# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What shows a work while it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, Generic, TypeVar

__all__ = ['QuietView', 'View']

S = TypeVar('S')
V = TypeVar('V', bound='View[Any]')


class View(ABC, Generic[S]):
    """Shows how far something is; a context manager."""

    _drawing: AbstractContextManager[Any] = nullcontext()
    """What draws in the terminal for as long as the view is entered."""

    @abstractmethod
    def show(self, status: S) -> None:
        """Show it as it is now."""

    def __enter__(self: V) -> V:
        self._drawing.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._drawing.__exit__(exc_type, exc, traceback)


class QuietView(View[Any]):
    """Shows nothing."""

    def show(self, status: Any) -> None:
        """Show nothing."""
