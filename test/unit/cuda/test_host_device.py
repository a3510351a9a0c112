# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The host twin as a device: threads, faults, and what is left open."""

import contextlib
import logging
import threading

import numpy as np
import pytest

from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.host import HostDevice
from jetson_infer.errors import DeviceError, InternalError


def use_everything(device):
    """Do every operation of a device once; return how many operations that were."""
    before = device.operations
    with contextlib.ExitStack() as stack:
        pinned = stack.enter_context(device.memory('pinned').allocate(64))
        on_device = stack.enter_context(device.memory('device').allocate(64))
        stream = stack.enter_context(contextlib.closing(device.stream(priority=-1)))
        event = stack.enter_context(contextlib.closing(device.event()))
        module = stack.enter_context(
            contextlib.closing(device.load_twins({'nothing': lambda reach, address: None}))
        )
        arguments = KernelArguments.of(np.uint64(on_device.address))
        pinned.host[:] = 1
        stream.copy(on_device, pinned, 64)
        with stream.capture() as capture:
            stream.fill(on_device, 2)
        stack.enter_context(contextlib.closing(capture.graph))
        stream.launch(module.function('nothing'), (1, 1, 1), (1, 1, 1), arguments)
        stream.replay(capture.graph)
        stream.record(event)
        stream.wait(event)
        event.synchronize()
        stream.copy(pinned, on_device, 64)
        stream.synchronize()
        assert event.done
        assert device.free_bytes() > 0
        assert (pinned.host == 2).all()
    return device.operations - before


@pytest.mark.parametrize('lazy', [False, True])
def test_a_fault_at_any_operation_is_told_and_leaves_nothing(lazy):
    with HostDevice(lazy=lazy) as device, device.current():
        operations = use_everything(device)
    assert operations >= 16
    for number in range(operations):
        device = HostDevice(lazy=lazy)
        with device, device.current():
            device.fail_after(number)
            with pytest.raises(DeviceError, match=f'injected fault at operation {number + 1},'):
                use_everything(device)
            assert device.live() == {}
            assert device.lost
            with pytest.raises(DeviceError, match='injected'):  # for good
                device.stream()


def test_a_fault_after_the_last_operation_does_not_happen():
    with HostDevice() as device, device.current():
        device.fail_after(use_everything(device))
        use_everything(device)
        with pytest.raises(DeviceError, match='injected'):
            device.event()


def test_every_thread_makes_the_device_current_for_itself():
    device, told = HostDevice(), []
    with device.current():
        device.memory('device').allocate(1).close()

        def elsewhere():
            try:
                device.memory('device').allocate(1)
            except InternalError as error:
                told.append(str(error))
            with device.current():
                device.memory('device').allocate(1).close()
                told.append('current')

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert told == ['allocating memory: the host twin is not current on this thread', 'current']
    with pytest.raises(InternalError, match='not current'):
        device.stream()
    device.close()


def test_current_may_be_nested():
    with HostDevice() as device, device.current():
        with device.current():
            device.event().close()
        device.event().close()


def test_a_device_is_not_closed_while_it_is_current():
    device = HostDevice()
    with device.current(), pytest.raises(InternalError, match='while it is current'):
        device.close()
    device.close()
    device.close()
    with pytest.raises(DeviceError, match='closed'), device.current():
        pass


def test_what_is_left_open_is_named_and_closed(caplog):
    with HostDevice(total_bytes=1000) as device:
        with device.current():
            buffers = [device.memory('device').allocate(100) for _ in range(2)]
            device.stream()
            assert device.live() == {'device buffer': 2, 'stream': 1}
        with caplog.at_level(logging.WARNING):
            device.close()
    assert 'host twin was closed with 2 x device buffer, 1 x stream still open' in caplog.text
    assert all(buffer.closed for buffer in buffers)
    assert device.live() == {}


def test_a_device_that_was_left_clean_says_nothing(caplog):
    with caplog.at_level(logging.DEBUG), HostDevice() as device, device.current():
        use_everything(device)
    assert caplog.text == ''


def test_two_hundred_rounds_leave_nothing():
    with HostDevice() as device, device.current():
        free = device.free_bytes()
        for _ in range(200):
            use_everything(device)
        assert device.free_bytes() == free
        assert device.live() == {}


@pytest.mark.parametrize(('asked', 'given'), [(0, 0), (5, 0), (-1, -1), (-100, -2)])
def test_priorities_are_clamped(asked, given):
    with HostDevice() as device, device.current(), contextlib.closing(device.stream(asked)) as it:
        assert it.priority == given
