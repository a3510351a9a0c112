# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Compiled kernels, loaded through PyCUDA."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from jetson_infer.cuda.device import Module
from jetson_infer.cuda.failures import CudaFailures
from jetson_infer.cuda.resources import LiveResources
from jetson_infer.cuda.stream import Function
from jetson_infer.errors import InternalError, KernelError, SessionError

__all__ = ['PycudaFunction', 'PycudaModule']


class PycudaFunction(Function):
    """A kernel that PyCUDA loaded."""


class PycudaModule(Module):
    """A module of PyCUDA."""

    def __init__(
        self, driver: ModuleType, failures: CudaFailures, live: LiveResources, image: bytes
    ) -> None:
        self._failures = failures
        self._live = live
        self._functions: dict[str, PycudaFunction] = {}
        try:
            # PTX is text and has to end with a zero; a cubin does not mind one.
            self._module: Any = driver.module_from_buffer(image + b'\0')
        except (failures.error, UnicodeDecodeError) as error:
            failure = failures.from_pycuda('loading kernels', error)
            if type(failure) is SessionError:
                failure = KernelError(str(failure))
            raise failure from error
        live.add('module', self)

    def function(self, name: str) -> Function:
        """Return a kernel by its name."""
        if self._module is None:
            raise InternalError(f"kernel '{name}' was asked of a module that is closed")
        if name not in self._functions:
            try:
                function = self._module.get_function(name)
            except self._failures.error as error:
                raise KernelError(f"no kernel '{name}' in the module: {error}") from error
            self._functions[name] = PycudaFunction(name, function)
        return self._functions[name]

    def close(self) -> None:
        """Unload it."""
        for function in self._functions.values():
            function.function = None
        self._functions.clear()
        self._failures.abandon(self._module)
        self._module = None
        self._live.discard(self)
