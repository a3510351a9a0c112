# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetson_infer.core.letterbox import RESIZE_MODES, Letterbox

SIZES = st.tuples(st.integers(1, 4096), st.integers(1, 4096))
MODES = st.sampled_from(RESIZE_MODES)
SIZES_IN_PROPORTION = st.tuples(st.integers(32, 400), st.integers(32, 400))
COORDINATES = st.floats(-1e4, 1e4, allow_nan=False)


def letterboxed(image, size, value=0):
    """Scale and pad the way users of YOLO networks do, in plain OpenCV calls."""
    height, width = image.shape[:2]
    gain = min(size[0] / width, size[1] / height)
    inner = round(width * gain), round(height * gain)
    dx, dy = (size[0] - inner[0]) / 2, (size[1] - inner[1]) / 2
    if (width, height) != inner:
        image = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
    return cv2.copyMakeBorder(
        image,
        round(dy - 0.1),
        round(dy + 0.1),
        round(dx - 0.1),
        round(dx + 0.1),
        cv2.BORDER_CONSTANT,
        value=value,
    )


@pytest.mark.parametrize(
    ('source', 'network', 'mode', 'inner', 'pad'),
    [
        ((640, 480), (640, 480), 'letterbox', (640, 480), (0, 0)),
        ((1920, 1080), (640, 640), 'letterbox', (640, 360), (0, 140)),
        ((1080, 1920), (640, 640), 'letterbox', (360, 640), (140, 0)),
        ((1280, 720), (640, 480), 'letterbox', (640, 360), (0, 60)),
        ((640, 427), (640, 640), 'letterbox', (640, 427), (0, 106)),  # 213 rows: 106 and 107
        ((640, 481), (640, 640), 'letterbox', (640, 481), (0, 79)),  # 159 rows: 79 and 80
        ((3775, 1571), (1280, 1280), 'letterbox', (1280, 533), (0, 373)),
        ((320, 240), (640, 640), 'letterbox', (640, 480), (0, 80)),
        ((1920, 1080), (640, 640), 'letterbox_top_left', (640, 360), (0, 0)),
        ((1920, 1080), (640, 640), 'stretch', (640, 640), (0, 0)),
        ((10_000, 1), (640, 480), 'letterbox', (640, 1), (0, 239)),
    ],
)
def test_geometry(source, network, mode, inner, pad):
    letterbox = Letterbox.fit(source, network, mode)
    assert letterbox.inner_size == inner
    assert (letterbox.pad_x, letterbox.pad_y) == pad
    assert letterbox.fills == (inner == network)


@given(SIZES_IN_PROPORTION, st.integers(16, 200))
def test_the_padding_lies_where_opencv_puts_it(source, side):
    image = np.full((source[1], source[0]), 255, np.uint8)
    result = letterboxed(image, (side, side + 8))
    letterbox = Letterbox.fit(source, (side, side + 8))
    expected = np.zeros_like(result)
    (width, height), x, y = letterbox.inner_size, letterbox.pad_x, letterbox.pad_y
    expected[y : y + height, x : x + width] = 255
    assert np.array_equal(result, expected)


@given(SIZES_IN_PROPORTION, st.tuples(st.integers(16, 200), st.integers(16, 200)))
def test_boxes_move_with_the_pixels(source, network):
    """A ramp's brightness is its position, and bilinear scaling keeps a ramp a ramp."""
    width, height = source
    letterbox = Letterbox.fit(source, network)
    for axis, ramp in enumerate((np.arange(width)[None, :], np.arange(height)[:, None])):
        image = np.broadcast_to(ramp + 0.5, (height, width)).astype(np.float32)
        pixels = letterboxed(image, network, -1)
        line = pixels[letterbox.pad_y] if axis == 0 else pixels[:, letterbox.pad_x]
        centres = np.arange(network[axis]) + 0.5
        found = letterbox.to_source(np.repeat(centres[:, None], 4, axis=1))[:, axis]
        # Half a source pixel from the edge, interpolation has one neighbour only.
        inside = (found > 0.5) & (found < source[axis] - 0.5)
        np.testing.assert_allclose(found[inside], line[inside], atol=0.01)


@given(SIZES, SIZES, MODES, st.lists(COORDINATES, min_size=4, max_size=4))
def test_there_and_back(source, network, mode, box):
    letterbox = Letterbox.fit(source, network, mode)
    boxes = np.array([box])
    there = letterbox.to_network(boxes)
    tolerance = 1e-9 * max(1, 1 / letterbox.scale_x, 1 / letterbox.scale_y)
    np.testing.assert_allclose(letterbox.to_source(there), boxes, rtol=1e-12, atol=tolerance)
    back = letterbox.to_source(boxes)
    np.testing.assert_allclose(letterbox.to_network(back), boxes, rtol=1e-12, atol=1e-8)


@given(SIZES, SIZES, MODES)
def test_the_whole_image_is_the_inner_part_and_the_inner_part_the_whole_image(
    source, network, mode
):
    letterbox = Letterbox.fit(source, network, mode)
    x, y = letterbox.pad_x, letterbox.pad_y
    width, height = letterbox.inner_size
    assert 0 <= x <= x + width <= network[0]
    assert 0 <= y <= y + height <= network[1]
    whole = np.array([0, 0, *source], np.float64)
    inner = np.array([x, y, x + width, y + height], np.float64)
    np.testing.assert_allclose(letterbox.to_network(whole), inner, rtol=1e-12)
    np.testing.assert_allclose(letterbox.to_source(inner), whole, rtol=1e-9, atol=1e-9)


@given(
    st.tuples(st.integers(64, 4096), st.integers(64, 4096)),
    st.lists(st.floats(0, 1), min_size=4, max_size=4),
)
def test_boxes_agree_with_the_gain_alone_within_half_a_network_pixel(source, fractions):
    """Ultralytics' way back divides by the unrounded gain."""
    network = (640, 640)
    letterbox = Letterbox.fit(source, network)
    gain = min(network[0] / source[0], network[1] / source[1])
    box = np.array(fractions) * (source * 2)
    theirs = box * gain + np.array([letterbox.pad_x, letterbox.pad_y] * 2)
    assert np.abs(letterbox.to_network(box) - theirs).max() <= 0.5 + 1e-9


def test_clipping_cuts_at_the_image_and_leaves_the_argument_alone():
    letterbox = Letterbox.fit((1920, 1080), (640, 640))
    boxes = np.array([[-10, 100, 700, 600], [0, 0, 640, 139], [10, 150, 20, 160]], np.float32)
    before = boxes.copy()
    clipped = letterbox.to_source(boxes, clip=True)
    assert clipped.dtype == np.float32
    assert clipped.tolist() == [[0, 0, 1920, 1080], [0, 0, 1920, 0], [30, 30, 60, 60]]
    assert np.array_equal(boxes, before)
    assert letterbox.to_source(boxes)[0, 0] == -30


def test_no_boxes_stay_no_boxes():
    letterbox = Letterbox.fit((1920, 1080), (640, 640))
    assert letterbox.to_source(np.empty((0, 4), np.float32), clip=True).shape == (0, 4)


@pytest.mark.parametrize('mode', RESIZE_MODES)
def test_the_type_of_the_boxes_is_kept(mode):
    letterbox = Letterbox.fit((640, 480), (320, 256), mode)
    for dtype in (np.float32, np.float64):
        boxes = np.ones((2, 4), dtype)
        assert letterbox.to_network(boxes).dtype == letterbox.to_source(boxes).dtype == dtype


@pytest.mark.parametrize(
    ('arguments', 'says'),
    [
        (((0, 480), (640, 640)), '0x480'),
        (((640, 480), (640, 0)), '640x0'),
        (((640, 480), (640, 640), 'crop'), "'crop' is not one of letterbox, letterbox_top_left"),
    ],
)
def test_impossible_geometry_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        Letterbox.fit(*arguments)
