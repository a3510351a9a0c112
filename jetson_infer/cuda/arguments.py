# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A kernel's arguments, packed as C lays them out, once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ['KernelArguments']


class KernelArguments:
    """The arguments of a kernel in one block of memory that is allocated once and set in place.

    >>> arguments = KernelArguments([('source', 'u8'), ('width', 'i4'), ('scale', 'f4')])
    >>> arguments['source'] = buffer.address

    CUDA's rules for the layout are C's for a structure: each parameter at a multiple of its own
    alignment (CUDA C++ Programming Guide, "Kernel arguments of the driver API").  That is NumPy's
    layout of an aligned structured type, without the padding at its end.

    :param fields: a name and a type for each parameter, in the kernel's order: ``'u8'`` for an
        address, a structured type made with ``align=True`` for a structure that is passed by value.
    """

    __slots__ = ('_extra', '_size', 'names', 'packed', 'record')

    def __init__(self, fields: list[tuple[str, npt.DTypeLike]]) -> None:
        dtype = np.dtype([(name, np.dtype(kind)) for name, kind in fields], align=True)
        self.record: npt.NDArray[np.void] = np.zeros((), dtype)
        """The arguments as a structured array ``()``."""
        self.names: tuple[str, ...] = dtype.names or ()
        """Their names, in order."""
        last, offset = dtype.fields[self.names[-1]][:2] if dtype.fields else (dtype, 0)
        used = offset + last.itemsize
        self.packed: npt.NDArray[np.uint8] = self.record.reshape(1).view(np.uint8)[:used]
        """The same memory as bytes, uint8 ``(N,)``."""
        self._size = np.array([used], np.uintp)
        # CU_LAUNCH_PARAM_BUFFER_POINTER, CU_LAUNCH_PARAM_BUFFER_SIZE and CU_LAUNCH_PARAM_END.
        self._extra = np.array([1, self.packed.ctypes.data, 2, self._size.ctypes.data, 0], np.uintp)

    @classmethod
    def of(cls, *values: np.generic) -> KernelArguments:
        """Pack NumPy scalars, each by its own type; a structure is a :class:`numpy.void`."""
        arguments = cls([(f'argument{i}', value.dtype) for i, value in enumerate(values)])
        for name, value in zip(arguments.names, values):
            arguments.record[name] = value
        return arguments

    @property
    def extra(self) -> int:
        """The address of the ``extra`` of ``cuLaunchKernel`` that hands over these arguments."""
        return int(self._extra.ctypes.data)

    def values(self) -> tuple[Any, ...]:
        """Return copies of the arguments as NumPy scalars, in order."""
        record = self.record.copy()
        return tuple(record[name][()] for name in self.names)

    def __setitem__(self, name: str, value: Any) -> None:
        self.record[name] = value

    def __getitem__(self, name: str) -> Any:
        return self.record[name][()]
