# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The module ``tensorrt``, imported when it is first used, and what its versions call things.

Versions 8.6 to 11 differ in what they have. The modules beside this one ask for what they need:
``hasattr`` for methods, properties and classes, :func:`member` for enumerations. A test holds every
other access against the real binding modules of each version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jetson_infer.dependencies import require
from jetson_infer.errors import MissingDependencyError

__all__ = ['is_installed', 'member', 'member_name', 'names_of', 'trt', 'version']

if TYPE_CHECKING:
    import tensorrt as trt
else:

    class _Lazy:
        """Stands for the module until one of its names is asked for."""

        def __getattr__(self, name: str) -> Any:
            return getattr(require('tensorrt', 'Building and running TensorRT engines'), name)

    trt = _Lazy()
"""The module ``tensorrt``; the first use raises MissingDependencyError where there is none."""


def version() -> str:
    """Return TensorRT's full version: ``'8.6.1'``, ``'10.13.3.9'``.

    :raises MissingDependencyError: if it is not installed.
    """
    return str(trt.__version__)


def is_installed() -> bool:
    """Tell whether ``tensorrt`` can be imported; importing it needs no GPU."""
    try:
        version()
    except MissingDependencyError:
        return False
    return True


def member(enumeration: Any, name: str) -> Any:
    """Return a member of one of TensorRT's enumerations, or None where the version has none."""
    return getattr(enumeration, name, None)


def member_name(value: Any) -> str:
    """Return the name of an enumeration's value: ``'FLOAT'`` for ``DataType.FLOAT``.

    The parser's ``ErrorCode`` of 8.6 has a method there, which gives ``ErrorCode.INVALID_NODE``.
    """
    name = getattr(value, 'name', value)
    return str(name() if callable(name) else name).rpartition('.')[2]


def names_of(enumeration: Any) -> tuple[str, ...]:
    """Return the names of an enumeration's members."""
    return tuple(enumeration.__members__)
