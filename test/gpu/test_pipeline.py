# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The detection pipeline on a GPU: what it finds and allocates, and what a lost device leaves."""

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from brightness_model import write_brightness_model
from closed_views import views_told_of
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.images import wrap_image
from jetson_infer.core.timing import StageClock
from jetson_infer.cuda.adaptors import CountingMemory, FailingMemory
from jetson_infer.engines.build_request import BuildRequest
from jetson_infer.engines.models import load_model
from jetson_infer.engines.tensorrt.api import is_installed
from jetson_infer.engines.tensorrt.builder import build_plan
from jetson_infer.engines.tensorrt.session import TensorRtSession
from jetson_infer.errors import DeviceMemoryError
from jetson_infer.pipeline.detection import DetectionPipeline
from jetson_infer.pipeline.device_detection import DeviceDetectionPipeline
from jetson_infer.pipeline.device_lanes import DeviceMemory
from jetson_infer.pipeline.device_times import DEVICE_STAGES
from jetson_infer.pipeline.open_detection import open_detection
from lost_gpu import GONE

if not is_installed():
    pytest.skip('TensorRT is not installed', allow_module_level=True)

HERE = Path(__file__).resolve().parent
SCENES = HERE.parents[1] / 'models' / 'scene_detector'
LOST_PIPELINE = HERE / 'lost_pipeline.py'
CHANNELS = {'bgr8': 3, 'rgb8': 3, 'bgra8': 4, 'rgba8': 4, 'mono8': 1, 'uyvy': 2, 'yuyv': 2}
SIZES = [(640, 480), (1920, 1080), (320, 256), (64, 48), (1281, 721)]
ALL = DetectionLimits(0.0, 0.5, 10)


def smooth_image(seed: int, size=(640, 480), encoding: str = 'bgr8', padding: int = 0):
    """Noise of large patches, whose scaled pixels do not hang on rounding alone."""
    channels = CHANNELS[encoding]
    width, height = size[0] - size[0] % 2 if channels == 2 else size[0], size[1]
    patches = np.random.default_rng(seed).integers(0, 256, (6, 8, channels), np.uint8)
    pixels = cv2.resize(patches, (width, height)).reshape(height, width * channels)
    rows = np.zeros((height, width * channels + padding), np.uint8)
    rows[:, : width * channels] = pixels
    return wrap_image(encoding, width, height, rows.shape[1], False, rows)


@pytest.fixture(scope='module')
def plan_of(context):
    """Build a network's engine, once for all tests."""
    built = {}

    def build(path: Path) -> bytes:
        key = path.read_bytes()
        if key not in built:
            built[key] = build_plan(BuildRequest(path, 'fp32', optimization_level=1)).plan
        return built[key]

    return build


@contextmanager
def pipeline_of(model, variant, plan, device, memory=None, adapt=lambda resource: resource, **more):
    owned = ExitStack()
    owned.callback((session := TensorRtSession(plan, device, adapt=adapt)).close)
    pipeline = DeviceDetectionPipeline(model, variant, session, device, memory, owned, **more)
    try:
        yield pipeline
    finally:
        pipeline.close()


@pytest.fixture
def brightness(tmp_path):
    model = load_model(write_brightness_model(tmp_path / 'brightness'))
    return model, model.variant()


@pytest.fixture
def scenes():
    model = load_model(SCENES)
    return model, model.variant('fp32_320x256')


@pytest.fixture(autouse=True)
def nothing_of_the_host_is_viewed_after_closing(caplog):
    yield
    assert not views_told_of(caplog)


def plan_for(plan_of, model, variant) -> bytes:
    return plan_of(model.files[variant.name])


def found_by(pipeline, image, limits=ALL):
    pipeline.limits = limits
    return pipeline.process(image, StageClock(0))


def assert_alike(found, expected, pixels, score):
    assert found.class_ids.tolist() == expected.class_ids.tolist()
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=pixels)
    np.testing.assert_allclose(found.scores, expected.scores, atol=score)


@pytest.mark.parametrize('encoding', CHANNELS)
def test_known_scores_are_found_in_every_encoding(brightness, plan_of, device, encoding):
    model, variant = brightness
    plan = plan_for(plan_of, model, variant)
    host = DetectionPipeline(model, variant, TensorRtSession(plan, device))
    with pipeline_of(model, variant, plan, device) as pipeline:
        for seed, size in enumerate(SIZES):
            image = smooth_image(seed, size, encoding, padding=seed)
            assert_alike(found_by(pipeline, image), found_by(host, image), 1e-3, 2 / 255)
        assert pipeline.prepared_on_host == {}
        assert 'without a CUDA graph' not in pipeline.engine or not can_capture(device)
    host.close()


def can_capture(device) -> bool:
    stream = device.stream()
    try:
        return stream.can_capture
    finally:
        stream.close()


def test_paint_is_seen_in_its_colour(brightness, plan_of, device):
    model, variant = brightness
    green = np.full((480, 640, 3), (0, 255, 0), np.uint8)
    with pipeline_of(model, variant, plan_for(plan_of, model, variant), device) as pipeline:
        found = found_by(
            pipeline, wrap_image('bgr8', 640, 480, 1920, False, green), DetectionLimits(0.5, 0.5, 9)
        )
    assert [model.card.labels[number] for number in found.class_ids] == ['green']
    np.testing.assert_allclose(found.scores, 1, atol=1e-3)


def test_the_bundled_detectors_outputs_are_those_of_another_library(scenes, plan_of, device):
    model, variant = scenes
    path = model.files[variant.name]
    network = cv2.dnn.readNetFromONNX(str(path))
    with TensorRtSession(plan_of(path), device) as session:
        binding = session.bind({})
        for seed in range(3):
            image = np.random.default_rng(seed).random((1, 3, 256, 320), np.float32)
            network.setInput(image)
            expected = network.forward()
            binding.inputs['images'][...] = image
            # A copy: page-locked memory is not viewed beyond the session's end.
            (actual,) = (output.copy() for output in binding.run().values())
            for rows in (np.s_[:, :4], np.s_[:, 4:]):  # boxes in pixels; scores
                difference = np.abs(actual[rows] - expected[rows]).max()
                assert difference <= 1e-3 * np.abs(expected[rows]).max()


def test_the_bundled_detector_finds_what_the_host_finds(scenes, plan_of, device):
    model, variant = scenes
    plan = plan_for(plan_of, model, variant)
    limits = DetectionLimits(0.02, 0.5, 100)
    host = DetectionPipeline(model, variant, TensorRtSession(plan, device))
    seen = 0
    with pipeline_of(model, variant, plan, device) as pipeline:
        for seed in range(8):
            # Of a size at which both ways scale alike, to the bit.
            image = smooth_image(seed, SIZES[seed % 2])
            expected = found_by(host, image, limits)
            assert_alike(found_by(pipeline, image, limits), expected, 0.1, 1e-3)
            seen += len(expected)
    host.close()
    assert seen > 0


def test_two_frames_under_way_keep_apart(brightness, plan_of, device):
    model, variant = brightness
    plan = plan_for(plan_of, model, variant)
    heard = []
    host = DetectionPipeline(model, variant, TensorRtSession(plan, device))
    images = [smooth_image(seed, SIZES[seed % len(SIZES)]) for seed in range(40)]
    expected = [found_by(host, image) for image in images]
    host.close()
    with pipeline_of(model, variant, plan, device, observer=heard.append) as pipeline:
        pipeline.limits = ALL
        heard.clear()
        clock, under_way, results = StageClock(0), [], []
        for image in images:
            if len(under_way) == pipeline.depth:
                results.append(pipeline.finish(under_way.pop(0), clock))
            under_way.append(pipeline.begin(image, clock))
        results += [pipeline.finish(one, clock) for one in under_way]
    for found, wanted in zip(results, expected):
        assert_alike(found, wanted, 1e-3, 2 / 255)
    assert len(results) == len(heard) == 40
    for times in heard:
        assert tuple(times) == DEVICE_STAGES
        assert min(times.values()) >= 0
        assert 0 < times['infer'] < times['total']


def test_no_frame_allocates_while_sizes_and_encodings_change(scenes, plan_of, device):
    model, variant = scenes
    counters = []

    def count(resource):
        counters.append(CountingMemory(resource))
        return counters[-1]

    images = [
        smooth_image(seed, SIZES[seed % len(SIZES)], encoding)
        for seed, encoding in enumerate([*CHANNELS, 'bgr8', 'bgr8', 'bgr8'])
    ]
    plan = plan_for(plan_of, model, variant)
    with pipeline_of(
        model, variant, plan, device, DeviceMemory(adapt=count), adapt=count
    ) as pipeline:
        for image in images:
            pipeline.process(image, StageClock(0))
        before, free = [c.allocations for c in counters], device.free_bytes()
        live = device.live()
        for number in range(1000):
            pipeline.process(images[number % len(images)], StageClock(0))
        assert [c.allocations for c in counters] == before
        assert device.free_bytes() >= free
        assert device.live() == live
    assert [c.live for c in counters] == [0] * len(counters)


def test_200_rounds_leave_memory_as_after_the_first(brightness, plan_of, device):
    model, variant = brightness
    plan = plan_for(plan_of, model, variant)
    image = smooth_image(0)
    free = []
    for _ in range(200):
        with pipeline_of(model, variant, plan, device) as pipeline:
            pipeline.process(image, StageClock(0))
        assert device.live() == {}
        free.append(device.free_bytes())
    assert free[-1] >= free[0] - (1 << 20)


def test_whichever_allocation_fails_nothing_is_left(brightness, plan_of, device):
    model, variant = brightness
    plan = plan_for(plan_of, model, variant)
    for kind in ('device', 'pinned'):
        for after in range(3):

            def adapt(resource, kind=kind, after=after):
                failing = FailingMemory(resource)
                if resource.kind == kind:
                    failing.arm(after=after)
                return failing

            with (
                pytest.raises(DeviceMemoryError),
                pipeline_of(model, variant, plan, device, DeviceMemory(adapt=adapt)),
            ):
                pass
            assert device.live() == {}


def test_an_engine_is_built_on_opening_where_that_is_allowed(tmp_path, monkeypatch, context):
    kept = tmp_path / 'cache'
    monkeypatch.setenv('JETSON_INFER_CACHE', str(kept))
    model = load_model(write_brightness_model(tmp_path / 'model'))
    for build, told in (('allowed', 'was built'), ('never', 'is there')):
        pipeline = open_detection(model, model.variant(), engine='auto', build=build)
        assert told in pipeline.why
        assert pipeline.engine.startswith('tensorrt')
        assert len(found_by(pipeline, smooth_image(0))) == 3
        pipeline.close()


def test_a_device_lost_in_mid_stream_frees_everything_and_opens_again_or_says_that_it_cannot(
    brightness, tmp_path, plan_of
):
    """In a process of its own: a fault ends the context that all other tests share."""
    model, variant = brightness
    plan = tmp_path / 'brightness.plan'
    plan.write_bytes(plan_for(plan_of, model, variant))
    result = subprocess.run(
        [sys.executable, str(LOST_PIPELINE), str(model.folder), str(plan)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    told = json.loads(result.stdout.splitlines()[-1])
    assert told['before'] == 3
    assert told['after'] in ([3, 3], [GONE] * 2)
    assert 'still view' not in result.stderr
    assert told['lost'].startswith('DeviceError')
    assert told['live'] == {}
