# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From a card and an ONNX file to what is built, and to the key that it is found by."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

import networks
from jetson_infer.core.shape_profiles import ShapeProfile, ShapeRange
from jetson_infer.engines.build_target import BuildTarget
from jetson_infer.engines.engine_order import (
    CALIBRATION_KEY,
    EngineWish,
    build_command,
    order_engine,
)
from jetson_infer.engines.models import SEARCH_PATH_VARIABLE, load_model
from jetson_infer.errors import CardError, EngineBuildError, ModelError

TARGET = BuildTarget('10.3.0', 'Orin', (8, 7), 16)
OUTPUT = {'output0': np.zeros((1, 6, 20), np.float32)}
RANGE = {'size': [640, 480], 'range': {'min': [320, 256], 'max': [1280, 960], 'multiple_of': 32}}
DYNAMIC = ('batch', 3, 'height', 'width')


def write(folder, image=(1, 3, 64, 64), extra=None, **changes):
    """Write a model whose network has these inputs, and load it."""
    folder.mkdir(parents=True, exist_ok=True)
    networks.emitting(folder / 'tiny.onnx', OUTPUT, image, extra=extra)
    return load_model(networks.write_model(folder, networks.card(**changes)))


def order(model, **wish):
    return order_engine(model, model.variant(), EngineWish(**wish))


def profile(**inputs):
    return ShapeProfile({name: ShapeRange(*shapes) for name, shapes in inputs.items()})


def test_a_network_of_one_size_has_no_profile(tmp_path):
    found = order(write(tmp_path / 'm'))
    assert found.request.profiles == ()
    assert (found.model, found.variant, found.request.precision) == ('tiny', 'fp32', 'fp32')
    assert found.request.onnx == tmp_path / 'm/tiny.onnx'


def test_a_dynamic_network_of_one_size_is_built_for_that(tmp_path):
    found = order(write(tmp_path / 'm', DYNAMIC))
    shape = (1, 3, 64, 64)
    assert found.request.profiles == (profile(image=(shape, shape, shape)),)


def test_a_range_of_sizes_is_one_profile_around_the_variants_size(tmp_path):
    found = order(write(tmp_path / 'm', DYNAMIC, input=RANGE))
    expected = profile(image=((1, 3, 256, 320), (1, 3, 480, 640), (1, 3, 960, 1280)))
    assert found.request.profiles == (expected,)


def test_several_profiles_as_the_card_says(tmp_path):
    sizes = [
        {'min': [320, 256], 'opt': [640, 480], 'max': [640, 480]},
        {'min': [640, 480], 'opt': [960, 960], 'max': [1280, 960]},
    ]
    image = {**RANGE, 'layout': 'nhwc'}
    model = write(tmp_path / 'm', ('b', 'h', 'w', 3), input=image, tensorrt={'profiles': sizes})
    assert order(model).request.profiles == (
        profile(image=((1, 256, 320, 3), (1, 480, 640, 3), (1, 480, 640, 3))),
        profile(image=((1, 480, 640, 3), (1, 960, 960, 3), (1, 960, 1280, 3))),
    )


def test_further_inputs_follow_the_image(tmp_path):
    extra = {'mask': (('b', 'h', 'w'), np.int64), 'size': ((1, 2), np.int64)}
    image = {**RANGE, 'extra': {'mask': 'input_mask', 'size': 'input_size'}}
    found = order(write(tmp_path / 'm', DYNAMIC, extra, input={**image, 'name': 'image'}))
    assert found.request.profiles == (
        profile(
            image=((1, 3, 256, 320), (1, 3, 480, 640), (1, 3, 960, 1280)),
            mask=((1, 256, 320), (1, 480, 640), (1, 960, 1280)),
        ),
    )


def test_a_network_of_one_size_within_a_cards_range(tmp_path):
    model = write(tmp_path / 'm', (1, 3, 480, 640), input=RANGE)
    assert order(model).request.profiles == ()


def test_a_range_that_the_network_does_not_take(tmp_path):
    model = write(tmp_path / 'm', ('batch', 3, 480, 640), input=RANGE)
    with pytest.raises(CardError, match='size 320x256 make 1x3x256x320'):
        order(model)


def test_a_network_that_does_not_fit_its_card(tmp_path):
    with pytest.raises(CardError, match='float32'):
        order(write(tmp_path / 'm', (1, 3, 32, 32)))


def test_a_file_that_is_no_network(tmp_path):
    model = write(tmp_path / 'm')
    model.files['fp32'].write_text('not a network')
    with pytest.raises(ModelError, match='is no ONNX file'):
        order(model)


def test_the_cards_settings_are_asked_for(tmp_path):
    settings = {
        'workspace_mb': 64, 'dla_core': 1, 'sparsity': True, 'optimization_level': 4,
        'strongly_typed': True,
    }  # fmt: skip
    variants = [{'name': 'v', 'onnx': 'tiny.onnx', 'precision': 'fp16', 'tensorrt': settings}]
    request = order(write(tmp_path / 'm', variants=variants)).request
    assert request.workspace_bytes == 64 << 20
    assert (request.dla_core, request.sparsity, request.optimization_level) == (1, True, 4)
    assert (request.strongly_typed, request.precision) == (True, 'fp16')


def test_a_wish_goes_before_the_card(tmp_path):
    model = write(tmp_path / 'm', tensorrt={'workspace_mb': 64, 'optimization_level': 4})
    request = order(model, precision='fp16', workspace_mb=128, sparsity=True, dla_core=0).request
    assert (request.precision, request.workspace_bytes) == ('fp16', 128 << 20)
    assert (request.sparsity, request.dla_core, request.optimization_level) == (True, 0, 4)


def test_int8_without_scales_is_refused_before_any_work(tmp_path):
    model = write(tmp_path / 'm')
    with pytest.raises(EngineBuildError, match=r'no QuantizeLinear.*ask for fp16'):
        order(model, precision='int8')


def quantized(path, calibration=''):
    scale, zero = np.array(0.1, np.float32), np.array(0, np.int8)
    networks.save(
        path,
        [
            helper.make_node('QuantizeLinear', ['image', 's', 'z'], ['q']),
            helper.make_node('DequantizeLinear', ['q', 's', 'z'], ['output0']),
        ],
        [networks.tensor('image', (1, 3, 64, 64))],
        [networks.tensor('output0', (1, 3, 64, 64))],
        {'s': scale, 'z': zero},
    )
    if calibration:
        model = onnx.load(str(path))
        helper.set_model_props(model, {CALIBRATION_KEY: calibration})
        onnx.save(model, str(path))


def test_calibration_data_is_in_the_key(tmp_path):
    model = write(tmp_path / 'm')
    quantized(model.files['fp32'])
    assert order(model, precision='int8').key(TARGET).calibration_digest == ''
    quantized(model.files['fp32'], '12' * 32)
    assert order(model, precision='int8').key(TARGET).calibration_digest == '12' * 32


def test_the_key_holds_file_target_and_request(tmp_path):
    found = order(write(tmp_path / 'm', DYNAMIC, input=RANGE), precision='fp16', dla_core=1)
    key = found.key(TARGET)
    assert key.onnx_digest == found.onnx.digest
    assert (key.tensorrt, key.gpu, key.compute_capability) == ('10.3.0', 'Orin', (8, 7))
    assert (key.multiprocessors, key.precision, key.dla_core) == (16, 'fp16', 1)
    assert key.profiles == found.request.profiles
    assert key.flags['sparsity'] is False
    assert set(key.flags) >= {'workspace_bytes', 'optimization_level', 'strongly_typed', 'tf32'}


WISHES = {
    'precision': st.sampled_from(['fp16', 'mixed']),
    'dla_core': st.integers(0, 7),
    'sparsity': st.just(True),
    'workspace_mb': st.integers(1, 1 << 20),
    'optimization_level': st.integers(0, 5),
}


@pytest.fixture(scope='module')
def tiny(tmp_path_factory):
    return write(tmp_path_factory.mktemp('models') / 'tiny')


@given(
    first=st.fixed_dictionaries({}, optional=WISHES),
    second=st.fixed_dictionaries({}, optional=WISHES),
)
def test_two_wishes_share_an_engine_exactly_if_they_are_the_same(tiny, first, second):
    keys = []
    for wish in (first, second):
        try:
            keys.append(order(tiny, **wish).key(TARGET))
        except EngineBuildError:
            return  # a DLA and fp32 do not go together
    assert (keys[0] == keys[1]) == (first == second)


def test_the_command_that_repairs_names_the_model_as_people_do(tiny, monkeypatch):
    variant = tiny.variant()
    monkeypatch.delenv(SEARCH_PATH_VARIABLE, raising=False)
    path = f'jetson-infer build {tiny.folder} --variant fp32'
    assert build_command(tiny, variant) == path
    monkeypatch.setenv(SEARCH_PATH_VARIABLE, str(tiny.folder.parent))
    assert build_command(tiny, variant) == 'jetson-infer build tiny --variant fp32'
    wish = EngineWish('fp16', 1, True, 256, 5)
    assert build_command(tiny, variant, wish) == (
        'jetson-infer build tiny --variant fp32 --precision fp16 --dla-core 1 --sparse '
        '--workspace-mb 256 --optimization-level 5'
    )


def test_a_folder_with_spaces_is_quoted(tmp_path):
    model = write(tmp_path / 'my models' / 'tiny')
    assert f"'{model.folder}'" in build_command(model, model.variant())
