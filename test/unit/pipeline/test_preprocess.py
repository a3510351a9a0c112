# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import tracemalloc
import weakref

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jetson_infer.core.cards import InputCard
from jetson_infer.core.images import wrap_compressed, wrap_image
from jetson_infer.errors import FrameRejected
from jetson_infer.pipeline.convert import Converter
from jetson_infer.pipeline.preprocess import Preprocessor

IMAGENET = ((123.675, 116.28, 103.53), (1 / 58.395, 1 / 57.12, 1 / 57.375))
UNIT = ((0.0,) * 3, (1 / 255,) * 3)
CENTRED = ((127.5,) * 3, (1 / 127.5,) * 3)
RAW = ((0.0,) * 3, (1.0,) * 3)


def card(layout='nchw', colour='rgb', resize='letterbox', pad=114, numbers=UNIT, dtype='float32'):
    channels = 1 if colour == 'grey' else 3
    mean, scale = (values[:channels] for values in numbers)
    return InputCard(None, None, None, layout, colour, resize, pad, mean, scale, dtype)


def new_input(input_card, size):
    return np.full(input_card.shape(size), 77, input_card.dtype)


def noise(*shape, seed=5):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def message(encoding, array, padding=0):
    rows = array.reshape(len(array), -1)
    padded = np.zeros((len(rows), rows.shape[1] + padding), np.uint8)
    padded[:, : rows.shape[1]] = rows
    return wrap_image(
        encoding, array.shape[1], array.shape[0], padded.shape[1], 0, padded.tobytes()
    )


# Encodings as functions of a BGR image, with what a grey network may see of it.
ENCODERS = {
    'bgr8': lambda bgr: bgr,
    'rgb8': lambda bgr: bgr[..., ::-1],
    'bgra8': lambda bgr: np.dstack([bgr, noise(*bgr.shape[:2], seed=1)]),
    'rgba8': lambda bgr: np.dstack([bgr[..., ::-1], noise(*bgr.shape[:2], seed=1)]),
    'mono8': lambda bgr: bgr[..., 1],
}


def expected(bgr, input_card, size):
    """Prepare an image as users of such networks do, in plain OpenCV and NumPy calls."""
    height, width = bgr.shape[:2]
    gain = min(size[0] / width, size[1] / height)
    inner = max(1, round(width * gain)), max(1, round(height * gain))
    if input_card.resize == 'stretch':
        inner = size
    if inner != (width, height):
        bgr = cv2.resize(bgr, inner, interpolation=cv2.INTER_LINEAR)
    dx, dy = size[0] - inner[0], size[1] - inner[1]
    left, top = round(dx / 2 - 0.1), round(dy / 2 - 0.1)
    if input_card.resize == 'letterbox_top_left':
        left, top = 0, 0
    value = (input_card.pad_value,) * 3
    bgr = cv2.copyMakeBorder(bgr, top, dy - top, left, dx - left, cv2.BORDER_CONSTANT, value=value)
    if input_card.colour == 'grey':
        pixels = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)[..., None]
    else:
        pixels = bgr[..., ::-1] if input_card.colour == 'rgb' else bgr
    numbers = (pixels.astype(np.float64) - input_card.mean) * np.array(input_card.scale)
    return (numbers.transpose(2, 0, 1) if input_card.layout == 'nchw' else numbers)[None]


def tolerance(input_card, levels=0.0):
    """A float32's rounding, a float16's, and as many grey levels as conversions may round."""
    scale = max(abs(value) for value in input_card.scale)
    largest = max(abs(255 - m) * abs(s) for m, s in zip(input_card.mean, input_card.scale))
    relative = {'float32': 4e-7, 'float16': 2**-11, 'uint8': 0}[input_card.dtype]
    return 255 * scale * relative + largest * relative + levels * scale * 1.0001


SIZES = st.tuples(st.integers(1, 90), st.integers(1, 90)).filter(lambda size: size != (1, 1))
NUMBERS = st.sampled_from([(UNIT, 'float32'), (IMAGENET, 'float32'), (CENTRED, 'float32'),
                           (RAW, 'float32'), (UNIT, 'float16'), (IMAGENET, 'float16'),
                           (RAW, 'uint8')])  # fmt: skip


@settings(max_examples=250)
@given(
    st.sampled_from(sorted(ENCODERS)),
    SIZES,
    st.tuples(st.integers(8, 80), st.integers(8, 80)),
    st.sampled_from(['nchw', 'nhwc']),
    st.sampled_from(['rgb', 'bgr', 'grey']),
    st.sampled_from(['letterbox', 'letterbox_top_left', 'stretch']),
    NUMBERS,
    st.integers(0, 255),
    st.integers(0, 5),
)
@example('bgr8', (640, 480), (640, 480), 'nchw', 'rgb', 'letterbox', (UNIT, 'float32'), 114, 0)
@example('rgb8', (1920, 1080), (640, 640), 'nchw', 'rgb', 'letterbox', (UNIT, 'float32'), 114, 0)
@example('bgr8', (640, 480), (320, 256), 'nhwc', 'rgb', 'stretch', (IMAGENET, 'float32'), 0, 9)
def test_the_network_sees_what_users_prepare_by_hand(
    encoding, source, size, layout, colour, resize, numbers, pad, padding
):
    input_card = card(layout, colour, resize, pad, *numbers)
    bgr = noise(source[1], source[0], 3)
    if encoding == 'mono8':
        bgr = np.repeat(bgr[..., 1:2], 3, axis=2)
    out = new_input(input_card, size)
    letterbox = Preprocessor(input_card, size).prepare(
        message(encoding, ENCODERS[encoding](bgr), padding), out
    )
    # OpenCV's scaling rounds four channels otherwise than three, and grey is a rounded sum.
    levels = 1 if colour == 'grey' or encoding in ('bgra8', 'rgba8') else 0
    reference = expected(bgr, input_card, size)
    assert out.dtype == input_card.dtype
    np.testing.assert_allclose(
        out.astype(np.float64), reference, rtol=0, atol=tolerance(input_card, levels)
    )
    assert letterbox.source_size == source
    assert letterbox.network_size == size


@pytest.mark.parametrize('numbers', [UNIT, IMAGENET, CENTRED])
@pytest.mark.parametrize('layout', ['nchw', 'nhwc'])
def test_float16_is_rounded_once(numbers, layout):
    input_card = card(layout, numbers=numbers, dtype='float16')
    bgr, out = noise(48, 64, 3), new_input(input_card, (64, 48))
    Preprocessor(input_card, (64, 48)).prepare(message('bgr8', bgr), out)
    assert np.array_equal(out, expected(bgr, input_card, (64, 48)).astype(np.float16))


@pytest.mark.parametrize(
    ('encoding', 'shape'),
    [
        ('mono16', (48, 64, 2)),
        ('rgb16', (48, 64, 6)),
        ('uyvy', (48, 64, 2)),
        ('yuyv', (48, 64, 2)),
        ('nv12', (72, 64)),
        ('nv21', (72, 64)),
        ('bayer_rggb8', (48, 64)),
        ('bayer_gbrg16', (48, 64, 2)),
    ],
)
@pytest.mark.parametrize('size', [(64, 48), (64, 64), (40, 24)])
def test_encodings_that_need_conversion(encoding, shape, size):
    rows = noise(*shape).reshape(shape[0], -1)
    view = wrap_image(encoding, 64, 48, rows.shape[1], 0, rows.tobytes())
    input_card = card()
    out = new_input(input_card, size)
    Preprocessor(input_card, size).prepare(view, out)
    bgr = Converter().to_bgr(view)
    np.testing.assert_allclose(
        out, expected(bgr, input_card, size), rtol=0, atol=tolerance(input_card, 1)
    )


@pytest.mark.parametrize('source', [(96, 72), (160, 120), (97, 72), (64, 72), (96, 24), (33, 216)])
@pytest.mark.parametrize('encoding', ['bgr8', 'mono8', 'bgra8'])
def test_scaling_is_opencvs_to_the_bit_whatever_rows_it_leaves_out(source, encoding):
    channels = {'mono8': 1, 'bgr8': 3, 'bgra8': 4}[encoding]
    width, height = source
    shape = (height, width) if channels == 1 else (height, width, channels)
    pixels = noise(*shape, seed=8)
    input_card = card(resize='stretch', numbers=RAW)
    out = new_input(input_card, (32, 24))
    Preprocessor(input_card, (32, 24)).prepare(message(encoding, pixels), out)
    scaled = cv2.resize(pixels, (32, 24), interpolation=cv2.INTER_LINEAR)
    rgb = np.dstack([scaled] * 3) if channels == 1 else scaled[..., 2::-1]
    np.testing.assert_array_equal(out[0], rgb.transpose(2, 0, 1))


def test_a_grey_network_sees_the_luma_of_yuv():
    luma = noise(48, 64)
    rows = np.vstack([luma, np.full((24, 64), 200, np.uint8)])
    view = wrap_image('nv12', 64, 48, 64, 0, rows.tobytes())
    input_card = card(colour='grey')
    out = new_input(input_card, (64, 48))
    Preprocessor(input_card, (64, 48)).prepare(view, out)
    np.testing.assert_allclose(out[0, 0], luma / 255, atol=1e-6)


@pytest.mark.parametrize('codec', ['jpeg', 'png'])
def test_compressed_images_are_decoded_on_the_way(codec):
    data = cv2.imencode(f'.{codec}', noise(60, 80, 3))[1].tobytes()
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    input_card = card()
    out = new_input(input_card, (64, 64))
    letterbox = Preprocessor(input_card, (64, 64)).prepare(wrap_compressed(codec, data), out)
    assert letterbox.source_size == (80, 60)
    np.testing.assert_allclose(out, expected(bgr, input_card, (64, 64)), atol=1e-6)


def test_a_damaged_image_costs_that_image_only():
    input_card = card()
    preprocessor, out = Preprocessor(input_card, (64, 64)), new_input(input_card, (64, 64))
    with pytest.raises(FrameRejected):
        preprocessor.prepare(wrap_compressed('jpeg', b'\xff\xd8\xff\xd9'), out)
    bgr = noise(48, 64, 3)
    preprocessor.prepare(message('bgr8', bgr), out)
    np.testing.assert_allclose(out, expected(bgr, input_card, (64, 64)), atol=1e-6)


def test_padding_is_written_once_for_each_array_and_geometry():
    input_card = card()
    preprocessor = Preprocessor(input_card, (64, 64))
    wide, narrow = message('bgr8', noise(32, 64, 3)), message('bgr8', noise(64, 32, 3))
    first, second = new_input(input_card, (64, 64)), new_input(input_card, (64, 64))
    pad = np.float32(114 / 255)
    preprocessor.prepare(wide, first)
    assert first[0, :, 0] == pytest.approx(pad)
    first[0, :, 0] = 9
    preprocessor.prepare(wide, first)
    assert (first[0, :, 0] == 9).all()  # left alone while the geometry stays
    preprocessor.prepare(wide, second)
    assert second[0, :, 0] == pytest.approx(pad)  # another array
    preprocessor.prepare(narrow, first)
    assert first[0, :, :, 0] == pytest.approx(pad)  # another geometry
    preprocessor.prepare(wide, first)
    assert first[0, :, 0] == pytest.approx(pad)


def test_images_of_changing_sizes_do_not_disturb_one_another():
    input_card = card(numbers=IMAGENET)
    size = (64, 48)
    preprocessor = Preprocessor(input_card, size)
    arrays = [new_input(input_card, size) for _ in range(2)]
    for index, source in enumerate([(64, 48), (90, 20), (20, 90), (64, 48), (33, 77), (90, 20)]):
        bgr, out = noise(source[1], source[0], 3, seed=index), arrays[index % 2]
        preprocessor.prepare(message('bgr8', bgr), out)
        np.testing.assert_allclose(out, expected(bgr, input_card, size), atol=2e-5)


def test_arrays_that_are_no_longer_used_are_let_go():
    input_card = card()
    preprocessor, view = Preprocessor(input_card, (64, 48)), message('bgr8', noise(48, 64, 3))
    array = new_input(input_card, (64, 48))
    gone = weakref.ref(array)
    preprocessor.prepare(view, array)
    for _ in range(8):
        array = new_input(input_card, (64, 48))
        preprocessor.prepare(view, array)
    assert gone() is None


@pytest.mark.parametrize('layout', ['nchw', 'nhwc'])
@pytest.mark.parametrize('colour', ['rgb', 'bgr', 'grey'])
@pytest.mark.parametrize(
    'numbers', [(UNIT, 'float32'), (IMAGENET, 'float32'), (IMAGENET, 'float16'), (RAW, 'uint8')]
)
@pytest.mark.parametrize('size', [(640, 480), (320, 320), (640, 640)])
def test_a_second_image_allocates_nothing_in_proportion(layout, colour, numbers, size):
    input_card = card(layout, colour, numbers=numbers[0], dtype=numbers[1])
    preprocessor, out = Preprocessor(input_card, size), new_input(input_card, size)
    encodings = {'bgr8': 3, 'rgb8': 3, 'bgra8': 4, 'mono8': 1, 'mono16': 2, 'uyvy': 2}
    views = [
        wrap_image(encoding, 640, 480, 640 * channels + 8, 0, bytes((640 * channels + 8) * 480))
        for encoding, channels in encodings.items()
    ]
    for view in views:
        preprocessor.prepare(view, out)
    for view in views:
        tracemalloc.start()
        preprocessor.prepare(view, out)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 65_536, view.encoding  # NumPy casts through buffers of a fixed size


@pytest.mark.parametrize(
    ('array', 'says'),
    [
        (np.zeros((1, 3, 64, 48), np.float32), r'\(1, 3, 48, 64\), not \(1, 3, 64, 48\)'),
        (np.zeros((3, 48, 64), np.float32), r'not \(3, 48, 64\)'),
        (np.zeros((1, 3, 48, 128), np.float32)[..., ::2], 'C-contiguous'),
        (np.zeros((1, 3, 48, 64), np.float64), 'float32 or float16.*not float64'),
        (np.zeros((1, 3, 48, 64), np.uint8), 'uint8 with mean 0 and scale 1'),
    ],
)
def test_an_array_that_cannot_be_the_input_is_refused(array, says):
    with pytest.raises(ValueError, match=says):
        Preprocessor(card(), (64, 48)).prepare(message('bgr8', noise(48, 64, 3)), array)
