# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The preprocessing kernel's very source, compiled by a host compiler, equals its reference."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import host_kernels
from host_kernels import aligned_bytes
from jetson_infer.core.letterbox import RESIZE_MODES, Letterbox
from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.kernels.geometry import GEOMETRY, SUPPORTED, RawImage, geometry_of
from jetson_infer.cuda.kernels.preprocess_reference import preprocess_reference
from raw_images import IMAGENET, RAW, UNIT, bytes_of, card, noise, possible

pytestmark = pytest.mark.skipif(host_kernels.COMPILER is None, reason=host_kernels.WHY_NOT)

TARGETS = {'float32': 0, 'float16': 1, 'uint8': 2}
COLOURS = {'rgb': 0, 'bgr': 1, 'grey': 2}
VARIANTS = [
    ('float32', 'rgb', 'nchw', IMAGENET),
    ('float32', 'bgr', 'nhwc', IMAGENET),
    ('float32', 'grey', 'nchw', UNIT),
    ('float16', 'rgb', 'nchw', IMAGENET),
    ('float16', 'rgb', 'nhwc', UNIT),
    ('uint8', 'bgr', 'nchw', RAW),
    ('uint8', 'rgb', 'nhwc', RAW),
    ('uint8', 'grey', 'nhwc', RAW),
]
CANARY = 0x5A


def run(image, name, input_card, size, offset=0):
    """Run one kernel; return what it wrote, after checking that it read and wrote nothing else."""
    data = bytes_of(image)
    words = name.endswith('_words')
    # Words are loaded whole: up to 3 bytes behind the image belong to the last one.
    source = aligned_bytes(-(-len(data) // 4) * 4 if words else len(data), offset=offset)
    source[:] = 0xEE
    source[: len(data)] = data
    shape, dtype = input_card.shape(size), np.dtype(input_card.dtype)
    nbytes = int(np.prod(shape)) * dtype.itemsize
    target = aligned_bytes(nbytes + 64)
    target[:] = CANARY
    raw = RawImage.of(image)
    geometry = geometry_of(raw, Letterbox.fit(image.size, size, input_card.resize), input_card)
    arguments = KernelArguments([('source', 'u8'), ('target', 'u8'), ('geometry', GEOMETRY)])
    arguments['source'], arguments['target'] = source.ctypes.data, target.ctypes.data
    arguments['geometry'] = geometry
    program = host_kernels.host_kernels(
        'preprocess.cu',
        TARGET=TARGETS[input_card.dtype],
        COLOUR=COLOURS[input_card.colour],
        PLANAR=int(input_card.layout == 'nchw' or input_card.channels == 1),
    )
    grid = (-(-size[0] // 64), -(-size[1] // 4), 1)
    assert program.run(name, grid, (32, 4, 1), arguments, source) == 0, 'stray reads'
    assert (target[nbytes:] == CANARY).all()
    expected = preprocess_reference(
        data, raw.encoding, geometry, input_card.colour, input_card.layout == 'nchw', dtype
    )
    return target[:nbytes].view(dtype).reshape(shape), expected


def names_for(encoding, image):
    """Name the kernels that may read an image: words only where its rows allow that."""
    step = image.pixels.strides[0]
    alignment = {'rgb8': 1, 'bgr8': 1, 'nv12': 2, 'nv21': 2}.get(encoding, 4)
    yield encoding
    if encoding != 'mono8' and image.width > 1 and step % alignment == 0:
        yield f'{encoding}_words'


@settings(max_examples=250)
@given(
    st.sampled_from(VARIANTS),
    st.sampled_from(SUPPORTED),
    st.tuples(st.integers(1, 70), st.integers(1, 40)),
    st.tuples(st.integers(1, 70), st.integers(1, 30)),
    st.sampled_from(RESIZE_MODES),
    st.integers(0, 255),
    st.integers(0, 8),
    st.integers(0, 3),
)
@example(VARIANTS[0], 'bgr8', (2, 1), (7, 5), 'stretch', 1, 0, 0)
@example(VARIANTS[3], 'rgb8', (1, 9), (9, 9), 'letterbox', 1, 1, 1)
def test_the_source_equals_its_reference_to_the_bit(
    variant, encoding, source, size, resize, pad, padding, offset
):
    dtype, colour, layout, numbers = variant
    input_card = card(layout, colour, resize, pad, numbers, dtype)
    image = noise(encoding, possible(encoding, source), padding)
    for name in names_for(encoding, image):
        start = 0 if name.endswith('_words') else offset
        here, expected = run(image, name, input_card, size, start)
        bits = f'u{here.itemsize}'
        np.testing.assert_array_equal(here.view(bits), expected.view(bits), err_msg=name)


@pytest.mark.parametrize('encoding', SUPPORTED)
@pytest.mark.parametrize('variant', VARIANTS, ids=lambda v: '-'.join(v[:3]))
def test_every_kernel_of_every_variant(encoding, variant):
    dtype, colour, layout, numbers = variant
    image = noise(encoding, (128, 54), padding=4)
    for name in names_for(encoding, image):
        here, expected = run(
            image, name, card(layout, colour, 'letterbox', 7, numbers, dtype), (66, 70)
        )
        np.testing.assert_array_equal(here, expected, err_msg=name)


def test_the_source_has_a_kernel_for_every_encoding():
    program = host_kernels.host_kernels('preprocess.cu', TARGET=0, COLOUR=0, PLANAR=1)
    assert set(SUPPORTED) == {name for name in program.names if not name.endswith('_words')}


def test_half_precision_of_the_shim_is_numpys():
    """Of the test itself: every float16 goes there and back, and rounding is to nearest even."""
    scale = np.float32(1 / 3)
    input_card = card(numbers=((0.1,) * 3, (float(scale),) * 3), dtype='float16')
    here, expected = run(noise('rgb8', (64, 48)), 'rgb8', input_card, (64, 48))
    assert len(np.unique(expected)) == 256
    np.testing.assert_array_equal(here, expected)
