# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Variants on a GPU are loaded and closed beside the frames: none is lost, nothing is left."""

import threading
import time

import numpy as np
import pytest

from brightness_model import write_brightness_model
from jetson_infer.core.accounting import FrameAccount
from jetson_infer.core.images import wrap_image
from jetson_infer.engines.models import load_model
from jetson_infer.engines.tensorrt.api import is_installed
from jetson_infer.errors import SessionError
from jetson_infer.pipeline.open_detection import open_detection
from jetson_infer.pipeline.runner import FrameRunner, RunnerHooks, RunnerSettings
from jetson_infer.pipeline.variants import LoadedVariants

if not is_installed():
    pytest.skip('TensorRT is not installed', allow_module_level=True)

COLOURS = ('red', 'green', 'blue')
SIZE = (640, 480)
RATE_HZ = 30
FRAMES = 150
WAIT_S = 60


def images():
    """Return an image of each colour, in the order of the labels."""
    made = []
    for channel in (2, 1, 0):
        pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        pixels[..., channel] = 255
        made.append(wrap_image('bgr8', *SIZE, 3 * SIZE[0], False, pixels))
    return made


class Node:
    """A runner and the variants of a model, with engines that were built before."""

    def __init__(self, model):
        self.model = model
        self.delivered, self.problems, self.failures, self.first = [], [], [], []
        self.account = FrameAccount()
        hooks = RunnerHooks(
            lambda frame, result, clock: self.delivered.append((frame.context, result)),
            lambda frame: 0.0,
            lambda kind, message: self.problems.append(message),
            self.failures.append,
        )
        self.runner = FrameRunner(self.open_first, self.account, hooks, RunnerSettings())
        self.variants = LoadedVariants(
            self.runner, lambda name: lambda: self.open(name), 'best', self.first[0]
        )

    def open_first(self):
        self.first.append(self.open('best'))
        return self.first[0]

    def open(self, name):
        return open_detection(self.model, self.model.variant(name), engine='tensorrt')

    def switch_until(self, stop):
        switches = 0
        while not stop.is_set():
            switches += 1
            self.variants.switch(('best', 'second')[switches % 2], lambda pipeline: None)
        return switches


@pytest.fixture
def model(tmp_path, monkeypatch, context):
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'cache'))
    model = load_model(write_brightness_model(tmp_path / 'model'))
    for name in ('best', 'second'):
        open_detection(model, model.variant(name), engine='tensorrt', build='allowed').close()
    return model


def test_every_frame_is_answered_once_while_variants_are_loaded_and_closed(model, context):
    node = Node(model)
    colours = images()
    stop, switches = threading.Event(), []
    switcher = threading.Thread(target=lambda: switches.append(node.switch_until(stop)))
    switcher.start()
    began_s = time.monotonic()
    for number in range(FRAMES):
        time.sleep(max(0.0, began_s + number / RATE_HZ - time.monotonic()))
        node.runner.receive(lambda n=number: colours[n % 3], 0, number)
    assert node.runner.drain(WAIT_S)
    stop.set()
    switcher.join(WAIT_S)
    node.runner.stop()
    assert (node.problems, node.failures) == ([], [])
    assert switches[0] >= 5
    assert [number for number, _ in node.delivered] == list(range(FRAMES))
    for number, found in node.delivered:
        assert [COLOURS[index] for index in found.class_ids] == [COLOURS[number % 3]]


def test_a_variant_that_cannot_be_loaded_leaves_the_old_one_and_nothing_of_itself(
    model, device, monkeypatch
):
    node = Node(model)
    node.variants.switch('second', lambda pipeline: None)
    node.variants.switch('best', lambda pipeline: None)
    free = node.runner.open(lambda: Free(device.free_bytes)).free

    def refuse(self, *arguments, **options):
        raise SessionError('was told to fail')

    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr('jetson_infer.pipeline.device_lanes.Lanes._fill_constants', refuse)
            with pytest.raises(SessionError, match='told to fail'):
                node.variants.switch('second', lambda pipeline: None)
    assert node.runner.open(lambda: Free(device.free_bytes)).free >= free - (2 << 20)
    node.runner.receive(lambda: images()[1], 0, 0)
    assert node.runner.drain(WAIT_S)
    assert [COLOURS[index] for index in node.delivered[0][1].class_ids] == ['green']
    node.runner.stop()


class Free:
    """Notes on the loader's thread, after all that was closed there, how much memory is free."""

    def __init__(self, free_bytes):
        self.free = free_bytes()

    def close(self):
        pass
