# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The few calls of the CUDA driver that PyCUDA lacks, and those that must work without PyCUDA.

Looking for a GPU, naming an error, and leaving a context behind as it was found: straight from
``libcuda.so.1``, which the driver installs. None of these calls creates a context, save
:meth:`DriverLibrary.heal`, which removes a broken one.
"""

from __future__ import annotations

import ctypes
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from jetson_infer.errors import DeviceError

__all__ = ['CAPTURE_CODES', 'LOST_CODES', 'DriverLibrary']

LOST_CODES = frozenset(
    {4, 46, 201, 214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 806, 810}
    | {911, 999}
)
"""The errors after which a context does nothing any more ("the process must be terminated" in the
documentation of ``CUresult``), or is gone: deinitialized, device unavailable, invalid context, ECC,
NVLink and contained errors, illegal address, launch timeout, context destroyed, assertion, hardware
stack, illegal instruction, misaligned address, address space, program counter, launch failure,
tensor memory leak, an MPS server or client that died, external device, unknown."""

CAPTURE_CODES = range(900, 909)
"""The errors of a stream's capture: work that cannot be captured, or a capture that is spoilt."""

_RESETS: Counter[int] = Counter()
_PRIMARY_CONTEXT = ('_v2', '')
_ATTRIBUTES = {
    'multiprocessors': 16, 'integrated': 18, 'can_map_host_memory': 19, 'major': 75, 'minor': 76,
}  # fmt: skip


class DriverLibrary:
    """``libcuda.so.1``, loaded.

    :param name: the library's name or path.
    :raises DeviceError: if it cannot be loaded, which is how a machine without an NVIDIA driver
        looks.
    """

    def __init__(self, name: str = 'libcuda.so.1') -> None:
        try:
            self._library = ctypes.CDLL(name)
        except OSError as error:
            raise DeviceError(
                f'no NVIDIA driver is installed here, or it cannot be loaded: {error}; on a '
                'Jetson, install JetPack; in a container, start it with the NVIDIA runtime'
            ) from error

    def initialize(self) -> None:
        """Start the driver; may be called again.

        :raises DeviceError: if it finds no GPU that it can use, with the reason it gives.
        """
        result = self._call('cuInit', ctypes.c_uint(0))
        if result == 100:
            raise DeviceError(
                'the NVIDIA driver finds no GPU; look at nvidia-smi, and at CUDA_VISIBLE_DEVICES '
                'if it is set'
            )
        self._must(result, 'starting the NVIDIA driver')

    def version(self) -> str:
        """Return the newest CUDA that the driver supports: ``'12.6'``."""
        found = ctypes.c_int()
        self._must(self._call('cuDriverGetVersion', ctypes.byref(found)), 'asking for its version')
        return version_text(found.value)

    def device_count(self) -> int:
        """Return how many GPUs there are."""
        found = ctypes.c_int()
        self._must(self._call('cuDeviceGetCount', ctypes.byref(found)), 'counting the GPUs')
        return found.value

    def device_name(self, index: int) -> str:
        """Return a GPU's name."""
        text = ctypes.create_string_buffer(256)
        self._must(
            self._call('cuDeviceGetName', text, ctypes.c_int(256), self._device(index)),
            'asking a GPU for its name',
        )
        return text.value.decode(errors='replace')

    def device_bytes(self, index: int) -> int:
        """Return the size of a GPU's memory."""
        found = ctypes.c_size_t()
        result = self._call('cuDeviceTotalMem_v2', ctypes.byref(found), self._device(index))
        self._must(result, 'asking a GPU for its memory')
        return found.value

    def device_attribute(self, index: int, name: str) -> int:
        """Return an attribute of a GPU: ``multiprocessors``, ``integrated``, ``major``, ...."""
        found, number = ctypes.c_int(), ctypes.c_int(_ATTRIBUTES[name])
        result = self._call(
            'cuDeviceGetAttribute', ctypes.byref(found), number, self._device(index)
        )
        self._must(result, f"asking a GPU for '{name}'")
        return found.value

    def device_uuid(self, index: int) -> str:
        """Return a GPU's UUID as nvidia-smi writes it; empty if the driver does not tell."""
        found = (ctypes.c_ubyte * 16)()
        for call in ('cuDeviceGetUuid_v2', 'cuDeviceGetUuid'):
            if self._call(call, ctypes.byref(found), self._device(index)) == 0:
                return f'GPU-{uuid.UUID(bytes=bytes(found))}'
        return ''

    def error_text(self, code: int) -> str:
        """Return an error's name and explanation, as ``'CUDA_ERROR_NO_DEVICE: no …'``."""
        texts = []
        for call in ('cuGetErrorName', 'cuGetErrorString'):
            text = ctypes.c_char_p()
            if self._call(call, ctypes.c_int(code), ctypes.byref(text)) == 0 and text.value:
                texts.append(text.value.decode(errors='replace'))
        return ': '.join(texts) or f'CUDA error {code}'

    def explanations(self, codes: Iterable[int]) -> tuple[str, ...]:
        """Return the explanations of errors, without their names, of those the driver knows."""
        texts = (self.error_text(code).partition(': ')[2] for code in codes)
        return tuple(text for text in texts if text)

    def current_context(self) -> int:
        """Return the handle of the context that is current on this thread; 0 if none is."""
        found = ctypes.c_void_p()
        self._must(self._call('cuCtxGetCurrent', ctypes.byref(found)), 'asking for the context')
        return found.value or 0

    def pop_context(self) -> None:
        """Take the topmost context off this thread's stack, if there is one, whatever its state."""
        found = ctypes.c_void_p()
        self._call('cuCtxPopCurrent_v2', ctypes.byref(found))

    @contextmanager
    def holding(self, index: int) -> Iterator[None]:
        """Keep a GPU's primary context alive within the block."""
        device, context = self._device(index), ctypes.c_void_p()
        held = self._call('cuDevicePrimaryCtxRetain', ctypes.byref(context), device) == 0
        try:
            yield
        finally:
            if held:
                self._primary('Release', device)

    def heal(self, index: int) -> None:
        """Reset a GPU's primary context if it does not work any more.

        A context in which a kernel failed stays broken as long as anyone in the process holds it,
        and CUDA's runtime, which TensorRT uses, holds it for good.  Resetting is what there is to
        be tried; whether it was of use :meth:`why_broken` tells.
        """
        if self.why_broken(index):
            _RESETS[index] += 1
            self._primary('Reset', self._device(index))

    def why_broken(self, index: int) -> str:
        """Try a GPU's primary context; return the error it answers with, or nothing if it works."""
        context, free, total = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_size_t()
        device = self._device(index)
        result = self._call('cuDevicePrimaryCtxRetain', ctypes.byref(context), device)
        if result == 0:
            result = self._call('cuCtxPushCurrent_v2', context)
            if result == 0:
                result = self._call('cuCtxSynchronize') or self._call(
                    'cuMemGetInfo_v2', ctypes.byref(free), ctypes.byref(total)
                )
                self.pop_context()
            self._primary('Release', device)
        return self.error_text(result) if result else ''

    @staticmethod
    def resets(index: int) -> int:
        """Count how often this process has reset a GPU's primary context.

        What was made before the last reset is gone, and its address or handle may be that of
        something new by now: it must not be released.
        """
        return _RESETS[index]

    def _primary(self, verb: str, device: ctypes.c_int) -> None:
        for suffix in _PRIMARY_CONTEXT:
            if hasattr(self._library, f'cuDevicePrimaryCtx{verb}{suffix}'):
                self._call(f'cuDevicePrimaryCtx{verb}{suffix}', device)
                return

    def _device(self, index: int) -> ctypes.c_int:
        device = ctypes.c_int()
        result = self._call('cuDeviceGet', ctypes.byref(device), ctypes.c_int(index))
        self._must(result, f'looking for GPU {index}')
        return device

    def _call(self, name: str, *arguments: object) -> int:
        """Call the driver and return its result; 500, "not found", for what it does not have."""
        function = getattr(self._library, name, None)
        return 500 if function is None else int(function(*arguments))

    def _must(self, result: int, what: str) -> None:
        if result:
            raise DeviceError(f'{what} failed: {self.error_text(result)}')


def version_text(number: int) -> str:
    """Write CUDA's version number for a person: 12060 is ``'12.6'``."""
    return f'{number // 1000}.{number % 1000 // 10}'
