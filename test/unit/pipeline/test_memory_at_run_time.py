# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Device memory that runs out while frames come: each costs itself, and the others go on."""

from contextlib import ExitStack

import pytest

from brightness_model import write_brightness_model
from jetson_infer.core.accounting import FrameAccount
from jetson_infer.cuda.adaptors import FailingMemory
from jetson_infer.cuda.host import HostDevice
from jetson_infer.engines.models import load_model
from jetson_infer.errors import DeviceMemoryError
from jetson_infer.pipeline.device_detection import DeviceDetectionPipeline
from jetson_infer.pipeline.device_lanes import DeviceMemory
from jetson_infer.pipeline.runner import FrameRunner, RunnerHooks, RunnerSettings
from raw_images import noise
from twin_engine import TwinSession

PATIENCE_S = 60


class Node:
    """A runner over a device pipeline on the host twin, with all that it tells written down."""

    def __init__(self, folder):
        self.account = FrameAccount()
        self.delivered, self.problems, self.failures, self.memory = [], [], [], []
        self._folder = folder
        hooks = RunnerHooks(
            lambda frame, result, clock: self.delivered.append(frame.context),
            lambda frame: 0.0,
            lambda kind, message: self.problems.append((kind, message)),
            self.failures.append,
        )
        self.runner = FrameRunner(self._open, self.account, hooks, RunnerSettings())

    def _open(self):
        def failing(resource):
            self.memory.append(FailingMemory(resource))
            return self.memory[-1]

        model = load_model(self._folder)
        with ExitStack() as owned:
            self.device = owned.enter_context(HostDevice())
            owned.enter_context(self.device.current())
            self.session = TwinSession(model.files[model.variant().name], self.device, failing)
            owned.callback(self.session.close)
            return DeviceDetectionPipeline(
                model,
                model.variant(),
                self.session,
                self.device,
                DeviceMemory(adapt=failing),
                owned.pop_all(),
            )

    def frame(self, number):
        self.runner.receive(lambda: noise('bgr8', (96, 70), seed=number), 0, number)
        self.runner.drain(PATIENCE_S)


@pytest.fixture
def node(tmp_path):
    node = Node(write_brightness_model(tmp_path / 'brightness'))
    yield node
    node.runner.stop()
    assert node.device.live() == {}


def test_a_frame_without_memory_fails_by_name_and_the_others_go_on(node):
    error = 'no 4.0 GB of device memory: 1.0 GB of 8.0 GB are free'
    for number in range(12):
        if number % 3 == 1:
            for binding in node.session.bindings:
                binding.failing = DeviceMemoryError(error)
        node.frame(number)
        for binding in node.session.bindings:
            binding.failing = None
    assert node.delivered == [number for number in range(12) if number % 3 != 1]
    assert [error in message for _, message in node.problems] == [True] * 4
    assert node.account.counts().as_dict()['failed'] == 4
    assert node.failures == []


def test_frames_go_on_where_nothing_can_be_allocated_any_more(node):
    node.frame(0)
    for memory in node.memory:
        memory.arm(after=0)
    for number in range(1, 10):
        node.frame(number)
    assert node.delivered == list(range(10))
    assert (node.problems, node.failures) == ([], [])
    with pytest.raises(DeviceMemoryError):
        node.runner.between_frames(lambda: node.memory[0].allocate(1))
    node.frame(10)
    assert node.delivered[-1] == 10
