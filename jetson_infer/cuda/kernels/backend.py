# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a CUDA compiler is to this package."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence

from jetson_infer.errors import KernelError

__all__ = ['Architecture', 'Compiler', 'target_of']

Architecture = tuple[int, int]
"""A compute capability, such as ``(8, 7)`` for Orin."""


class Compiler(ABC):
    """A CUDA compiler that was found and answers."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Its name and full version, of letters, digits, dots and hyphens: ``nvrtc-12.9``."""

    @abstractmethod
    def architectures(self) -> Collection[int]:
        """Return the real architectures that it compiles for, as ``87`` for 8.7."""

    @abstractmethod
    def compile(self, source: str, options: Sequence[str], target: str, name: str) -> bytes:
        """Compile C++17.

        :param source: the text; it includes nothing.
        :param options: definitions, as ``-DNAME=VALUE``.
        :param target: ``sm_87`` for machine code, ``compute_87`` for PTX.
        :param name: the source's name, for messages.
        :return: a cubin, or PTX.
        :raises KernelError: with the compiler's log.
        """


def target_of(compiler: Compiler, architecture: Architecture) -> str:
    """Choose what to compile for: machine code, or PTX that a newer GPU's driver compiles.

    :raises KernelError: if the compiler knows neither the architecture nor an older one.
    """
    wanted = architecture[0] * 10 + architecture[1]
    known = sorted(compiler.architectures())
    if wanted in known:
        return f'sm_{wanted}'
    older = [number for number in known if number < wanted]
    if not older:
        oldest = f'{known[0] // 10}.{known[0] % 10}' if known else 'none'
        raise KernelError(
            f'{compiler.identity} compiles for compute capability {oldest} and later, and this GPU '
            f'has {architecture[0]}.{architecture[1]}'
        )
    return f'compute_{older[-1]}'
