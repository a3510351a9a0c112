# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Memory that both sides use, by copies and as one."""

import contextlib

import pytest

from jetson_infer.cuda.adaptors import CountingMemory, FailingMemory
from jetson_infer.cuda.host import HostDevice
from jetson_infer.cuda.memory import HostMemory
from jetson_infer.cuda.staging import StagedBuffer, allocate_staged, choose_transfer
from jetson_infer.errors import DeviceMemoryError, InternalError, ParameterError


@pytest.mark.parametrize(
    ('integrated', 'can_map', 'override', 'kind', 'reason'),
    [
        (False, True, 'auto', 'pinned', 'memory of its own'),
        (False, False, 'auto', 'pinned', 'memory of its own'),
        (True, True, 'auto', 'mapped', 'shares the memory'),
        (True, False, 'auto', 'pinned', 'cannot map'),
        (False, True, 'mapped', 'mapped', 'asked for'),
        (True, True, 'pinned', 'pinned', 'asked for'),
    ],
)
def test_a_transfer_is_chosen_by_what_the_device_is(integrated, can_map, override, kind, reason):
    device = HostDevice(integrated=integrated, can_map_host_memory=can_map)
    transfer = choose_transfer(device, override)
    assert transfer.kind == kind
    assert reason in transfer.reason


def test_what_a_device_cannot_do_is_refused_by_name():
    device = HostDevice(can_map_host_memory=False)
    with pytest.raises(ParameterError, match="transfer: 'mapped' does not work on host twin"):
        choose_transfer(device, 'mapped')
    with pytest.raises(ParameterError, match="'managed' is none of auto, mapped and pinned"):
        choose_transfer(device, 'managed')


@pytest.fixture(params=['pinned', 'mapped'])
def staged(request):
    with HostDevice(lazy=True) as device, device.current(), contextlib.ExitStack() as stack:
        memory = device.memory('device') if request.param == 'pinned' else None
        buffer = allocate_staged(device.memory(request.param), memory, 100)
        stack.callback(buffer.close)
        stream = stack.enter_context(contextlib.closing(device.stream()))
        yield device, buffer, stream


def test_bytes_go_up_and_down(staged):
    device, buffer, stream = staged
    buffer.host[:] = 3
    buffer.upload(stream)
    stream.synchronize()
    assert (device.reach(buffer.device.address, 100) == 3).all()
    stream.fill(buffer.device, 4)
    buffer.download(stream)
    stream.synchronize()
    assert (buffer.host == 4).all()


def test_only_the_bytes_asked_for_are_copied(staged):
    device, buffer, stream = staged
    stream.fill(buffer.device, 0)
    stream.synchronize()
    buffer.host[:] = 3
    buffer.upload(stream, 10)
    stream.synchronize()
    expected = 100 if buffer.is_one else 10
    assert (device.reach(buffer.device.address, 100) == 3).sum() == expected


@pytest.mark.parametrize('nbytes', [0, -1, 101])
def test_bytes_that_are_not_there_are_refused(staged, nbytes):
    _device, buffer, stream = staged
    for transfer in (buffer.upload, buffer.download):
        with pytest.raises(ValueError, match=str(nbytes)):
            transfer(stream, nbytes)


def test_a_part_shares_the_memory_of_both_sides(staged):
    device, buffer, stream = staged
    part = buffer.part(30, 20)
    buffer.host[:] = 1
    part.host[:] = 2
    buffer.upload(stream)
    stream.synchronize()
    assert (device.reach(part.device.address, 20) == 2).all()
    assert (device.reach(buffer.device.address, 100) == 2).sum() == 20
    assert part.device.address == buffer.device.address + 30
    with pytest.raises(ValueError, match='within 100 bytes'):
        buffer.part(90, 11)
    part.close()
    buffer.upload(stream)


def test_a_closed_one_is_our_defect(staged):
    _device, buffer, stream = staged
    buffer.close()
    buffer.close()
    for use in (
        lambda: buffer.host,
        lambda: buffer.upload(stream),
        lambda: buffer.download(stream),
    ):
        with pytest.raises(InternalError, match='closed'):
            use()


def test_sides_that_do_not_fit_are_our_defect():
    with HostDevice() as device, device.current():
        memory = device.memory('device')
        with pytest.raises(InternalError, match='do not fit'):
            allocate_staged(device.memory('mapped'), memory, 10)
        with pytest.raises(InternalError, match='do not fit'):
            allocate_staged(device.memory('pinned'), None, 10)
        with HostMemory().allocate(10) as host, memory.allocate(11) as longer:
            with pytest.raises(InternalError, match='differ in size'):
                StagedBuffer(host, longer)
            with pytest.raises(InternalError, match='out of the reach'):
                StagedBuffer(longer, longer)


def test_one_side_alone_is_given_back():
    with HostDevice() as device, device.current():
        pinned = CountingMemory(device.memory('pinned'))
        failing = FailingMemory(device.memory('device'))
        failing.arm()
        with pytest.raises(DeviceMemoryError, match='told to fail'):
            allocate_staged(pinned, failing, 10)
        assert (pinned.allocations, pinned.live) == (1, 0)
