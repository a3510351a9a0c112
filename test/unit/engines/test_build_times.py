# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

import pytest

from engine_samples import KEY, MODEL, VARIANT
from jetson_infer.engines.build_times import duration, expected_time
from jetson_infer.engines.cached_engine import CachedEngine

OTHER_TENSORRT = replace(KEY, tensorrt='8.6.1')
OTHER_PRECISION = replace(KEY, precision='int8')
OTHER_FLAGS = replace(KEY, flags={'sparsity': True})


def built(key, seconds):
    return CachedEngine(Path('x'), MODEL, VARIANT, key, 1, '', {'seconds': seconds})


def test_nothing_is_known_where_nothing_was_built():
    assert expected_time([], KEY) is None


@pytest.mark.parametrize(
    'key',
    [
        replace(KEY, gpu='NVIDIA H200'),
        replace(KEY, multiprocessors=8),
        replace(KEY, onnx_digest='cd' * 32),
    ],
)
def test_another_gpu_or_network_tells_nothing(key):
    assert expected_time([built(key, 100.0)], KEY) is None


def test_the_likest_build_is_taken():
    engines = [
        built(OTHER_PRECISION, 10.0),
        built(OTHER_TENSORRT, 20.0),
        built(OTHER_FLAGS, 30.0),
        built(KEY, 40.0),
    ]
    assert str(expected_time(engines, KEY)) == 'about 40 s, as this engine took before'
    found = expected_time(engines[:3], KEY)
    assert (found.seconds, found.basis) == (30.0, 'this network took in fp16 with this TensorRT')
    found = expected_time(engines[:2], KEY)
    assert (found.seconds, found.basis) == (20.0, 'this network took in fp16 with another TensorRT')
    assert expected_time(engines[:1], KEY).basis == 'this network took in another precision'


def test_of_several_the_median():
    engines = [built(OTHER_FLAGS, seconds) for seconds in (10.0, 500.0, 30.0)]
    assert expected_time(engines, KEY).seconds == 30.0


@pytest.mark.parametrize('seconds', [None, 'long', -1.0])
def test_a_build_that_does_not_tell_is_left_out(seconds):
    assert expected_time([built(KEY, seconds)], KEY) is None


@pytest.mark.parametrize(
    ('seconds', 'text'),
    [(0.4, '0 s'), (59.4, '59 s'), (172, '2 min 52 s'), (59.9, '1 min 0 s'), (3900, '1 h 5 min')],
)
def test_durations(seconds, text):
    assert duration(seconds) == text
