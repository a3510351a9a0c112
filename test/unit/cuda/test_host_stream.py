# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Streams, events and graphs of the host twin, done at once and done lazily."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.host import HostDevice
from jetson_infer.errors import DeviceError, InternalError, KernelError, SessionError

ONE = (1, 1, 1)


@pytest.fixture(params=['at once', 'lazily'])
def device(request):
    with HostDevice(lazy=request.param == 'lazily') as device, device.current():
        yield device


@pytest.fixture
def stream(device):
    with contextlib.closing(device.stream()) as stream:
        yield stream


def buffers(device, kinds, nbytes=64):
    return [device.memory(kind).allocate(nbytes) for kind in kinds]


def add(reach, address, count, summand):
    numbers = reach(address, 4 * count).view(np.uint32)
    numbers += summand


def add_kernel(device):
    return device.load_twins({'add': add}).function('add')


def add_arguments(buffer, count=16, summand=1):
    return KernelArguments.of(np.uint64(buffer.address), np.int32(count), np.uint32(summand))


@given(data=st.data(), lazy=st.booleans())
def test_copies_and_fills_equal_those_of_a_plain_array(data, lazy):
    """Any sequence of work ends as the same sequence on plain arrays does."""
    device = HostDevice(lazy=lazy)
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    with device.current():
        memory = buffers(device, ['pinned', 'device', 'mapped', 'device'])
        stream = device.stream()
        start = random.integers(0, 256, 64, np.uint8)
        memory[0].host[:] = start
        for other in memory[1:]:
            stream.copy(other, memory[0], 64)
        plain = [start.copy() for _ in memory]
        for _ in range(data.draw(st.integers(0, 8))):
            nbytes = data.draw(st.integers(1, 64))
            to, source = data.draw(st.permutations(range(4)))[:2]
            to_offset, from_offset = (data.draw(st.integers(0, 64 - nbytes)) for _ in range(2))
            stream.copy(memory[to], memory[source], nbytes, to_offset, from_offset)
            plain[to][to_offset : to_offset + nbytes] = plain[source][
                from_offset : from_offset + nbytes
            ]
            if data.draw(st.booleans()):
                byte = data.draw(st.integers(0, 255))
                stream.fill(memory[1], byte, nbytes, to_offset)
                plain[1][to_offset : to_offset + nbytes] = byte
        stream.synchronize()
        for buffer, expected in zip(memory, plain):
            np.testing.assert_array_equal(device.host_view(buffer), expected)
            buffer.close()
        stream.close()


@pytest.mark.parametrize(
    ('nbytes', 'to_offset', 'from_offset'),
    [(0, 0, 0), (65, 0, 0), (60, 5, 0), (60, 0, 5), (-1, 0, 0), (1, -1, 0), (1, 0, -1), (1, 64, 0)],
)
def test_a_copy_beyond_its_buffers_is_refused(device, stream, nbytes, to_offset, from_offset):
    target, source = buffers(device, ['device', 'pinned'])
    with pytest.raises(ValueError, match='cannot copy'):
        stream.copy(target, source, nbytes, to_offset, from_offset)


@pytest.mark.parametrize('kinds', [('host', 'host'), ('pinned', 'pinned'), ('host', 'pinned')])
def test_a_copy_within_the_host_is_refused(device, stream, kinds):
    with pytest.raises(ValueError, match='both are on the host'):
        stream.copy(*buffers(device, kinds), 64)


@pytest.mark.parametrize(
    ('kind', 'byte', 'nbytes', 'offset'),
    [
        ('device', 256, 1, 0),
        ('device', -1, 1, 0),
        ('device', 0, 65, 0),
        ('device', 0, 60, 5),
        ('device', 0, None, 64),
        ('device', 0, 1, -1),
        ('pinned', 0, 1, 0),
        ('host', 0, 1, 0),
    ],
)
def test_a_fill_beyond_its_buffer_or_the_device_is_refused(
    device, stream, kind, byte, nbytes, offset
):
    (buffer,) = buffers(device, [kind])
    with pytest.raises(ValueError, match='cannot'):
        stream.fill(buffer, byte, nbytes, offset)


def test_closed_buffers_are_our_defect(device, stream):
    target, source = buffers(device, ['device', 'pinned'])
    target.close()
    with pytest.raises(InternalError, match='closed'):
        stream.copy(target, source, 64)
    with pytest.raises(InternalError, match='closed'):
        stream.fill(target, 0)


def test_a_kernel_takes_its_arguments_when_it_is_launched(device, stream):
    pinned, on_device = buffers(device, ['pinned', 'device'])
    pinned.host[:] = 0
    stream.copy(on_device, pinned, 64)
    arguments = add_arguments(on_device, summand=5)
    stream.launch(add_kernel(device), ONE, ONE, arguments)
    arguments['argument2'] = 1000
    stream.copy(pinned, on_device, 64)
    stream.synchronize()
    assert (pinned.host.view(np.uint32) == 5).all()


@pytest.mark.parametrize(
    ('grid', 'block'), [((0, 1, 1), ONE), (ONE, (1025, 1, 1)), (ONE, (0, 1, 1))]
)
def test_an_impossible_launch_is_refused(device, stream, grid, block):
    (buffer,) = buffers(device, ['device'])
    with pytest.raises(SessionError, match='cannot be launched'):
        stream.launch(add_kernel(device), grid, block, add_arguments(buffer))


def test_an_illegal_address_loses_the_device(device, stream):
    (buffer,) = buffers(device, ['device'])

    def launch_and_wait():
        stream.launch(add_kernel(device), ONE, ONE, add_arguments(buffer, count=17))
        stream.synchronize()

    with pytest.raises(DeviceError, match='illegal address'):
        launch_and_wait()
    with pytest.raises(DeviceError, match='is lost: illegal address'):
        stream.synchronize()


def test_compiled_kernels_are_refused(device):
    with pytest.raises(KernelError, match='load_twins'):
        device.load_module(b'a cubin')
    with pytest.raises(KernelError, match="no kernel 'mul' among add"):
        device.load_twins({'add': add}).function('mul')


def test_a_forgotten_wait_shows_on_a_lazy_twin():
    with HostDevice(lazy=True) as device, device.current(), contextlib.ExitStack() as stack:
        pinned, on_device = (stack.enter_context(b) for b in buffers(device, ['pinned', 'device']))
        stream = stack.enter_context(contextlib.closing(device.stream()))
        pinned.host[:] = 1
        stream.copy(on_device, pinned, 64)
        pinned.host[:] = 2  # before the copy has ended
        stream.copy(pinned, on_device, 64)
        assert (pinned.host == 2).all()
        stream.synchronize()
        assert (pinned.host == 2).all()  # what came after, as on a GPU


def test_pageable_memory_is_taken_as_it_is_at_the_call(device, stream):
    host, on_device = buffers(device, ['host', 'device'])
    host.host[:] = 1
    stream.copy(on_device, host, 64)
    host.host[:] = 2
    stream.synchronize()
    assert (device.host_view(on_device) == 1).all()


# --- events -------------------------------------------------------------------------------------


def test_an_event_is_done_when_the_work_before_it_is(device, stream):
    event, seen = device.event(), []
    assert event.done
    kernel = device.load_twins({'look': lambda reach, n: seen.append(int(n))}).function('look')
    for number in range(3):
        stream.launch(kernel, ONE, ONE, KernelArguments.of(np.int32(number)))
        if number == 1:
            stream.record(event)
    event.synchronize()
    assert event.done
    assert seen[:2] == [0, 1]
    stream.synchronize()
    assert seen == [0, 1, 2]


def test_a_stream_that_waits_comes_after_the_other(device, stream):
    order = []
    kernel = device.load_twins({'note': lambda reach, n: order.append(int(n))}).function('note')

    def note(where, number):
        where.launch(kernel, ONE, ONE, KernelArguments.of(np.int32(number)))

    with contextlib.closing(device.stream()) as other:
        event = device.event()
        note(stream, 1)
        stream.record(event)
        note(stream, 3)
        other.wait(event)
        note(other, 2)
        stream.record(event)  # moves the event; the wait above is for where it was
        other.synchronize()
        assert order.index(1) < order.index(2)
    stream.synchronize()
    assert sorted(order) == [1, 2, 3]


def test_only_timed_recorded_and_finished_events_tell_the_time(device, stream):
    first, last, plain = device.event(timing=True), device.event(timing=True), device.event()
    with pytest.raises(SessionError, match='timing=True'):
        last.elapsed_ms(first)
    for event in (first, last, plain):
        stream.record(event)
    stream.synchronize()
    assert last.elapsed_ms(first) >= 0.0
    assert first.elapsed_ms(last) == -last.elapsed_ms(first)
    with pytest.raises(SessionError, match='timing=True'):
        last.elapsed_ms(plain)


# --- graphs -------------------------------------------------------------------------------------


def test_a_graph_does_nothing_now_and_everything_at_each_replay(device, stream):
    pinned, on_device = buffers(device, ['pinned', 'device'])
    kernel = add_kernel(device)
    stream.fill(on_device, 0)
    with stream.capture() as capture:
        stream.launch(kernel, ONE, ONE, add_arguments(on_device, summand=7))
        stream.copy(pinned, on_device, 64)
        with pytest.raises(InternalError, match='no graph'):
            _ = capture.graph
    stream.synchronize()
    assert not device.host_view(on_device).any()
    for count in (1, 2, 3):
        stream.replay(capture.graph)
        stream.synchronize()
        assert (pinned.host.view(np.uint32) == 7 * count).all()
    capture.graph.close()
    with pytest.raises(InternalError, match='closed'):
        stream.replay(capture.graph)


def test_a_failed_capture_leaves_no_graph_and_a_stream_that_works(device, stream):
    (on_device,) = buffers(device, ['device'])
    stream.fill(on_device, 1)
    for wrong in (
        stream.synchronize,
        lambda: device.memory('device').allocate(1),
        device.event,
        lambda: (_ for _ in ()).throw(SessionError('not possible: of its own')),
    ):
        with pytest.raises(SessionError, match='not possible'), stream.capture() as capture:  # noqa: PT012
            stream.fill(on_device, 2)
            wrong()
        with pytest.raises(InternalError, match='no graph'):
            _ = capture.graph
    stream.synchronize()
    assert (device.host_view(on_device) == 1).all()
    assert 'graph' not in device.live()


def test_a_twin_without_graphs_says_so():
    with HostDevice(graphs=False) as device, device.current():
        stream = device.stream()
        assert not stream.can_capture
        with pytest.raises(SessionError, match='without graphs'), stream.capture():
            pass
        stream.close()
