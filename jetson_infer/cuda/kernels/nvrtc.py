# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""NVRTC, the compiler that is a library, through NVIDIA's Python bindings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from types import ModuleType
from typing import Any

from jetson_infer.cuda.kernels.backend import Compiler
from jetson_infer.dependencies import require
from jetson_infer.errors import KernelError, MissingDependencyError

__all__ = ['NvrtcCompiler', 'open_nvrtc']


class NvrtcCompiler(Compiler):
    """NVRTC.

    :param api: ``cuda.bindings.nvrtc``.
    :raises KernelError: if the library cannot be loaded.
    """

    def __init__(self, api: ModuleType) -> None:
        self._api = api
        try:
            major, minor = self._call(api.nvrtcVersion)
        except (RuntimeError, OSError, ImportError) as error:  # the bindings load it when called
            raise KernelError(f'the NVRTC library cannot be loaded: {error}') from error
        self._identity = f'nvrtc-{major}.{minor}'

    @property
    def identity(self) -> str:
        """``nvrtc-12.9``."""
        return self._identity

    def architectures(self) -> Collection[int]:
        """Return the architectures that this library compiles for."""
        (known,) = self._call(self._api.nvrtcGetSupportedArchs)
        return [int(number) for number in known]

    def compile(self, source: str, options: Sequence[str], target: str, name: str) -> bytes:
        """Compile; see :meth:`Compiler.compile`."""
        api = self._api
        (program,) = self._call(
            api.nvrtcCreateProgram, source.encode(), name.encode(), 0, None, None
        )
        try:
            arguments = [f'--gpu-architecture={target}', '--std=c++17', *options]
            encoded = [argument.encode() for argument in arguments]
            try:
                self._call(api.nvrtcCompileProgram, program, len(encoded), encoded)
            except KernelError as error:
                raise KernelError(
                    f'{self.identity} cannot compile {name} for {target} with '
                    f'{" ".join(options)}:\n{self._log(program)}'
                ) from error
            if target.startswith('sm_'):
                return self._take(program, api.nvrtcGetCUBINSize, api.nvrtcGetCUBIN)
            return self._take(program, api.nvrtcGetPTXSize, api.nvrtcGetPTX)
        finally:
            api.nvrtcDestroyProgram(program)

    def _take(self, program: Any, size_of: Callable[..., Any], fill: Callable[..., Any]) -> bytes:
        (size,) = self._call(size_of, program)
        content = b' ' * size
        self._call(fill, program, content)
        return content

    def _log(self, program: Any) -> str:
        log = self._take(program, self._api.nvrtcGetProgramLogSize, self._api.nvrtcGetProgramLog)
        return log.decode(errors='replace').strip('\0\n ')

    def _call(self, function: Callable[..., Any], *arguments: Any) -> tuple[Any, ...]:
        status, *values = function(*arguments)
        if status != self._api.nvrtcResult.NVRTC_SUCCESS:
            raise KernelError(f'{function.__name__} failed: {status.name}')
        return tuple(values)


def open_nvrtc() -> NvrtcCompiler:
    """Return NVRTC.

    :raises KernelError: if the bindings or the library are not installed.
    """
    try:
        return NvrtcCompiler(require('cuda.bindings.nvrtc', 'Compiling kernels'))
    except MissingDependencyError as error:
        raise KernelError(str(error)) from error
