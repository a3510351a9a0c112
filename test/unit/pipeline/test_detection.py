# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest

from brightness_model import BOXES, CARD, write_brightness_model
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.images import wrap_compressed, wrap_image
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.models import load_model
from jetson_infer.errors import CardError, DecoderError, SessionError
from jetson_infer.pipeline.open_detection import open_detection


@pytest.fixture
def folder(tmp_path):
    return write_brightness_model(tmp_path / 'brightness')


def open_pipeline(folder: Path):
    model = load_model(folder)
    return open_detection(model, model.variant(), engine='onnxruntime', threads=1)


def bgr_view(pixels):
    height, width, _ = pixels.shape
    return wrap_image('bgr8', width, height, 3 * width, False, pixels)


@pytest.mark.parametrize('size', [(64, 48), (640, 480), (1920, 1080), (100, 301), (33, 17)])
def test_boxes_are_in_pixels_of_the_source_image(folder, size):
    width, height = size
    scale = min(64 / width, 48 / height)
    pad = (64 - width * scale) / 2, (48 - height * scale) / 2
    centre = (BOXES[1, :2] - pad) / scale
    with_pipeline = open_pipeline(folder)
    # Green everywhere, so that the padding's grey only dilutes the score.
    view = bgr_view(np.full((height, width, 3), (0, 255, 0), np.uint8))
    with_pipeline.limits = DetectionLimits(0.0, 0.5, 10, frozenset([1]))
    found = with_pipeline.process(view, StageClock(0))
    with_pipeline.close()
    assert found.class_ids.tolist() == [1]
    x_min, y_min, x_max, y_max = found.boxes[0]
    # Rounding of the resized image to whole pixels moves a box by up to half a network pixel.
    tolerance = 1.0 / scale
    assert ((x_min + x_max) / 2, (y_min + y_max) / 2) == pytest.approx(centre, abs=tolerance)
    assert 0 <= x_min < x_max <= width
    assert 0 <= y_min < y_max <= height


def test_boxes_in_the_letterboxs_bars_are_left_out(folder):
    pipeline = open_pipeline(folder)
    pipeline.limits = DetectionLimits(0.0, 0.5, 10)
    # Of an image of 64 x 16 pixels rows 16 to 31 of the network's input are filled.
    found = pipeline.process(bgr_view(np.zeros((16, 64, 3), np.uint8)), StageClock(0))
    pipeline.close()
    assert found.class_ids.tolist() == [1]
    assert found.boxes.tolist() == [[24, 2, 40, 14]]


def test_compressed_and_raw_images_give_the_same_detections(folder):
    pixels = np.random.default_rng(2).integers(0, 256, (96, 128, 3), np.uint8)
    png = cv2.imencode('.png', pixels)[1]
    pipeline = open_pipeline(folder)
    raw = pipeline.process(bgr_view(pixels), StageClock(0))
    compressed = pipeline.process(wrap_compressed('png', png), StageClock(0))
    pipeline.close()
    assert len(raw) == 3
    np.testing.assert_array_equal(raw.boxes, compressed.boxes)
    np.testing.assert_array_equal(raw.scores, compressed.scores)


def test_scores_are_those_of_the_image_and_not_of_the_one_before(folder):
    pipeline = open_pipeline(folder)
    pipeline.limits = DetectionLimits(0.0, 0.5, 10)
    for value in (10, 200, 30):
        view = bgr_view(np.full((48, 64, 3), value, np.uint8))
        scores = pipeline.process(view, StageClock(0)).scores
        np.testing.assert_allclose(scores, value / 255, atol=1e-5)
    pipeline.close()


def test_stages_are_marked(folder):
    pipeline = open_pipeline(folder)
    clock = StageClock(0)
    pipeline.process(bgr_view(np.zeros((48, 64, 3), np.uint8)), clock)
    pipeline.close()
    assert list(clock.milliseconds) == ['preprocess', 'infer', 'decode']


@pytest.mark.parametrize('size', [(64, 48), (1280, 720)])
def test_nothing_is_allocated_in_proportion_to_the_image(folder, size):
    width, height = size
    pipeline = open_pipeline(folder)
    view = bgr_view(np.zeros((height, width, 3), np.uint8))
    for _ in range(3):
        pipeline.process(view, StageClock(0))
    tracemalloc.start()
    for _ in range(20):
        pipeline.process(view, StageClock(0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    pipeline.close()
    # NumPy and OpenCV report their arrays to tracemalloc; a copy of the input would be 3 w h.
    assert peak < 65_536


@pytest.mark.parametrize(
    ('old', 'new', 'error', 'message'),
    [
        ('colour: rgb', 'colour: grey', CardError, r'model.yaml: input'),
        ('size: [64, 48]', 'size: [64, 64]', CardError, r'64x64'),
        ('  colour', '  dtype: float16\n  colour', CardError, r'input.dtype'),
        ('[red, green, blue]', '[red, green]', DecoderError, r'2'),
        ('[red, green, blue]', '[a, b, c, d]', DecoderError, r'4'),
        ('  size', '  name: pixels\n  size', CardError, r"input.name: .*'pixels'"),
        ('  size', '  extra: {mask: 1}\n  size', CardError, r'input.extra.mask'),
        ('decoder: yolo', 'decoder: efficient_nms', DecoderError, r'output0'),
    ],
)
def test_a_card_that_does_not_fit_the_network_fails_when_opened(folder, old, new, error, message):
    text = CARD.format(name='brightness', width=64, height=48)
    assert old in text
    (folder / 'model.yaml').write_text(text.replace(old, new, 1))
    with pytest.raises(error, match=message):
        open_pipeline(folder)


def test_a_file_that_is_not_onnx_fails_when_opened(folder):
    (folder / 'network.onnx').write_bytes(b'not a network at all')
    with pytest.raises(SessionError, match=r'network\.onnx'):
        open_pipeline(folder)
