# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Memory that the host and the device share, by copies or by being one."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from jetson_infer.cuda.device import Device
from jetson_infer.cuda.memory import Buffer, MemoryResource
from jetson_infer.cuda.stream import Stream
from jetson_infer.errors import InternalError, ParameterError

__all__ = ['StagedBuffer', 'Transfer', 'TransferChoice', 'allocate_staged', 'choose_transfer']

TransferChoice = Literal['auto', 'mapped', 'pinned']


@dataclass(frozen=True)
class Transfer:
    """How bytes cross between the host and the device.

    :param kind: ``mapped``: they do not, both use one memory; ``pinned``: by copies in a stream.
    :param reason: why, as a clause: ``'the device shares the memory of the host'``.
    """

    kind: Literal['mapped', 'pinned']
    reason: str


def choose_transfer(device: Device, override: TransferChoice = 'auto') -> Transfer:
    """Choose by the device's own attributes.

    On an integrated device a copy would move bytes within one memory, at the price of the copy. On
    any other, every access to mapped memory crosses the bus, and a copy crosses it once.

    :param override: what to use instead of what is chosen.
    :raises ParameterError: if the device cannot do what is asked for.
    """
    if override not in ('auto', 'mapped', 'pinned'):
        raise ParameterError('transfer', f"'{override}' is none of auto, mapped and pinned")
    if override == 'mapped' and not device.can_map_host_memory:
        raise ParameterError(
            'transfer', f"'mapped' does not work on {device.name}, which cannot map host memory"
        )
    if override != 'auto':
        return Transfer(override, 'it was asked for')
    if not device.integrated:
        return Transfer('pinned', 'the device has memory of its own')
    if not device.can_map_host_memory:
        return Transfer('pinned', 'the device shares the memory of the host but cannot map it')
    return Transfer('mapped', 'the device shares the memory of the host')


class StagedBuffer:
    """Bytes that the host and the device both use, at different times.

    The host fills :attr:`host`, then :meth:`upload`; or :meth:`download`, then waits for the stream
    and reads :attr:`host`. With mapped memory both are one and nothing is copied; the same order
    holds, because the device may be reading or writing at any time between.

    :param staging: the host's side, ``pinned`` or ``mapped``.
    :param device: the device's side; `staging` itself where it is ``mapped``.
    """

    __slots__ = ('_host', '_is_one', '_staging', 'device', 'nbytes')

    def __init__(self, staging: Buffer, device: Buffer) -> None:
        if staging.host is None:
            raise InternalError(f'{staging!r} is out of the reach of the host')
        if staging.nbytes != device.nbytes:
            raise InternalError(f'{staging!r} and {device!r} differ in size')
        self._staging = staging
        self._host: npt.NDArray[np.uint8] | None = staging.host
        self._is_one = staging is device
        self.device = device
        self.nbytes = device.nbytes

    @property
    def host(self) -> npt.NDArray[np.uint8]:
        """The host's side, writable uint8 ``(nbytes,)``; views of it end with this buffer.

        :raises InternalError: once it is closed.
        """
        if self._host is None:
            raise InternalError('a staged buffer was used after it was closed')
        return self._host

    @property
    def is_one(self) -> bool:
        """Whether the host and the device use one memory, so that nothing is copied."""
        return self._is_one

    def upload(self, stream: Stream, nbytes: int | None = None) -> None:
        """Let what follows in a stream find the host's bytes on the device.

        :param nbytes: how many, from the beginning; None: all.
        :raises ValueError: if there are not so many.
        """
        count = self.nbytes if nbytes is None else nbytes
        if self._is_one:
            self._check(count)
        else:
            stream.copy(self.device, self._staging, count)

    def download(self, stream: Stream, nbytes: int | None = None) -> None:
        """Let the host find the device's bytes once the stream has come here.

        :param nbytes: how many, from the beginning; None: all.
        :raises ValueError: if there are not so many.
        """
        count = self.nbytes if nbytes is None else nbytes
        if self._is_one:
            self._check(count)
        else:
            stream.copy(self._staging, self.device, count)

    def part(self, offset: int, nbytes: int) -> StagedBuffer:
        """Return a part that borrows this buffer's memory; close it before this buffer.

        :raises ValueError: if it does not lie within.
        """
        staging = self._staging.part(offset, nbytes)
        device = staging if self._is_one else self.device.part(offset, nbytes)
        return StagedBuffer(staging, device)

    def close(self) -> None:
        """Close both sides; may be called twice."""
        self._host = None
        with ExitStack() as stack:
            stack.callback(self._staging.close)
            stack.callback(self.device.close)

    def _check(self, nbytes: int) -> None:
        if self._host is None:
            raise InternalError('a staged buffer was used after it was closed')
        if not 0 < nbytes <= self.nbytes:
            raise ValueError(f'cannot transfer {nbytes} bytes of {self.nbytes}')


def allocate_staged(
    staging: MemoryResource, device: MemoryResource | None, nbytes: int
) -> StagedBuffer:
    """Allocate a staged buffer.

    :param staging: gives ``mapped`` memory, or ``pinned`` memory together with `device`.
    :param device: gives ``device`` memory; None with mapped memory.
    :raises DeviceMemoryError: if one of them has not so many bytes; the other is given back.
    """
    if (device is None) != (staging.kind == 'mapped'):
        raise InternalError(f'{staging.kind} staging, and a device side or none: they do not fit')
    with ExitStack() as stack:
        host_side = staging.allocate(nbytes)
        stack.callback(host_side.close)
        device_side = host_side
        if device is not None:
            device_side = device.allocate(nbytes)
            stack.callback(device_side.close)
        staged = StagedBuffer(host_side, device_side)
        stack.pop_all()
    return staged
