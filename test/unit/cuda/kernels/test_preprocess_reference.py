# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The preprocessing kernel's reference against OpenCV's chain and against plain arithmetic."""

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jetson_infer.core.encodings import ENCODINGS
from jetson_infer.core.images import wrap_image
from jetson_infer.core.letterbox import RESIZE_MODES, Letterbox
from jetson_infer.cuda.kernels.geometry import SUPPORTED, RawImage, geometry_of, supports
from jetson_infer.cuda.kernels.preprocess_reference import preprocess_reference
from jetson_infer.pipeline.convert import Converter
from jetson_infer.pipeline.preprocess import Preprocessor
from raw_images import IMAGENET, RAW, UNIT, bytes_of, card, noise, possible

SIZES = st.tuples(st.integers(1, 90), st.integers(1, 90))
NUMBERS = [(UNIT, 'float32'), (IMAGENET, 'float32'), (RAW, 'float32'),
           (UNIT, 'float16'), (IMAGENET, 'float16'), (RAW, 'uint8')]  # fmt: skip


def reference(image, input_card, size):
    raw = RawImage.of(image)
    letterbox = Letterbox.fit(image.size, size, input_card.resize)
    return preprocess_reference(
        bytes_of(image),
        raw.encoding,
        geometry_of(raw, letterbox, input_card),
        input_card.colour,
        input_card.layout == 'nchw',
        input_card.dtype,
    )


def on_the_host(image, input_card, size):
    out = np.empty(input_card.shape(size), input_card.dtype)
    Preprocessor(input_card, size).prepare(image, out)
    return out


def rounding(input_card):
    """What types' own rounding may differ by: OpenCV computes `pixel * scale - mean * scale`."""
    largest = max(255 * abs(s) + abs(m * s) for m, s in zip(input_card.mean, input_card.scale))
    return largest * {'float32': 4e-7, 'float16': 2**-10, 'uint8': 0}[input_card.dtype]


@settings(max_examples=300)
@given(
    st.sampled_from(SUPPORTED),
    SIZES,
    st.tuples(st.integers(8, 80), st.integers(8, 80)),  # OpenCV 4.5 scales nothing to one pixel
    st.sampled_from(['nchw', 'nhwc']),
    st.sampled_from(['rgb', 'bgr', 'grey']),
    st.sampled_from(RESIZE_MODES),
    st.sampled_from(NUMBERS),
    st.integers(0, 255),
    st.integers(0, 5),
)
@example('bgr8', (1920, 1080), (640, 640), 'nchw', 'rgb', 'letterbox', (UNIT, 'float32'), 114, 0)
@example('nv12', (1280, 720), (640, 640), 'nchw', 'rgb', 'stretch', (IMAGENET, 'float16'), 0, 64)
@example('mono8', (1, 7), (5, 9), 'nhwc', 'bgr', 'letterbox', (UNIT, 'float32'), 0, 3)
def test_the_pixels_are_the_hosts_within_one_level(
    encoding, source, size, layout, colour, resize, numbers, pad, padding
):
    input_card = card(layout, colour, resize, pad, *numbers)
    image = noise(encoding, possible(encoding, source), padding)
    here = reference(image, input_card, size).astype(np.float64)
    there = on_the_host(image, input_card, size).astype(np.float64)
    level = max(abs(scale) for scale in input_card.scale)
    np.testing.assert_allclose(here, there, rtol=0, atol=level * 1.001 + rounding(input_card))
    # Noise differs in many pixels if anything is wrong with the weights, even by less than a level.
    differing = np.abs(here - there) > level / 2 + rounding(input_card)
    if min(*source, *size) >= 16:
        assert differing.mean() <= 0.03, f'{differing.mean():.1%}'


@pytest.mark.parametrize('encoding', SUPPORTED)
@pytest.mark.parametrize(
    ('source', 'size'),
    [((64, 48), (64, 48)), ((1920, 1080), (640, 640)), ((1280, 720), (640, 640)),
     ((640, 480), (320, 256)), ((3840, 2160), (640, 640)), ((1600, 1200), (640, 480))],
)  # fmt: skip
def test_at_the_usual_sizes_the_pixels_are_the_hosts_to_the_bit(encoding, source, size):
    input_card = card(numbers=RAW, dtype='uint8')
    image = noise(encoding, source)
    here, there = (way(image, input_card, size) for way in (reference, on_the_host))
    if ENCODINGS[encoding].channels == 4:  # which OpenCV's builds scale in ways of their own
        assert np.abs(here.astype(int) - there).max() <= 1
    else:
        np.testing.assert_array_equal(here, there)


def every_corner_of_yuv():
    values = [0, 1, 15, 16, 17, 100, 127, 128, 129, 200, 235, 236, 254, 255]
    return np.array(np.meshgrid(values, values, values)).reshape(3, -1).astype(np.uint8)


@pytest.mark.parametrize('encoding', ['uyvy', 'yuyv', 'nv12', 'nv21'])
def test_colours_of_yuv_are_opencvs_to_the_bit(encoding):
    others = np.random.default_rng(3).integers(0, 256, (3, 60_000), np.uint8)
    y, u, v = np.hstack([every_corner_of_yuv(), others])
    if encoding in ('nv12', 'nv21'):
        chroma = np.stack((u, v) if encoding == 'nv12' else (v, u), 1).reshape(1, -1)
        rows = np.vstack([y.repeat(2)[None], y.repeat(2)[None], chroma])
        image = wrap_image(encoding, rows.shape[1], 2, rows.shape[1], 0, rows.tobytes())
    else:
        packed = np.stack((u, y, v, y) if encoding == 'uyvy' else (y, u, y, v), 1)
        image = wrap_image(encoding, 2 * len(y), 1, packed.size, 0, packed.tobytes())
    input_card = card(colour='bgr', layout='nhwc', numbers=RAW, dtype='uint8', resize='stretch')
    here = reference(image, input_card, image.size)[0]
    np.testing.assert_array_equal(here, Converter().to_bgr(image))


def test_grey_of_colours_is_opencvs_to_the_bit():
    image = noise('bgr8', (64, 64))
    here = reference(image, card(colour='grey', numbers=RAW, dtype='uint8'), (64, 64))
    np.testing.assert_array_equal(here[0, 0], cv2.cvtColor(image.pixels, cv2.COLOR_BGR2GRAY))


@settings(max_examples=40)
@given(SIZES, st.tuples(st.integers(1, 40), st.integers(1, 40)), st.sampled_from(RESIZE_MODES))
def test_scaling_is_bilinear_between_pixel_centres(source, size, resize):
    """In plain floating point, pixel by pixel, as the definition has it."""
    width, height = possible('mono8', source)
    image = noise('mono8', (width, height), seed=width * height)
    pixels = image.pixels.astype(np.float64)
    letterbox = Letterbox.fit((width, height), size, resize)
    expected = np.full(size[::-1], 114.0)
    for j in range(letterbox.inner_size[1]):
        for i in range(letterbox.inner_size[0]):
            x = min(max((i + 0.5) / letterbox.scale_x - 0.5, 0), width - 1)
            y = min(max((j + 0.5) / letterbox.scale_y - 0.5, 0), height - 1)
            left, top = int(x), int(y)
            right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
            fx, fy = x - left, y - top
            upper = (1 - fx) * pixels[top, left] + fx * pixels[top, right]
            lower = (1 - fx) * pixels[bottom, left] + fx * pixels[bottom, right]
            expected[letterbox.pad_y + j, letterbox.pad_x + i] = (1 - fy) * upper + fy * lower
    here = reference(image, card(colour='grey', resize=resize, numbers=RAW), size)[0, 0]
    np.testing.assert_allclose(here, expected, rtol=0, atol=1.0)
    if min(*source, *size) >= 10:
        # Rounded, not cut off; OpenCV's way of rounding leans by an eighth of a level.
        assert abs((here - expected).mean()) < 0.25


@pytest.mark.parametrize('layout', ['nchw', 'nhwc'])
def test_float16_is_rounded_once(layout):
    input_card = card(layout, numbers=IMAGENET, dtype='float16')
    image = noise('rgb8', (64, 48))
    here = reference(image, input_card, (64, 48))
    numbers = (image.pixels.astype(np.float32) - np.float32(IMAGENET[0])) * np.float32(IMAGENET[1])
    expected = numbers.transpose(2, 0, 1) if layout == 'nchw' else numbers
    np.testing.assert_array_equal(here[0], expected.astype(np.float16))


@pytest.mark.parametrize(
    ('encoding', 'readable'),
    [*((name, True) for name in SUPPORTED), ('yuv422', True), ('yuv422_yuy2', True),
     ('8UC3', True), ('8UC1', True), ('mono16', False), ('bayer_rggb8', False), ('rgb16', False),
     ('32FC1', False), ('', False)],
)  # fmt: skip
def test_says_what_it_reads(encoding, readable):
    assert supports(encoding) is readable


def test_an_image_tells_how_many_bytes_are_read():
    for encoding in SUPPORTED:
        image = noise(encoding, (6, 4), padding=7)
        assert RawImage.of(image).nbytes == len(bytes_of(image))


def test_a_step_that_cannot_be_counted_is_refused():
    image = RawImage('mono8', 4, 4, 1 << 31)
    with pytest.raises(ValueError, match='step of 2147483648 bytes; at most 2147483647'):
        geometry_of(image, Letterbox.fit((4, 4), (4, 4)), card())
