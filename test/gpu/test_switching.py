# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Variants on a GPU are loaded and closed beside the frames: none is lost, nothing is left."""

import faulthandler
import itertools
import os
import sys
import threading
import time
import traceback
from concurrent.futures import Future, wait
from contextlib import contextmanager

import numpy as np
import pytest

from brightness_model import write_brightness_model
from jetson_infer.core.accounting import FrameAccount
from jetson_infer.core.images import wrap_image
from jetson_infer.engines.build_target import find_target
from jetson_infer.engines.engine_cache import EngineCache
from jetson_infer.engines.engine_order import order_engine
from jetson_infer.engines.models import load_model
from jetson_infer.engines.tensorrt.api import is_installed
from jetson_infer.engines.tensorrt.build_job import start_build
from jetson_infer.errors import SessionError
from jetson_infer.pipeline.loader import fulfil
from jetson_infer.pipeline.open_detection import open_detection
from jetson_infer.pipeline.runner import FrameRunner, RunnerHooks, RunnerSettings
from jetson_infer.pipeline.variants import LoadedVariants

if not is_installed():
    pytest.skip('TensorRT is not installed', allow_module_level=True)

COLOURS = ('red', 'green', 'blue')
SIZE = (640, 480)
RATE_HZ = 30
FRAMES, SWITCHES = 150, 5
ALL_S, STEP_S = 15, 5
"""How long the frames may take, and each other thing: less than 40 s, whatever goes wrong."""
STUCK_S = 30
BUILD_S = 60


def within(what, work, told=lambda: '', seconds=STEP_S):
    """Do something on a thread of its own; say what it was if it does not end in time."""
    done = Future()
    threading.Thread(target=fulfil, args=(done, work), name=what, daemon=True).start()
    return ended(what, done, told, seconds)


def ended(what, done, told=lambda: '', seconds=STEP_S):
    """Wait for something and return what came of it; say what it was if it does not end in time."""
    if wait([done], seconds).not_done:
        pytest.fail(f'{what} has not ended after {seconds} s; {told()}\n{stacks()}')
    return done.result()


def stacks() -> str:
    """Return where each thread stands."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return '\n'.join(
        f'{names.get(ident, ident)}:\n' + ''.join(traceback.format_stack(frame))
        for ident, frame in sys._current_frames().items()
    )


@pytest.fixture
def told_if_stuck(capfd):
    """Write where each thread stands if the test lasts, also if nobody gets Python's lock."""
    with capfd.disabled():
        told = os.fdopen(os.dup(2), 'w')
    with told:
        faulthandler.dump_traceback_later(STUCK_S, exit=False, file=told)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def images():
    """Return an image of each colour, in the order of the labels."""
    made = []
    for channel in (2, 1, 0):
        pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        pixels[..., channel] = 255
        made.append(wrap_image('bgr8', *SIZE, 3 * SIZE[0], False, pixels))
    return made


def open_on_gpu(model, variant):
    return open_detection(model, variant, engine='tensorrt')


class Node:
    """A runner and the variants of a model, with engines that were built before."""

    def __init__(self, model):
        self.model = model
        self.switches = 0
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
        return open_on_gpu(self.model, self.model.variant(name))

    def ask(self, number, image):
        """Send a frame and wait until it is answered."""
        self.runner.receive(lambda: image, 0, number)
        told = f'frame {number} has not been answered after {STEP_S} s; '
        assert self.runner.drain(STEP_S), f'{told}{self.state()}\n{stacks()}'

    @contextmanager
    def switching(self):
        """Switch from one variant to the other without a pause, on a thread of its own."""
        stop, done = threading.Event(), Future()

        def switch():
            for name in itertools.cycle(('second', 'best')):
                if stop.is_set():
                    return
                self.variants.switch(name, lambda pipeline: None)
                self.switches += 1

        threading.Thread(target=fulfil, args=(done, switch), name='switcher', daemon=True).start()
        try:
            yield done
        finally:
            stop.set()
            ended('the last switch', done, self.state)

    def state(self):
        """Say how far it is."""
        return (
            f'{len(self.delivered)} frames answered, {self.switches} switches done, '
            f'{self.variants.loaded} loaded, {self.variants.opening or "nothing"} being opened, '
            f'problems {self.problems}, failures {self.failures}'
        )


@contextmanager
def running(model):
    node = within('opening the first variant', lambda: Node(model))
    try:
        yield node
    finally:
        within('stopping', node.runner.stop, node.state)


@pytest.fixture(scope='module')
def model(tmp_path_factory, context):
    """The model, and the engines of both variants in a cache of their own."""
    folder = tmp_path_factory.mktemp('switching')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('JETSON_INFER_CACHE', str(folder / 'cache'))
        model = load_model(write_brightness_model(folder / 'model'))
        for name in ('best', 'second'):
            order = order_engine(model, model.variant(name))
            job = start_build(order, find_target().require(), EngineCache())
            try:
                job.result(BUILD_S)
            finally:
                job.cancel()  # a build that is too slow goes on beside no other test
        # What is done once a process, or once a cache, is no part of a switch.
        first = model.variant('best')
        within('opening a variant', lambda: open_on_gpu(model, first).close(), seconds=BUILD_S)
        yield model


def test_every_frame_is_answered_once_while_variants_are_loaded_and_closed(model, told_if_stuck):
    # Each frame is awaited: one that waits while the next one comes may rightly be replaced by it.
    colours, began_s = images(), time.monotonic()
    with running(model) as node, node.switching() as switcher:
        for number in itertools.count():
            if number >= FRAMES and node.switches >= SWITCHES:
                break
            assert not switcher.done(), f'{switcher}: {node.state()}'
            assert time.monotonic() < began_s + ALL_S, f'{ALL_S} s are over: {node.state()}'
            time.sleep(max(0.0, began_s + number / RATE_HZ - time.monotonic()))
            node.ask(number, colours[number % 3])
    assert (node.problems, node.failures) == ([], [])
    assert [asked for asked, _ in node.delivered] == list(range(number))
    for asked, found in node.delivered:
        assert [COLOURS[index] for index in found.class_ids] == [COLOURS[asked % 3]]


def test_a_variant_that_cannot_be_loaded_leaves_the_old_one_and_nothing_of_itself(
    model, device, monkeypatch, told_if_stuck
):
    def refuse(self, *arguments, **options):
        raise SessionError('was told to fail')

    with running(model) as node:
        node.variants.switch('second', lambda pipeline: None)
        node.variants.switch('best', lambda pipeline: None)
        free = node.runner.open(lambda: Free(device.free_bytes)).free
        for _ in range(3):
            with monkeypatch.context() as patch:
                patch.setattr('jetson_infer.pipeline.device_lanes.Lanes._fill_constants', refuse)
                with pytest.raises(SessionError, match='told to fail'):
                    node.variants.switch('second', lambda pipeline: None)
        assert node.runner.open(lambda: Free(device.free_bytes)).free >= free - (2 << 20)
        node.ask(0, images()[1])
    assert [COLOURS[index] for index in node.delivered[0][1].class_ids] == ['green']


class Free:
    """Notes on the loader's thread, after all that was closed there, how much memory is free."""

    def __init__(self, free_bytes):
        self.free = free_bytes()

    def close(self):
        pass
