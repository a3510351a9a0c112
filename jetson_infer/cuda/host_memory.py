# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The host twin's memory: NumPy's, as strict as a device's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from jetson_infer.cuda.memory import (
    Buffer,
    MemoryKind,
    MemoryResource,
    aligned_array,
    check_size,
    shortage,
    warn_of_views,
)
from jetson_infer.errors import DeviceError

__all__ = ['FRESH', 'STALE', 'HostBlocks', 'HostTwinMemory']

FRESH = 0xCD
"""What new memory is full of: code that counts on zeros is found."""

STALE = 0xDD
"""What released memory is full of: code that reads on is found."""

Reader = Literal['device', 'copy']


class HostBlocks:
    """The live allocations of a host twin, found by address.

    :param total_bytes: how much memory the twin has.
    :param integrated: whether page-locked memory counts too, as on a device that shares the
        host's memory.
    """

    def __init__(self, total_bytes: int, integrated: bool) -> None:
        self.total_bytes = total_bytes
        self.used_bytes = 0
        self._integrated = integrated
        self._blocks: dict[int, tuple[MemoryKind, npt.NDArray[np.uint8]]] = {}

    def add(self, kind: MemoryKind, nbytes: int) -> npt.NDArray[np.uint8]:
        """Allocate a block, full of :data:`FRESH`.

        :raises DeviceMemoryError: if the twin has not so many bytes left.
        """
        check_size(nbytes)
        counts = self._counts(kind)
        if counts and nbytes > self.total_bytes - self.used_bytes:
            raise shortage(kind, nbytes, self.total_bytes - self.used_bytes, self.total_bytes)
        block = aligned_array(nbytes)
        block.fill(FRESH)
        self._blocks[block.ctypes.data] = (kind, block)
        self.used_bytes += nbytes if counts else 0
        return block

    def remove(self, address: int) -> None:
        """Release a block; whoever kept a view of it reads :data:`STALE`."""
        kind, block = self._blocks.pop(address)
        # Besides this name and the argument, who holds the block; and a view of it holds what the
        # block itself is a view of, as does the block.  Counted here, because a function that is
        # called with the block holds it once or twice, by the version of Python.
        views = sys.getrefcount(block) - 2 + sys.getrefcount(block.base) - 2
        if kind != 'device' and views:
            warn_of_views(block.nbytes, kind, views)
        block.fill(STALE)
        self.used_bytes -= block.nbytes if self._counts(kind) else 0

    def view(self, address: int, nbytes: int, reader: Reader) -> npt.NDArray[np.uint8]:
        """View memory as a kernel (``device``) or a copy may.

        :raises DeviceError: unless the bytes lie within one live block that the reader can reach.
        """
        for start, (kind, block) in self._blocks.items():
            inside = start <= address and address + nbytes <= start + block.nbytes
            if inside and (reader == 'copy' or kind != 'pinned'):
                return block[address - start : address - start + nbytes]
        raise DeviceError(
            f'illegal address on the host twin: {nbytes} bytes at {address:#x} do not lie within '
            'one live allocation that the device reaches'
        )

    def _counts(self, kind: MemoryKind) -> bool:
        return kind == 'device' or self._integrated


class HostTwinMemory(MemoryResource):
    """Gives ``pinned``, ``mapped`` and ``device`` memory of the host twin.

    :param kind: which of them.
    :param blocks: where it is taken from.
    :param check: called before each allocation; it raises what is to be raised.
    :param keep: called with each buffer that is made.
    :param release: called with each buffer that is closed, before its memory is taken back.
    """

    def __init__(
        self,
        kind: MemoryKind,
        blocks: HostBlocks,
        check: Callable[[str], None],
        keep: Callable[[Buffer], None],
        release: Callable[[Buffer], None],
    ) -> None:
        self._kind = kind
        self._blocks = blocks
        self._check = check
        self._keep = keep
        self._release = release

    @property
    def kind(self) -> MemoryKind:
        """What kind of memory it gives."""
        return self._kind

    def allocate(self, nbytes: int) -> Buffer:
        """Allocate; see :meth:`MemoryResource.allocate`."""
        self._check('allocating memory')
        block = self._blocks.add(self._kind, nbytes)
        address = int(block.ctypes.data)

        def release() -> None:
            self._release(buffer)
            self._blocks.remove(address)

        # The memory of a device is out of the processor's reach: code that cheats fails here too.
        host = None if self._kind == 'device' else block
        buffer = Buffer(address, nbytes, self._kind, host, release)
        self._keep(buffer)
        return buffer
