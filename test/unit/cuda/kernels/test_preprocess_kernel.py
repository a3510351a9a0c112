# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The preprocessing kernel as a pipeline uses it, on the host twin."""

import numpy as np
import pytest

from jetson_infer.core.letterbox import Letterbox
from jetson_infer.cuda.host import HostDevice
from jetson_infer.cuda.kernels.geometry import SUPPORTED, RawImage
from jetson_infer.cuda.kernels.preprocess import PreprocessKernel
from jetson_infer.pipeline.preprocess import Preprocessor
from raw_images import IMAGENET, RAW, bytes_of, card, noise

SIZE = (40, 32)


@pytest.fixture
def device():
    with HostDevice() as device, device.current():
        yield device


class Launches:
    """A stream that notes which kernels are launched."""

    def __init__(self, stream):
        self._stream = stream
        self.names = []

    def launch(self, function, grid, block, arguments):
        self.names.append(function.name)
        self._stream.launch(function, grid, block, arguments)


def uploaded(device, data, room=None):
    buffer = device.memory('device').allocate(room or -(-len(data) // 4) * 4)
    device.host_view(buffer)[: len(data)] = data
    return buffer


@pytest.mark.parametrize('encoding', SUPPORTED)
@pytest.mark.parametrize('resize', ['letterbox', 'letterbox_top_left', 'stretch'])
def test_the_network_sees_what_the_hosts_way_writes(device, encoding, resize):
    input_card = card(resize=resize, numbers=IMAGENET)
    image = noise(encoding, (64, 48), padding=4)
    expected = np.empty(input_card.shape(SIZE), np.float32)
    Preprocessor(input_card, SIZE).prepare(image, expected)
    with PreprocessKernel(device, input_card) as kernel:
        source = uploaded(device, bytes_of(image))
        target = device.memory('device').allocate(kernel.target_nbytes(SIZE))
        stream = device.stream()
        letterbox = kernel.enqueue(stream, RawImage.of(image), source, target, SIZE)
        here = device.host_view(target).view(np.float32).reshape(expected.shape)
    level = max(input_card.scale)
    np.testing.assert_allclose(here, expected, atol=1.001 * level)
    assert letterbox == Letterbox.fit(image.size, SIZE, resize)


@pytest.mark.parametrize(
    ('encoding', 'size', 'padding', 'room', 'words'),
    [
        ('bgr8', (8, 4), 0, 96, True),
        ('bgr8', (8, 4), 1, 100, True),  # rows may begin anywhere
        ('bgr8', (7, 3), 0, 63, False),  # the last word would reach beyond the buffer
        ('bgr8', (7, 3), 0, 64, True),
        ('bgr8', (1, 4), 0, 64, False),  # there is no pair of pixels
        ('bgra8', (8, 4), 0, 128, True),
        ('bgra8', (8, 4), 2, 256, False),
        ('yuyv', (8, 4), 4, 128, True),
        ('yuyv', (8, 4), 1, 128, False),
        ('nv12', (8, 4), 2, 128, True),
        ('nv12', (8, 4), 1, 128, False),
        ('mono8', (8, 4), 0, 128, False),  # one byte a pixel is loaded as such
    ],
)
def test_words_are_loaded_where_they_can_be(device, encoding, size, padding, room, words):
    image = noise(encoding, size, padding)
    with PreprocessKernel(device, card()) as kernel:
        source = uploaded(device, bytes_of(image), room)
        target = device.memory('device').allocate(kernel.target_nbytes(SIZE))
        stream = Launches(device.stream())
        kernel.enqueue(stream, RawImage.of(image), source, target, SIZE)
        assert stream.names == [f'preprocess_{encoding}' + '_words' * words]
        behind = device.memory('device').allocate(room + 1).part(1, room)
        kernel.enqueue(stream, RawImage.of(image), behind, target, SIZE)
        assert stream.names[1] == f'preprocess_{encoding}'


def test_sizes_and_encodings_may_change_from_image_to_image(device):
    input_card = card()
    with PreprocessKernel(device, input_card, 'float16') as kernel:
        source = device.memory('device').allocate(100 * 60 * 4)
        target = device.memory('device').allocate(kernel.target_nbytes((64, 64)))
        stream = device.stream()
        for i in range(60):
            size = (32 + i // 10 * 12, 16 + i // 3 * 2)
            image = noise(SUPPORTED[i % len(SUPPORTED)], size, seed=i)
            data = bytes_of(image)
            device.host_view(source)[: len(data)] = data
            network = (32 + i % 3 * 16, 64)
            kernel.enqueue(stream, RawImage.of(image), source, target, network)
            expected = np.empty(input_card.shape(network), np.float16)
            Preprocessor(input_card, network).prepare(image, expected)
            here = device.host_view(target)[: expected.nbytes].view(np.float16)
            one_level = 1.01 / 255 + 2**-11  # and a float16's rounding
            np.testing.assert_allclose(here.reshape(expected.shape), expected, atol=one_level)


def test_what_does_not_fit_is_refused(device):
    image = RawImage('bgr8', 8, 4, 24)
    stream = device.stream()
    with PreprocessKernel(device, card()) as kernel:
        small, large = (device.memory('device').allocate(n) for n in (95, 100_000))
        with pytest.raises(ValueError, match='of 96 bytes does not lie in'):
            kernel.enqueue(stream, image, small, large, SIZE)
        with pytest.raises(ValueError, match='the input of 15360 bytes not in'):
            kernel.enqueue(stream, image, large, small, SIZE)
        with pytest.raises(ValueError, match='not aligned to 8 bytes'):
            kernel.enqueue(stream, image, large, large.part(4, 90_000), SIZE)
        with pytest.raises(ValueError, match="not 'mono16'; convert it on the host first"):
            kernel.enqueue(stream, RawImage('mono16', 4, 4, 8), large, large, SIZE)


def test_bytes_are_written_as_they_are_or_not_at_all(device):
    PreprocessKernel(device, card(numbers=RAW), 'uint8').close()
    for refused in ('uint8', 'float64', 'int8'):
        with pytest.raises(ValueError, match=f'not {refused} with mean'):
            PreprocessKernel(device, card(), refused)


def test_it_leaves_nothing_behind(device):
    kernel = PreprocessKernel(device, card())
    kernel.close()
    kernel.close()
    assert device.live() == {}
