# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Scaling against OpenCV where all is known, and against the rules, pixel by pixel, where not."""

import math
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jetson_infer.core.resampling import Resampler

SIDE = st.integers(1, 70)


def by_opencv(values, out):
    height, width = out.shape
    cv2.resize(values, (width, height), out, interpolation=cv2.INTER_LINEAR)


RESIZES = pytest.mark.parametrize('resize', [None, by_opencv], ids=['numpy', 'opencv'])


def neighbours(extent, begin, end, count, index):
    """Return the two pixels around a position of the result with their weights, exactly."""
    inside = [i for i in range(extent) if begin <= i + Fraction(1, 2) < end]
    if not inside:
        inside = [math.floor((begin + end) / 2)]
    position = begin + (index + Fraction(1, 2)) * (end - begin) / count - Fraction(1, 2)
    position = min(max(position, inside[0]), inside[-1])
    low = math.floor(position)
    return [(low, 1 - (position - low)), (min(low + 1, inside[-1]), position - low)]


def by_the_rules(image, known, part, size):
    """Scale as the rules say, one pixel after the other."""
    left, top, right, bottom = (Fraction(edge) for edge in part)
    found = np.full((size[1], size[0]), np.nan)
    for row in range(size[1]):
        rows = neighbours(image.shape[0], top, bottom, size[1], row)
        for column in range(size[0]):
            columns = neighbours(image.shape[1], left, right, size[0], column)
            nearest = max(rows, key=lambda r: r[1])[0], max(columns, key=lambda c: c[1])[0]
            if not known[nearest]:
                continue
            four = [(y, x, a * b) for y, a in rows for x, b in columns if known[y, x]]
            total = sum(weight for *_, weight in four)
            found[row, column] = (
                sum(Fraction(float(image[y, x])) * weight for y, x, weight in four) / total
            )
    return found


@RESIZES
@given(shape=st.tuples(SIDE, SIDE), size=st.tuples(SIDE, SIDE), seed=st.integers(0, 99))
@example(shape=(37, 50), size=(50, 37), seed=0)
@example(shape=(40, 30), size=(60, 80), seed=0)
def test_a_whole_image_is_scaled_as_opencv_does(resize, shape, size, seed):
    image = np.random.default_rng(seed).uniform(0.5, 20, shape).astype(np.float32)
    scaled = Resampler(shape, (0, 0, shape[1], shape[0]), size, resize).resample(image)
    # In doubles: OpenCV's own single precision is its matter.
    expected = cv2.resize(image.astype(np.float64), size, interpolation=cv2.INTER_LINEAR)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, expected, rtol=2e-6, atol=0)


PARTS = [
    ((6, 8), (0, 0, 8, 6), (13, 11)),
    ((6, 8), (1, 2, 7, 5), (9, 10)),
    ((6, 8), ('3/2', '1/4', '27/4', '11/2'), (10, 7)),
    ((6, 8), ('1/2', '1/2', '15/2', '11/2'), (21, 20)),
    ((6, 8), ('10/3', '7/3', '11/3', '8/3'), (5, 4)),  # thinner than a pixel, around a centre
    ((6, 8), ('18/5', '7/3', '19/5', 4), (5, 4)),  # the same, beside one
    ((9, 12), ('1/3', '5/7', 12, 9), (5, 4)),
    ((9, 12), (0, 0, 12, 9), (12, 9)),
    ((9, 12), (0, '9/8', 12, '63/8'), (40, 40)),
    ((1, 1), (0, 0, 1, 1), (3, 2)),
]


@RESIZES
@pytest.mark.parametrize('share', [0.02, 0.3, 0.9, 1.0])
@pytest.mark.parametrize(('shape', 'part', 'size'), PARTS)
def test_parts_and_unknown_pixels_follow_the_rules(resize, shape, part, size, share):
    part = tuple(Fraction(edge) for edge in part)
    rng = np.random.default_rng([*shape, *size, int(share * 100)])
    image = rng.uniform(0.5, 20, shape).astype(np.float32)
    known = rng.random(shape) >= share
    resampler = Resampler(shape, tuple(float(edge) for edge in part), size, resize)
    # What is unknown may be anything, and what lies outside of the window is not even looked at.
    junk = np.where(known, image, rng.choice([np.nan, np.inf, -1e30, 0], shape))
    window = np.ascontiguousarray(junk[resampler.window], np.float32)
    scaled = resampler.resample(window, known[resampler.window])
    expected = by_the_rules(image, known, part, size)
    np.testing.assert_allclose(scaled, expected, rtol=2e-5, atol=0, equal_nan=True)
    if known[resampler.window].any() and size[0] * size[1] > 60:
        assert np.isfinite(scaled).any()


@RESIZES
def test_the_known_stays_what_it_is_beside_the_unknown(resize):
    known = np.random.default_rng(3).random((40, 30)) < 0.5
    values = np.where(known, np.float32(7), np.float32(1e30))
    scaled = Resampler((40, 30), (0, 0, 30, 40), (200, 150), resize).resample(values, known)
    there = np.isfinite(scaled)
    np.testing.assert_allclose(scaled[there], 7, rtol=1e-6)
    # As much of the result is known as of the image: the unknown neither grows nor shrinks.
    assert there.mean() == pytest.approx(known.mean(), abs=0.03)


@RESIZES
@pytest.mark.parametrize('ratio', [1e18, 1e9, 2e6, 1e5])
def test_positive_numbers_stay_positive_however_far_apart(resize, ratio):
    rng = np.random.default_rng(4)
    values = np.where(rng.random((37, 51)) < 0.5, 1 / ratio**0.5, ratio**0.5).astype(np.float32)
    known = rng.random((37, 51)) < 0.8
    for size in [(102, 74), (51, 37), (640, 480), (333, 111), (20, 20), (153, 37)]:
        resampler = Resampler((37, 51), (0, 0, 51, 37), size, resize)
        assert resampler.resample(values).min() > 0
        assert np.nanmin(resampler.resample(values, known)) > 0


def test_an_image_of_the_right_size_stays_as_it_is():
    image = np.random.default_rng(5).normal(size=(40, 30)).astype(np.float32)
    resampler = Resampler((50, 40), (4, 6, 34, 46), (30, 40))
    scaled = resampler.resample(image)
    np.testing.assert_array_equal(scaled, image)
    assert not np.shares_memory(scaled, image)
    assert not np.shares_memory(scaled, resampler.resample(image))


def test_what_scales_is_asked_only_where_the_part_ends_at_pixels():
    asked = []

    def resize(values, out):
        asked.append((values.shape, out.shape))
        out[...] = 1

    image = np.ones((6, 8), np.float32)
    Resampler((6, 8), (1, 0, 7, 6), (12, 12), resize).resample(image[:, 1:7])
    assert asked == [((6, 6), (12, 12))]
    Resampler((6, 8), (1.25, 0, 7, 6), (12, 12), resize).resample(image[:, 1:7])
    assert len(asked) == 1


def test_what_scales_is_not_asked_for_numbers_too_far_apart():
    def resize(values, out):
        out[...] = 5

    resampler = Resampler((6, 8), (0, 0, 8, 6), (16, 12), resize)
    image = np.ones((6, 8), np.float32)
    image[2, 3] = 1e5
    assert (resampler.resample(image) == 5).all()
    image[2, 3] = 1e7
    assert resampler.resample(image).max() > 1e6
    known = image < 1e6
    assert (resampler.resample(image, known)[known.repeat(2, 0).repeat(2, 1)] == 1).all()
