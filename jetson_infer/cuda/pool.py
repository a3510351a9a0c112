# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The buffer pool: all memory that frames need, allocated once, leased frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from jetson_infer.core.closing import Closing
from jetson_infer.cuda.device import Device
from jetson_infer.cuda.memory import ALIGNMENT, Buffer, MemoryKind, MemoryResource, aligned
from jetson_infer.cuda.staging import (
    StagedBuffer,
    Transfer,
    TransferChoice,
    allocate_staged,
    choose_transfer,
)
from jetson_infer.errors import InternalError

__all__ = ['USES', 'BufferPool', 'BufferSpec', 'Place', 'Slot', 'SlotLayout']

Use = Literal['upload', 'device', 'download']
USES: tuple[Use, ...] = ('upload', 'device', 'download')


@dataclass(frozen=True)
class BufferSpec:
    """One buffer of a slot.

    :param name: by which the slot finds it.
    :param use: ``upload``: filled by the host and read by the device; ``device``: the device's
        alone; ``download``: filled by the device and read by the host.
    :param nbytes: its size for the largest shape it will hold, at least 1.
    """

    name: str
    use: Use
    nbytes: int


@dataclass(frozen=True)
class Place:
    """Where a buffer lies: in which of the slot's blocks, from which byte, how long."""

    use: Use
    offset: int
    nbytes: int


class SlotLayout:
    """How the buffers of a slot share one block of memory for each use.

    One block a use means three or four allocations a slot, whatever the number of buffers.

    :param specs: the buffers.
    :raises ValueError: if a name comes twice, a size is less than 1, or a use is unknown.
    """

    def __init__(self, specs: Iterable[BufferSpec]) -> None:
        self.places: Mapping[str, Place] = {}
        """The place of every buffer, by its name."""
        self.block_bytes: Mapping[Use, int] = {}
        """The size of every block that is needed, by its use."""
        places: dict[str, Place] = {}
        blocks: dict[Use, int] = {}
        for spec in specs:
            if spec.name in places:
                raise ValueError(f"two buffers of a slot are called '{spec.name}'")
            if spec.use not in USES or spec.nbytes < 1:
                raise ValueError(f'no slot can have {spec!r}')
            offset = aligned(blocks.get(spec.use, 0), ALIGNMENT)
            places[spec.name] = Place(spec.use, offset, spec.nbytes)
            blocks[spec.use] = offset + spec.nbytes
        self.places, self.block_bytes = places, blocks


class _Memory:
    """The memory of one slot."""

    def __init__(
        self, layout: SlotLayout, transfer: Transfer, resources: Mapping[MemoryKind, MemoryResource]
    ) -> None:
        self.staged: dict[str, StagedBuffer] = {}
        self.device: dict[str, Buffer] = {}
        mapped = transfer.kind == 'mapped'
        with ExitStack() as stack:
            for use, nbytes in layout.block_bytes.items():
                if use == 'device':
                    block = resources['device'].allocate(nbytes)
                    stack.callback(block.close)
                    self._cut(stack, layout, use, block)
                else:
                    device = None if mapped else resources['device']
                    staged = allocate_staged(resources[transfer.kind], device, nbytes)
                    stack.callback(staged.close)
                    self._cut_staged(stack, layout, use, staged)
            self._stack = stack.pop_all()

    def _cut(self, stack: ExitStack, layout: SlotLayout, use: Use, block: Buffer) -> None:
        for name, place in layout.places.items():
            if place.use == use:
                self.device[name] = block.part(place.offset, place.nbytes)
                stack.callback(self.device[name].close)

    def _cut_staged(
        self, stack: ExitStack, layout: SlotLayout, use: Use, block: StagedBuffer
    ) -> None:
        for name, place in layout.places.items():
            if place.use == use:
                self.staged[name] = block.part(place.offset, place.nbytes)
                stack.callback(self.staged[name].close)

    def close(self) -> None:
        self._stack.close()


class Slot:
    """The buffers of one frame, leased from a pool; give it back with :meth:`release`.

    Also a context manager, which gives it back at the end of its block.
    """

    __slots__ = ('_memory', '_pool', 'index')

    def __init__(self, pool: BufferPool, index: int, memory: _Memory) -> None:
        self._pool = pool
        self._memory: _Memory | None = memory
        self.index = index
        """Which of the pool's slots it is, from 0: what is prepared once for each slot, such as a
        captured graph, is found by it."""

    def staged(self, name: str) -> StagedBuffer:
        """Return a buffer whose use is ``upload`` or ``download``.

        :raises KeyError: if there is none of that name.
        :raises InternalError: if the slot was given back, or its pool is closed.
        """
        return self._valid().staged[name]

    def device(self, name: str) -> Buffer:
        """Return the device's side of any buffer.

        :raises KeyError: if there is none of that name.
        :raises InternalError: if the slot was given back, or its pool is closed.
        """
        memory = self._valid()
        return memory.device[name] if name in memory.device else memory.staged[name].device

    def __getitem__(self, name: str) -> StagedBuffer | Buffer:
        memory = self._valid()
        return memory.device[name] if name in memory.device else memory.staged[name]

    def release(self) -> None:
        """Give the slot back; may be called twice.

        What the device still does with it has to have ended, or the next frame has to be put into
        the same stream.
        """
        memory, self._memory = self._memory, None
        if memory is not None:
            self._pool.take_back(self.index)

    def __enter__(self) -> Slot:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _valid(self) -> _Memory:
        if self._memory is None or self._pool.closed:
            raise InternalError(f'slot {self.index} was used after it was given back')
        return self._memory


class BufferPool(Closing):
    """A fixed number of equal slots, all allocated here and now; used by the device's thread alone.

    :param device: where; it is current on this thread, now and when the pool is closed.
    :param layout: what each slot holds.
    :param slots: how many frames are under way at once, at least 1.
    :param transfer: how bytes cross between the host and the device; see :func:`choose_transfer`.
    :param adapt: wraps every resource that is allocated from: counting, limiting, refusing.
    :raises DeviceMemoryError: if there is not enough memory; what was allocated is given back.
    :raises DeviceError: if the device is lost; what was allocated is given back.
    :raises ParameterError: if the device cannot transfer so.
    """

    def __init__(
        self,
        device: Device,
        layout: SlotLayout,
        slots: int,
        transfer: TransferChoice = 'auto',
        adapt: Callable[[MemoryResource], MemoryResource] = lambda resource: resource,
    ) -> None:
        if slots < 1:
            raise ValueError(f'a pool has at least 1 slot, not {slots}')
        self.layout = layout
        self.transfer = choose_transfer(device, transfer)
        """How bytes cross, and why so."""
        kinds: tuple[MemoryKind, ...] = ('device', self.transfer.kind)
        resources = {kind: adapt(device.memory(kind)) for kind in kinds}
        self._memories: list[_Memory] = []
        with ExitStack() as stack:
            for _ in range(slots):
                memory = _Memory(layout, self.transfer, resources)
                stack.callback(memory.close)
                self._memories.append(memory)
            self._stack = stack.pop_all()
        self._free = list(range(slots))[::-1]
        self.closed = False
        """Whether its memory was given back."""

    @property
    def slots(self) -> int:
        """How many slots it has."""
        return len(self._memories)

    @property
    def leased(self) -> int:
        """How many of them are out."""
        return self.slots - len(self._free)

    @property
    def device_bytes(self) -> int:
        """How many bytes it took of the device's memory."""
        uses = USES if self.transfer.kind == 'pinned' else ('device',)
        return self.slots * sum(self.layout.block_bytes.get(use, 0) for use in uses)

    @property
    def host_bytes(self) -> int:
        """How many bytes of page-locked memory it took."""
        return self.slots * sum(
            nbytes for use, nbytes in self.layout.block_bytes.items() if use != 'device'
        )

    def lease(self) -> Slot | None:
        """Take a slot, the one given back last; None while all are out.

        It does not wait: whoever holds the slots is on this thread and has to finish a frame.

        :raises InternalError: if the pool is closed.
        """
        if self.closed:
            raise InternalError('a slot was asked of a pool that is closed')
        if not self._free:
            return None
        index = self._free.pop()
        return Slot(self, index, self._memories[index])

    def take_back(self, index: int) -> None:
        """Take a slot back; for :class:`Slot` alone."""
        if not self.closed:
            self._free.append(index)

    def close(self) -> None:
        """Give all memory back, also of slots that are out; may be called twice."""
        self.closed = True
        self._stack.close()
