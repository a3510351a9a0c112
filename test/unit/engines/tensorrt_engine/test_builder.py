# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Building over the stand-in for TensorRT of every version: settings, refusals, progress."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

import fake_tensorrt
import networks
from fake_tensorrt_builder import BUILT, Builder, IOptimizationProfile, add_builder
from jetson_infer.engines.build_request import BuildRequest, ShapeProfile, ShapeRange
from jetson_infer.engines.tensorrt.builder import build_plan
from jetson_infer.engines.tensorrt.session import TensorRtSession
from jetson_infer.engines.tensorrt.timing_cache import _first_line
from jetson_infer.errors import EngineBuildError, MissingDependencyError
from tensorrt_contract.bindings import VERSIONS

since_10 = pytest.mark.parametrize('tensorrt', VERSIONS[1:], indirect=True)
weakly_typed = pytest.mark.parametrize('tensorrt', VERSIONS[:3], indirect=True)
only_8_6 = pytest.mark.parametrize('tensorrt', VERSIONS[:1], indirect=True)
ROWS = ShapeProfile({'image': ShapeRange((1, 3), (2, 3), (4, 3))})


@pytest.fixture
def building(tensorrt, monkeypatch):
    """The version's stand-in, with its builder."""
    add_builder(tensorrt, monkeypatch)
    return int(tensorrt.__version__.split('.')[0])


@pytest.fixture
def float32(tmp_path):
    return networks.doubling(tmp_path / 'float32.onnx', (2, 3))


@pytest.fixture
def float16(tmp_path):
    return networks.doubling(tmp_path / 'float16.onnx', (2, 3), np.float16)


@pytest.fixture
def quantized(tmp_path):
    nodes = [
        helper.make_node('QuantizeLinear', ['image', 'scale', 'zero'], ['q'], name='quantize'),
        helper.make_node('DequantizeLinear', ['q', 'scale', 'zero'], ['d'], name='dequantize'),
        helper.make_node('Add', ['d', 'd'], ['doubled'], name='head/add'),
    ]
    return networks.save(
        tmp_path / 'quantized.onnx',
        nodes,
        [networks.tensor('image', (2, 3))],
        [networks.tensor('doubled', (2, 3))],
        {'scale': np.array(0.1, np.float32), 'zero': np.array(0, np.int8)},
    )


def test_a_built_engine_runs(building, device, float32):
    built = build_plan(BuildRequest(float32))
    assert (built.precision.found, built.precision.is_missing) == ('fp32', False)
    assert [layer.precision for layer in built.layers] == ['fp32']
    with TensorRtSession(built.plan, device) as session:
        binding = session.bind({})
        binding.inputs['image'][...] = 3
        assert np.all(binding.run()['doubled'] == 6)


def test_profiles_travel_into_the_engine(building, device, tmp_path):
    path = networks.doubling(tmp_path / 'dynamic.onnx', ('rows', 3))
    wide = ShapeProfile({'image': ShapeRange((5, 3), (6, 3), (8, 3))})
    built = build_plan(BuildRequest(path, profiles=(ROWS, wide)))
    with TensorRtSession(built.plan, device) as session:
        assert session.profiles == (ROWS, wide)


def test_float32_uses_nothing_below(building, float32):
    build_plan(BuildRequest(float32))
    assert BUILT.config.set == set()
    build_plan(BuildRequest(float32, tf32=True, sparsity=True))
    assert BUILT.config.set == {'TF32', 'SPARSE_WEIGHTS'}


@pytest.mark.parametrize(
    ('precision', 'file', 'flags'),
    [
        ('fp16', 'float32', {'FP16'}),
        ('int8', 'quantized', {'FP16', 'INT8'}),
        ('mixed', 'quantized', {'FP16', 'INT8'}),
        ('mixed', 'float32', {'FP16'}),
    ],
)
@weakly_typed
def test_flags_of_a_weakly_typed_network(building, request, precision, file, flags):
    build_plan(BuildRequest(request.getfixturevalue(file), precision))
    assert BUILT.config.set == flags


@since_10
def test_a_strongly_typed_network_has_no_precision_flags(building, float16, quantized):
    build_plan(BuildRequest(float16, 'fp16', strongly_typed=True))
    assert BUILT.config.set == set()
    build_plan(BuildRequest(quantized, 'int8', strongly_typed=True))
    assert BUILT.config.set == set()


@only_8_6
def test_8_6_has_no_strongly_typed_networks(building, float16):
    with pytest.raises(EngineBuildError, match='has no strongly typed networks'):
        build_plan(BuildRequest(float16, 'fp16', strongly_typed=True))


@since_10
def test_a_float32_file_cannot_become_float16_where_types_come_from_the_file(building, float32):
    with pytest.raises(EngineBuildError, match=r'computes in float.*Convert the file to float16'):
        build_plan(BuildRequest(float32, 'fp16', strongly_typed=building < 11))


@since_10
def test_a_float16_file_cannot_become_float32_there(building, float16):
    with pytest.raises(EngineBuildError, match=r'fp32 was asked for, and the file holds half'):
        build_plan(BuildRequest(float16, strongly_typed=building < 11))


def test_int8_needs_a_quantized_file(building, float32):
    with pytest.raises(EngineBuildError, match=r'no QuantizeLinear nodes; quantize it first'):
        build_plan(BuildRequest(float32, 'int8'))


def test_layers_kept_in_float32(building, quantized):
    request = BuildRequest(quantized, 'mixed', float32_layers=('head/*',))
    if building >= 11:
        with pytest.raises(EngineBuildError, match='Cast nodes'):
            build_plan(request)
        return
    build_plan(request)
    assert 'OBEY_PRECISION_CONSTRAINTS' in BUILT.config.set
    with pytest.raises(EngineBuildError, match=r'float32_layers names tail, and no layer'):
        build_plan(replace(request, float32_layers=('head/*', 'tail')))


def test_settings(building, float32):
    build_plan(BuildRequest(float32, workspace_bytes=1 << 28, optimization_level=1))
    config = BUILT.config
    assert config.limits == {'WORKSPACE': 1 << 28}
    assert config.builder_optimization_level == 1
    assert config.profiling_verbosity.name == 'DETAILED'
    assert config.features == ({'PROFILE_SHARING_0806'} if building < 11 else set())


@weakly_typed
def test_cublas_and_cudnn_are_left_out_unless_asked_for(building, float32):
    build_plan(BuildRequest(float32))
    assert BUILT.config.tactics == 0b1000
    build_plan(BuildRequest(float32, external_tactics=True))
    assert BUILT.config.tactics == 0b1111


@weakly_typed
def test_dla(building, float32, monkeypatch):
    request = BuildRequest(float32, 'fp16', dla_core=0)
    monkeypatch.setattr('jetson_infer.engines.tensorrt.builder.inspect_plan', lambda *_: ())
    build_plan(request)
    assert (BUILT.config.default_device_type.name, BUILT.config.DLA_core) == ('DLA', 0)
    assert 'GPU_FALLBACK' in BUILT.config.set
    build_plan(replace(request, gpu_fallback=False))
    assert 'GPU_FALLBACK' not in BUILT.config.set
    with pytest.raises(EngineBuildError, match='DLA core 3 was asked for, and this machine has 1'):
        build_plan(replace(request, dla_core=3))


def test_every_node_that_cannot_be_parsed_is_named(building, tmp_path):
    path = tmp_path / 'plugins.onnx'
    nodes = [
        helper.make_node('Relu', ['image'], ['a'], name='first'),
        helper.make_node('EfficientNMS_TRT', ['a'], ['b'], name='nms', domain='trt'),
        helper.make_node('Weird', ['b'], ['c'], domain='trt'),
    ]
    graph = helper.make_graph(
        nodes, 'g', [networks.tensor('image', (1,))], [networks.tensor('c', (1,))]
    )
    onnx.save(helper.make_model(graph), str(path))
    with pytest.raises(EngineBuildError) as caught:
        build_plan(BuildRequest(path))
    text = str(caught.value)
    assert 'cannot parse it, 2 errors:' in text
    assert "node 1 'nms' (EfficientNMS_TRT): No importer registered" in text
    assert 'node 2 (Weird): No importer registered for op: Weird. [UNSUPPORTED_NODE]' in text
    assert 'plug-in' in text


def test_the_remedy_fits_what_the_parser_says(building, tmp_path):
    """The same code stands for an operator that it does not know and for one it does."""
    path = networks.convolving(tmp_path / 'x.onnx', layers=1)
    model = onnx.load(str(path))
    model.graph.node[0].name = 'refused'
    onnx.save(model, str(path))
    with pytest.raises(EngineBuildError) as caught:
        build_plan(BuildRequest(path))
    text = str(caught.value)
    assert "node 0 'refused' (Conv): Assertion failed: checkSpatialDims" in text
    assert '[UNSUPPORTED_NODE]' in text
    assert 'kernel_shape' in text
    assert 'plug-in' not in text


def test_an_output_whose_shape_depends_on_the_data_is_told(building, tmp_path, caplog):
    found = networks.save(
        tmp_path / 'x.onnx',
        [helper.make_node('Compress', ['image', 'which'], ['found'], axis=1)],
        [networks.tensor('image', (2, 3))],
        [networks.tensor('found', (2, 'columns'))],
        {'which': np.array([True, False, True])},
    )
    build_plan(BuildRequest(found))
    assert 'only running tells the shape of the output found[2x?]' in caplog.text
    caplog.clear()
    dynamic = networks.doubling(tmp_path / 'dynamic.onnx', ('rows', 3))
    build_plan(BuildRequest(dynamic, profiles=(ROWS,)))
    assert caplog.text == ''


def test_an_input_without_a_rank_is_refused(building, tmp_path, monkeypatch):
    path = networks.doubling(tmp_path / 'x.onnx', (2, 3))
    monkeypatch.setattr(
        'fake_tensorrt_builder.ITensor.shape', fake_tensorrt.Dims(None), raising=False
    )
    monkeypatch.setattr('fake_tensorrt_builder.ITensor.__init__', rankless)
    with pytest.raises(EngineBuildError, match='image has no number of dimensions'):
        build_plan(BuildRequest(path))


def rankless(self, name, dtype, shape):
    self.name, self.dtype, self.is_shape_tensor = name, dtype, False


@pytest.mark.parametrize(
    ('content', 'told'),
    [(None, 'no such file'), (b'', 'is empty'), (b'\x0acut', 'Failed to parse ONNX model')],
)
def test_a_file_that_is_no_network_is_named(building, tmp_path, content, told):
    path = tmp_path / 'x.onnx'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineBuildError, match=f'x.onnx: .*{told}'):
        build_plan(BuildRequest(path))


@pytest.mark.parametrize(
    ('profiles', 'told'),
    [
        ((), r'image\[\?x3\] is dynamic; give the smallest'),
        ((ShapeProfile({}),), r'profile 0 has no shapes for image\[\?x3\]'),
        ((ShapeProfile({'picture': ShapeRange.fixed((1,))}),), r'has no input picture; it has im'),
        ((ROWS, ShapeProfile({'image': ShapeRange.fixed((1, 4))})), r'profile 1: .*does not fit'),
        ((ShapeProfile({'image': ShapeRange.fixed((1,))}),), 'does not fit the input'),
    ],
)
def test_profiles_are_held_against_the_inputs(building, tmp_path, profiles, told):
    path = networks.doubling(tmp_path / 'dynamic.onnx', ('rows', 3))
    with pytest.raises(EngineBuildError, match=told):
        build_plan(BuildRequest(path, profiles=profiles))


def test_inputs_that_cannot_be_exchanged_are_named(building, tmp_path):
    double = networks.doubling(tmp_path / 'double.onnx', (2, 3), np.float64)
    with pytest.raises(EngineBuildError, match=r'image is of type .*which cannot be exchanged'):
        build_plan(BuildRequest(double))
    shape = networks.save(
        tmp_path / 'shape.onnx',
        [helper.make_node('Add', ['shape_in', 'shape_in'], ['y'])],
        [networks.tensor('shape_in', (1,))],
        [networks.tensor('y', (1,))],
    )
    with pytest.raises(EngineBuildError, match='values of the input shape_in decide about shapes'):
        build_plan(BuildRequest(shape))


def test_progress_is_told(building, float32):
    told = []
    build_plan(BuildRequest(float32), told.append)
    stages = list(dict.fromkeys(progress.phases[0] for progress in told))
    assert stages == ['parse', 'build', 'inspect']
    inner = [(p.step, p.steps) for p in told if p.phases == ('build', 'Building engine')]
    assert inner == ([(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)] if building >= 10 else [])
    seconds = [progress.seconds for progress in told]
    assert seconds == sorted(seconds)


@since_10
def test_a_build_can_be_cancelled_between_steps(building, float32):
    told = []
    with pytest.raises(EngineBuildError, match='was cancelled'):
        build_plan(BuildRequest(float32), told.append, lambda: len(told) >= 4)
    assert max(progress.step for progress in told) == 1


def test_a_build_can_be_cancelled_between_stages(building, float32):
    with pytest.raises(EngineBuildError, match='was cancelled'):
        build_plan(BuildRequest(float32), cancelled=lambda: True)


@since_10
def test_what_the_report_raises_arrives(building, float32):
    def report(progress):
        if progress.step == 2:
            raise BrokenPipeError('nobody listens')

    with pytest.raises(BrokenPipeError, match='nobody listens'):
        build_plan(BuildRequest(float32), report)


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        ('Requested amount of GPU memory could not be allocated', 'smaller workspace_bytes'),
        ('could not find any implementation for node a', 'could not find any implementation'),
    ],
)
def test_what_the_builder_says_is_told(building, float32, words, told, monkeypatch):
    monkeypatch.setattr(BUILT, 'fails', words)
    with pytest.raises(EngineBuildError, match=told):
        build_plan(BuildRequest(float32))


def test_timings_are_taken_up_and_handed_on(building, float32, tmp_path, caplog):
    cache = tmp_path / 'timings'
    request = BuildRequest(float32, timing_cache=cache)
    first = build_plan(request).timing_cache
    assert first.endswith(b'\ntimings+')
    cache.write_bytes(first)
    assert build_plan(request).timing_cache.endswith(b'\ntimings++')
    assert caplog.text == ''
    cache.unlink()
    cache.mkdir()
    assert build_plan(request).timing_cache == first
    assert 'cannot be read' in caplog.text


@pytest.mark.parametrize(
    ('change', 'told'),
    [
        (lambda good: b'of another GPU', 'was not written by this version of jetson_infer'),
        (lambda good: good.partition(b'\n')[2], 'was not written by this version'),
        (lambda good: good.replace(b'TensorRT ', b'TensorRT 1'), 'the file is of TensorRT 1'),
        (lambda good: good.replace(b' GPU,', b' other GPU,'), 'unknown other GPU'),
        (lambda good: good[:-1], 'the file is damaged'),
        (lambda good: b'\xff' * 5000, 'was not written by this version'),
        (lambda good: b'', 'was not written by this version'),
    ],
)
def test_timings_that_do_not_fit_are_taken_anew(
    building, float32, tmp_path, monkeypatch, caplog, change, told
):
    """TensorRT 8.6 takes any bytes without a word, so that nobody would learn of it."""
    monkeypatch.setattr('jetson_infer.engines.tensorrt.timing_cache._gpu', lambda: 'unknown GPU')
    cache = tmp_path / 'timings'
    request = BuildRequest(float32, timing_cache=cache)
    good = build_plan(request).timing_cache
    cache.write_bytes(change(good))
    assert build_plan(request).timing_cache == good
    assert 'they are taken anew' in caplog.text
    assert told in caplog.text


def test_timings_that_tensorrt_itself_refuses_are_taken_anew(building, float32, tmp_path, caplog):
    cache = tmp_path / 'timings'
    request = BuildRequest(float32, timing_cache=cache)
    good = build_plan(request).timing_cache
    cache.write_bytes(_first_line(b'timings of another GPU') + b'timings of another GPU')
    assert build_plan(request).timing_cache == good
    assert 'TensorRT does not take them' in caplog.text


def test_a_machine_without_a_gpu_is_told_so(building, float32, monkeypatch):
    def no_gpu(self, logger):
        raise TypeError('pybind11::init(): factory function returned nullptr')

    monkeypatch.setattr(Builder, '__init__', no_gpu)
    with pytest.raises(EngineBuildError, match='finds no usable NVIDIA GPU and driver'):
        build_plan(BuildRequest(float32))


@weakly_typed
def test_a_precision_that_was_not_found_is_said(building, float32, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr('fake_tensorrt_builder.SHOWN', {'HALF': 'FP32', 'FLOAT': 'FP32'})
    assert build_plan(BuildRequest(float32, 'fp16')).precision.is_missing
    assert 'fp16 asked for; found fp32' in caplog.text


def test_without_tensorrt_the_remedy_is_named(float32, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'tensorrt', None)
    with pytest.raises(MissingDependencyError, match='python3-libnvinfer'):
        build_plan(BuildRequest(Path(float32)))


def test_shapes_that_tensorrt_refuses_are_named_with_its_reason(building, tmp_path, monkeypatch):
    def refuse(self, input, min, opt, max):  # noqa: A002 - TensorRT's names
        raise RuntimeError('Shape provided is inconsistent.')

    monkeypatch.setattr(IOptimizationProfile, 'set_shape', refuse)
    path = networks.doubling(tmp_path / 'dynamic.onnx', ('rows', 3))
    with pytest.raises(EngineBuildError, match=r'refuses the shapes of image .*is inconsistent'):
        build_plan(BuildRequest(path, profiles=(ROWS,)))


def test_plugins_that_are_not_to_be_had_are_told_once(
    building, tensorrt, float32, caplog, monkeypatch
):
    asked = []
    tensorrt.init_libnvinfer_plugins = lambda logger, namespace: asked.append(namespace)
    monkeypatch.setattr(fake_tensorrt, 'plugins_registered', ['none, and none is needed'])
    build_plan(BuildRequest(float32))
    build_plan(BuildRequest(float32))
    assert asked == ['']
    assert caplog.text.count('does not register its plugins') == 1
