# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The device pipeline, held against the host's, on the host twin."""

import time
from contextlib import ExitStack
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from brightness_model import write_brightness_model
from closed_views import views_told_of
from device_rig import ALL, Rig
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.images import wrap_compressed, wrap_image
from jetson_infer.core.timing import StageClock
from jetson_infer.cuda.adaptors import CountingMemory, FailingMemory, RefusingMemory
from jetson_infer.cuda.host import HostDevice
from jetson_infer.engines.models import load_model
from jetson_infer.errors import DeviceError, DeviceMemoryError, FrameRejected, SessionError
from jetson_infer.pipeline import device_detection
from jetson_infer.pipeline.device_detection import DeviceDetectionPipeline
from jetson_infer.pipeline.device_lanes import DeviceMemory
from jetson_infer.pipeline.device_times import DEVICE_STAGES
from networks import card as card_mapping
from networks import emitting, write_model
from twin_engine import TwinSession


@pytest.fixture(autouse=True)
def nothing_of_the_host_is_viewed_after_closing(caplog):
    yield
    assert not views_told_of(caplog)


@pytest.fixture(params=['discrete', 'integrated', 'lazy'])
def device(request):
    twin = HostDevice(integrated=request.param == 'integrated', lazy=request.param == 'lazy')
    with twin.current():
        yield twin
    assert twin.live() == {}
    twin.close()


@pytest.fixture
def folder(tmp_path):
    return write_brightness_model(tmp_path / 'brightness')


@pytest.fixture
def rig(folder, device):
    with ExitStack() as stack:
        yield Rig(stack, folder, device)


def random_image(seed, width=96, height=70, encoding='bgr8', channels=3, padding=0):
    """Return an image of smooth noise, whose scaled pixels do not hang on rounding alone."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (6, 8, channels), np.uint8)
    pixels = cv2.resize(small, (width, height)).reshape(height, width * channels)
    rows = np.zeros((height, width * channels + padding), np.uint8)
    rows[:, : width * channels] = pixels
    return wrap_image(encoding, width, height, rows.shape[1], False, rows)


def assert_alike(found, expected):
    assert found.class_ids.tolist() == expected.class_ids.tolist()
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-3)
    np.testing.assert_allclose(found.scores, expected.scores, atol=2 / 255)


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize(
    ('encoding', 'channels'), [('bgr8', 3), ('rgb8', 3), ('bgra8', 4), ('mono8', 1), ('uyvy', 2)]
)
def test_finds_what_the_host_finds(rig, seed, encoding, channels):
    image = random_image(seed, encoding=encoding, channels=channels, padding=seed)
    assert_alike(*rig.both(image))
    assert rig.pipeline.prepared_on_host == {}


def test_an_encoding_the_kernel_does_not_read_is_prepared_on_the_host_and_counted(rig):
    grey = np.random.default_rng(0).integers(0, 65536, (70, 96), np.uint16)
    found, expected = rig.both(wrap_image('mono16', 96, 70, 192, False, grey))
    assert_alike(found, expected)
    assert rig.pipeline.prepared_on_host == {'encoding': 1}


def test_an_image_larger_than_was_laid_out_is_prepared_on_the_host_and_counted(folder, device):
    with ExitStack() as stack:
        rig = Rig(stack, folder, device, DeviceMemory(largest_image=(80, 60)))
        assert_alike(*rig.both(random_image(1, 80, 60, 'bgra8', 4)))
        assert rig.pipeline.prepared_on_host == {}
        assert_alike(*rig.both(random_image(1, 81, 60, 'bgra8', 4)))
        assert rig.pipeline.prepared_on_host == {'size': 1}


@pytest.mark.parametrize('encoding', ['bgr8', 'bgra8', 'uyvy', 'mono8'])
def test_of_a_large_image_only_the_rows_that_count_cross(folder, device, encoding):
    channels = {'bgr8': 3, 'bgra8': 4, 'uyvy': 2, 'mono8': 1}[encoding]
    with ExitStack() as stack:
        # Room for 60 rows of 320 pixels: of 240 rows scaled to 48 every fifth is sampled.
        rig = Rig(stack, folder, device, DeviceMemory(largest_image=(320, 60)))
        for padding in (0, 8):
            image = random_image(2, 320, 240, encoding, channels, padding)
            assert_alike(*rig.both(image))
        assert rig.pipeline.prepared_on_host == {}
        assert_alike(*rig.both(random_image(2, 320, 300, 'bgra8', 4)))


def test_a_compressed_image_is_decoded_and_one_that_cannot_be_costs_itself_only(rig):
    pixels = random_image(5).pixels
    _, data = cv2.imencode('.png', np.ascontiguousarray(pixels))
    image = wrap_compressed('png', data.tobytes())
    assert_alike(*rig.both(image))
    broken = bytearray(data.tobytes())
    broken[40:-40] = bytes(len(broken) - 80)
    with pytest.raises(FrameRejected):
        rig.pipeline.process(wrap_compressed('png', bytes(broken)), StageClock(0))
    assert_alike(*rig.both(image))


def test_limits_hold_from_the_next_frame_on(rig):
    green = wrap_image('bgr8', 64, 48, 192, False, np.full((48, 64, 3), (0, 255, 0), np.uint8))
    for threshold, count in ((0.0, 3), (0.5, 1), (0.0, 3)):
        found, _ = rig.both(green, DetectionLimits(threshold, 0.5, 10))
        assert len(found) == count
    found, _ = rig.both(green, DetectionLimits(0.0, 0.5, 10, frozenset([1])))
    assert found.class_ids.tolist() == [1]


def test_two_frames_under_way_keep_apart_and_in_order(rig):
    rig.pipeline.limits = ALL
    clock = StageClock(0)
    images = [random_image(seed) for seed in range(6)]
    expected = [rig.both(image)[1] for image in images]
    pending, found = [], []
    for image in images:
        pending.append(rig.pipeline.begin(image, clock))
        if len(pending) == rig.pipeline.depth:
            found.append(rig.pipeline.finish(pending.pop(0), clock))
    found.append(rig.pipeline.finish(pending.pop(0), clock))
    for one, other in zip(found, expected):
        assert_alike(one, other)
    assert set(clock.milliseconds) == {'preprocess', 'infer', 'decode'}


def test_a_frame_allocates_nothing_on_the_device(folder, device):
    made = []

    def adapt(resource):
        made.append(RefusingMemory(resource))
        return made[-1]

    with ExitStack() as stack:
        rig = Rig(stack, folder, device, DeviceMemory(adapt=adapt))
        for resource in made:
            resource.seal()
        live = device.live()
        for seed in range(20):
            image = random_image(seed, 40 + seed, 30 + 2 * seed)
            rig.pipeline.process(image, StageClock(0))
        assert device.live() == live


def test_rounds_of_opening_and_closing_leave_nothing(folder, device):
    for _ in range(5):
        with ExitStack() as stack:
            Rig(stack, folder, device)
        assert device.live() == {}


def test_memory_that_runs_out_at_any_allocation_leaves_nothing(folder, device):
    counting = []

    def count(resource):
        counting.append(CountingMemory(resource))
        return counting[-1]

    with ExitStack() as stack:
        Rig(stack, folder, device, DeviceMemory(adapt=count))
    total = sum(resource.allocations for resource in counting)
    assert total > 4
    for number in range(total):
        left = [number]

        def fail(resource, left=left):
            return _FailingInTurn(resource, left)

        with pytest.raises(DeviceMemoryError), ExitStack() as stack:
            Rig(stack, folder, device, DeviceMemory(adapt=fail))
        assert device.live() == {}


class _FailingInTurn(FailingMemory):
    """Fails at an allocation counted over several resources."""

    def __init__(self, upstream, left):
        super().__init__(upstream)
        self._left_of_all = left

    def allocate(self, nbytes):
        if self._left_of_all[0] == 0:
            self.arm()
        self._left_of_all[0] -= 1
        return super().allocate(nbytes)


def process_thrice(rig):
    for seed in range(3):
        rig.pipeline.process(random_image(seed), StageClock(0))


@pytest.mark.parametrize('after', range(0, 12, 2))
def test_a_lost_device_frees_everything(folder, after):
    twin = HostDevice()
    with twin.current(), ExitStack() as stack:
        rig = Rig(stack, folder, twin)
        twin.fail_after(after)
        with pytest.raises(DeviceError):
            process_thrice(rig)
    assert twin.live() == {}


def test_an_engine_that_refuses_a_frame_costs_that_frame_and_no_lane(rig):
    image = random_image(3)
    failures = 0
    for binding in rig.session.bindings * 3:
        binding.failing = SessionError('not this one')
        for _ in rig.session.bindings:
            try:
                rig.pipeline.process(image, StageClock(0))
            except SessionError:
                failures += 1
        binding.failing = None
    assert failures >= 3
    assert_alike(*rig.both(image))
    pending = [rig.pipeline.begin(image, StageClock(0)) for _ in range(rig.pipeline.depth)]
    for under_way in pending:
        rig.pipeline.finish(under_way, StageClock(0))


def test_a_frame_that_cannot_be_awaited_costs_that_frame_and_no_lane(rig, monkeypatch):
    image = random_image(3)
    for _ in range(2 * rig.pipeline.depth):
        lane = rig.pipeline._free[-1]
        with monkeypatch.context() as patched:

            def refuse(self):
                raise SessionError('no waiting')

            patched.setattr(type(lane.done), 'synchronize', refuse)
            with pytest.raises(SessionError, match='no waiting'):
                rig.pipeline.process(image, StageClock(0))
    assert_alike(*rig.both(image))


def test_a_frame_that_is_rejected_waits_for_nothing(rig):
    pending = rig.pipeline.begin(random_image(1), StageClock(0))
    before = rig.device.operations
    with pytest.raises(FrameRejected):
        rig.pipeline.begin(wrap_compressed('jpeg', b'\xff\xd8 and no more'), StageClock(0))
    assert rig.device.operations == before
    rig.pipeline.finish(pending, StageClock(0))
    assert_alike(*rig.both(random_image(2)))


@pytest.mark.parametrize('crowd', [40, 3000])
def test_more_candidates_than_cross_are_decoded_from_the_whole_output(tmp_path, device, crowd):
    random = np.random.default_rng(0)
    output = random.random((1, 6, crowd), np.float32)
    output[:, :4] = output[:, :4] * 40 + 10
    folder = tmp_path / 'crowd'
    folder.mkdir()
    emitting(folder / 'tiny.onnx', {'output0': output})
    write_model(folder, card_mapping())
    with ExitStack() as stack:
        rig = Rig(stack, folder, device)
        operations = []
        for threshold in (0.0, 0.99, 0.99):
            before = device.operations
            found, expected = rig.both(random_image(0), DetectionLimits(threshold, 0.5, 100))
            operations.append(device.operations - before)
            assert_alike(found, expected)
            assert len(expected) > 5 or threshold
        # Beyond the threshold they are few, and so only they cross.
        assert (operations[2] < operations[0]) == (crowd == 3000)


def test_outputs_that_the_device_has_no_candidates_for_cross_whole(tmp_path, device):
    folder = tmp_path / 'detr'
    folder.mkdir()
    random = np.random.default_rng(1)
    boxes = random.uniform(0.3, 0.6, (1, 50, 4)).astype(np.float32)
    logits = random.normal(0, 2, (1, 50, 2)).astype(np.float32)
    emitting(folder / 'tiny.onnx', {'pred_boxes': boxes, 'pred_logits': logits})
    write_model(folder, card_mapping(output={'decoder': 'detr'}))
    with ExitStack() as stack:
        found, expected = Rig(stack, folder, device).both(random_image(0))
        assert len(expected) > 5
        assert_alike(found, expected)


def test_patience_is_most_of_what_the_last_frame_took_and_never_negative(rig, monkeypatch):
    pipeline, clock, now_s = rig.pipeline, StageClock(0), time.monotonic() + 100.0
    monkeypatch.setattr(device_detection, 'time', SimpleNamespace(monotonic=lambda: now_s))
    pending = pipeline.begin(random_image(0), clock)
    now_s += 0.01
    pipeline.finish(pending, clock)
    pending = pipeline.begin(random_image(1), clock)
    now_s += 0.003
    assert pipeline.patience_s == pytest.approx(0.8 * 0.01 - 0.003)
    now_s += 0.017
    assert pipeline.patience_s == 0.0
    pipeline.finish(pending, clock)


@pytest.mark.parametrize('encoding', ['bgr8', 'mono16'])
def test_an_observer_hears_what_each_frame_took_on_the_device(folder, device, encoding):
    heard = []
    model = load_model(folder)
    session = TwinSession(model.files[model.variant().name], device)
    owned = ExitStack()
    owned.callback(session.close)
    pipeline = DeviceDetectionPipeline(
        model, model.variant(), session, device, None, owned, heard.append
    )
    heard.clear()
    image = random_image(1)
    if encoding == 'mono16':  # which the host prepares
        image = wrap_image('mono16', 96, 70, 192, False, np.zeros((70, 96), np.uint16))
    clocks = [StageClock(0), StageClock(0)]
    pending = [pipeline.begin(image, clock) for clock in clocks]
    for under_way, clock in zip(pending, clocks):
        pipeline.finish(under_way, clock)
    pipeline.close()
    assert len(heard) == 2
    for times in heard:
        assert tuple(times) == DEVICE_STAGES
        assert min(times.values()) >= 0
        assert times['infer'] > 0
        *parts, total = times.values()
        assert total == pytest.approx(sum(parts), abs=1e-6)
