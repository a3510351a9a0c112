# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

import networks
from jetson_infer.core.card_parser import parse_card
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.engines.inputs import match_inputs
from jetson_infer.errors import CardError

IMAGE = TensorSpec('image', np.dtype(np.float32), (1, 3, 64, 64))
SIZE = TensorSpec('orig_target_sizes', np.dtype(np.int64), (1, 2))


def match(*inputs: TensorSpec, **changes):
    card = parse_card(networks.card(input={'size': [64, 64], **changes}), 'model.yaml')
    return match_inputs(inputs, card, card.variants[0])


def test_a_single_input_needs_no_name():
    found = match(IMAGE)
    assert found.image == 'image'
    assert found.shapes == {'image': (1, 3, 64, 64)}
    assert not found.constants


def test_a_dynamic_input_gets_the_variants_size():
    dynamic = TensorSpec('image', np.dtype(np.float32), (-1, 3, -1, -1))
    assert match(dynamic).shapes == {'image': (1, 3, 64, 64)}


def test_constants_come_from_the_card():
    found = match(IMAGE, SIZE, extra={'orig_target_sizes': 'input_size'})
    assert found.image == 'image'
    np.testing.assert_array_equal(found.constants['orig_target_sizes'], [[64, 64]])
    assert found.shapes['orig_target_sizes'] == (1, 2)


def test_a_mask_is_as_large_as_the_image():
    mask = TensorSpec('pixel_mask', np.dtype(np.int64), (1, -1, -1))
    found = match(IMAGE, mask, extra={'pixel_mask': 'input_mask'})
    assert found.constants['pixel_mask'].shape == (1, 64, 64)
    assert (found.constants['pixel_mask'] == 1).all()


@pytest.mark.parametrize(
    ('inputs', 'changes', 'key', 'says'),
    [
        ((IMAGE, SIZE), {}, 'input.name', 'has to say which'),
        ((IMAGE, SIZE), {'name': 'image'}, 'input.extra', 'orig_target_sizes'),
        ((IMAGE,), {'name': 'images'}, 'input.name', "no image input 'images'"),
        ((IMAGE,), {'extra': {'mask': 1}}, 'input.extra.mask', 'no such input'),
        ((IMAGE,), {'layout': 'nhwc'}, 'input', '1x64x64x3'),
        ((IMAGE,), {'colour': 'grey'}, 'input', '1x1x64x64'),
        ((IMAGE,), {'size': [32, 32]}, 'input', '1x3x32x32'),
        ((IMAGE,), {'dtype': 'float16'}, 'input.dtype', 'float32[1x3x64x64]'),
    ],
)
def test_card_and_network_that_differ(inputs, changes, key, says):
    with pytest.raises(CardError) as caught:
        match(*inputs, **changes)
    assert caught.value.key == key
    assert says in str(caught.value)
    assert 'tiny.onnx' in str(caught.value)
