# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Memory that a device can use: what a buffer is, and the one interface that gives it.

A :class:`Buffer` says where it may be touched: ``host`` is an array where the processor can reach
the memory and None where it cannot.  Whoever asked a :class:`MemoryResource` for a buffer closes
it.  Resources are stacked: an adaptor (``adaptors.py``) passes on what another resource gives,
and counts, limits or refuses on the way.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from jetson_infer.core.closing import Closing
from jetson_infer.errors import DeviceMemoryError, InternalError

__all__ = [
    'ALIGNMENT',
    'MEMORY_KINDS',
    'Buffer',
    'HostMemory',
    'MemoryKind',
    'MemoryResource',
    'aligned',
    'bytes_text',
    'shortage',
    'warn_of_views',
]

_LOGGER = logging.getLogger(__name__)

MemoryKind = Literal['host', 'pinned', 'mapped', 'device']
"""Where memory lies: ``host`` is plain memory of the process; ``pinned`` is page-locked, so that
copies run beside the processor; ``mapped`` is page-locked and read and written by the device
itself, without copies; ``device`` is the device's own, out of the processor's reach."""

MEMORY_KINDS: tuple[MemoryKind, ...] = ('host', 'pinned', 'mapped', 'device')

ALIGNMENT = 256
"""Bytes to which every buffer is aligned: what CUDA's own allocations are aligned to at least, and
TensorRT asks for."""


class Buffer(Closing):
    """A block of memory; made by a :class:`MemoryResource`, closed once by whoever asked for it.

    Close it on a thread where its device is current, before the device is closed.

    :param address: where the device finds it: a device address for ``device`` and ``mapped``, the
        host's address for ``host`` and ``pinned``; 0 once the buffer is closed.
    :param nbytes: its size in bytes, at least 1.
    :param kind: where it lies.
    :param host: the memory as a writable uint8 array ``(nbytes,)``; None where the processor cannot
        reach it, and once the buffer is closed. Views of it end with the buffer.
    :param release: gives the memory back; None for a part of another buffer, which owns it.
    """

    __slots__ = ('_release', 'address', 'host', 'kind', 'nbytes')

    def __init__(
        self,
        address: int,
        nbytes: int,
        kind: MemoryKind,
        host: npt.NDArray[np.uint8] | None,
        release: Callable[[], None] | None,
    ) -> None:
        self.address = address
        self.nbytes = nbytes
        self.kind = kind
        self.host = host
        self._release = release

    @property
    def closed(self) -> bool:
        """Whether the memory was given back."""
        return self.address == 0

    def part(self, offset: int, nbytes: int) -> Buffer:
        """Return a part that borrows this buffer's memory; it ends when this buffer is closed.

        :param offset: where it begins, in bytes.
        :param nbytes: its size.
        :raises ValueError: if it does not lie within this buffer.
        """
        if self.closed:
            raise InternalError(f'a part was asked of a {self.kind} buffer that is closed')
        if offset < 0 or nbytes < 1 or offset + nbytes > self.nbytes:
            raise ValueError(
                f'bytes {offset} to {offset + nbytes} do not lie within {self.nbytes} bytes'
            )
        host = None if self.host is None else self.host[offset : offset + nbytes]
        return Buffer(self.address + offset, nbytes, self.kind, host, None)

    def close(self) -> None:
        """Give the memory back; may be called twice."""
        release, self._release = self._release, None
        self.address = 0
        self.host = None
        if release is not None:
            release()

    def __repr__(self) -> str:
        where = 'closed' if self.closed else f'at {self.address:#x}'
        return f'<{self.kind} buffer of {self.nbytes} bytes, {where}>'


class MemoryResource(ABC):
    """Gives buffers of one kind."""

    @property
    @abstractmethod
    def kind(self) -> MemoryKind:
        """What kind of memory it gives."""

    @abstractmethod
    def allocate(self, nbytes: int) -> Buffer:
        """Allocate memory with undefined contents, aligned to :data:`ALIGNMENT` bytes.

        :param nbytes: how many bytes, at least 1.
        :raises DeviceMemoryError: if there are not so many; it names what was asked for and what
            is left.
        :raises DeviceError: if the device is lost.
        :raises ValueError: if `nbytes` is less than 1.
        """


class HostMemory(MemoryResource):
    """Plain memory of the process, from NumPy."""

    @property
    def kind(self) -> MemoryKind:
        """``host``."""
        return 'host'

    def allocate(self, nbytes: int) -> Buffer:
        """Allocate; see :meth:`MemoryResource.allocate`."""
        host = aligned_array(nbytes)
        return Buffer(host.ctypes.data, nbytes, 'host', host, lambda: None)


def aligned_array(nbytes: int) -> npt.NDArray[np.uint8]:
    """Return a uint8 array ``(nbytes,)`` that begins at a multiple of :data:`ALIGNMENT`."""
    check_size(nbytes)
    try:
        block = np.empty(nbytes + ALIGNMENT, np.uint8)
    except MemoryError as error:
        raise DeviceMemoryError(
            f'the host has no {bytes_text(nbytes)} left; use a smaller model or input, or end '
            'other programs'
        ) from error
    start = -block.ctypes.data % ALIGNMENT
    return block[start : start + nbytes]


def check_size(nbytes: int) -> None:
    """Refuse a size that no buffer can have.

    :raises ValueError: if `nbytes` is less than 1.
    """
    if nbytes < 1:
        raise ValueError(f'a buffer has at least 1 byte, not {nbytes}')


def aligned(nbytes: int, alignment: int = ALIGNMENT) -> int:
    """Round a size up to the next multiple of an alignment."""
    return -(-nbytes // alignment) * alignment


def check_room(buffer: Buffer, needed: int) -> None:
    """Check that a buffer is large enough for what it is to take.

    :raises ValueError: if it has fewer bytes.
    """
    if buffer.nbytes < needed:
        raise ValueError(f'{buffer!r} must have {needed} bytes')


def bytes_text(nbytes: int) -> str:
    """Write a size for a person: ``'6.2 MB'``, with its bytes where that says more."""
    if nbytes < 10_000:
        return f'{nbytes} bytes'
    for unit, factor in (('GB', 10**9), ('MB', 10**6)):
        if nbytes >= factor:
            return f'{nbytes / factor:.1f} {unit}'
    return f'{nbytes / 1000:.1f} kB'


def shortage(kind: MemoryKind, asked: int, free: int, total: int) -> DeviceMemoryError:
    """Describe memory that was not given.

    :param asked: the bytes asked for.
    :param free: the bytes that are left.
    :param total: the bytes there are in all.
    """
    return DeviceMemoryError(
        f'no {bytes_text(asked)} of {kind} memory: {bytes_text(free)} of {bytes_text(total)} are '
        'free; use a variant with a smaller input or precision, fewer models on this device, or '
        'end other programs that use it'
    )


def warn_of_views(nbytes: int, kind: MemoryKind, views: int) -> None:
    """Log that memory is closed under arrays of someone who may go on using them."""
    _LOGGER.warning(
        '%d bytes of %s memory are closed while %d arrays still view them; drop those before',
        nbytes,
        kind,
        views,
    )
