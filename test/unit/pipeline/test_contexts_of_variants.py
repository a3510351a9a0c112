# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""PyCUDA's contexts on the loader's and the worker's thread, on a stand-in for the driver."""

import contextlib
import threading

import numpy as np
import pytest

import fake_cuda
from jetson_infer.core.accounting import FrameAccount
from jetson_infer.core.images import wrap_image
from jetson_infer.cuda.pycuda_device import PycudaDevice
from jetson_infer.errors import DeviceError
from jetson_infer.pipeline.pipelines import OverlappingPipeline
from jetson_infer.pipeline.runner import FrameRunner, RunnerHooks, RunnerSettings, RunnerStopped
from jetson_infer.pipeline.variants import LoadedVariants

WAIT_S = 30
PIXELS = np.zeros((4, 6, 3), np.uint8)


class OnGpu(OverlappingPipeline):
    """A pipeline that holds device memory, as a session on a GPU does: on a device of its own."""

    depth = 1
    patience_s = 0.0

    def __init__(self, driver):
        self._driver = driver
        with contextlib.ExitStack() as stack:
            self.device = stack.enter_context(PycudaDevice(bindings='never'))
            stack.enter_context(self.device.current())
            stack.enter_context(self.device.memory('device').allocate(64))
            stack.enter_context(contextlib.closing(self.device.stream()))
            self._stack = stack.pop_all()
        self.left_with = []

    @contextlib.contextmanager
    def current(self):
        with self.device.current():
            yield
        self.left_with.append(list(self._driver.stack))

    def begin(self, image, clock):
        assert len(self._driver.stack) == 1
        return self.device.free_bytes()

    def finish(self, pending, clock):
        assert pending > 0

    def close(self):
        self._stack.close()


class Rig:
    def __init__(self, driver):
        self.driver = driver
        self.made, self.delivered, self.problems, self.failures = [], [], [], []
        self.gate = threading.Event()
        self.gate.set()
        self.runner = FrameRunner(
            self.open,
            FrameAccount(),
            RunnerHooks(
                lambda frame, result, clock: self.delivered.append(frame.context),
                lambda frame: 0.0,
                lambda kind, message: self.problems.append(message),
                self.failures.append,
            ),
            RunnerSettings(),
        )
        self.variants = LoadedVariants(self.runner, lambda name: self.open, 'a', self.made[0])

    def open(self):
        assert self.gate.wait(WAIT_S)
        self.made.append(OnGpu(self.driver))
        return self.made[-1]

    def switch(self, name):
        self.variants.switch(name, lambda pipeline: None)

    def ask(self, number):
        self.runner.receive(lambda: wrap_image('bgr8', 6, 4, 18, False, PIXELS), 0, number)
        assert self.runner.drain(WAIT_S)


@pytest.fixture
def rig(monkeypatch):
    driver = fake_cuda.install(monkeypatch)
    made = Rig(driver)
    yield made
    made.runner.stop()
    assert driver.retained == 0
    assert driver.memory == {}
    assert driver.freed_in_vain == []
    assert made.made[-1].left_with == [[]]  # PyCUDA ends a process whose thread leaves one behind


def test_a_switch_over_and_over_leaves_one_context_on_the_worker_and_frees_all_else(rig):
    for number in range(20):
        rig.ask(number)
        rig.switch('ab'[(number + 1) % 2])
    rig.ask(20)
    assert rig.delivered == list(range(21))
    assert (rig.problems, rig.failures) == ([], [])
    assert rig.driver.retained == 1
    assert len(rig.runner.between_frames(lambda: list(rig.driver.stack))) == 1
    assert [made.left_with for made in rig.made[:-1]] == [[[fake_cuda.HANDLE]]] * 20


def test_a_context_that_breaks_while_loading_is_healed_when_all_have_left_it(rig):
    rig.ask(0)
    rig.driver.broken = True
    with pytest.raises(DeviceError, match=r'illegal memory access|is lost'):
        rig.switch('b')
    assert rig.driver.resets == 0  # the frames' pipeline holds what lies in it
    rig.ask(1)
    with pytest.raises((RunnerStopped, DeviceError)):
        rig.switch('b')
    rig.runner.stop()
    assert [type(error) for error in rig.failures] == [DeviceError]
    assert rig.driver.retained == 0
    fresh = Rig(rig.driver)
    fresh.ask(0)
    assert fresh.delivered == [0]
    fresh.runner.stop()
