# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Compiled kernels, loaded through ``cuda.bindings.driver``."""

from __future__ import annotations

from types import ModuleType

from jetson_infer.cuda.device import Module
from jetson_infer.cuda.failures import CudaFailures
from jetson_infer.cuda.resources import LiveResources
from jetson_infer.cuda.stream import Function
from jetson_infer.errors import InternalError, KernelError, SessionError

__all__ = ['DriverFunction', 'DriverModule']

LOG_BYTES = 16384
"""How much of the log of the driver's own compiler is kept."""


class DriverFunction(Function):
    """A kernel that the driver loaded."""


class DriverModule(Module):
    """A module of the CUDA driver."""

    def __init__(
        self, bindings: ModuleType, failures: CudaFailures, live: LiveResources, image: bytes
    ) -> None:
        self._bindings = bindings
        self._failures = failures
        self._live = live
        self._functions: dict[str, DriverFunction] = {}
        option = bindings.CUjit_option
        log = bytearray(LOG_BYTES)
        # PTX is text and has to end with a zero; a cubin does not mind one.
        result, self._module = bindings.cuModuleLoadDataEx(
            image + b'\0',
            2,
            [option.CU_JIT_ERROR_LOG_BUFFER, option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES],
            [log, LOG_BYTES],
        )
        if int(result):
            failure = failures.from_code('loading kernels', int(result))
            if type(failure) is SessionError:
                said = bytes(log).partition(b'\0')[0].decode(errors='replace').strip()
                failure = KernelError(f'{failure}; {said}' if said else str(failure))
            raise failure
        live.add('module', self)

    def function(self, name: str) -> Function:
        """Return a kernel by its name."""
        if self._module is None:
            raise InternalError(f"kernel '{name}' was asked of a module that is closed")
        if name not in self._functions:
            result, function = self._bindings.cuModuleGetFunction(self._module, name.encode())
            if int(result):
                failure = self._failures.from_code(f"looking for kernel '{name}'", int(result))
                if type(failure) is SessionError:
                    failure = KernelError(f"no kernel '{name}' in the module: {failure}")
                raise failure
            self._functions[name] = DriverFunction(name, function)
        return self._functions[name]

    def close(self) -> None:
        """Unload it."""
        module, self._module = self._module, None
        for function in self._functions.values():
            function.function = None
        self._functions.clear()
        if module is not None:
            self._live.discard(self)
            if not self._failures.abandon(module):
                self._failures.note('unloading kernels', self._bindings.cuModuleUnload(module)[0])
