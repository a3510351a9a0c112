# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import json
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jetson_infer.core.shape_profiles import ShapeProfile, ShapeRange
from jetson_infer.engines.engine_key import EngineKey
from jetson_infer.errors import EngineError

NAMES = st.text(min_size=1, max_size=6)
RANGES = st.lists(st.lists(st.integers(1, 4096), min_size=3, max_size=3).map(sorted), max_size=4)
PROFILES = st.dictionaries(
    NAMES, RANGES.map(lambda dims: ShapeRange(*(tuple(d[i] for d in dims) for i in range(3))))
).map(ShapeProfile)
HEX = st.text('0123456789abcdef', min_size=64, max_size=64)
FIELDS = {
    'onnx_digest': HEX,
    'tensorrt': st.from_regex(r'\A[0-9]{1,2}(\.[0-9]{1,3}){2,3}\Z'),
    'gpu': NAMES,
    'compute_capability': st.tuples(st.integers(5, 13), st.integers(0, 9)),
    'multiprocessors': st.integers(1, 200),
    'precision': st.sampled_from(['fp32', 'fp16', 'int8', 'mixed']),
    'profiles': st.lists(PROFILES, max_size=3).map(tuple),
    'flags': st.dictionaries(
        NAMES,
        st.none() | st.booleans() | st.integers() | NAMES | st.lists(NAMES, max_size=2),
        max_size=4,
    ),
    'dla_core': st.none() | st.integers(0, 7),
    'calibration_digest': st.just('') | HEX,
}
TITLES = {
    'onnx_digest': 'ONNX file',
    'gpu': 'GPU: ',
    'tensorrt': 'TensorRT: ',
    'compute_capability': 'compute capability: ',
    'multiprocessors': 'multiprocessors',
    'precision': 'precision',
    'profiles': 'shape profiles',
    'dla_core': 'DLA core',
    'calibration_digest': 'calibration data',
}
KEYS = st.builds(EngineKey, **FIELDS)


@given(key=KEYS)
def test_a_key_survives_json(key):
    again = EngineKey.from_json(json.loads(json.dumps(key.to_json())))
    assert again == key
    assert again.digest() == key.digest()
    assert hash(again) == hash(key)
    assert key.differences(again) == []
    assert len(key.digest()) == 64


@pytest.mark.parametrize('field', FIELDS)
@given(data=st.data(), key=KEYS)
def test_any_field_that_differs_changes_the_digest_and_is_named(field, data, key):
    other = replace(key, **{field: data.draw(FIELDS[field])})
    assume(getattr(other, field) != getattr(key, field))
    assert other != key
    assert other.digest() != key.digest()
    told = key.differences(other)
    if field == 'flags':
        differing = {
            name
            for name in {*key.flags, *other.flags}
            if json.dumps(key.flags.get(name, ...), default=str)
            != json.dumps(other.flags.get(name, ...), default=str)
        }
        assert {text.partition(': built with')[0] for text in told} == differing
    else:
        assert len(told) == 1
        assert told[0].startswith(TITLES[field])


@given(key=KEYS, other=KEYS)
def test_two_keys_are_equal_exactly_if_nothing_differs(key, other):
    assert (key == other) == (key.digest() == other.digest()) == (not key.differences(other))
    assert len(key.differences(other)) == len(other.differences(key))


def test_both_sides_are_named():
    key = EngineKey('ab' * 32, '8.6.1', 'Orin', (8, 7), 16, 'fp16', flags={'sparsity': False})
    other = replace(
        key, tensorrt='10.3.0', compute_capability=(9, 0), dla_core=1, flags={'sparsity': True}
    )
    assert key.differences(other) == [
        'TensorRT: built for 8.6.1, wanted 10.3.0',
        'compute capability: built for 8.7, wanted 9.0',
        'sparsity: built with false, wanted true',
        'DLA core: built for none, wanted 1',
    ]


def test_true_and_one_are_two_flags():
    key = EngineKey('ab' * 32, '8.6.1', 'Orin', (8, 7), 16, 'fp16', flags={'level': 1})
    other = replace(key, flags={'level': True})
    assert key != other
    assert key.differences(other) == ['level: built with 1, wanted true']


def test_the_digest_is_the_same_on_every_machine():
    """A digest that changes makes every cached engine of every robot unfindable."""
    profile = ShapeProfile({'images': ShapeRange.fixed((1, 3, 640, 640))})
    flags = {'sparsity': True, 'float32_layers': ('a', 'b'), 'workspace_bytes': None}
    key = EngineKey(
        '00' * 32, '10.3.0', 'Orin', (8, 7), 16, 'int8', (profile,), flags, 0, '11' * 32
    )
    assert key.digest()[:12] == 'f106a0da37e1'


@pytest.mark.parametrize(
    'value', [None, 3, 'text', [], {}, {'tensorrt': 1}, [['a', 'b']], {'profiles': [{'x': [[1]]}]}]
)
def test_what_is_no_key(value):
    with pytest.raises(EngineError, match="not an engine's key"):
        EngineKey.from_json(value)


@given(key=KEYS, name=st.sampled_from(sorted(FIELDS)))
def test_a_key_that_lacks_a_field(key, name):
    value = key.to_json()
    del value[name]
    with pytest.raises(EngineError):
        EngineKey.from_json(value)
