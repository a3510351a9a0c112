# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The GPU itself, through PyCUDA alone and with cuda.bindings: memory, streams, kernels, graphs."""

import contextlib
import json
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.probe import available_devices
from jetson_infer.cuda.pycuda_device import PycudaDevice
from jetson_infer.errors import (
    DeviceMemoryError,
    InternalError,
    KernelError,
    SessionError,
)
from lost_gpu import GONE
from ptx_kernels import PTX

LOST_DEVICE = Path(__file__).with_name('lost_device.py')
ONE = (1, 1, 1)
TENTH_OF_A_SECOND = 200_000_000
"""Cycles of the device's clock, at 2 GHz."""


@pytest.fixture
def open_all():
    """An ExitStack for what a test opens; everything in it is closed before the device is."""
    with contextlib.ExitStack() as stack:
        yield lambda resource: stack.enter_context(contextlib.closing(resource))


@pytest.fixture
def kernels(any_device):
    module = any_device.load_module(PTX)
    yield module
    module.close()


@pytest.fixture
def stream(any_device):
    stream = any_device.stream()
    yield stream
    stream.close()


@pytest.fixture
def pair(any_device):
    """1000 numbers in pinned memory and as much device memory."""
    pinned = any_device.memory('pinned').allocate(4000)
    on_device = any_device.memory('device').allocate(4000)
    pinned.host[:] = np.arange(1000, dtype=np.uint32).view(np.uint8)
    yield pinned, on_device
    pinned.close()
    on_device.close()


def add_one(stream, kernels, buffer, count):
    arguments = KernelArguments([('data', 'u8'), ('count', 'u4')])
    arguments['data'], arguments['count'] = buffer.address, count
    stream.launch(kernels.function('add_one'), (-(-count // 128), 1, 1), (128, 1, 1), arguments)
    arguments['data'], arguments['count'] = 0, 0  # were taken when it was launched


def spin(stream, kernels, cycles=TENTH_OF_A_SECOND):
    stream.launch(kernels.function('spin'), ONE, ONE, KernelArguments.of(np.uint64(cycles)))


def test_it_tells_what_the_driver_tells(any_device):
    found = available_devices()[0]
    assert any_device.name == found.name
    assert any_device.compute_capability == found.compute_capability
    assert any_device.total_bytes == found.total_bytes
    assert any_device.identity == found.identity
    assert any_device.driver_version == found.driver
    assert any_device.integrated == found.integrated
    assert any_device.can_map_host_memory == found.can_map_host_memory
    assert 0 < any_device.free_bytes() <= any_device.total_bytes
    assert not any_device.runs_twins


@pytest.mark.parametrize('kind', ['pinned', 'host'])
def test_bytes_survive_the_way_there_and_back(any_device, stream, open_all, kind):
    data = np.random.default_rng(7).integers(0, 256, 10_007, np.uint8)
    there = open_all(any_device.memory(kind).allocate(data.size))
    back = open_all(any_device.memory(kind).allocate(data.size))
    first = open_all(any_device.memory('device').allocate(data.size))
    second = open_all(any_device.memory('device').allocate(data.size))
    there.host[:], back.host[:] = data, 0
    stream.copy(first, there, data.size)
    stream.copy(second, first, 5000, target_offset=3, source_offset=1003)
    stream.copy(back, second, 4999, target_offset=11, source_offset=4)
    stream.synchronize()
    np.testing.assert_array_equal(back.host[11 : 11 + 4999], data[1004 : 1004 + 4999])
    assert not back.host[:11].any()
    assert not back.host[11 + 4999 :].any()


@pytest.mark.parametrize('kind', ['device', 'pinned', 'mapped'])
def test_memory_is_aligned_and_out_of_reach_where_it_says_so(any_device, kind):
    with any_device.memory(kind).allocate(1) as buffer:
        assert buffer.address % 256 == 0
        assert (buffer.host is None) == (kind == 'device')


def test_mapped_memory_is_the_same_on_both_sides(any_device, stream, kernels, open_all):
    mapped = open_all(any_device.memory('mapped').allocate(400))
    numbers = np.random.default_rng(3).integers(0, 2**31, 100, np.uint32)
    mapped.host[:] = numbers.view(np.uint8)
    add_one(stream, kernels, mapped, 100)
    stream.synchronize()
    np.testing.assert_array_equal(mapped.host.view(np.uint32), numbers + 1)


def test_fill_sets_bytes(stream, pair):
    pinned, on_device = pair
    stream.fill(on_device, 0xAB)
    stream.fill(on_device, 0x01, 7, offset=13)
    stream.copy(pinned, on_device, 4000)
    stream.synchronize()
    expected = np.full(4000, 0xAB, np.uint8)
    expected[13:20] = 1
    np.testing.assert_array_equal(pinned.host, expected)


def test_a_kernel_runs_on_what_it_was_given(stream, kernels, pair):
    pinned, on_device = pair
    stream.copy(on_device, pinned, 4000)
    add_one(stream, kernels, on_device, 900)
    stream.copy(pinned, on_device, 4000)
    stream.synchronize()
    expected = np.arange(1000, dtype=np.uint32)
    expected[:900] += 1
    np.testing.assert_array_equal(pinned.host.view(np.uint32), expected)


def test_a_structure_is_passed_as_c_lays_it_out(stream, kernels, pair):
    pinned, on_device = pair
    kind = np.dtype([('number', 'i4'), ('real', 'f8')], align=True)
    arguments = KernelArguments([('target', 'u8'), ('pair', kind), ('small', 'u2')])
    arguments['target'], arguments['small'] = on_device.address, 54321
    arguments['pair'] = (-5, 2.5)
    stream.launch(kernels.function('layout'), ONE, ONE, arguments)
    stream.copy(pinned, on_device, 32)
    stream.synchronize()
    assert pinned.host[0:4].view('i4')[0] == -5
    assert pinned.host[8:16].view('f8')[0] == 2.5
    assert pinned.host[16:18].view('u2')[0] == 54321


def test_an_impossible_launch_costs_only_itself(stream, kernels, pair):
    with pytest.raises(SessionError, match='launching spin'):
        stream.launch(kernels.function('spin'), ONE, (4096, 1, 1), KernelArguments.of(np.uint64(1)))
    test_fill_sets_bytes(stream, pair)


@pytest.mark.parametrize('image', [b'no kernels at all', PTX.replace(b'ret;', b'nonsense;')])
def test_what_is_no_module_is_refused(any_device, image):
    with pytest.raises(KernelError, match='loading kernels'):
        any_device.load_module(image)
    assert any_device.free_bytes() > 0


def test_a_kernel_that_is_not_there_is_named(kernels):
    with pytest.raises(KernelError, match='subtract_one'):
        kernels.function('subtract_one')


def test_memory_that_is_not_there_is_refused_with_the_numbers(any_device):
    with pytest.raises(DeviceMemoryError, match=r'no .* GB of device memory: .* of .* are free'):
        any_device.memory('device').allocate(2 * any_device.total_bytes)
    any_device.memory('device').allocate(1000).close()


def test_closed_memory_is_free_again(any_device):
    any_device.memory('device').allocate(100_000_000).close()
    before = any_device.free_bytes()
    with any_device.memory('device').allocate(500_000_000):
        assert before - any_device.free_bytes() > 400_000_000
    # On a device that shares the host's memory, other programs take and give meanwhile.
    assert before - any_device.free_bytes() < 100_000_000


def test_an_event_happens_after_the_work_before_it(any_device, stream, kernels, open_all):
    first, last = (open_all(any_device.event(timing=True)) for _ in range(2))
    assert first.done
    spin(stream, kernels, 1)  # a kernel is loaded when it is launched first
    stream.synchronize()
    stream.record(first)
    spin(stream, kernels)
    stream.record(last)
    assert not last.done
    last.synchronize()
    assert last.done
    assert 20.0 < last.elapsed_ms(first) < 2000.0


def test_an_event_without_timing_has_no_time(any_device, stream, open_all):
    first, last = (open_all(any_device.event()) for _ in range(2))
    stream.record(first)
    stream.record(last)
    stream.synchronize()
    with pytest.raises(SessionError, match='time between events'):
        last.elapsed_ms(first)


def test_a_stream_waits_for_an_event_of_another(any_device, stream, kernels, pair, open_all):
    pinned, on_device = pair
    other, event = open_all(any_device.stream()), open_all(any_device.event())
    stream.fill(on_device, 1)
    spin(stream, kernels)
    stream.fill(on_device, 2)
    stream.record(event)
    other.wait(event)
    other.copy(pinned, on_device, 4000)
    other.synchronize()
    assert (pinned.host == 2).all()
    stream.synchronize()


def test_waiting_lets_other_threads_run(stream, kernels):
    spin(stream, kernels, 1)
    stream.synchronize()
    ticks, stop = [], threading.Event()

    def tick():
        while not stop.wait(0.001):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    spin(stream, kernels)
    begun = time.monotonic()
    stream.synchronize()
    ended = time.monotonic()
    stop.set()
    thread.join()
    assert sum(begun < moment < ended for moment in ticks) >= 5


def test_priorities_are_given_where_there_are_any(any_device, open_all):
    plain, urgent = open_all(any_device.stream()), open_all(any_device.stream(priority=-100))
    assert plain.priority == 0
    assert plain.handle != urgent.handle
    assert (urgent.priority < 0) == urgent.can_capture  # both come with cuda.bindings


def test_a_graph_does_the_work_again(any_device, stream, kernels, pair):
    if not stream.can_capture:
        with pytest.raises(SessionError, match=r'cuda\.bindings'), stream.capture():
            pass
        return
    pinned, on_device = pair
    stream.copy(on_device, pinned, 4000)
    add_one(stream, kernels, on_device, 1000)
    with stream.capture() as capture:
        add_one(stream, kernels, on_device, 1000)
        stream.fill(on_device, 0, 4)
        stream.copy(pinned, on_device, 4000)
    stream.synchronize()
    assert pinned.host.view(np.uint32)[999] == 999  # nothing of it was done yet
    for _ in range(3):
        stream.replay(capture.graph)
    stream.synchronize()
    capture.graph.close()
    expected = np.arange(4, 1004, dtype=np.uint32)
    expected[0] = 0
    np.testing.assert_array_equal(pinned.host.view(np.uint32), expected)


def test_an_error_within_a_capture_ends_it(any_device, stream, pair):
    if not stream.can_capture:
        pytest.skip('PyCUDA alone has no graphs')
    _pinned, on_device = pair
    with pytest.raises(KeyError, match='spoilt'), stream.capture():  # noqa: PT012 - as a user would
        stream.fill(on_device, 3)
        raise KeyError('spoilt')
    test_fill_sets_bytes(stream, pair)


def test_what_cannot_be_captured_is_refused(any_device, stream, pair):
    if not stream.can_capture:
        pytest.skip('PyCUDA alone has no graphs')
    with pytest.raises(SessionError, match='waiting for a stream'), stream.capture():
        stream.synchronize()
    with (
        pytest.raises(SessionError, match='capturing a graph'),
        stream.capture(),
        contextlib.suppress(SessionError),
    ):
        stream.synchronize()
    test_fill_sets_bytes(stream, pair)


def test_a_thread_without_the_device_is_told_so(any_device):
    caught = []

    def elsewhere():
        for ask in (any_device.stream, lambda: any_device.memory('device').allocate(1)):
            try:
                ask()
            except InternalError as error:
                caught.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(caught) == 2
    assert all('not current on this thread' in text for text in caught)


def test_pinned_memory_outlives_its_buffer_while_it_is_viewed(any_device, caplog):
    buffer = any_device.memory('pinned').allocate(1000)
    view = buffer.host[10:20]
    view[:] = 7
    with caplog.at_level(logging.WARNING):
        buffer.close()
    assert 'still view them' in caplog.text
    assert (view == 7).all()


def seen_by_lost_device(*arguments):
    """In a process of its own: a fault ends the context that all other tests share."""
    result = subprocess.run(
        [sys.executable, str(LOST_DEVICE), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.parametrize('way', ['auto', 'never'])
def test_a_lost_device_is_named_left_and_opened_again_or_says_that_it_cannot_be(way):
    """Whether a process gets its GPU back after an illegal address is CUDA's to decide."""
    told = seen_by_lost_device(way)
    assert told['at the fault'].startswith('DeviceError')
    assert 'is lost' in told['at the fault']
    assert all(text.startswith('DeviceError') for text in told['afterwards'])
    assert told['live'] == {}
    assert told['contexts left'] == [0, 0, 0]
    assert told['opened again'] in ([[1, 2, 3, 4]] * 2, [GONE] * 2)
    assert seen_by_lost_device(way, 'well')['opened again'] == [[1, 2, 3, 4]] * 2


def test_devices_of_one_thread_are_closed_in_any_order(context):
    def session():
        with contextlib.ExitStack() as stack:
            device = stack.enter_context(PycudaDevice())
            stack.enter_context(device.current())
            return device, stack.pop_all()

    old, old_stack = session()
    for _ in range(3):
        new, new_stack = session()  # as a switch of variants: the old one is closed after
        old_stack.close()
        with (
            new.memory('device').allocate(4096) as buffer,
            contextlib.closing(new.stream()) as stream,
        ):
            stream.fill(buffer, 1)
            stream.synchronize()
        assert new.live() == {}
        old, old_stack = new, new_stack
    assert old.free_bytes() > 0
    old_stack.close()
