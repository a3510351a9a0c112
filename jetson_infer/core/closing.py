# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What is closed once, by its owner, as a context manager."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

__all__ = ['Closing']

C = TypeVar('C', bound='Closing')


class Closing(ABC):
    """Closed at the end of its block."""

    __slots__ = ()

    @abstractmethod
    def close(self) -> None:
        """Release it; may be called twice."""

    def __enter__(self: C) -> C:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
