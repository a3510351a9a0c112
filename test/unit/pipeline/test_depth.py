# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The depth pipeline on a network whose depth is known, and on TensorRT's stand-in."""

import json
import sys
import threading
import tracemalloc

import cv2
import numpy as np
import pytest
from onnx import helper

import fake_tensorrt
import networks
from closed_views import views_told_of
from depth_networks import (
    CELL,
    FAR_M,
    NEAR_M,
    VARIANTS,
    depth_card,
    network_depth,
    true_depth,
    write_depth_model,
)
from jetson_infer.core.images import wrap_compressed, wrap_image
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.models import load_model
from jetson_infer.engines.tensorrt.session import TensorRtSession
from jetson_infer.errors import (
    CardError,
    DecoderError,
    DeviceError,
    FrameRejected,
    InternalError,
    NotValidatedError,
    SessionError,
)
from jetson_infer.pipeline.depth import DepthPipeline
from jetson_infer.pipeline.open_depth import open_depth
from jetson_infer.pipeline.opening import OpenHooks, OpeningCancelled
from jetson_infer.pipeline.pipelines import overlapping

INPUT = depth_card()['input']


def rgb_view(pixels):
    height, width, _ = pixels.shape
    return wrap_image('rgb8', width, height, 3 * width, False, pixels)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture
def opened(tmp_path):
    """Open a variant of a model that is written for it; close it at the end."""
    pipelines = []

    def open_one(card=None, variant='auto', **network):
        model = load_model(write_depth_model(tmp_path / f'{len(pipelines)}', card, **network))
        pipelines.append(open_depth(model, model.variant(variant), engine='onnxruntime', threads=1))
        return pipelines[-1]

    yield open_one
    for pipeline in pipelines:
        pipeline.close()


def test_an_image_of_the_networks_size_has_the_networks_depth(opened):
    pipeline = opened()
    for seed in range(3):
        pixels = noise(48, 64, seed)
        depth = pipeline.process(rgb_view(pixels), StageClock(0))
        assert depth.dtype == np.float32
        np.testing.assert_allclose(depth, network_depth(pixels), rtol=1e-5)


@pytest.mark.parametrize('network', [{}, {'factor': 1}, {'factor': 2}, {'inverse': True}])
def test_an_image_of_any_size_has_the_depth_of_its_pixels(opened, network):
    kind = 'inverse' if network.get('inverse') else 'metres'
    card = depth_card(output={'decoder': 'depth', 'settings': {'values': kind}})
    pipeline = opened(card, **network)
    # A ramp, which no scaling changes but at the image's edges.
    ramp = np.linspace(0, 255, 640)
    pixels = np.broadcast_to(ramp.round().astype(np.uint8)[None, :, None], (480, 640, 3)).copy()
    depth = pipeline.process(rgb_view(pixels), StageClock(0))
    assert depth.shape == (480, 640)
    inner = depth[:, 40:-40]
    np.testing.assert_allclose(inner, true_depth(pixels)[:, 40:-40], atol=0.02)


def test_the_letterboxs_bars_do_not_come_into_the_image(opened):
    # Rows 16 to 31 of the input are the image, a cell's edge each, and every cell is one number.
    pipeline = opened(factor=1)
    for value, expected in ((255, FAR_M), (0, NEAR_M)):
        pixels = np.full((32, 128, 3), value, np.uint8)
        depth = pipeline.process(rgb_view(pixels), StageClock(0))
        np.testing.assert_allclose(depth, np.full((32, 128), expected), rtol=1e-5)


@pytest.mark.parametrize('resize', ['letterbox', 'letterbox_top_left', 'stretch'])
@pytest.mark.parametrize('size', [(33, 17), (100, 301), (641, 479)])
def test_images_of_odd_sizes_keep_their_places(opened, size, resize):
    width, height = size
    pipeline = opened(depth_card(input={**INPUT, 'resize': resize}), factor=1)
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, width // 2 :] = 255  # white at the top right
    depth = pipeline.process(rgb_view(pixels), StageClock(0))
    assert depth.shape == (height, width)
    scale = min(64 / width, 48 / height)  # of both axes, or of the one that is scaled more
    margin = round(1.5 * CELL / scale)  # a cell and a half mixes what meets in it
    far, near = depth[: height // 2, width // 2 :], depth[height // 2 :, : width // 2]
    for part, expected in ((far, FAR_M), (near, NEAR_M)):
        inner = part[margin:-margin, margin:-margin]
        np.testing.assert_allclose(inner, expected, rtol=1e-4)


def test_compressed_and_raw_images_have_the_same_depth(opened):
    pixels = noise(96, 128)
    png = cv2.imencode('.png', pixels[..., ::-1])[1]
    pipeline = opened()
    raw = pipeline.process(rgb_view(pixels), StageClock(0))
    compressed = pipeline.process(wrap_compressed('png', png), StageClock(0))
    np.testing.assert_array_equal(raw, compressed)


def test_variants_differ_as_their_networks_do(opened):
    white = rgb_view(np.full((48, 64, 3), 255, np.uint8))
    for name, (_, far_m) in VARIANTS.items():
        pipeline = opened(variant=name)
        assert pipeline.variant.name == name
        assert pipeline.engine.startswith('onnxruntime ')
        assert pipeline.why == 'it was asked for'
        assert pipeline.unvalidated == ''
        depth = pipeline.process(white, StageClock(0))
        np.testing.assert_allclose(depth, far_m, rtol=1e-5)


def test_every_frame_has_an_array_of_its_own(opened):
    pipeline = opened()
    images = [np.full((48, 64, 3), value, np.uint8) for value in (0, 255)]
    depths = [pipeline.process(rgb_view(pixels), StageClock(0)) for pixels in images]
    pipeline.close()
    np.testing.assert_allclose(depths[0], NEAR_M, rtol=1e-5)
    np.testing.assert_allclose(depths[1], FAR_M, rtol=1e-5)


def test_stages_are_marked(opened):
    clock = StageClock(0)
    opened().process(rgb_view(noise(48, 64)), clock)
    assert list(clock.milliseconds) == ['preprocess', 'infer', 'decode']


def test_nothing_but_the_result_is_allocated_in_proportion_to_the_image(opened):
    pipeline = opened()
    view = rgb_view(noise(720, 1280))
    for _ in range(3):
        pipeline.process(view, StageClock(0))
    tracemalloc.start()
    for _ in range(5):
        pipeline.process(view, StageClock(0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 720 * 1280 + 131_072


def test_a_rejected_image_costs_that_image_only(opened):
    pipeline = opened()
    png = cv2.imencode('.png', noise(96, 128))[1]
    png[60:-60] = 0
    damaged = wrap_compressed('png', png)
    with pytest.raises(FrameRejected) as caught:
        pipeline.process(damaged, StageClock(0))
    assert caught.value.reason == 'decode_failed'
    pixels = noise(48, 64)
    depth = pipeline.process(rgb_view(pixels), StageClock(0))
    np.testing.assert_allclose(depth, network_depth(pixels), rtol=1e-5)


def test_an_output_of_dynamic_shape_is_decoded(opened):
    pipeline = opened(declared=('batch', 1, 'height', 'width'))
    pixels = noise(48, 64)
    depth = pipeline.process(rgb_view(pixels), StageClock(0))
    np.testing.assert_allclose(depth, network_depth(pixels), rtol=1e-5)


def test_a_further_input_has_the_cards_value(tmp_path):
    changed = {'input': {**INPUT, 'extra': {'gain': [4]}}}
    folder = write_depth_model(tmp_path / 'model', depth_card(**changed))
    networks.save(
        folder / 'fp32.onnx',
        [
            helper.make_node('ReduceMean', ['image'], ['mean'], axes=[1]),
            helper.make_node('Mul', ['mean', 'gain'], ['depth']),
        ],
        [networks.tensor('image', (1, 3, 48, 64)), networks.tensor('gain', (1,))],
        [networks.tensor('depth', (1, 1, 48, 64))],
    )
    model = load_model(folder)
    pipeline = open_depth(model, model.variant(), engine='onnxruntime')
    depth = pipeline.process(rgb_view(np.full((48, 64, 3), 51, np.uint8)), StageClock(0))
    pipeline.close()
    np.testing.assert_allclose(depth, 0.8, rtol=1e-6)


def test_it_may_be_closed_twice_and_not_used_afterwards(opened):
    pipeline = opened()
    pipeline.close()
    pipeline.close()
    with pytest.raises(SessionError, match='closed'):
        pipeline.process(rgb_view(noise(48, 64)), StageClock(0))


def test_it_serves_where_pipelines_may_overlap(opened):
    pipeline = opened()
    assert overlapping(pipeline) is pipeline
    assert (pipeline.depth, pipeline.patience_s) == (1, 0.0)
    pixels, clock = noise(48, 64), StageClock(0)
    with pipeline.current():
        depth = pipeline.finish(pipeline.begin(rgb_view(pixels), clock), clock)
    np.testing.assert_allclose(depth, network_depth(pixels), rtol=1e-5)


@pytest.mark.parametrize(
    ('changes', 'error', 'message'),
    [
        ({'input': {**INPUT, 'colour': 'grey'}}, CardError, 'model.yaml: input'),
        ({'input': {**INPUT, 'dtype': 'float16'}}, CardError, 'input.dtype'),
        (
            {'output': {'decoder': 'depth', 'settings': {'output': 'disparity'}}},
            DecoderError,
            r"no output 'disparity'.* outputs depth float32\[1x1x48x64\]",
        ),
    ],
)
def test_a_card_that_does_not_fit_the_network_fails_when_opened(opened, changes, error, message):
    with pytest.raises(error, match=message):
        opened(depth_card(**changes))


def test_a_file_that_is_not_onnx_fails_when_opened(tmp_path):
    folder = write_depth_model(tmp_path / 'model')
    (folder / 'fp32.onnx').write_bytes(b'not a network at all')
    model = load_model(folder)
    with pytest.raises(SessionError, match=r'fp32\.onnx'):
        open_depth(model, model.variant(), engine='onnxruntime')


def test_opening_reports_and_can_be_called_off(tmp_path):
    model = load_model(write_depth_model(tmp_path / 'model'))
    said = []
    hooks = OpenHooks(said.append, cancelled=lambda: len(said) == 2)
    open_depth(model, model.variant(), engine='onnxruntime', hooks=hooks).close()
    assert said == ['choosing an engine', 'allocating and warming up']
    with pytest.raises(OpeningCancelled):
        open_depth(model, model.variant(), engine='onnxruntime', hooks=hooks)


def test_the_gate_decides_what_may_run(tmp_path):
    class Gate:
        def admit(self, model, variant, cached):
            if variant.name == 'ruined':
                raise NotValidatedError('ruined failed')
            return f'{variant.name} was never validated'

    model = load_model(write_depth_model(tmp_path / 'model'))
    pipeline = open_depth(model, model.variant('close'), engine='onnxruntime', gate=Gate())
    pipeline.close()
    assert pipeline.unvalidated == 'close was never validated'
    with pytest.raises(NotValidatedError):
        open_depth(model, model.variant('ruined'), engine='onnxruntime', gate=Gate())


# --- on TensorRT's stand-in, whose outputs are its first input, doubled

GREY = {**INPUT, 'colour': 'grey'}


def plan(kind='FLOAT', shape=(1, 1, 48, 64)) -> bytes:
    io = [['image', 'in', 'FLOAT', [1, 1, 48, 64]], ['depth', 'out', kind, list(shape)]]
    return json.dumps({'io': io, 'scratch': 512}).encode()


@pytest.fixture
def device(monkeypatch, caplog):
    """The host twin, current; nothing of it may be left, nor viewed when it is closed."""
    module = fake_tensorrt.fake_module('10.3.0', monkeypatch)
    monkeypatch.setitem(sys.modules, 'tensorrt', module)
    monkeypatch.setattr(fake_tensorrt, 'device_of_fakes', [fake_tensorrt.NumberedDevice()])
    twin = fake_tensorrt.device_of_fakes[-1]
    with twin.current():
        yield twin
    assert twin.live() == {}
    assert views_told_of(caplog) == []
    twin.close()


@pytest.fixture
def grey_model(tmp_path):
    folder = write_depth_model(tmp_path / 'model')
    text = (folder / 'model.yaml').read_text().replace('colour: rgb', 'colour: grey')
    (folder / 'model.yaml').write_text(text)
    return load_model(folder)


@pytest.mark.parametrize('kind', ['FLOAT', 'HALF'])
def test_a_session_of_a_device_is_bound_to_host_memory(device, grey_model, kind):
    session = TensorRtSession(plan(kind), device)
    pipeline = DepthPipeline(grey_model, grey_model.variant(), session)
    assert pipeline.engine == 'tensorrt 10.3.0 (host twin)'
    pixels = np.random.default_rng(1).integers(1, 256, (48, 64), np.uint8)
    view = wrap_image('mono8', 64, 48, 64, False, pixels)
    depth = pipeline.process(view, StageClock(0))
    pipeline.close()
    pipeline.close()
    np.testing.assert_allclose(depth, pixels / 127.5, rtol=1e-3)


def test_another_thread_uses_it_where_the_device_is_current(device, grey_model):
    pipeline = DepthPipeline(grey_model, grey_model.variant(), TensorRtSession(plan(), device))
    view = wrap_image('mono8', 64, 48, 64, False, np.full((48, 64), 51, np.uint8))
    found = []

    def worker():
        with pytest.raises(InternalError, match='not current on this thread'):
            pipeline.process(view, StageClock(0))
        with pipeline.current():
            found.append(pipeline.process(view, StageClock(0)))

    thread = threading.Thread(target=worker)
    thread.start()
    thread.join()
    pipeline.close()
    np.testing.assert_allclose(found, np.full((1, 48, 64), 0.4), rtol=1e-6)


def test_a_card_that_does_not_fit_leaves_the_session_to_its_owner(device, grey_model):
    session = TensorRtSession(plan(shape=(1, 2, 48, 32)), device)
    with pytest.raises(DecoderError, match='1x2x48x32'):
        DepthPipeline(grey_model, grey_model.variant(), session)
    session.close()


def test_a_device_that_is_lost_while_warming_up_leaves_the_session_to_its_owner(device, grey_model):
    session = TensorRtSession(plan(), device)
    before = device.operations
    DepthPipeline(grey_model, grey_model.variant(), session)
    needed = device.operations - before
    device.fail_after(needed - 1)
    with pytest.raises(DeviceError):
        DepthPipeline(grey_model, grey_model.variant(), session)
    session.close()
