# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The buffer pool: layouts, leases, budgets, and faults at every allocation."""

import contextlib
import itertools

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
from jetson_infer.cuda.pool import USES, BufferPool, BufferSpec, SlotLayout
from jetson_infer.errors import (
    DeviceError,
    DeviceMemoryError,
    InternalError,
    ParameterError,
)

SPECS = st.lists(
    st.builds(
        BufferSpec,
        name=st.text('abcdefgh', min_size=1, max_size=3),
        use=st.sampled_from(USES),
        nbytes=st.integers(1, 2000),
    ),
    max_size=10,
    unique_by=lambda spec: spec.name,
)
DETECTOR = SlotLayout(
    [
        BufferSpec('image', 'upload', 921_600),
        BufferSpec('settings', 'upload', 32),
        BufferSpec('network input', 'device', 4_915_200),
        BufferSpec('network output', 'device', 2_822_400),
        BufferSpec('candidates', 'download', 32_032),
    ]
)


@given(specs=SPECS)
def test_places_are_aligned_within_their_block_and_never_overlap(specs):
    layout = SlotLayout(specs)
    assert set(layout.places) == {spec.name for spec in specs}
    for use in USES:
        ranges = sorted(
            (place.offset, place.offset + place.nbytes)
            for place in layout.places.values()
            if place.use == use
        )
        assert all(begin % 256 == 0 for begin, _ in ranges)
        assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(ranges))
        assert layout.block_bytes.get(use, 0) == (ranges[-1][1] if ranges else 0)
        # No more than the padding is lost.
        assert (
            layout.block_bytes.get(use, 0) < sum(e - b for b, e in ranges) + 256 * len(ranges) + 1
        )


@given(
    specs=SPECS,
    slots=st.integers(1, 4),
    integrated=st.booleans(),
    transfer=st.sampled_from(['auto', 'mapped', 'pinned']),
)
def test_buffers_of_all_slots_are_aligned_apart_and_hold_what_is_written(
    specs, slots, integrated, transfer
):
    device, counters = HostDevice(integrated=integrated), {}

    def adapt(resource):
        counters[resource.kind] = CountingMemory(resource)
        return counters[resource.kind]

    with device, device.current():
        with BufferPool(device, SlotLayout(specs), slots, transfer, adapt) as pool:
            leased = [pool.lease() for _ in range(slots)]
            for number, (slot, spec) in enumerate(itertools.product(leased, specs)):
                assert slot.device(spec.name).address % 256 == 0
                assert slot.device(spec.name).nbytes == spec.nbytes
                device.reach(slot.device(spec.name).address, spec.nbytes)[:] = number % 251
                if spec.use != 'device' and pool.transfer.kind == 'pinned':
                    slot.staged(spec.name).host[:] = (number + 1) % 251
            for number, (slot, spec) in enumerate(itertools.product(leased, specs)):
                assert (
                    device.reach(slot.device(spec.name).address, spec.nbytes) == number % 251
                ).all()
                if spec.use != 'device' and pool.transfer.kind == 'pinned':
                    assert (slot.staged(spec.name).host == (number + 1) % 251).all()
            assert pool.device_bytes == counters['device'].live_bytes
            assert pool.host_bytes == counters[pool.transfer.kind].live_bytes
        assert all(counter.live == 0 for counter in counters.values())
        assert device.live() == {}


@pytest.mark.parametrize(
    'specs',
    [
        [BufferSpec('a', 'upload', 1), BufferSpec('a', 'device', 1)],
        [BufferSpec('a', 'upload', 0)],
        [BufferSpec('a', 'device', -3)],
        [BufferSpec('a', 'sideways', 3)],
    ],
)
def test_a_layout_that_cannot_be_is_refused(specs):
    with pytest.raises(ValueError, match='a'):
        SlotLayout(specs)


@pytest.fixture(params=['discrete', 'integrated'])
def device(request):
    with HostDevice(integrated=request.param == 'integrated') as device, device.current():
        yield device
        assert device.live() == {}


def test_the_transfer_is_the_devices_own_unless_asked_otherwise(device):
    with BufferPool(device, DETECTOR, 1) as pool:
        assert pool.transfer.kind == ('mapped' if device.integrated else 'pinned')
        assert pool.slots == 1
    with pytest.raises(ParameterError, match='transfer'):
        BufferPool(device, DETECTOR, 1, 'by pigeon')
    with pytest.raises(ValueError, match='at least 1 slot, not 0'):
        BufferPool(device, DETECTOR, 0)


def test_a_frame_goes_through_a_slot(device):
    with (
        contextlib.closing(device.stream()) as stream,
        BufferPool(device, DETECTOR, 2) as pool,
        pool.lease() as slot,
    ):
        slot.staged('image').host[:] = np.arange(921_600) % 255
        slot.staged('image').upload(stream)
        stream.copy(slot.device('network input'), slot.device('image'), 921_600)
        stream.copy(slot.device('candidates'), slot.device('network input'), 32_032)
        slot.staged('candidates').download(stream)
        stream.synchronize()
        expected = np.arange(32_032) % 255
        np.testing.assert_array_equal(slot.staged('candidates').host, expected)
        assert slot['image'] is slot.staged('image')
        assert slot['network input'] is slot.device('network input')
        with pytest.raises(KeyError):
            slot.staged('network input')
        with pytest.raises(KeyError):
            slot.device('no such buffer')


@given(steps=st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=30))
def test_no_slot_is_ever_leased_twice(steps):
    """None leases, a number gives one of those that are out back."""
    layout = SlotLayout([BufferSpec('a', 'device', 1)])
    with HostDevice() as device, device.current(), BufferPool(device, layout, 3) as pool:
        out = []
        for step in steps:
            if step is None:
                slot = pool.lease()
                assert (slot is None) == (len(out) == 3)
                out += [slot] if slot else []
            elif out:
                slot = out.pop(step % len(out))
                slot.release()
                slot.release()  # does not give back what someone else has by now
            assert len({slot.index for slot in out}) == len(out) == pool.leased
            assert len({slot.device('a').address for slot in out}) == len(out)


def test_a_slot_given_back_is_not_used_again(device):
    with BufferPool(device, DETECTOR, 1) as pool:
        slot = pool.lease()
        assert pool.lease() is None
        slot.release()
        with pytest.raises(InternalError, match='given back'):
            slot.device('image')
        again = pool.lease()
        slot.release()
        assert pool.lease() is None
    for use in (lambda: again.staged('image'), lambda: again['image'], pool.lease):
        with pytest.raises(InternalError, match=r'given back|closed'):
            use()
    again.release()
    pool.close()


def test_a_slot_is_given_back_when_its_frame_fails(device):
    with BufferPool(device, DETECTOR, 1) as pool:
        with pytest.raises(KeyError), pool.lease():
            raise KeyError
        assert pool.leased == 0


def test_a_fault_at_any_allocation_gives_everything_back(device):
    counters = []

    def counted(resource):
        counters.append(CountingMemory(resource))
        return counters[-1]

    BufferPool(device, DETECTOR, 2, adapt=counted).close()
    allocations = {counter.kind: counter.allocations for counter in counters}
    assert sum(allocations.values()) == (6 if device.integrated else 10)
    for kind, number in allocations.items():
        for after in range(number):

            def failing(resource, kind=kind, after=after):
                failing = FailingMemory(resource)
                if resource.kind == kind:
                    failing.arm(after)
                return failing

            with pytest.raises(DeviceMemoryError, match=f'of {kind} memory: it was told to fail'):
                BufferPool(device, DETECTOR, 2, adapt=failing)
            assert device.live() == {}


@pytest.mark.parametrize(('integrated', 'operations'), [(False, 10), (True, 6)])
def test_a_device_lost_at_any_operation_gives_everything_back(integrated, operations):
    for number in range(operations + 1):
        device = HostDevice(integrated=integrated)
        with device, device.current():
            device.fail_after(number)
            if number < operations:
                with pytest.raises(DeviceError, match='injected'):
                    BufferPool(device, DETECTOR, 2)
            else:
                BufferPool(device, DETECTOR, 2).close()
            assert device.live() == {}


def test_a_budget_is_kept_or_refused(device):
    total = 2 * sum(DETECTOR.block_bytes.values())
    with pytest.raises(DeviceMemoryError, match='budget'):
        BufferPool(device, DETECTOR, 2, adapt=lambda below: LimitedMemory(below, 1_000_000))
    assert device.live() == {}
    BufferPool(device, DETECTOR, 2, adapt=lambda below: LimitedMemory(below, total)).close()


def test_nothing_is_allocated_for_a_thousand_frames_of_changing_size(device):
    seals, counters = [], []

    def adapt(resource):
        counters.append(CountingMemory(resource))
        seals.append(RefusingMemory(counters[-1]))
        return seals[-1]

    random = np.random.default_rng(11)
    with (
        contextlib.closing(device.stream()) as stream,
        BufferPool(device, DETECTOR, 2, adapt=adapt) as pool,
    ):
        for seal in seals:
            seal.seal()
        allocated, live = [counter.allocations for counter in counters], device.live()
        for _ in range(1000):
            nbytes = int(random.integers(1, 30_000))
            with pool.lease() as slot:
                slot.staged('image').host[:nbytes] = nbytes % 251
                slot.staged('image').upload(stream, nbytes)
                stream.copy(slot.device('candidates'), slot.device('image'), nbytes)
                slot.staged('candidates').download(stream, nbytes)
                stream.synchronize()
                assert (slot.staged('candidates').host[:nbytes] == nbytes % 251).all()
        assert [counter.allocations for counter in counters] == allocated
        assert device.live() == live
        with pytest.raises(InternalError, match='after activation'):
            seals[0].allocate(1)


def test_two_hundred_rounds_leave_what_the_first_left(device):
    def round_of_a_node():
        with BufferPool(device, DETECTOR, 2) as pool, pool.lease() as slot:
            slot.staged('image').host[:] = 1

    round_of_a_node()
    free = device.free_bytes()
    for _ in range(199):
        round_of_a_node()
    assert device.free_bytes() == free
    assert device.live() == {}
