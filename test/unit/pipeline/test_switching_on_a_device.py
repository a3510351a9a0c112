# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Variants on a device are loaded and closed beside the frames, on the host twin."""

import threading
import time
from contextlib import ExitStack

import numpy as np
import pytest
import yaml

from brightness_model import write_brightness_model
from jetson_infer.core.accounting import FrameAccount
from jetson_infer.core.images import wrap_image
from jetson_infer.cuda.adaptors import CountingMemory, LimitedMemory
from jetson_infer.cuda.host import HostDevice
from jetson_infer.cuda.memory import MemoryResource
from jetson_infer.engines.models import load_model
from jetson_infer.errors import DeviceError, DeviceMemoryError, SessionError
from jetson_infer.pipeline.device_detection import DeviceDetectionPipeline
from jetson_infer.pipeline.device_lanes import DeviceMemory
from jetson_infer.pipeline.runner import FrameRunner, RunnerHooks, RunnerSettings, RunnerStopped
from jetson_infer.pipeline.variants import LoadedVariants
from twin_engine import TwinSession

WAIT_S = 60
SIZE = (96, 70)
COLOURS = ('red', 'green', 'blue')


class MemoryOfNow(MemoryResource):
    """Device memory of the device that is being opened: all of them are one GPU."""

    kind = 'device'

    def __init__(self, node):
        self._node = node

    def allocate(self, nbytes):
        return self._node.devices[-1].memory('device').allocate(nbytes)


class Node:
    """A runner and its variants, each on a twin of its own, as each has its own device on a GPU.

    :param budget: the bytes of device memory that there are for all of them.
    """

    def __init__(self, folder, budget=1 << 30, keep=1):
        self.model = load_model(folder)
        self.devices, self.sessions, self.delivered = [], [], []
        self.problems, self.failures = [], []
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()
        self.fail_after = None
        self.memory = CountingMemory(LimitedMemory(MemoryOfNow(self), budget))
        self.account = FrameAccount()
        hooks = RunnerHooks(
            lambda frame, result, clock: self.delivered.append((frame.context, result)),
            lambda frame: 0.0,
            lambda kind, message: self.problems.append((kind, message)),
            self.failures.append,
        )
        first = []
        self.runner = FrameRunner(
            lambda: first.append(self.open('best')) or first[0],
            self.account,
            hooks,
            RunnerSettings(),
        )
        self.variants = LoadedVariants(
            self.runner, lambda name: lambda: self.open(name), 'best', first[0], keep
        )

    def adapt(self, resource):
        return self.memory if resource.kind == 'device' else resource

    def open(self, name):
        with ExitStack() as owned:
            self.devices.append(owned.enter_context(HostDevice(lazy=True)))
            device = self.devices[-1]
            owned.enter_context(device.current())
            session = TwinSession(self.model.files[name], device, self.adapt)
            owned.callback(session.close)
            self.sessions.append(session)
            self.waiting.set()
            assert self.gate.wait(WAIT_S)
            if self.fail_after is not None:
                device.fail_after(self.fail_after)
            return DeviceDetectionPipeline(
                self.model,
                self.model.variant(name),
                session,
                device,
                DeviceMemory(largest_image=SIZE, adapt=self.adapt),
                owned.pop_all(),
            )

    def switch(self, name):
        self.variants.switch(name, lambda pipeline: None)

    def begin_switch(self, name, raises=None):
        """Switch on a thread of its own, to a variant that is not loaded before the gate opens."""
        self.gate.clear()
        self.waiting.clear()

        def work():
            if raises is None:
                self.switch(name)
            else:
                with pytest.raises(raises):
                    self.switch(name)
            ended.append(name)

        ended = []
        thread = threading.Thread(target=work)
        thread.start()
        assert self.waiting.wait(WAIT_S)

        def end():
            self.gate.set()
            thread.join(WAIT_S)
            assert ended == [name]

        return end

    def send(self, number):
        pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        pixels[..., 2 - number % 3] = 255
        image = wrap_image('bgr8', *SIZE, 3 * SIZE[0], False, pixels)
        self.runner.receive(lambda: image, 0, number)

    def ask(self, numbers):
        """Send frames, and see that each is answered once, in order, with its own colour."""
        before = len(self.delivered)
        for number in numbers:
            self.send(number)
            assert self.runner.drain(WAIT_S)
        answers = self.delivered[before:]
        assert [number for number, _ in answers] == list(numbers)
        for number, found in answers:
            assert [COLOURS[index] for index in found.class_ids] == [COLOURS[number % 3]]

    def runs(self):
        """Return how many inferences every variant has done so far, the first one first."""
        return [sum(binding.runs for binding in session.bindings) for session in self.sessions]

    def open_devices(self):
        return [device for device in self.devices if device.live()]

    def wait_closed(self, count):
        deadline = time.monotonic() + WAIT_S
        while len(self.open_devices()) > count:
            assert time.monotonic() < deadline
            time.sleep(0.001)


@pytest.fixture
def folder(tmp_path):
    folder = write_brightness_model(tmp_path / 'brightness')
    card = yaml.safe_load((folder / 'model.yaml').read_text())
    card['variants'].append({**card['variants'][0], 'name': 'third'})
    (folder / 'model.yaml').write_text(yaml.safe_dump(card))
    return folder


@pytest.fixture
def make(folder):
    """Make a node; at the end nothing of it may be left on any device."""
    made = []

    def node(**arguments):
        made.append(Node(folder, **arguments))
        return made[-1]

    yield node
    for each in made:
        each.gate.set()
        each.runner.stop()
        assert [device.live() for device in each.devices] == [{}] * len(each.devices)
        for device in each.devices:
            with pytest.raises(DeviceError, match='closed'), device.current():
                pass
        assert each.account.counts().waiting == 0
        assert len({number for number, _ in each.delivered}) == len(each.delivered)


def test_frames_go_on_while_a_variant_is_loaded_and_the_old_one_is_closed_after(make):
    node = make()
    node.ask(range(10))
    end = node.begin_switch('second')
    before = node.runs()
    node.ask(range(10, 40))
    assert np.subtract(node.runs(), before).tolist() == [30, 0]
    assert node.variants.current == 'best'
    end()
    node.wait_closed(1)
    before = node.runs()
    node.ask(range(40, 50))
    assert np.subtract(node.runs(), before).tolist() == [0, 10]
    assert node.open_devices() == node.devices[1:]
    assert (node.problems, node.failures) == ([], [])


@pytest.fixture
def size(make):
    """Return the bytes of device memory that one variant takes."""
    return make().memory.live_bytes


@pytest.mark.parametrize(('keep', 'names'), [(1, 'second best'), (2, 'second third best')])
def test_switches_lose_no_frame_and_need_no_more_memory_than_for_one_too_many(
    make, size, keep, names
):
    # Not a byte more: what is to go is closed before the next one is opened.
    node = make(keep=keep, budget=size * (keep + 1))
    stop, switched = threading.Event(), []

    def switching():
        while not stop.is_set():
            name = names.split()[len(switched) % len(names.split())]
            node.switch(name)
            switched.append(name)

    switcher = threading.Thread(target=switching)
    switcher.start()
    numbers = iter(range(10_000))
    while len(switched) < 12:
        node.ask([next(numbers)])
    stop.set()
    switcher.join(WAIT_S)
    node.ask([next(numbers)])
    node.wait_closed(keep)
    assert (node.problems, node.failures) == ([], [])
    assert len(node.devices) == 1 + len(switched)
    assert node.memory.live_bytes == keep * size


def test_without_memory_for_both_the_old_one_goes_on_and_the_reason_is_told(make, size):
    node = make(budget=size + size // 2)
    end = node.begin_switch('second', DeviceMemoryError)
    node.ask(range(10))
    end()
    assert node.devices[-1].live() == {}
    with pytest.raises(DeviceMemoryError, match='are left of a budget of'):
        node.switch('second')
    node.ask(range(10, 20))
    assert (node.variants.current, node.variants.loaded) == ('best', ('best',))
    assert node.memory.live_bytes == size
    assert node.failures == []


@pytest.mark.parametrize('after', [0, 3, 20])
def test_a_device_that_is_lost_while_loading_is_told_and_nothing_is_left_of_it(make, after):
    node = make()
    node.fail_after = after
    end = node.begin_switch('second', DeviceError)
    node.ask(range(10))
    end()
    assert node.devices[-1].live() == {}
    with pytest.raises(DeviceError, match='injected fault'):
        node.switch('second')
    node.ask(range(10, 20))
    assert node.variants.current == 'best'


def test_a_device_that_is_lost_under_the_frames_while_loading_ends_both(make):
    node = make()
    end = node.begin_switch('second', RunnerStopped)
    node.devices[0].fail_after(0)
    node.send(1)
    assert node.runner.drain(WAIT_S)
    end()
    node.runner.stop()
    assert [type(error) for error in node.failures] == [DeviceError]
    assert node.account.counts().as_dict()['failed'] == 1


def test_a_runner_that_stops_while_loading_leaves_nothing(make):
    node = make()
    node.ask(range(3))
    end = node.begin_switch('second', RunnerStopped)
    threading.Timer(0.05, node.gate.set).start()
    node.runner.stop()
    end()
    assert len(node.devices) == 2


def test_one_that_cannot_be_used_any_more_when_it_is_to_take_over_does_not(make):
    node = make()
    with node.variants.ready('second'):
        node.devices[1].current = unusable
        with pytest.raises(DeviceError, match='cannot be made current'):
            node.switch('second')
        node.ask(range(5))
        assert node.variants.current == 'best'
        del node.devices[1].current
    node.ask(range(5, 10))


def test_a_pipeline_in_use_is_not_released(make):
    node = make()
    with pytest.raises(Exception, match='was to be closed'):
        node.runner.release(node.variants._loaded['best'])
    node.ask(range(3))


def test_what_raises_on_the_way_leaves_the_old_one(make, monkeypatch):
    node = make()

    def refuse(self, shapes, host=True, graphs=True):
        raise SessionError('the shape does not fit')

    monkeypatch.setattr(TwinSession, 'bind', refuse)
    with pytest.raises(SessionError, match='does not fit'):
        node.switch('second')
    node.ask(range(5))
    assert node.devices[-1].live() == {}


def unusable():
    raise DeviceError('the device cannot be made current')
