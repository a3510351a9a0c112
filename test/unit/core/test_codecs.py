# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import array

import cv2
import numpy as np
import pytest

from jetson_infer.core.codecs import Format, parse_format
from jetson_infer.core.images import wrap_compressed
from jetson_infer.errors import FrameRejected

NOISE = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)


def encode(extension, image=NOISE, *settings):
    return cv2.imencode(extension, image, settings)[1].tobytes()


JPEG, PNG = encode('.jpg'), encode('.png')


def with_thumbnail(jpeg):
    """A JPEG whose header holds a whole small JPEG, as cameras write them."""
    payload = b'Exif\0\0' + encode('.jpg', NOISE[:8, :8])
    segment = b'\xff\xe1' + (len(payload) + 2).to_bytes(2, 'big') + payload
    return jpeg[:2] + segment + jpeg[2:]


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('jpeg', Format('jpeg')),
        ('jpg', Format('jpeg')),
        ('JPEG', Format('jpeg')),
        ('png', Format('png')),
        ('', Format(None)),
        ('rgb8; jpeg compressed bgr8', Format('jpeg', 'rgb8')),
        ('rgb8;jpeg compressed bgr8', Format('jpeg', 'rgb8')),
        ('bgr8; png compressed ', Format('png', 'bgr8')),
        ('mono16; png compressed ', Format('png', 'mono16')),
        ('mono8; jpeg compressed ', Format('jpeg', 'mono8')),
        ('bayer_rggb8; png compressed ', Format('png', 'bayer_rggb8')),
        ('rgb8; jpeg compressed rgb8', Format('jpeg', 'rgb8', red_first=True)),
        ('rgb16; png compressed rgb16', Format('png', 'rgb16', red_first=True)),
        ('bgr16; png compressed bgr16', Format('png', 'bgr16')),
    ],
)
def test_the_formats_of_image_transport_are_read(text, expected):
    assert parse_format(text) == expected


@pytest.mark.parametrize(
    ('text', 'says'),
    [
        ('16UC1; compressedDepth png', 'depth image.*/compressed topic'),
        ('32FC1; compressedDepth', 'depth image'),
        ('rgb8; tiff compressed ', 'tiff'),
        ('h264', 'h264'),
        ('pngx', 'neither jpeg nor png'),
    ],
)
def test_other_formats_are_refused_by_name(text, says):
    with pytest.raises(FrameRejected, match=says) as caught:
        wrap_compressed(text, JPEG)
    assert caught.value.reason == 'unknown_format'


@pytest.mark.parametrize(('text', 'data'), [('jpeg', JPEG), ('png', PNG), ('', JPEG), ('', PNG)])
@pytest.mark.parametrize('wrap', [bytes, lambda b: array.array('B', b)])
def test_whole_data_is_wrapped_without_a_copy(text, data, wrap):
    buffer = wrap(data)
    view = wrap_compressed(text, buffer)
    assert view.codec == ('jpeg' if data is JPEG else 'png')
    assert view.data.tobytes() == data
    assert np.shares_memory(view.data, np.frombuffer(buffer, np.uint8))


@pytest.mark.parametrize(
    ('text', 'data', 'reason', 'says'),
    [
        ('jpeg', b'', 'empty_data', 'no data'),
        ('jpeg', PNG, 'format_mismatch', '89 50 4e 47 is png.*jpeg'),
        ('png', JPEG, 'format_mismatch', 'ff d8 ff e0 is jpeg'),
        ('jpeg', bytes(100), 'format_mismatch', 'neither'),
        ('', b'GIF89a', 'format_mismatch', "neither.*''"),
        ('jpeg', b'\xff', 'format_mismatch', 'of 1 bytes'),
    ],
)
def test_data_that_is_something_else_is_rejected_by_name(text, data, reason, says):
    with pytest.raises(FrameRejected, match=says) as caught:
        wrap_compressed(text, data)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    'data',
    [
        JPEG,
        PNG,
        with_thumbnail(JPEG),
        encode('.jpg', NOISE, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        encode('.jpg', NOISE, cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
    ],
    ids=['jpeg', 'png', 'jpeg with a thumbnail', 'progressive jpeg', 'jpeg with restarts'],
)
def test_data_cut_anywhere_is_rejected(data):
    # A thumbnail that the data happens to end with is left to the decoder, which finds no picture.
    thumbnails_end = data.find(b'\xff\xd9') + 2
    for length in range(len(data)):
        if length == thumbnails_end:
            continue
        with pytest.raises(FrameRejected) as caught:
            wrap_compressed('', data[:length])
        within_magic = {'format_mismatch', 'empty_data'} if length < 8 else set()
        assert caught.value.reason in {'truncated_data'} | within_magic


@pytest.mark.parametrize('data', [JPEG, PNG, with_thumbnail(JPEG)])
@pytest.mark.parametrize('padding', [b'\0', bytes(5000), b'\xff' * 64, b'\xff\xd8\xff leftovers'])
def test_padding_after_the_end_is_accepted(data, padding):
    assert wrap_compressed('', data + padding).data.nbytes == len(data) + len(padding)


@pytest.mark.parametrize('length', [0xFFFF, 0, 1, 2])
def test_a_jpeg_header_whose_lengths_lie_is_survived(length):
    header = b'\xff\xd8\xff\xe0' + length.to_bytes(2, 'big')
    with pytest.raises(FrameRejected) as caught:
        wrap_compressed('jpeg', header + bytes(100) + b'\xff\xd9' + bytes(3))
    assert caught.value.reason == 'truncated_data'
