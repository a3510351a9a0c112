# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Decoding depth: geometry by fields that are known everywhere, values by their definitions."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import networks
from jetson_infer.core.card_parser import parse_card
from jetson_infer.core.cards import OutputCard
from jetson_infer.core.depth_decoding import make_depth_decoder
from jetson_infer.core.letterbox import RESIZE_MODES, Letterbox
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import CardError, DecoderError, InternalError

SIZE = (64, 48)
PLAIN = Letterbox.fit(SIZE, SIZE)
JUNK = 1e6


def by_opencv(values, out):
    height, width = out.shape
    cv2.resize(values, (width, height), out, interpolation=cv2.INTER_LINEAR)


def spec(name: str, *shape: int, dtype=np.float32) -> TensorSpec:
    return TensorSpec(name, np.dtype(dtype), shape)


def decoder(*outputs: TensorSpec, size=SIZE, resize=None, **settings):
    made = make_depth_decoder(OutputCard('depth', settings), resize)
    made.check(outputs, size)
    return made


def decode(plane, letterbox=PLAIN, resize=None, **settings):
    """Decode one output (h, w)."""
    output = plane[np.newaxis, np.newaxis]
    made = decoder(
        TensorSpec('depth', output.dtype, output.shape),
        size=letterbox.network_size,
        resize=resize,
        **settings,
    )
    return made.decode({'depth': output}, letterbox)


# --- geometry


def field_in_source(x, y, size):
    """Return a plane over the source image, at positions in pixels: from 2 to 10."""
    return 2 + 5 * x / size[0] + 3 * y / size[1]


def field_in_output(letterbox, output_size, outside=JUNK):
    """Return what a network puts out that sees the plane: sampled at its pixels' centres."""
    (width, height), (network_width, network_height) = output_size, letterbox.network_size
    x = (np.arange(width) + 0.5) * network_width / width
    y = (np.arange(height) + 0.5) * network_height / height
    x = (x - letterbox.pad_x) * letterbox.source_size[0] / letterbox.inner_size[0]
    y = (y - letterbox.pad_y) * letterbox.source_size[1] / letterbox.inner_size[1]
    x, y = np.meshgrid(x, y)
    inside = (x >= 0) & (x < letterbox.source_size[0])
    inside &= (y >= 0) & (y < letterbox.source_size[1])
    values = np.where(inside, field_in_source(x, y, letterbox.source_size), outside)
    return values.astype(np.float32), x[inside], y[inside]


def check_plane(letterbox, output_size, inverse=False, resize=None):
    """Hold the decoded plane against the plane, but where nothing lies around a pixel."""
    values, xs, ys = field_in_output(letterbox, output_size, outside=JUNK)
    kind = 'inverse' if inverse else 'metres'
    depth = decode(values, letterbox, resize, output='depth', values=kind)
    width, height = letterbox.source_size
    assert depth.shape == (height, width)
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    found = 1 / depth if inverse else depth
    expected = field_in_source(
        np.clip(x, xs.min(), xs.max()), np.clip(y, ys.min(), ys.max()), (width, height)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize('resize', [None, by_opencv], ids=['numpy', 'opencv'])
@pytest.mark.parametrize('mode', RESIZE_MODES)
@pytest.mark.parametrize('source', [(64, 48), (640, 480), (101, 201), (317, 155), (33, 17)])
@pytest.mark.parametrize(
    ('network', 'output'),
    [
        ((64, 48), (64, 48)),
        ((64, 48), (32, 24)),
        ((64, 48), (128, 96)),
        ((140, 98), (10, 7)),  # a number a patch of 14 pixels
        ((75, 51), (33, 22)),  # no whole fraction
        ((65, 47), (65, 47)),
    ],
)
def test_a_plane_in_the_image_is_that_plane(network, output, source, mode, resize):
    check_plane(Letterbox.fit(source, network, mode), output, resize=resize)


SIDES = st.tuples(st.integers(40, 300), st.integers(40, 300))


@given(source=SIDES, network=SIDES, mode=st.sampled_from(RESIZE_MODES), part=st.integers(1, 3))
def test_a_plane_stays_one_in_any_geometry(source, network, mode, part):
    letterbox = Letterbox.fit(source, network, mode)
    output = (max(2, network[0] // part), max(2, network[1] // part))
    assume(min(letterbox.inner_size) >= 8)
    check_plane(letterbox, output)


def test_a_plane_of_inverse_depth_is_scaled_as_such():
    check_plane(Letterbox.fit((640, 480), (64, 64)), (64, 64), inverse=True)
    check_plane(Letterbox.fit((640, 480), (64, 64)), (32, 32), inverse=True, resize=by_opencv)


@pytest.mark.parametrize('bars', [1000.0, np.nan, np.inf, 0.0, -5.0])
@pytest.mark.parametrize('output', [(64, 64), (32, 32), (37, 37), (9, 9)])
def test_what_lies_in_the_bars_does_not_come_into_the_image(output, bars):
    letterbox = Letterbox.fit((640, 331), (64, 64))
    values, *_ = field_in_output(letterbox, output, outside=np.nan)
    depth = decode(np.where(np.isnan(values), bars, 3).astype(np.float32), letterbox)
    assert depth.shape == (331, 640)
    np.testing.assert_allclose(depth, 3, rtol=1e-6)


def test_the_geometry_may_change_from_frame_to_frame():
    made = decoder(spec('depth', 1, 1, 48, 64))
    for source in [(640, 480), (100, 301), (640, 480), (64, 48)]:
        letterbox = Letterbox.fit(source, SIZE)
        values, *_ = field_in_output(letterbox, SIZE)
        depth = made.decode({'depth': values[np.newaxis, np.newaxis]}, letterbox)
        np.testing.assert_array_equal(depth, decode(values, letterbox))


def test_every_frame_has_an_array_of_its_own():
    made = decoder(spec('depth', 1, 48, 64))
    for letterbox in (PLAIN, Letterbox.fit((128, 96), SIZE)):
        output = {'depth': np.full((1, 48, 64), 2, np.float32)}
        first = made.decode(output, letterbox)
        output['depth'][...] = 3
        second = made.decode(output, letterbox)
        assert (first == 2).all()
        assert (second == 3).all()


# --- values


def numbers(seed=0, shape=(48, 64)):
    """Return random depths of which some are none."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(0.05, 30, shape).astype(np.float32)
    nothing = np.array([np.nan, np.inf, -np.inf, 0, -0.0, -1, -3e38], np.float32)
    return np.where(rng.random(shape) < 0.2, rng.choice(nothing, shape), values)


def by_definition(values, kind='metres', scale=1.0, nearest=0.0, farthest=np.inf):
    """Return the depth of one number after the other."""
    found = np.full(values.shape, np.nan)
    for place, value in np.ndenumerate(values.astype(np.float64)):
        if np.isfinite(value) and value > 0:
            depth = value * scale if kind == 'metres' else scale / value
            if nearest <= depth <= farthest:
                found[place] = depth
    return found


@pytest.mark.parametrize('dtype', [np.float32, np.float16])
@pytest.mark.parametrize('shape', [(1, 1, 48, 64), (1, 48, 64), (1, 48, 64, 1)])
@pytest.mark.parametrize('declared', ['as it is', 'of dynamic size', 'dynamic'])
def test_layouts_and_types(shape, dtype, declared):
    values = np.where(np.abs(numbers()) < 1e30, numbers(), np.nan).astype(dtype)
    unknown = {'as it is': shape, 'dynamic': (-1,) * len(shape)}.get(
        declared, tuple(extent if extent == 1 else -1 for extent in shape)
    )
    made = decoder(spec('depth', *unknown, dtype=dtype))
    depth = made.decode({'depth': values.reshape(shape)}, PLAIN)
    assert depth.dtype == np.float32
    assert depth.flags.c_contiguous
    np.testing.assert_allclose(depth, by_definition(values), rtol=1e-6, equal_nan=True)


@pytest.mark.parametrize('kind', ['metres', 'inverse'])
@pytest.mark.parametrize(
    ('settings', 'definition'),
    [
        ({}, {}),
        ({'scale': 20}, {'scale': 20}),
        ({'scale': '1/1000'}, {'scale': 0.001}),
        ({'min_m': 0.3}, {'nearest': 0.3}),
        ({'max_m': 5}, {'farthest': 5}),
        (
            {'scale': 2, 'min_m': 1, 'max_m': 9.5},
            {'scale': 2, 'nearest': 1, 'farthest': 9.5},
        ),
    ],
)
def test_settings_mean_what_they_say(kind, settings, definition):
    values = numbers(1)
    depth = decode(values, values=kind, **settings)
    expected = by_definition(values, kind, **definition)
    assert 0 < np.isfinite(expected).sum() < expected.size
    np.testing.assert_allclose(depth, expected, rtol=1e-6, equal_nan=True)


def test_values_that_are_0_but_for_rounding_have_no_depth():
    values = np.full((48, 64), 1e-30, np.float32)
    assert np.isnan(decode(values, values='inverse')).all()
    assert np.isnan(decode(values)).all()
    assert np.isnan(decode(1 / values)).all()
    values[0, 0] = 1
    assert np.isfinite(decode(values, values='inverse')).sum() == 1


@pytest.mark.parametrize('kind', ['metres', 'inverse'])
def test_what_is_too_far_does_not_pull_its_neighbours_along(kind):
    values = np.full((48, 64), 2 if kind == 'metres' else 0.5, np.float32)
    values[:, 32:] = 1000 if kind == 'metres' else 0.001
    letterbox = Letterbox.fit((640, 480), SIZE)
    depth = decode(values, letterbox, values=kind, max_m=100)
    np.testing.assert_allclose(depth[:, :320], 2, rtol=1e-6)
    assert np.isnan(depth[:, 320:]).all()


def test_a_network_that_knows_nothing_gives_an_image_of_unknown_depth():
    depth = decode(np.zeros((48, 64), np.float32), Letterbox.fit((100, 70), SIZE))
    assert depth.shape == (70, 100)
    assert np.isnan(depth).all()


# --- which output


def test_an_output_is_chosen_by_its_layout():
    outputs = (
        spec('features', 1, 384, 48, 64),
        spec('mask', 1, 1, 48, 64, dtype=np.int64),
        spec('small', 1, 1, 1, 1),
        spec('depth', 1, 24, 32),
        spec('anchors', 1, 84, 8400),
    )
    made = decoder(*outputs)
    depth = made.decode({'depth': np.full((1, 24, 32), 2, np.float32)}, PLAIN)
    assert (depth == 2).all()


def test_a_named_output_is_taken_at_any_proportions():
    made = decoder(spec('depth', 1, 48, 64), spec('odd', 1, 48, 16), output='odd')
    depth = made.decode({'odd': np.full((1, 48, 16), 2, np.float32)}, PLAIN)
    assert depth.shape == (48, 64)


@pytest.mark.parametrize(
    ('outputs', 'settings', 'says'),
    [
        ([spec('d', 1, 2, 48, 64)], {}, 'no output is 1x1xHxW, 1xHxW or 1xHxWx1 of float32 or'),
        ([spec('d', 2, 1, 48, 64)], {}, 'd float32[2x1x48x64]'),
        ([spec('d', 48, 64)], {}, 'd float32[48x64]'),
        ([spec('d', 1, 48, 64, dtype=np.int32)], {}, 'd int32[1x48x64]'),
        ([spec('d', 1, 64, 48)], {}, 'H to W like the input, 48 to 64'),
        ([spec('d', 1, 84, 8400)], {}, 'H to W like the input, 48 to 64'),
        ([], {}, 'outputs none'),
        (
            [spec('depth', 1, 48, 64), spec('confidence', 1, 1, 48, 64)],
            {},
            'depth, confidence; name the right one as output.settings.output',
        ),
        ([spec('d', 1, 48, 64)], {'output': 'depth'}, "there is no output 'depth'"),
        ([spec('d', 1, 3, 48, 64)], {'output': 'd'}, 'd float32[1x3x48x64] is not 1x1xHxW'),
    ],
)
def test_outputs_that_do_not_fit_are_told(outputs, settings, says):
    with pytest.raises(DecoderError) as caught:
        decoder(*outputs, **settings)
    assert says in str(caught.value)
    assert str(caught.value).startswith("decoder 'depth' cannot read this network: ")


@pytest.mark.parametrize('shape', [(1, 3, 48, 64), (2, 1, 48, 64), (1, 1, 0, 64), (1, 48)])
def test_dynamic_shapes_are_checked_when_they_are_known(shape):
    made = decoder(spec('depth', -1, -1, -1, -1))
    with pytest.raises(DecoderError, match=r'depth has shape .*, not \[1, 1, H, W\]'):
        made.decode({'depth': np.ones(shape, np.float32)}, PLAIN)


def test_decoding_before_checking_is_our_own_mistake():
    with pytest.raises(InternalError):
        make_depth_decoder(OutputCard('depth')).decode({}, PLAIN)


# --- the card


@pytest.mark.parametrize(
    ('output', 'key', 'says'),
    [
        ({'decoder': 'yolo'}, 'decoder', "must be 'depth', the decoder of the task depth"),
        ({'decoder': 'depth', 'defaults': {}}, 'defaults', 'is not a known key'),
        ({'settings': {'unit': 'm'}}, 'settings.unit', 'allowed are output, values, scale'),
        ({'settings': {'value': 'metres'}}, 'settings.value', "did you mean 'values'"),
        ({'settings': {'values': 'disparity'}}, 'settings.values', 'one of metres, inverse'),
        ({'settings': {'scale': 0}}, 'settings.scale', 'from 1e-09'),
        ({'settings': {'scale': -1}}, 'settings.scale', 'not -1'),
        ({'settings': {'min_m': -1}}, 'settings.min_m', 'from 0'),
        ({'settings': {'max_m': 'far'}}, 'settings.max_m', "not 'far'"),
        ({'settings': {'min_m': 5, 'max_m': 2}}, 'settings.max_m', '2 must be more than min_m, 5'),
        ({'settings': {'output': 3}}, 'settings.output', 'must be text'),
    ],
)
def test_a_card_that_cannot_work_is_refused_when_it_is_read(output, key, says):
    card = networks.card(task='depth', output={'decoder': 'depth', **output})
    with pytest.raises(CardError) as caught:
        parse_card(card, 'm.yaml')
    assert caught.value.key == f'output.{key}'
    assert says in str(caught.value)
    assert str(caught.value).startswith('m.yaml: ')
