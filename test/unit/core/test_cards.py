# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import copy
import math

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from jetson_infer.core.card_parser import parse_card
from jetson_infer.core.cards import SizeRange
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.tensorrt_settings import SizeProfile, TensorRtSettings
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import CardError

FULL = """
format: 1
name: scene_detector
task: detection
description: Finds what a walking robot must not walk into.
license: Apache-2.0
labels: [person, dog, chair]
input:
  name: images
  size: [640, 480]
  range: {min: [320, 256], max: [1280, 960], multiple_of: 32}
  layout: nchw
  colour: rgb
  resize: letterbox
  pad_value: 114
  mean: [123.675, 116.28, 103.53]
  scale: [1/255, 0.00392, 1e-3]
  dtype: float32
  extra: {orig_target_sizes: input_size, ratio: [[1.0, 2.0]]}
output:
  decoder: yolo
  settings: {normalized: false, extra_channels: 32}
  defaults: {score_threshold: 0.3, iou_threshold: 0.5, max_detections: 100}
tensorrt:
  profiles:
    - {min: [320, 256], opt: [640, 480], max: [640, 480]}
    - {min: [640, 512], opt: [1280, 960], max: [1280, 960]}
  workspace_mb: 2048
  optimization_level: 3
variants:
  - {name: fp32_640x480, onnx: a_640x480.onnx, precision: fp32, size: [640, 480]}
  - name: fp32_320x256
    onnx: a_320x256.onnx
    precision: fp32
    size: [320, 256]
    tensorrt: {dla_core: 1, sparsity: true, strongly_typed: false, workspace_mb: 64}
"""
MINIMAL = """
format: 1
name: tiny
task: detection
labels: [person]
input: {size: [64, 64]}
output: {decoder: yolo}
variants: [{name: fp32, onnx: tiny.onnx}]
"""


def changed(path: tuple, value: object, text: str = FULL) -> dict:
    """Return the full card with one value replaced, or removed where ``value`` is ``...``."""
    card = yaml.safe_load(text)
    inner = card
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return card


def dotted(path: tuple) -> str:
    text = ''
    for key in path:
        text += f'[{key}]' if isinstance(key, int) else f'.{key}'
    return text.lstrip('.')


def test_full_card():
    card = parse_card(yaml.safe_load(FULL), 'model.yaml')
    assert card.labels == ('person', 'dog', 'chair')
    assert card.input.size == (640, 480)
    assert card.input.size_range == SizeRange((320, 256), (1280, 960), 32)
    assert card.input.mean == (123.675, 116.28, 103.53)
    assert card.input.scale == (1 / 255, 0.00392, 1e-3)
    assert card.output.settings == {'normalized': False, 'extra_channels': 32}
    assert card.output.defaults == DetectionLimits(0.3, 0.5, 100)
    assert [variant.name for variant in card.variants] == ['fp32_640x480', 'fp32_320x256']
    assert card.variants[1].size == (320, 256)
    profiles = (
        SizeProfile((320, 256), (640, 480), (640, 480)),
        SizeProfile((640, 512), (1280, 960), (1280, 960)),
    )
    assert card.variants[0].tensorrt == TensorRtSettings(profiles, 2048, optimization_level=3)
    assert card.variants[1].tensorrt == TensorRtSettings(
        profiles, 64, dla_core=1, sparsity=True, optimization_level=3
    )


def test_minimal_card_gets_the_defaults():
    card = parse_card(yaml.safe_load(MINIMAL), 'model.yaml')
    assert card.input.name is None
    assert card.input.mean == (0.0, 0.0, 0.0)
    assert card.input.scale == (1 / 255,) * 3
    assert (card.input.layout, card.input.colour, card.input.resize) == ('nchw', 'rgb', 'letterbox')
    assert card.input.pad_value == 114
    assert card.output.defaults == DetectionLimits()
    assert card.variants[0].size == (64, 64)
    assert card.variants[0].precision == 'fp32'
    assert card.variants[0].tensorrt == TensorRtSettings()


@pytest.mark.parametrize(
    ('layout', 'colour', 'shape'),
    [
        ('nchw', 'rgb', (1, 3, 48, 64)),
        ('nhwc', 'bgr', (1, 48, 64, 3)),
        ('nchw', 'grey', (1, 1, 48, 64)),
    ],
)
def test_shape_of_the_input(layout, colour, shape):
    card = changed(('input',), {'size': [64, 48], 'layout': layout, 'colour': colour}, MINIMAL)
    assert parse_card(card, 'm').input.shape((64, 48)) == shape


@pytest.mark.parametrize(
    ('path', 'value', 'says'),
    [
        (('format',), 2, 'must be 1'),
        (('format',), True, 'must be 1'),
        (('name',), 'two words', 'letter'),
        (('task',), 'detecton', "did you mean 'detection'"),
        (('labels',), [], 'at least 1'),
        (('labels', 1), False, 'put it in quotes'),
        (('labels', 1), 7, 'put it in quotes'),
        (('labels', 1), None, 'put it in quotes'),
        (('labels', 1), 'person', 'class 0'),
        (('labels', 1), ' dog', 'spaces'),
        (('labels', 1), 'd\tog', 'control'),
        (('input', 'size'), [640], '[width, height]'),
        (('input', 'size', 0), 0, 'from 1 to 16384'),
        (('input', 'size', 0), 640.0, 'integer'),
        (('input', 'size'), [600, 480], 'input.range'),
        (('input', 'range', 'multiple_of'), 48, 'multiples of 48'),
        (('input', 'range', 'max'), [64, 64], 'contradicts'),
        (('input', 'layout'), 'NCHW', "did you mean 'nchw'"),
        (('input', 'colour'), 'gray', "did you mean 'grey'"),
        (('input', 'pad_value'), 256, 'from 0 to 255'),
        (('input', 'pad_value'), True, 'must be an integer'),
        (('input', 'mean'), [0.485, 0.456, 0.406], '123.675'),
        (('input', 'mean'), [1, 2], 'a list of 3'),
        (('input', 'scale'), 0, 'must not be 0'),
        (('input', 'scale'), '1/0', 'a number'),
        (('input', 'scale', 1), math.nan, 'a number'),
        (('input', 'scale', 1), 10**400, 'integer of'),
        (('input', 'dtype'), 'uint8', 'as they are'),
        (('input', 'extra', 'ratio'), [[1.0], [2.0, 3.0]], 'equal length'),
        (('input', 'extra', 'ratio'), 'input_sice', 'input_size'),
        (('output', 'decoder'), 'yolov8', "did you mean 'yolo'"),
        (('output', 'settings'), {'normalised': True}, "did you mean 'normalized'"),
        (('output', 'settings', 'normalized'), 1, 'true or false'),
        (('output', 'defaults', 'score_threshold'), 1.5, 'from 0 to 1'),
        (('output', 'defaults', 'max_detections'), 0, 'from 1'),
        (('variants',), [], 'at least 1'),
        (('variants', 0, 'name'), 'auto', 'chooses'),
        (('variants', 1, 'name'), 'fp32_640x480', 'unique'),
        (('variants', 0, 'onnx'), '/etc/passwd.onnx', 'inside the model'),
        (('variants', 0, 'onnx'), '../other.onnx', 'inside the model'),
        (('variants', 0, 'onnx'), 'weights.pt', '.onnx file'),
        (('variants', 0, 'precision'), 'fp64', 'fp32'),
        (('variants', 1, 'size'), [100, 100], 'input.range'),
        (('tensorrt',), None, 'is empty'),
        (('tensorrt',), [], 'must be a mapping'),
        (('tensorrt', 'profiles'), [], 'at least 1'),
        (('tensorrt', 'profiles', 0, 'min'), ..., 'is missing'),
        (('tensorrt', 'profiles', 0, 'min'), [320], '[width, height]'),
        (('tensorrt', 'profiles', 0, 'min'), [300, 256], 'input.range'),
        (('tensorrt', 'profiles', 0, 'max'), [2560, 1920], 'input.range'),
        (('tensorrt', 'profiles', 0, 'opt'), [1280, 480], 'width 1280 must lie from 320'),
        (('tensorrt', 'profiles', 0, 'min'), [320, 512], 'height 480 must lie from 512'),
        (
            ('tensorrt', 'profiles', 1),
            {'min': [320, 256], 'opt': [640, 480], 'max': [640, 480]},
            'the same as profiles[0]',
        ),
        (('tensorrt', 'workspace_mb'), 0, 'from 1'),
        (('tensorrt', 'workspace_mb'), '2 GB', 'must be an integer'),
        (('tensorrt', 'optimization_level'), 6, 'from 0 to 5'),
        (('variants', 1, 'tensorrt', 'dla_core'), -1, 'from 0'),
        (('variants', 1, 'tensorrt', 'dla_core'), True, 'must be an integer'),
        (('variants', 1, 'tensorrt', 'sparsity'), 'yes', 'true or false'),
        (('variants', 0, 'size'), [960, 480], 'tensorrt.profiles: none admits 960x480'),
        (('input', 'range'), ..., 'input.range, which tells them, is missing'),
    ],
)
def test_a_value_that_cannot_work_is_told(path, value, says):
    with pytest.raises(CardError) as caught:
        parse_card(changed(path, value), 'folder/model.yaml')
    message = str(caught.value)
    assert message.startswith(f'folder/model.yaml: {caught.value.key}: ')
    assert says in message
    assert caught.value.key.startswith((path[0], 'tensorrt'))


@pytest.mark.parametrize(
    ('misspelt', 'meant'),
    [
        (('lables',), 'labels'),
        (('input', 'color'), 'colour'),
        (('output', 'default'), 'defaults'),
        (('output', 'defaults', 'score_treshold'), 'score_threshold'),
        (('variants', 0, 'precison'), 'precision'),
        (('tensorrt', 'profile'), 'profiles'),
        (('variants', 1, 'tensorrt', 'workspace'), 'workspace_mb'),
    ],
)
def test_an_unknown_key_is_refused_with_a_suggestion(misspelt, meant):
    with pytest.raises(CardError, match=f'did you mean {meant!r}') as caught:
        parse_card(changed(misspelt, 1), 'model.yaml')
    assert caught.value.key == dotted(misspelt)


def test_yaml_reads_no_as_false_and_the_message_says_so():
    card = yaml.safe_load(MINIMAL.replace('[person]', '[yes, no]'))
    with pytest.raises(CardError, match=r'labels\[0\].*yes, no.*quotes'):
        parse_card(card, 'model.yaml')


@pytest.mark.parametrize('card', [None, [], 'text', 3, {1: 2}, {None: 1}, {(1, 2): 3}])
def test_what_is_no_card_at_all(card):
    with pytest.raises(CardError):
        parse_card(card, 'model.yaml')


def test_a_variant_needs_a_size_where_the_input_has_none():
    card = yaml.safe_load(MINIMAL.replace('{size: [64, 64]}', '{name: images}'))
    with pytest.raises(CardError, match=r'variants\[0\].size.*missing'):
        parse_card(card, 'model.yaml')


def test_a_list_that_contains_itself_is_refused():
    endless: list = []
    endless.append(endless)
    with pytest.raises(CardError):
        parse_card(changed(('input', 'extra', 'ratio'), endless), 'model.yaml')


def test_extra_inputs_become_arrays():
    extra = parse_card(yaml.safe_load(FULL), 'm').input.extra
    size = TensorSpec('orig_target_sizes', np.dtype(np.int64), (-1, 2))
    np.testing.assert_array_equal(extra['orig_target_sizes'].array((640, 480), size), [[640, 480]])
    assert extra['orig_target_sizes'].array((640, 480), size).dtype == np.int64
    ratio = TensorSpec('ratio', np.dtype(np.float32), (1, 2))
    np.testing.assert_array_equal(extra['ratio'].array((640, 480), ratio), [[1, 2]])
    with pytest.raises(CardError, match=r'input.extra.ratio: has shape \[1, 2\]'):
        extra['ratio'].array((640, 480), TensorSpec('ratio', np.dtype(np.float32), (2, 2)))


@pytest.mark.parametrize('dtype', [np.uint8, np.int8, np.bool_])
def test_an_extra_input_that_the_dtype_cannot_hold(dtype):
    extra = parse_card(yaml.safe_load(FULL), 'm').input.extra['orig_target_sizes']
    with pytest.raises(CardError, match='cannot be written'):
        extra.array((640, 480), TensorSpec('s', np.dtype(dtype), (1, 2)))


def paths_of(value: object, path: tuple = ()):
    """Yield the path of every value within a card."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, item in items:
        yield from paths_of(item, (*path, key))


JUNK = st.recursive(
    st.sampled_from(
        [None, True, False, 0, -1, 2**70, 10**500, 0.5, math.nan, math.inf, -math.inf, '', ' ']
    )
    | st.text(max_size=8)
    | st.integers()
    | st.floats()
    | st.binary(max_size=3)
    | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4) | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=500, deadline=None)
@given(path=st.sampled_from(list(paths_of(yaml.safe_load(FULL)))), junk=st.just(...) | JUNK)
def test_any_value_at_any_key_parses_or_is_told(path, junk):
    error, parsed = None, None
    try:
        parsed = parse_card(changed(path, copy.deepcopy(junk)), 'file.yaml')
    except CardError as caught:
        error = caught
    if parsed is None:
        # A range or a size that contradicts a profile may be told where the profile is.
        assert error.key.startswith((path[0], 'tensorrt', 'variants'))
        assert str(error).startswith(f'file.yaml: {error.key}: ')
        assert len(str(error)) < 1000
    else:
        assert parsed.labels
        assert all(math.isfinite(value) for value in (*parsed.input.mean, *parsed.input.scale))
        assert all(1 <= extent <= 16384 for v in parsed.variants for extent in v.size)
        for variant in parsed.variants:
            profiles = variant.tensorrt.profiles
            assert not profiles or any(profile.admits(variant.size) for profile in profiles)
            for profile in profiles:
                assert profile.admits(profile.minimum)
                assert profile.admits(profile.optimum)
                assert profile.admits(profile.maximum)


@settings(max_examples=100, deadline=None)
@given(path=st.sampled_from(list(paths_of(yaml.safe_load(FULL)))), key=st.text(min_size=1))
def test_any_further_key_is_refused(path, key):
    card = yaml.safe_load(FULL)
    inner = card
    for step in path:
        inner = inner[step]
    if not isinstance(inner, dict) or key in inner or path == ('input', 'extra'):
        return
    inner[key] = 1
    with pytest.raises(CardError):
        parse_card(card, 'file.yaml')
