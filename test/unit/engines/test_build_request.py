# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest

from jetson_infer.engines.build_request import BuildRequest, ShapeProfile, ShapeRange
from jetson_infer.errors import EngineBuildError

FULL = BuildRequest(
    Path('/models/a b/ü.onnx'),
    'mixed',
    profiles=(
        ShapeProfile({'image': ShapeRange((1, 3, 320, 320), (1, 3, 640, 640), (2, 3, 960, 960))}),
        ShapeProfile({'image': ShapeRange.fixed((4, 3, 320, 320))}),
    ),
    float32_layers=('/head/*', 'softmax'),
    sparsity=True,
    dla_core=1,
    gpu_fallback=False,
    workspace_bytes=1 << 30,
    optimization_level=5,
    timing_cache=Path('timings'),
)


@pytest.mark.parametrize('request_', [FULL, BuildRequest(Path('x.onnx'))])
def test_travels_as_one_line_of_json(request_):
    text = request_.to_json()
    assert '\n' not in text
    assert BuildRequest.from_json(text) == request_


@pytest.mark.parametrize(
    'text',
    [
        '', '[]', 'null', '3', '{}', '{"profiles": []}', '{"profiles": [], "onnx": 3}',
        '{"profiles": 3, "onnx": "x"}', '{"profiles": [{"x": [[1]]}], "onnx": "x"}',
        '{"profiles": [{"x": [[2], [1], [3]]}], "onnx": "x"}',
        '{"profiles": [], "onnx": "x", "speed": 9}',
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(text):
    with pytest.raises(EngineBuildError, match='not a request to build an engine'):
        BuildRequest.from_json(text)


@pytest.mark.parametrize(
    ('values', 'told'),
    [
        ({'precision': 'fp8'}, "precision 'fp8' is none of fp32, fp16, int8, mixed"),
        ({'optimization_level': 6}, 'optimization_level 6 is not within 0 to 5'),
        ({'workspace_bytes': 0}, 'workspace_bytes 0 is not above 0'),
        ({'precision': 'fp16', 'dla_core': -1}, 'dla_core -1 is below 0'),
        ({'dla_core': 0}, 'a DLA computes in fp16 and int8 alone'),
        ({'float32_layers': ('a',)}, 'float32_layers make no difference in fp32'),
        (
            {'precision': 'fp16', 'float32_layers': ('a',), 'strongly_typed': True},
            'Cast nodes keep a layer in float32',
        ),
    ],
)
def test_what_cannot_work_is_refused_by_name(values, told):
    with pytest.raises(EngineBuildError, match=f'^x.onnx: cannot be built: .*{told}'):
        BuildRequest(Path('x.onnx'), **values)


def test_flags_tell_what_changes_the_engine():
    other = FULL.with_timing_cache(None)
    assert other != FULL
    assert other.flags() == FULL.flags()
    assert json.loads(json.dumps(FULL.flags())) == FULL.flags()
    assert BuildRequest(Path('x.onnx'), sparsity=True).flags() != BuildRequest(Path('x')).flags()


@pytest.mark.parametrize(
    ('bounds', 'told'),
    [
        (((1, 2), (1, 2), (1, 2, 3)), 'differ in rank'),
        (((2,), (1,), (3,)), 'not 1 <= minimum <= optimum <= maximum'),
        (((0,), (1,), (3,)), 'not 1 <= minimum'),
        (((1,), (4,), (3,)), 'not 1 <= minimum'),
    ],
)
def test_ranges_that_are_none(bounds, told):
    with pytest.raises(ValueError, match=told):
        ShapeRange(*bounds)


def test_what_a_profile_admits():
    profile = FULL.profiles[0]
    assert profile.admits({'image': (2, 3, 960, 320)})
    assert profile.admits({'image': (1, 3, 320, 320), 'scale': (7,)})
    for shape in ((3, 3, 640, 640), (1, 3, 319, 640), (1, 3, 640), (1, 3, 640, 961)):
        assert not profile.admits({'image': shape})
    assert len({profile, ShapeProfile.from_json(profile.to_json())}) == 1
