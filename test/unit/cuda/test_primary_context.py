# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Several devices on one thread, on a stand-in for the driver that keeps CUDA's stacks."""

import contextlib
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

import fake_cuda
from jetson_infer.cuda.driver_library import DriverLibrary
from jetson_infer.cuda.host import HostDevice
from jetson_infer.cuda.primary_context import refusal
from jetson_infer.cuda.pycuda_device import PycudaDevice
from jetson_infer.errors import DeviceError, InternalError


@pytest.fixture
def driver(monkeypatch):
    driver = fake_cuda.install(monkeypatch)
    yield driver
    assert driver.retained == 0
    assert driver.stack == []
    assert driver.memory == {}
    assert driver.freed_in_vain == []


def session(make):
    """Open a device as a session does: current until the stack is closed."""
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(make())
        stack.enter_context(device.current())
        return device, stack.pop_all()


def use(device):
    with device.memory('device').allocate(64), contextlib.closing(device.stream()) as stream:
        stream.synchronize()
        assert 0 < device.free_bytes() <= device.total_bytes
    assert device.live() == {}


def pycuda_device():
    return PycudaDevice(bindings='never')


@pytest.fixture(params=['PyCUDA', 'host twin'])
def make(request):
    if request.param == 'host twin':
        return HostDevice
    request.getfixturevalue('driver')
    return pycuda_device


@pytest.mark.parametrize('order', list(itertools.permutations(range(3))))
def test_devices_of_one_thread_are_closed_in_any_order(make, order):
    sessions = [session(make) for _ in range(3)]
    for position, number in enumerate(order):
        sessions[number][1].close()
        for left in order[position + 1 :]:
            use(sessions[left][0])
    device, stack = session(make)
    use(device)
    stack.close()


def test_a_switch_of_variants_over_and_over(make):
    device, stack = session(make)
    for _ in range(20):
        new, its_stack = session(make)  # opened before the old one is closed
        stack.close()
        device, stack = new, its_stack
        use(device)
    stack.close()


def test_what_is_made_on_one_is_left_alone_by_the_closing_of_another(make):
    old, old_stack = session(make)
    new, new_stack = session(make)
    buffer = new.memory('device').allocate(64)
    old_stack.close()
    with pytest.raises(DeviceError, match='closed'), old.current():
        pass
    assert new.live() == {'device buffer': 1}
    buffer.close()
    new_stack.close()


def test_nothing_is_current_outside(driver):
    _, first_stack = session(pycuda_device)
    _, second_stack = session(pycuda_device)
    assert driver.retained == 1
    first_stack.close()
    second_stack.close()
    with (
        PycudaDevice(bindings='never') as device,
        pytest.raises(InternalError, match='not current on this thread'),
    ):
        device.stream()


def test_every_thread_has_its_own(driver):
    device, stack = session(pycuda_device)

    def elsewhere():
        own, own_stack = session(pycuda_device)
        retained = driver.retained
        use(own)
        own_stack.close()
        return retained

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(elsewhere).result() == 2
    use(device)
    stack.close()


def test_a_lost_context_is_reset_by_the_last_to_leave(driver):
    first, first_stack = session(pycuda_device)
    _, second_stack = session(pycuda_device)
    driver.broken = True
    with pytest.raises(DeviceError, match='is lost'):
        first.free_bytes()
    first_stack.close()
    assert driver.resets == 0  # the second still holds what lies in it
    second_stack.close()
    assert driver.retained == 0
    device, stack = session(pycuda_device)
    use(device)
    stack.close()


def test_a_gpu_that_a_new_process_alone_gets_back_says_so_at_every_opening(driver):
    device, stack = session(pycuda_device)
    driver.broken = driver.for_good = True
    with pytest.raises(DeviceError, match='is lost'):
        device.free_bytes()
    stack.close()
    assert driver.resets == 1  # it was tried
    for _ in range(3):
        with pytest.raises(DeviceError, match='GPU 0 was lost by a fault in this process') as told:
            pycuda_device()
        assert 'end this process and start it again' in str(told.value)
        assert 'CUDA_ERROR_ILLEGAL_ADDRESS' in str(told.value)
    assert driver.resets == 1


def test_a_gpu_that_was_never_lost_is_not_called_so(driver):
    driver.broken = driver.for_good = True
    with pytest.raises(DeviceError, match='GPU 0 cannot be used: cuDevicePrimaryCtxRetain failed'):
        pycuda_device()


def test_what_else_fails_after_a_loss_asks_for_no_new_process(driver):
    device, stack = session(pycuda_device)
    driver.broken = True
    with pytest.raises(DeviceError, match='is lost'):
        device.free_bytes()
    stack.close()
    error = refusal(DriverLibrary(), 0, 'cuDevicePrimaryCtxRetain failed: out of memory')
    assert str(error) == 'GPU 0 cannot be used: cuDevicePrimaryCtxRetain failed: out of memory'


def test_after_a_reset_nothing_older_is_released(driver):
    """Two nodes of a process, each with a worker: the first to leave a broken GPU resets it."""
    with ThreadPoolExecutor(1) as worker:
        other, other_stack = worker.submit(session, pycuda_device).result()
        stale = worker.submit(other.memory('device').allocate, 64).result()
        device, stack = session(pycuda_device)
        driver.broken = True
        with pytest.raises(DeviceError, match='illegal memory access'):
            device.free_bytes()
        stack.close()
        assert driver.resets == 1
        device, stack = session(pycuda_device)
        new = device.memory('device').allocate(64)
        assert new.address == stale.address  # which the driver gave out again
        for use_it in (other.stream, lambda: other.memory('device').allocate(1)):
            with pytest.raises(DeviceError, match='reset after it had failed for another user'):
                worker.submit(use_it).result()
        worker.submit(stale.close).result()
        worker.submit(other_stack.close).result()
    assert list(driver.memory) == [new.address]
    new.close()
    use(device)
    stack.close()
    assert driver.resets == 1
