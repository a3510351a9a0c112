# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import struct
import tracemalloc

import cv2
import numpy as np
import pytest

from jetson_infer.core.images import wrap_compressed, wrap_image
from jetson_infer.errors import FrameRejected
from jetson_infer.pipeline.convert import Converter

WIDTH, HEIGHT = 38, 26
MOSAICS = ('rggb', 'bggr', 'gbrg', 'grbg')


def noise(*shape, dtype=np.uint8, seed=7):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape, dtype)


def video_luma():
    """Luma within the range that video uses; OpenCV takes what is darker for black."""
    return 16 + noise(HEIGHT, WIDTH) % 220


def wrap(encoding, array, padding=6, big_endian=False, size=(WIDTH, HEIGHT)):
    """Put an array's rows into a message's bytes, with padding after each of them."""
    stored = array.astype(array.dtype.newbyteorder('>' if big_endian else '<'))
    rows = stored.reshape(len(array), -1).view(np.uint8)
    padded = np.full((len(rows), rows.shape[1] + padding), 0xAA, np.uint8)
    padded[:, : rows.shape[1]] = rows
    return wrap_image(encoding, *size, padded.shape[1], big_endian, padded.tobytes())


def bgr_of(view):
    return Converter().to_bgr(view).copy()


@pytest.mark.parametrize(
    ('encoding', 'channels', 'pick'),
    [
        ('mono8', 1, [0, 0, 0]),
        ('8UC1', 1, [0, 0, 0]),
        ('rgb8', 3, [2, 1, 0]),
        ('bgr8', 3, [0, 1, 2]),
        ('8UC3', 3, [0, 1, 2]),
        ('rgba8', 4, [2, 1, 0]),
        ('bgra8', 4, [0, 1, 2]),
        ('8UC4', 4, [0, 1, 2]),
    ],
)
def test_interleaved_channels_find_their_places(encoding, channels, pick):
    pixels = noise(HEIGHT, WIDTH, channels)
    assert np.array_equal(bgr_of(wrap(encoding, pixels)), pixels[..., pick])


@pytest.mark.parametrize(
    ('encoding', 'channels', 'pick'),
    [
        ('mono16', 1, [0, 0, 0]),
        ('16UC1', 1, [0, 0, 0]),
        ('rgb16', 3, [2, 1, 0]),
        ('bgr16', 3, [0, 1, 2]),
        ('16UC3', 3, [0, 1, 2]),
        ('rgba16', 4, [2, 1, 0]),
        ('bgra16', 4, [0, 1, 2]),
        ('16UC4', 4, [0, 1, 2]),
    ],
)
@pytest.mark.parametrize('big_endian', [False, True])
def test_sixteen_bits_are_scaled_to_eight_in_both_byte_orders(encoding, channels, pick, big_endian):
    pixels = noise(HEIGHT, WIDTH, channels, dtype=np.uint16)
    pixels[0, :3] = [[0], [65535], [257]]
    expected = np.rint(pixels / 257.0).astype(np.uint8)[..., pick]
    assert np.array_equal(bgr_of(wrap(encoding, pixels, big_endian=big_endian)), expected)


def bt601(y, u, v):
    """ITU-R BT.601 with luma from 16 to 235 to B, G, R."""
    y, u, v = 255 / 219 * (y - 16.0), u - 128.0, v - 128.0
    bgr = [
        y + 255 / 224 * 1.772 * u,
        y - 255 / 224 * (0.114 * 1.772 * u + 0.299 * 1.402 * v) / 0.587,
        y + 255 / 224 * 1.402 * v,
    ]
    return np.clip(np.stack(bgr, -1), 0, 255)


@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('uyvy', 'uyvy'), ('yuv422', 'uyvy'), ('yuyv', 'yuyv'), ('yuv422_yuy2', 'yuyv')],
)
def test_packed_yuv(encoding, order):
    luma = video_luma()
    u, v = (noise(HEIGHT, WIDTH // 2, seed=seed) for seed in (1, 2))
    samples = {'u': u, 'v': v}
    lumas = iter((luma[:, ::2], luma[:, 1::2]))
    packed = np.stack([next(lumas) if c == 'y' else samples[c] for c in order], -1)
    view = wrap(encoding, packed.reshape(HEIGHT, -1))
    expected = bt601(luma, np.repeat(u, 2, 1), np.repeat(v, 2, 1))
    np.testing.assert_allclose(bgr_of(view), expected, atol=2)
    grey = Converter().to_pixels(view, grey=True)
    assert grey.order == 'grey'
    assert np.array_equal(grey.data, luma)


@pytest.mark.parametrize('encoding', ['nv12', 'nv21'])
def test_planar_yuv(encoding):
    luma = video_luma()
    u, v = (noise(HEIGHT // 2, WIDTH // 2, seed=seed) for seed in (1, 2))
    chroma = np.stack([u, v] if encoding == 'nv12' else [v, u], -1).reshape(HEIGHT // 2, WIDTH)
    view = wrap(encoding, np.concatenate([luma, chroma]))
    expected = bt601(luma, *(np.kron(c, np.ones((2, 2))) for c in (u, v)))
    np.testing.assert_allclose(bgr_of(view), expected, atol=2)
    grey = Converter().to_pixels(view, grey=True)
    assert np.array_equal(grey.data, luma)
    assert np.shares_memory(grey.data, view.pixels)


def mosaic(pattern, bgr):
    """Keep of every pixel the one colour that a sensor's filter lets through.

    The name gives the colours of the first two rows' first two pixels, in reading order.
    """
    raw = np.empty(bgr.shape[:2], bgr.dtype)
    for index, colour in enumerate(pattern):
        y, x = divmod(index, 2)
        raw[y::2, x::2] = bgr[y::2, x::2, 'bgr'.index(colour)]
    return raw


def interpolated(pattern, raw):
    """Bilinear interpolation of a mosaic, as weighted means of the neighbours of each colour."""
    corners = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float64)
    cross = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]], np.float64)
    planes = []
    for colour in 'bgr':
        mask = np.zeros(raw.shape)
        for index, letter in enumerate(pattern):
            if letter == colour:
                mask[index // 2 :: 2, index % 2 :: 2] = 1
        kernel = cross if colour == 'g' else corners
        total = sum(
            kernel[dy, dx] * np.roll(raw * mask, (dy - 1, dx - 1), (0, 1))
            for dy in range(3)
            for dx in range(3)
        )
        weight = sum(
            kernel[dy, dx] * np.roll(mask, (dy - 1, dx - 1), (0, 1))
            for dy in range(3)
            for dx in range(3)
        )
        planes.append(total / weight)
    return np.stack(planes, -1)


@pytest.mark.parametrize('pattern', MOSAICS)
@pytest.mark.parametrize('bits', [8, 16])
def test_a_mosaic_gives_back_the_colour_it_was_made_of(pattern, bits):
    """OpenCV names mosaics otherwise than ROS: a mix-up swaps red and blue, or loses green."""
    colour = np.array([50, 100, 200])  # blue, green, red
    scene = np.broadcast_to(colour * (1 if bits == 8 else 257), (HEIGHT, WIDTH, 3))
    raw = mosaic(pattern, scene.astype(np.uint8 if bits == 8 else np.uint16))
    result = bgr_of(wrap(f'bayer_{pattern}{bits}', raw))
    assert np.array_equal(result, np.broadcast_to(colour, result.shape))


@pytest.mark.parametrize('pattern', MOSAICS)
@pytest.mark.parametrize('big_endian', [False, True])
def test_mosaics_are_interpolated_bilinearly(pattern, big_endian):
    inside = np.s_[2:-2, 2:-2]
    raw = noise(HEIGHT, WIDTH)
    result = bgr_of(wrap(f'bayer_{pattern}8', raw))
    np.testing.assert_allclose(result[inside], interpolated(pattern, raw)[inside], atol=1)
    raw = noise(HEIGHT, WIDTH, dtype=np.uint16)
    result = bgr_of(wrap(f'bayer_{pattern}16', raw, big_endian=big_endian))
    np.testing.assert_allclose(result[inside], interpolated(pattern, raw)[inside] / 257, atol=1)


@pytest.mark.parametrize('encoding', ['bayer_rggb8', 'bayer_gbrg16'])
def test_mosaics_become_grey_without_the_detour(encoding):
    bits = 16 if encoding.endswith('16') else 8
    raw = noise(HEIGHT, WIDTH, dtype=np.uint16 if bits == 16 else np.uint8)
    view = wrap(encoding, raw)
    grey = Converter().to_pixels(view, grey=True)
    expected = cv2.cvtColor(bgr_of(view), cv2.COLOR_BGR2GRAY).astype(int)
    inside = np.s_[2:-2, 2:-2]
    assert grey.order == 'grey'
    np.testing.assert_allclose(grey.data[inside], expected[inside], atol=2)


@pytest.mark.parametrize('encoding', ['bgr8', '8UC3'])
def test_bgr_is_not_copied(encoding):
    view = wrap(encoding, noise(HEIGHT, WIDTH, 3))
    assert np.shares_memory(Converter().to_bgr(view), view.pixels)


@pytest.mark.parametrize(
    ('encoding', 'rows', 'row_bytes'),
    [
        ('rgb8', 480, 1920),
        ('rgba8', 480, 2560),
        ('mono8', 480, 640),
        ('mono16', 480, 1280),
        ('uyvy', 480, 1280),
        ('nv12', 720, 640),
        ('bayer_rggb8', 480, 640),
        ('bayer_rggb16', 480, 1280),
    ],
)
@pytest.mark.parametrize('big_endian', [False, True])
def test_a_second_image_allocates_nothing_in_proportion(encoding, rows, row_bytes, big_endian):
    view = wrap_image(encoding, 640, 480, row_bytes, big_endian, bytes(rows * row_bytes))
    converter = Converter()
    converter.to_bgr(view)
    tracemalloc.start()
    converter.to_bgr(view)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 65_536


# Compressed images


def encode(extension, image, *settings):
    return cv2.imencode(extension, image, settings)[1].tobytes()


@pytest.mark.parametrize(
    ('text', 'channels', 'dtype', 'encoding'),
    [
        ('png', 1, np.uint8, 'mono8'),
        ('png', 3, np.uint8, 'bgr8'),
        ('png', 4, np.uint8, 'bgra8'),
        ('mono16; png compressed ', 1, np.uint16, 'mono16'),
        ('png', 3, np.uint16, 'bgr16'),
        ('png', 4, np.uint16, 'bgra16'),
        ('rgb8; png compressed bgr8', 3, np.uint8, 'bgr8'),
        ('rgb8; png compressed rgb8', 3, np.uint8, 'rgb8'),
        ('rgba8; png compressed rgb8', 4, np.uint8, 'rgba8'),
        ('bayer_gbrg8; png compressed ', 1, np.uint8, 'bayer_gbrg8'),
        ('bayer_gbrg16; png compressed ', 1, np.uint16, 'bayer_gbrg16'),
        ('bayer_gbrg8; png compressed bgr8', 3, np.uint8, 'bgr8'),
    ],
)
def test_a_png_gives_back_what_went_in(text, channels, dtype, encoding):
    pixels = noise(HEIGHT, WIDTH, channels, dtype=dtype)
    view = Converter().decode(wrap_compressed(text, encode('.png', pixels)))
    assert (view.encoding, view.size) == (encoding, (WIDTH, HEIGHT))
    assert np.array_equal(view.pixels, pixels.squeeze())


def test_sixteen_bits_survive_compression_until_they_are_scaled():
    pixels = noise(HEIGHT, WIDTH, 1, dtype=np.uint16)
    bgr = Converter().to_bgr(wrap_compressed('16UC1; png compressed ', encode('.png', pixels)))
    assert np.array_equal(bgr[..., 1], np.rint(pixels[..., 0] / 257.0))


def smooth():
    ramp = np.linspace(0, 255, WIDTH)[None, :, None] * [0.2, 0.5, 1.0]
    return np.broadcast_to(ramp, (HEIGHT, WIDTH, 3)).astype(np.uint8)


@pytest.mark.parametrize('progressive', [0, 1])
def test_a_jpeg_comes_out_blue_first(progressive):
    data = encode('.jpg', smooth(), cv2.IMWRITE_JPEG_PROGRESSIVE, progressive)
    bgr = Converter().to_bgr(wrap_compressed('rgb8; jpeg compressed bgr8', data))
    np.testing.assert_allclose(bgr.astype(int), smooth().astype(int), atol=12)


def test_a_jpeg_that_was_compressed_red_first_is_turned_round():
    data = encode('.jpg', smooth()[..., ::-1])
    bgr = Converter().to_bgr(wrap_compressed('rgb8; jpeg compressed rgb8', data))
    np.testing.assert_allclose(bgr.astype(int), smooth().astype(int), atol=12)


def test_a_grey_jpeg_is_mono():
    data = encode('.jpg', smooth()[..., 1].copy())
    view = Converter().decode(wrap_compressed('mono8; jpeg compressed ', data))
    assert (view.encoding, view.pixels.shape) == ('mono8', (HEIGHT, WIDTH))


def test_exif_orientation_is_ignored():
    """The camera's calibration, and every other node, know the image as the sensor gave it."""
    tiff = struct.pack('<2sHIHHHIHHI', b'II', 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    payload = b'Exif\0\0' + tiff
    segment = b'\xff\xe1' + (len(payload) + 2).to_bytes(2, 'big') + payload
    jpeg = encode('.jpg', smooth())
    turned = jpeg[:2] + segment + jpeg[2:]
    viewer = cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR)
    assert viewer.shape == (WIDTH, HEIGHT, 3)  # a viewer turns it: the tag is right
    plain = Converter().decode(wrap_compressed('jpeg', jpeg))
    assert np.array_equal(Converter().decode(wrap_compressed('jpeg', turned)).pixels, plain.pixels)


def damaged_png():
    data = bytearray(encode('.png', noise(HEIGHT, WIDTH, 3)))
    data[len(data) // 2] ^= 0xFF  # its checksum no longer holds
    return bytes(data)


@pytest.mark.parametrize(
    ('text', 'data'),
    [
        ('jpeg', b'\xff\xd8\xff\xd9'),
        ('jpeg', b'\xff\xd8\xff' + bytes(500) + b'\xff\xd9'),
        ('jpeg', encode('.jpg', smooth())[:200] + b'\xff\xd9'),
        ('png', b'\x89PNG\r\n\x1a\n' + bytes(100) + b'IEND\xaeB`\x82'),
        ('png', damaged_png()),
    ],
)
def test_damaged_data_is_rejected_by_name(text, data):
    with pytest.raises(FrameRejected, match=rf'{text} data of {len(data)} bytes') as caught:
        Converter().decode(wrap_compressed(text, data))
    assert caught.value.reason == 'decode_failed'


def test_noise_within_whole_files_never_crashes():
    """Bits flip on the way: each file is decoded, or rejected by name."""
    converter, random = Converter(), np.random.default_rng(3)
    whole = {'jpeg': encode('.jpg', smooth()), 'png': encode('.png', smooth())}
    rejected = 0
    for index in range(300):
        codec = ('jpeg', 'png')[index % 2]
        data = bytearray(whole[codec])
        for position in random.integers(len(data), size=3):
            data[position] = random.integers(256)
        try:
            view = converter.decode(wrap_compressed(codec, bytes(data)))
            assert converter.to_bgr(view).shape[2] == 3
        except FrameRejected:
            rejected += 1
    assert 100 < rejected < 300
