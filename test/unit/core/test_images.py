# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import array
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetson_infer.core.images import ENCODINGS, wrap_image
from jetson_infer.errors import FrameRejected

# The table of the design, by hand: samples a pixel takes in a row, bytes of a sample.
SAMPLES = {
    'mono8': (1, 1),
    '8UC1': (1, 1),
    'rgb8': (3, 1),
    'bgr8': (3, 1),
    '8UC3': (3, 1),
    'rgba8': (4, 1),
    'bgra8': (4, 1),
    '8UC4': (4, 1),
    'mono16': (1, 2),
    '16UC1': (1, 2),
    'rgb16': (3, 2),
    'bgr16': (3, 2),
    '16UC3': (3, 2),
    'rgba16': (4, 2),
    'bgra16': (4, 2),
    '16UC4': (4, 2),
    'yuv422': (2, 1),
    'uyvy': (2, 1),
    'yuv422_yuy2': (2, 1),
    'yuyv': (2, 1),
    'nv12': (1, 1),
    'nv21': (1, 1),
    **{f'bayer_{pattern}8': (1, 1) for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')},
    **{f'bayer_{pattern}16': (1, 2) for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')},
}
CANONICAL = {
    '8UC1': 'mono8',
    '8UC3': 'bgr8',
    '8UC4': 'bgra8',
    '16UC1': 'mono16',
    '16UC3': 'bgr16',
    '16UC4': 'bgra16',
    'yuv422': 'uyvy',
    'yuv422_yuy2': 'yuyv',
}


def rows_of(encoding, height):
    return height * 3 // 2 if encoding in ('nv12', 'nv21') else height


@st.composite
def messages(draw):
    """Fields of an image message that are right, with padded rows, cut and surplus ends."""
    encoding = draw(st.sampled_from(sorted(SAMPLES)))
    channels, itemsize = SAMPLES[encoding]
    width, height = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    width += width == height == 1
    if encoding.startswith('bayer'):
        width, height = width + 2, height + 2
    if encoding in ('yuv422', 'uyvy', 'yuv422_yuy2', 'yuyv', 'nv12', 'nv21'):
        width += width % 2
    if encoding in ('nv12', 'nv21'):
        height += height % 2
    padding = draw(st.integers(0, 7)) * itemsize
    step = width * channels * itemsize + padding
    length = step * rows_of(encoding, height) + draw(st.integers(-padding, 20))
    data = draw(st.binary(min_size=length, max_size=length))
    return encoding, width, height, step, draw(st.booleans()), data


def test_every_encoding_of_the_design_is_known():
    assert set(ENCODINGS) == set(SAMPLES)


@given(messages())
def test_every_sample_is_the_one_that_the_message_tells(message):
    encoding, width, height, step, is_bigendian, data = message
    view = wrap_image(*message)
    channels, itemsize = SAMPLES[encoding]
    assert (view.encoding, view.width, view.height) == (
        CANONICAL.get(encoding, encoding),
        width,
        height,
    )
    rows = rows_of(encoding, height)
    assert view.pixels.shape == ((rows, width, channels) if channels > 1 else (rows, width))
    samples = view.pixels.reshape(rows, width * channels)
    for y in range(rows):
        for x in range(width * channels):
            at = y * step + x * itemsize
            expected = int.from_bytes(data[at : at + itemsize], 'big' if is_bigendian else 'little')
            assert samples[y, x] == expected


@pytest.mark.parametrize('encoding', sorted(SAMPLES))
@pytest.mark.parametrize(
    'wrap', [bytes, bytearray, lambda b: memoryview(b), lambda b: array.array('B', b), np.array]
)
def test_no_buffer_is_copied(encoding, wrap):
    channels, itemsize = SAMPLES[encoding]
    step = 640 * channels * itemsize
    raw = np.zeros(step * rows_of(encoding, 480), np.uint8)
    data = raw if wrap is np.array else wrap(raw.tobytes())
    view = wrap_image(encoding, 640, 480, step, 0, data)
    assert np.shares_memory(view.pixels, np.frombuffer(data, np.uint8))


def test_wrapping_allocates_nothing_in_proportion_to_the_image():
    data = array.array('B', bytes(1920 * 1080 * 3))
    wrap_image('bgr8', 1920, 1080, 5760, 0, data)
    tracemalloc.start()
    view = wrap_image('bgr8', 1920, 1080, 5760, 0, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert view.size == (1920, 1080)
    assert peak < 65_536


def test_a_view_cannot_be_drawn_on():
    view = wrap_image('mono8', 4, 4, 4, 0, bytearray(16))
    with pytest.raises(ValueError, match='read-only'):
        view.pixels[0, 0] = 1


@pytest.mark.parametrize(
    ('reason', 'fields', 'says'),
    [
        ('unknown_encoding', ('rgb888', 4, 4, 12, 48), "'rgb888'.*did you mean 'rgb8'.*mono16"),
        ('unknown_encoding', ('RGB8', 4, 4, 12, 48), "did you mean 'rgb8'"),
        ('unknown_encoding', ('', 4, 4, 12, 48), "''.*readable: mono8"),
        ('unknown_encoding', ('32FC1', 4, 4, 16, 64), 'depth image'),
        ('unknown_encoding', ('nv24', 4, 4, 4, 64), 'nv24'),
        ('zero_size', ('mono8', 0, 4, 4, 16), '0x4'),
        ('zero_size', ('mono8', 4, 0, 4, 16), '4x0'),
        ('zero_size', ('mono8', 0, 0, 0, 0), '0x0'),
        ('odd_size', ('uyvy', 3, 4, 8, 32), '3x4'),
        ('odd_size', ('yuv422_yuy2', 3, 4, 8, 32), '3x4'),
        ('odd_size', ('nv12', 3, 4, 4, 24), '3x4'),
        ('odd_size', ('nv21', 4, 3, 4, 24), '4x3'),
        ('too_small', ('bayer_rggb8', 2, 4, 4, 16), '2x4'),
        ('too_small', ('bgr8', 1, 1, 3, 3), '1x1'),
        ('bad_step', ('bgr8', 4, 4, 11, 48), 'step of 11.*at least 12'),
        ('bad_step', ('bgr8', 4, 4, 0, 48), 'step of 0.*at least 12'),
        ('bad_step', ('mono16', 4, 4, 9, 36), 'step of 9.*multiple of 2'),
        ('short_data', ('bgr8', 4, 4, 12, 47), '47 bytes.*make 48'),
        ('short_data', ('bgr8', 4, 4, 16, 59), '59 bytes.*the last one at least 12, make 60'),
        ('short_data', ('nv12', 4, 4, 4, 23), '6 rows of 4'),
        ('short_data', ('bgr8', 2**32 - 1, 2**32 - 1, 2**34, 48), '48 bytes'),
        ('short_data', ('mono8', 4, 4, 4, 0), '0 bytes'),
        ('long_data', ('mono8', 4, 4, 4, 16 + 4096), '4096 bytes longer than 4 rows'),
        ('long_data', ('bgr8', 1920, 4, 5760, 5 * 5760), '5760 bytes longer'),
    ],
)
def test_a_message_that_lies_is_rejected_by_name(reason, fields, says):
    encoding, width, height, step, length = fields
    with pytest.raises(FrameRejected, match=says) as caught:
        wrap_image(encoding, width, height, step, 0, bytes(length))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ('fields', 'length'),
    [
        (('mono8', 640, 480, 700), 700 * 479 + 640),  # the last row's padding is missing
        (('mono8', 640, 480, 640), 640 * 480 + 4095),  # rounded up to a page
        (('bgr8', 1920, 4, 5760), 4 * 5760 + 5759),  # rounded up to a row, less a byte
    ],
)
def test_what_drivers_leave_out_or_append_is_accepted(fields, length):
    assert wrap_image(*fields, 0, bytes(length)).size == fields[1:3]


def test_data_of_a_wider_item_is_seen_as_bytes():
    data = array.array('H', [1, 2, 3, 4])
    view = wrap_image('mono16', 2, 2, 4, 0, data)
    assert view.pixels.tolist() == [[1, 2], [3, 4]]
