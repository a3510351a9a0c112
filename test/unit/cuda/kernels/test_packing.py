# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Leaving out the rows that scaling does not sample changes no bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import host_kernels
from host_kernels import aligned_bytes
from jetson_infer.core.encodings import ENCODINGS
from jetson_infer.core.letterbox import RESIZE_MODES, Letterbox
from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.host import HostDevice
from jetson_infer.cuda.kernels.geometry import GEOMETRY, SUPPORTED, RawImage, geometry_of
from jetson_infer.cuda.kernels.packing import packing_of
from jetson_infer.cuda.kernels.preprocess import PreprocessKernel
from jetson_infer.cuda.kernels.preprocess_reference import preprocess_reference
from raw_images import RAW, bytes_of, card, noise, possible

CARD = card(numbers=RAW, dtype='uint8')
PACKABLE = [name for name in SUPPORTED if ENCODINGS[name].kind != 'yuv420']


def packing_for(encoding, size, network, padding=0, resize='letterbox'):
    image = noise(encoding, possible(encoding, size), padding)
    letterbox = Letterbox.fit(image.size, network, resize)
    raw = RawImage.of(image)
    return image, letterbox, packing_of(raw, geometry_of(raw, letterbox, CARD))


def written(data, raw, letterbox):
    geometry = geometry_of(raw, letterbox, CARD)
    return preprocess_reference(data, raw.encoding, geometry, 'rgb', True, 'uint8')


@settings(max_examples=200)
@given(
    st.sampled_from(PACKABLE),
    st.tuples(st.integers(1, 60), st.integers(1, 200)),
    st.tuples(st.integers(1, 40), st.integers(1, 60)),
    st.sampled_from([0, 0, 3]),
    st.sampled_from(RESIZE_MODES),
)
def test_the_network_sees_the_same_to_the_bit(encoding, size, network, padding, resize):
    image, letterbox, packing = packing_for(encoding, size, network, padding, resize)
    if packing is None:
        assert 2 * letterbox.inner_size[1] > 0.75 * image.height
        return
    whole = RawImage.of(image)
    assert packing.image.nbytes <= 0.76 * whole.nbytes + whole.row_bytes
    data = np.full(packing.image.nbytes + 5, 0xEE, np.uint8)
    packing.copy(image.pixels, data)
    assert (data[packing.image.nbytes :] == 0xEE).all()
    expected = written(bytes_of(image), whole, letterbox)
    np.testing.assert_array_equal(written(data, packing.image, letterbox), expected)
    if host_kernels.COMPILER is not None:
        here = run_source(data[: packing.image.nbytes], packing.image, letterbox, expected.shape)
        np.testing.assert_array_equal(here, expected)


def run_source(data, raw, letterbox, shape):
    source, target = aligned_bytes(len(data)), aligned_bytes(int(np.prod(shape)))
    source[:] = data
    arguments = KernelArguments([('source', 'u8'), ('target', 'u8'), ('geometry', GEOMETRY)])
    arguments['source'], arguments['target'] = source.ctypes.data, target.ctypes.data
    arguments['geometry'] = geometry_of(raw, letterbox, CARD)
    program = host_kernels.host_kernels('preprocess.cu', TARGET=2, COLOUR=0, PLANAR=1)
    grid = (-(-shape[3] // 64), -(-shape[2] // 4), 1)
    assert program.run(raw.encoding, grid, (32, 4, 1), arguments, source) == 0, 'stray reads'
    return target.reshape(shape)


@pytest.mark.parametrize(
    ('size', 'network', 'rows', 'each', 'period'),
    [
        ((1920, 1080), (640, 640), range(1, 1080, 3), 1, 3),
        ((3840, 2160), (640, 640), [r for i in range(360) for r in (6 * i + 2, 6 * i + 3)], 2, 6),
        ((1280, 960), (320, 256), [r for i in range(240) for r in (4 * i + 1, 4 * i + 2)], 2, 4),
        ((1280, 720), (640, 640), None, None, None),
        ((640, 480), (640, 640), None, None, None),
        ((64, 48), (128, 128), None, None, None),
    ],
)
def test_the_rows_of_the_usual_sizes(size, network, rows, each, period):
    *_, packing = packing_for('mono8', size, network)
    if rows is None:
        assert packing is None
    else:
        assert packing.rows.tolist() == list(rows)
        assert (packing.each, packing.period) == (each, period)


def test_chroma_with_rows_of_its_own_is_not_packed():
    assert packing_for('nv12', (96, 96), (8, 8))[2] is None


def test_what_is_packed_is_not_packed_again():
    _, letterbox, packing = packing_for('bgr8', (96, 96), (8, 8))
    assert packing_of(packing.image, geometry_of(packing.image, letterbox, CARD)) is None


def test_an_image_packed_for_another_geometry_is_refused():
    _, _, packing = packing_for('bgr8', (96, 96), (32, 32))
    with pytest.raises(ValueError, match='32 packed rows are not 1 or 2 for each of 5'):
        geometry_of(packing.image, Letterbox.fit((96, 96), (5, 5)), CARD)


@pytest.mark.parametrize('padding', [0, 4])
@pytest.mark.parametrize('size', [(96, 96), (100, 97)])
def test_packed_images_on_a_device(size, padding):
    network = (32, 32)
    image, _, _ = packing_for('rgba8', size, network, padding)
    raw, data = RawImage.of(image), bytes_of(image)
    with HostDevice() as device, device.current(), PreprocessKernel(device, CARD) as kernel:
        source = device.memory('mapped').allocate(len(data))
        target = device.memory('mapped').allocate(kernel.target_nbytes(network))
        stream = device.stream()
        source.host[:] = data
        letterbox = kernel.enqueue(stream, raw, source, target, network)
        expected = target.host.copy()
        source.host[:] = 0xEE
        packing = kernel.packing(raw, network)
        packing.copy(image.pixels, source.host)
        assert kernel.enqueue(stream, packing.image, source, target, network) == letterbox
        np.testing.assert_array_equal(target.host, expected)
        for resource in (source, target, stream):
            resource.close()
