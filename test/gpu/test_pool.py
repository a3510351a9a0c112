# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The buffer pool on the GPU: frames through leased slots, nothing allocated, nothing left."""

import contextlib

import numpy as np
import pytest

from jetson_infer.cuda.adaptors import CountingMemory, LimitedMemory, RefusingMemory
from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.pool import BufferPool, BufferSpec, SlotLayout
from jetson_infer.errors import DeviceMemoryError, InternalError
from ptx_kernels import PTX

NUMBERS = 5_001
LAYOUT = SlotLayout(
    [
        BufferSpec('image', 'upload', 4 * NUMBERS),
        BufferSpec('settings', 'upload', 7),
        BufferSpec('network input', 'device', 4 * NUMBERS),
        BufferSpec('results', 'download', 4 * NUMBERS),
    ]
)


@pytest.fixture
def frame(any_device):
    """A frame's way: upload, copy, a kernel, copy, download; call it with a slot and a stream."""
    with contextlib.closing(any_device.load_module(PTX)) as kernels:
        add_one = kernels.function('add_one')
        arguments = KernelArguments([('data', 'u8'), ('count', 'u4')])
        arguments['count'] = NUMBERS

        def enqueue(slot, stream):
            slot.staged('image').upload(stream)
            stream.copy(slot.device('network input'), slot.device('image'), 4 * NUMBERS)
            arguments['data'] = slot.device('network input').address
            stream.launch(add_one, (-(-NUMBERS // 256), 1, 1), (256, 1, 1), arguments)
            stream.copy(slot.device('results'), slot.device('network input'), 4 * NUMBERS)
            slot.staged('results').download(stream)

        yield enqueue


def transfers(device):
    return ['auto', 'pinned', *(['mapped'] if device.can_map_host_memory else [])]


def numbers(slot, name):
    return slot.staged(name).host.view(np.uint32)


def test_a_transfer_is_chosen_by_the_device(any_device):
    with BufferPool(any_device, LAYOUT, 1) as pool:
        mapped = any_device.integrated and any_device.can_map_host_memory
        assert pool.transfer.kind == ('mapped' if mapped else 'pinned')
        assert pool.transfer.reason


def test_frames_in_two_slots_and_two_streams_keep_apart(any_device, frame):
    for transfer in transfers(any_device):
        with contextlib.ExitStack() as stack:
            pool = stack.enter_context(BufferPool(any_device, LAYOUT, 2, transfer))
            streams = [
                stack.enter_context(contextlib.closing(any_device.stream())) for _ in range(2)
            ]
            under_way = []
            for index in range(20):
                slot = pool.lease()
                numbers(slot, 'image')[:] = np.arange(NUMBERS) + 1000 * index
                frame(slot, streams[slot.index])
                under_way.append((index, slot))
                if len(under_way) == 2:
                    assert pool.lease() is None
                    oldest, done = under_way.pop(0)
                    streams[done.index].synchronize()
                    expected = np.arange(NUMBERS) + 1000 * oldest + 1
                    np.testing.assert_array_equal(numbers(done, 'results'), expected)
                    done.release()
            streams[under_way[0][1].index].synchronize()


def test_a_graph_for_each_slot_replays_its_frame(device):
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(contextlib.closing(device.stream()))
        if not stream.can_capture:
            pytest.skip('cuda.bindings is not installed here: no graphs')
        kernels = stack.enter_context(contextlib.closing(device.load_module(PTX)))
        add_one = kernels.function('add_one')
        pool = stack.enter_context(BufferPool(device, LAYOUT, 2))
        slots = [stack.enter_context(pool.lease()) for _ in range(pool.slots)]
        graphs = []
        for slot in slots:
            arguments = KernelArguments.of(
                np.uint64(slot.device('results').address), np.uint32(NUMBERS)
            )

            def enqueue(slot=slot, arguments=arguments):
                slot.staged('image').upload(stream)
                stream.copy(slot.device('results'), slot.device('image'), 4 * NUMBERS)
                stream.launch(add_one, (-(-NUMBERS // 256), 1, 1), (256, 1, 1), arguments)
                slot.staged('results').download(stream)

            enqueue()
            stream.synchronize()
            with stream.capture() as capture:
                enqueue()
            graphs.append(stack.enter_context(contextlib.closing(capture.graph)))
        for index in range(10):
            slot = slots[index % 2]
            numbers(slot, 'image')[:] = index
            stream.replay(graphs[index % 2])
            stream.synchronize()
            assert (numbers(slot, 'results') == index + 1).all()


def test_nothing_is_allocated_for_a_thousand_frames(any_device, frame):
    counters, seals = [], []

    def adapt(resource):
        counters.append(CountingMemory(resource))
        seals.append(RefusingMemory(counters[-1]))
        return seals[-1]

    with (
        contextlib.closing(any_device.stream()) as stream,
        BufferPool(any_device, LAYOUT, 2, adapt=adapt) as pool,
    ):
        with pool.lease() as slot:
            frame(slot, stream)
            stream.synchronize()
        allocated = [counter.allocations for counter in counters]
        live, free = any_device.live(), any_device.free_bytes()
        for seal in seals:
            seal.seal()
        for index in range(1000):
            with pool.lease() as slot:
                numbers(slot, 'image')[:1] = index
                frame(slot, stream)
                stream.synchronize()
                assert numbers(slot, 'results')[0] == index + 1
        assert [counter.allocations for counter in counters] == allocated
        assert any_device.live() == live
        if not any_device.integrated:
            assert any_device.free_bytes() == free
        with pytest.raises(InternalError, match='after activation'):
            seals[0].allocate(1)
    assert all(counter.live == 0 for counter in counters)


def test_two_hundred_rounds_leave_nothing(any_device):
    def configure_and_clean_up():
        with contextlib.ExitStack() as stack:
            pool = stack.enter_context(BufferPool(any_device, LAYOUT, 2))
            stream = stack.enter_context(contextlib.closing(any_device.stream()))
            kernels = stack.enter_context(contextlib.closing(any_device.load_module(PTX)))
            event = stack.enter_context(contextlib.closing(any_device.event()))
            slot = stack.enter_context(pool.lease())
            slot.staged('image').upload(stream)
            stream.fill(slot.device('network input'), 0)
            arguments = KernelArguments.of(
                np.uint64(slot.device('network input').address), np.uint32(NUMBERS)
            )
            stream.launch(kernels.function('add_one'), (20, 1, 1), (256, 1, 1), arguments)
            if stream.can_capture:
                with stream.capture() as capture:
                    stream.fill(slot.device('network input'), 0)
                stack.enter_context(contextlib.closing(capture.graph))
                stream.replay(capture.graph)
            stream.record(event)
            stream.synchronize()

    for _ in range(3):  # modules are loaded, and the driver's own pools filled, when first used
        configure_and_clean_up()
    free = [any_device.free_bytes()]
    for _ in range(200):
        configure_and_clean_up()
        free.append(any_device.free_bytes())
    assert any_device.live() == {}
    if not any_device.integrated:
        changes = {number: after for number, after in enumerate(free) if after != free[0]}
        assert free[-1] == free[0], f'free bytes by round, from {free[0]}: {changes}'


def test_a_pool_too_large_leaves_nothing(any_device):
    huge = SlotLayout([BufferSpec('all of it', 'device', any_device.total_bytes // 3)])
    free = []
    for _ in range(3):
        with pytest.raises(DeviceMemoryError, match='budget'):
            BufferPool(any_device, LAYOUT, 50, adapt=lambda below: LimitedMemory(below, 1_000_000))
        with pytest.raises(DeviceMemoryError, match='are free'):
            BufferPool(any_device, huge, 4)
        free.append(any_device.free_bytes())
    assert any_device.live() == {}
    if not any_device.integrated:
        assert free[-1] == free[1], f'free bytes after each round: {free}'
