# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Buffers, the memory of the host twin, and the adaptors stacked on it."""

import itertools
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetson_infer.cuda.adaptors import (
    CountingMemory,
    FailingMemory,
    LimitedMemory,
    RefusingMemory,
)
from jetson_infer.cuda.host import HostDevice
from jetson_infer.cuda.host_memory import FRESH, STALE
from jetson_infer.cuda.memory import MEMORY_KINDS, HostMemory, aligned, bytes_text
from jetson_infer.errors import DeviceError, DeviceMemoryError, InternalError


@pytest.fixture
def device():
    with HostDevice() as device, device.current():
        yield device
        assert device.live() == {}


@pytest.mark.parametrize('kind', MEMORY_KINDS)
@given(nbytes=st.integers(1, 5000))
def test_buffers_are_aligned_and_as_large_as_asked_for(kind, nbytes):
    device = HostDevice()
    with device.current(), device.memory(kind).allocate(nbytes) as buffer:
        assert buffer.address % 256 == 0
        assert (buffer.nbytes, buffer.kind, buffer.closed) == (nbytes, kind, False)
        if kind == 'device':
            assert buffer.host is None
        else:
            assert buffer.host.shape == (nbytes,)
            assert buffer.host.dtype == np.uint8
            assert buffer.host.flags.writeable


@given(sizes=st.lists(st.tuples(st.sampled_from(MEMORY_KINDS), st.integers(1, 3000)), max_size=12))
def test_buffers_never_overlap(sizes):
    device = HostDevice()
    with device.current():
        buffers = [device.memory(kind).allocate(nbytes) for kind, nbytes in sizes]
        ranges = sorted((buffer.address, buffer.address + buffer.nbytes) for buffer in buffers)
        assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(ranges))
        for buffer in buffers:
            buffer.close()


@pytest.mark.parametrize('kind', MEMORY_KINDS)
@pytest.mark.parametrize('nbytes', [0, -5])
def test_a_size_that_no_buffer_has_is_refused(device, kind, nbytes):
    with pytest.raises(ValueError, match=f'at least 1 byte, not {nbytes}'):
        device.memory(kind).allocate(nbytes)


@pytest.mark.parametrize('kind', MEMORY_KINDS)
def test_a_buffer_is_closed_once(device, kind):
    counting = CountingMemory(device.memory(kind))
    buffer = counting.allocate(10)
    buffer.close()
    buffer.close()
    assert buffer.closed
    assert buffer.host is None
    assert counting.live == 0


@given(data=st.data(), nbytes=st.integers(1, 1000))
def test_a_part_is_a_window_on_its_buffer(data, nbytes):
    offset = data.draw(st.integers(0, nbytes - 1))
    length = data.draw(st.integers(1, nbytes - offset))
    with HostMemory().allocate(nbytes) as whole:
        whole.host[:] = np.arange(nbytes) % 251
        part = whole.part(offset, length)
        assert part.address == whole.address + offset
        np.testing.assert_array_equal(part.host, np.arange(offset, offset + length) % 251)
        part.host[:] = 255
        assert (whole.host == 255).sum() == length
        part.close()
        assert not whole.closed


@pytest.mark.parametrize(('offset', 'nbytes'), [(-1, 5), (0, 11), (10, 1), (3, 0), (9, 2)])
def test_a_part_beyond_its_buffer_is_refused(offset, nbytes):
    with HostMemory().allocate(10) as whole, pytest.raises(ValueError, match='within 10 bytes'):
        whole.part(offset, nbytes)


def test_a_part_of_a_closed_buffer_is_our_defect():
    buffer = HostMemory().allocate(10)
    buffer.close()
    with pytest.raises(InternalError, match='closed'):
        buffer.part(0, 1)


@given(nbytes=st.integers(0, 10**6), power=st.integers(0, 12))
def test_sizes_round_up_to_the_next_multiple(nbytes, power):
    result = aligned(nbytes, 2**power)
    assert result % 2**power == 0
    assert 0 <= result - nbytes < 2**power


def test_sizes_are_written_for_people():
    assert [bytes_text(n) for n in (9_999, 10_000, 6_220_800, 2 * 10**9)] == [
        '9999 bytes',
        '10.0 kB',
        '6.2 MB',
        '2.0 GB',
    ]


# --- the host twin's memory ---------------------------------------------------------------------


def test_memory_of_the_twin_is_never_zero_by_chance(device):
    with device.memory('device').allocate(100) as buffer:
        view = device.host_view(buffer)
        assert (view == FRESH).all()
    assert (view == STALE).all()


@pytest.mark.parametrize('kind', ['pinned', 'mapped'])
@pytest.mark.parametrize('views', [0, 1, 3])
def test_the_twin_tells_of_arrays_that_outlive_their_memory(device, caplog, kind, views):
    buffer = device.memory(kind).allocate(100)
    kept = [buffer.host[number:80].view(np.uint8).reshape(2, -1) for number in (0, 2, 4)[:views]]
    part = buffer.part(0, 50)
    part.close()
    buffer.close()
    told = f'100 bytes of {kind} memory are closed while {views} arrays still view them'
    said = [record.getMessage() for record in caplog.records]
    assert said == [f'{told}; drop those before'] * bool(views)
    assert all((array == STALE).all() for array in kept)


def test_what_counts_memory_views_none_of_it(device, caplog):
    with CountingMemory(LimitedMemory(device.memory('pinned'), 1000)).allocate(100) as buffer:
        buffer.host[:] = 1
    assert caplog.records == []


@pytest.mark.parametrize(('integrated', 'counted'), [(False, ['device']), (True, None)])
def test_the_twin_has_so_much_memory_and_no_more(integrated, counted):
    device = HostDevice(integrated=integrated, total_bytes=1000)
    with device.current():
        for kind in ('pinned', 'mapped', 'device'):
            limited = counted is None or kind in counted
            with device.memory(kind).allocate(900):
                assert device.free_bytes() == (100 if limited else 1000)
                if limited:
                    with pytest.raises(DeviceMemoryError, match=r'101 bytes.*100 bytes of 1000'):
                        device.memory(kind).allocate(101)
            assert device.free_bytes() == 1000


def test_a_device_that_cannot_map_says_what_to_use():
    with pytest.raises(DeviceError, match='use pinned memory'):
        HostDevice(can_map_host_memory=False).memory('mapped')


def test_kernels_reach_one_live_allocation_and_no_pinned_memory(device):
    memory = device.memory('device')
    with memory.allocate(300) as first, memory.allocate(300) as second:
        device.reach(first.address + 1, 299)[:] = 9
        assert (device.host_view(first)[1:] == 9).all()
        assert device.host_view(first)[0] == FRESH
        for address, nbytes in [
            (first.address, 301),
            (first.address - 1, 10),
            (min(first.address, second.address), abs(first.address - second.address) + 1),
            (0, 1),
        ]:
            with pytest.raises(DeviceError, match='illegal address'):
                device.reach(address, nbytes)
        gone = first.address
    with pytest.raises(DeviceError, match='illegal address'):
        device.reach(gone, 1)
    with device.memory('pinned').allocate(10) as pinned:
        with pytest.raises(DeviceError, match='illegal address'):
            device.reach(pinned.address, 1)
        assert device.host_view(pinned).size == 10


def test_a_buffer_closed_on_a_strange_thread_is_our_defect():
    device, caught = HostDevice(), []
    with device.current():
        buffer = device.memory('device').allocate(10)

    def elsewhere():
        try:
            buffer.close()
        except InternalError as error:
            caught.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(caught) == 1
    assert 'not current' in caught[0]
    assert device.live() == {'device buffer': 1}


# --- adaptors -----------------------------------------------------------------------------------


@given(
    steps=st.lists(
        st.one_of(st.integers(1, 400).map(lambda n: ('open', n)), st.just(('close', 0))),
        max_size=30,
    )
)
def test_counts_and_budgets_equal_a_plain_ledger(steps):
    counting = CountingMemory(LimitedMemory(HostMemory(), 1000))
    open_buffers, allocations, peak = [], 0, 0
    for step, nbytes in steps:
        if step == 'close':
            if open_buffers:
                open_buffers.pop(len(open_buffers) // 2).close()
            continue
        used = sum(buffer.nbytes for buffer in open_buffers)
        if used + nbytes > 1000:
            with pytest.raises(DeviceMemoryError, match=f'{nbytes} bytes.*{1000 - used} bytes'):
                counting.allocate(nbytes)
        else:
            open_buffers.append(counting.allocate(nbytes))
            allocations += 1
            peak = max(peak, used + nbytes)
    assert counting.live == len(open_buffers)
    assert counting.live_bytes == sum(buffer.nbytes for buffer in open_buffers)
    assert (counting.allocations, counting.peak_bytes) == (allocations, peak)
    for buffer in open_buffers:
        buffer.close()
    assert (counting.live, counting.live_bytes) == (0, 0)


def test_an_adapted_buffer_is_the_one_below(device):
    adapted = RefusingMemory(CountingMemory(device.memory('mapped')))
    assert adapted.kind == 'mapped'
    with adapted.allocate(10) as buffer:
        buffer.host[:] = 5
        assert (device.reach(buffer.address, 10) == 5).all()
    assert device.live() == {}


def test_what_is_sealed_refuses(device):
    sealed = RefusingMemory(device.memory('device'))
    with sealed.allocate(10):
        sealed.seal()
        with pytest.raises(InternalError, match=r'10 bytes of device memory.*after activation'):
            sealed.allocate(10)


def test_what_is_armed_fails_once_at_its_turn(device):
    failing = FailingMemory(device.memory('device'))
    failing.arm(after=2)
    buffers = [failing.allocate(1), failing.allocate(1)]
    with pytest.raises(DeviceMemoryError, match='told to fail'):
        failing.allocate(1)
    buffers.append(failing.allocate(1))
    for buffer in buffers:
        buffer.close()


def test_a_failure_below_is_not_counted_above(device):
    failing = FailingMemory(device.memory('device'))
    counting = CountingMemory(LimitedMemory(failing, 10))
    failing.arm()
    with pytest.raises(DeviceMemoryError):
        counting.allocate(10)
    assert (counting.live, counting.allocations) == (0, 0)
    counting.allocate(10).close()
