# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
from itertools import combinations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetson_infer.core.detections import Detections
from jetson_infer.pipeline.annotate import annotate, class_colour
from jetson_infer.pipeline.drawing import readable_on

LABELS = ('person', 'chair', 'table')


def detections(*rows):
    """Rows of x_min, y_min, x_max, y_max, score, class."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int32))


def grey(width=640, height=480):
    return np.full((height, width, 3), 128, np.uint8)


def drawn(*rows, width=640, height=480, labels=LABELS, lines=()):
    image = grey(width, height)
    annotate(image, detections(*rows), labels, lines)
    return image


def pixels_of(image, class_id):
    return (image == class_colour(class_id)).all(axis=2)


def test_a_frame_lies_along_the_inner_edge_of_its_box():
    image = drawn((100, 200, 300, 400, 0.9, 1))
    painted = pixels_of(image, 1)
    below_label = painted[230:]
    columns, rows = np.flatnonzero(below_label.any(0)), np.flatnonzero(below_label.any(1))
    assert (columns[0], columns[-1]) == (100, 299)
    assert rows[-1] + 230 == 399
    assert not painted[230:380, 110:290].any()
    assert (image[230:380, 110:290] == 128).all()  # nothing is drawn within
    assert (image[404:] == 128).all()


def test_nothing_to_draw_changes_nothing():
    assert (drawn() == 128).all()
    assert (drawn(lines=('', '  ')) == 128).all()


@pytest.mark.parametrize('size', [(640, 480), (1920, 1080), (320, 240)])
def test_a_label_is_whole_wherever_its_box_lies(size):
    """A dot's label covers as many pixels in every corner as in the middle of the image."""
    width, height = size

    def area(x, y):
        image = drawn((x, y, x, y, 0.5, 0), width=width, height=height)
        return int((image != 128).any(axis=2).sum())

    middle = area(width / 2, height / 2)
    for x in (0, 1, width - 1, width):
        for y in (0, 1, height - 1, height):
            assert middle * 0.9 <= area(x, y) <= middle * 1.1


def test_letters_and_lines_grow_with_the_image():
    def heights(width, height):
        image = drawn((100, 200, 230, 230, 0.9, 0), width=width, height=height)
        rows = np.flatnonzero((image != 128).any(axis=(1, 2)))
        return 200 - rows[0]

    assert 14 <= heights(640, 480) < heights(1280, 720) < heights(1920, 1080) <= 40


def test_the_better_box_is_on_top():
    image = drawn((100, 100, 300, 300, 0.9, 0), (100, 100, 300, 300, 0.8, 1))
    assert pixels_of(image, 0)[299, 150:250].all()


def test_labels_keep_out_of_each_others_way():
    alone = pixels_of(drawn((100, 100, 300, 300, 0.9, 0)), 0).sum()
    together = drawn((100, 100, 300, 300, 0.9, 0), (102, 102, 302, 302, 0.8, 1))
    assert pixels_of(together, 0).sum() > 0.95 * alone
    label_rows = [np.flatnonzero(pixels_of(together, c).sum(1) > 40) for c in (0, 1)]
    assert len(label_rows[1]) >= 10  # the second label is there too


def test_a_class_beyond_the_labels_is_shown_by_its_number():
    row = (100, 100, 300, 300, 0.9, 5)
    spelt = drawn(row, labels=(*LABELS, '', '', 'class 5'))
    assert np.array_equal(drawn(row), spelt)
    assert not np.array_equal(drawn(row), drawn(row, labels=(*LABELS, '', '', 'class 6')))


def test_the_panel_lets_the_image_shine_through():
    image = np.tile(np.linspace(40, 250, 640).astype(np.uint8)[None, :, None], (480, 1, 3))
    before = image.copy()
    annotate(image, detections(), LABELS, ('3 objects', 'ms: infer 18.2'))
    changed = (image != before).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    assert (rows[-1], columns[0]) == (479, 0)
    assert rows[0] > 400
    assert columns[-1] < 200
    panel = np.s_[rows[0] : 480, 0 : columns[-1] + 1]
    darkened = np.abs(image[panel] - np.rint(before[panel] * 0.35)).max(axis=2) <= 1
    assert darkened.mean() > 0.6
    assert (image[panel] > 240).all(axis=2).any()  # letters


def test_long_lines_are_wrapped_and_keep_to_the_lower_half():
    line = ' '.join(['stage 12.3'] * 12)
    image = drawn(lines=(line,))
    assert np.flatnonzero((image != 128).any(axis=(1, 2)))[0] < 480 - 30  # two rows or more
    image = drawn(lines=(line,) * 40, width=320, height=240)
    assert (image[:120] == 128).all()
    drawn(lines=('x' * 500,))


def test_letters_that_the_font_lacks_and_line_breaks_are_survived():
    row = (100, 100, 300, 300, 0.9, 0)
    drawn(row, labels=('Fußgänger 人\n\t🙂',), lines=('größer\nkleiner',))
    assert not np.array_equal(drawn(row, labels=('ß',)), drawn(row, labels=('',)))


@given(
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.lists(
        st.tuples(
            *[st.floats(-500, 500, width=32)] * 4, st.floats(0, 1, width=32), st.integers(0, 99)
        ),
        max_size=30,
    ),
)
def test_any_box_on_any_image_is_survived(size, rows):
    drawn(*rows, width=size[0], height=size[1], lines=('one line', 'and another one'))


def test_boxes_without_end_are_cut_at_the_image():
    edges = drawn((0, 0, 640, 480, 0.5, 0))
    assert np.array_equal(drawn((-np.inf, -np.inf, np.inf, np.inf, 0.5, 0)), edges)


def contrast_ratio(first, second):
    """The definition of WCAG 2.2, with colours as blue, green, red."""

    def luminance(colour):
        parts = np.array(colour) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.0722, 0.7152, 0.2126]

    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize('class_id', range(25))
def test_labels_can_be_read_and_frames_be_seen_on_black(class_id):
    colour = class_colour(class_id)
    assert contrast_ratio(readable_on(colour), colour) >= 4.5
    assert contrast_ratio(colour, (0, 0, 0)) >= 4


def test_classes_look_different():
    """A CIE76 difference of 2.3 is just noticeable; these lie more than ten times as far apart."""
    colours = np.array([[class_colour(index) for index in range(24)]], np.float32) / 255
    lab = cv2.cvtColor(colours, cv2.COLOR_BGR2LAB)[0]
    assert min(np.linalg.norm(one - other) for one, other in combinations(lab, 2)) > 25
    assert min(np.linalg.norm(one - other) for one, other in combinations(lab[:8], 2)) > 50


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((48, 64, 3), np.float32),
        np.zeros((48, 64), np.uint8),
        np.zeros((48, 64, 4), np.uint8),
        np.frombuffer(bytes(48 * 64 * 3), np.uint8).reshape(48, 64, 3),
        np.zeros((48, 128, 3), np.uint8)[:, ::2],
    ],
)
def test_an_image_that_cannot_be_drawn_on_is_refused(image):
    with pytest.raises(ValueError, match=r'writable, C-contiguous uint8 \(H, W, 3\), not'):
        annotate(image, detections(), LABELS)
