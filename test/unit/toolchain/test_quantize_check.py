# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What TensorRT does not take is found in files of ONNX Runtime's own quantization, and by name."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

from jetson_infer.engines.build_target import FoundTarget
from jetson_infer.engines.engine_cache import EngineCache
from jetson_infer.engines.engine_order import EngineWish
from jetson_infer.engines.models import load_model
from jetson_infer.errors import EngineBuildError, ModelError
from jetson_infer.toolchain.build_plan import plan_build
from jetson_infer.toolchain.quantize.check import check_quantized, told
from jetson_infer.toolchain.quantize.graph import load_network
from jetson_infer.toolchain.quantize.graph_reader import read_graph
from jetson_infer.toolchain.quantize.half import strongly_typed
from jetson_infer.toolchain.quantize.insert import quantized
from networks import card, save, tensor, write_model
from quantizable import detector, stack


class Reader(CalibrationDataReader):
    def __init__(self):
        random = np.random.default_rng(0)
        self._left = [random.normal(0.5, 1, (1, 2, 6, 8)).astype(np.float32) for _ in range(3)]

    def get_next(self):
        return {'x': self._left.pop()} if self._left else None


def by_runtime(folder, **options):
    path, model = folder / 'runtime.onnx', onnx.load(str(stack(folder / 'stack.onnx')))
    shape = helper.make_attribute('kernel_shape', [3, 3])
    model.graph.node[0].attribute.append(shape)  # as most exporters write it
    onnx.save(model, str(folder / 'stack.onnx'))
    quantize_static(str(folder / 'stack.onnx'), str(path), Reader(), **options)
    return path


SAFE = {
    'per_channel': True,
    'activation_type': QuantType.QInt8,
    'weight_type': QuantType.QInt8,
    'op_types_to_quantize': ['Conv', 'Gemm'],
    'extra_options': {
        'ActivationSymmetric': True,
        'WeightSymmetric': True,
        'AddQDQPairToWeight': True,
        'QuantizeBias': False,
        'DedicatedQDQPair': True,
    },
}


def ours(folder, network=stack):
    """Quantize a network ourselves."""
    network = load_network(network(folder / 'plain.onnx'))
    scales = dict.fromkeys(network.activations, 0.1)
    model = quantized(network, scales, [one.name for one in network.layers])
    onnx.save(model, str(folder / 'ours.onnx'))
    return folder / 'ours.onnx'


def test_ours_is_taken_by_all_and_its_twin_from_10_on(tmp_path):
    model = onnx.load(str(ours(tmp_path)))
    kernels = {
        node.name: [list(a.ints) for a in node.attribute if a.name == 'kernel_shape']
        for node in model.graph.node
    }
    assert (kernels['conv'], kernels['up'], kernels['gemm']) == ([[3, 3]], [[2, 2]], [])
    onnx.save(strongly_typed(model, 'x'), str(tmp_path / 'twin.onnx'))
    for major in (8, 10, 11):
        assert check_quantized(tmp_path / 'ours.onnx', major) == ()
    assert check_quantized(tmp_path / 'twin.onnx', 10) == ()
    (finding,) = check_quantized(tmp_path / 'twin.onnx', 8)
    assert 'opset 19, and TensorRT 8 reads 17' in str(finding)


def test_a_network_without_quantization_has_nothing_to_find(tmp_path):
    assert check_quantized(stack(tmp_path / 'stack.onnx')) == ()


def test_defaults_of_onnx_runtime_are_found_with_the_nodes_names(tmp_path):
    path = by_runtime(tmp_path)
    text = '\n'.join(map(str, check_quantized(path)))
    nodes = {node.name for node in onnx.load(str(path)).graph.node}
    assert 'quantization must be symmetric' in text
    assert 'dequantizes a bias of INT32 for' in text
    assert 'dequantizes weights stored as INT8 for' in text
    assert all(finding.node in nodes for finding in check_quantized(path))


def test_its_safe_options_are_taken(tmp_path):
    assert check_quantized(by_runtime(tmp_path, **SAFE)) == ()


@pytest.mark.parametrize(
    ('changes', 'words', 'from_10'),
    [
        ({'QuantizeBias': True}, 'bias of INT32', True),
        ({'AddQDQPairToWeight': False}, 'weights stored as INT8', False),
        ({'ActivationSymmetric': False}, 'must be symmetric', True),
    ],
)
def test_each_wrong_option_is_found(tmp_path, changes, words, from_10):
    options = {**SAFE, 'extra_options': {**SAFE['extra_options'], **changes}}
    path = by_runtime(tmp_path, **options)
    assert words in told(check_quantized(path))
    assert (words in told(check_quantized(path, 10))) == from_10


def one_pair(path, scale, zero, kind='QuantizeLinear'):
    nodes = [
        helper.make_node(kind, ['x', 's', 'z'][: 2 if zero is None else 3], ['q'], 'pair_q'),
        helper.make_node('Identity', ['q'], ['y'], 'end'),
    ]
    constants = {'s': scale, **({} if zero is None else {'z': zero})}
    dtype = np.uint8 if zero is None else zero.dtype
    return save(path, nodes, [tensor('x', (1, 4))], [tensor('y', (1, 4), dtype)], constants)


@pytest.mark.parametrize(
    ('scale', 'zero', 'words'),
    [
        (np.float32(0.1), np.uint8(0), 'pair_q: quantizes to UINT8'),
        (np.float32(0.1), None, 'pair_q: has no zero point'),
        (np.float32(0.0), np.int8(0), 'pair_q: its scale is 0'),
        (np.float32(0.1), np.int8(-7), 'pair_q: its zero point is -7'),
        (np.full(4, 0.1, np.float32), np.zeros(4, np.int8), 'has 4 scales for a tensor that'),
    ],
)
def test_wrong_scales_and_zero_points_are_named(tmp_path, scale, zero, words):
    zero = None if zero is None else np.asarray(zero)
    path = one_pair(tmp_path / 'pair.onnx', np.asarray(scale), zero)
    assert words in told(check_quantized(path, 11))


def without_kernel_shape(path):
    """Take the attribute away, as some exporters leave it out."""
    model = onnx.load(str(path))
    for node in model.graph.node:
        kept = [a for a in node.attribute if a.name != 'kernel_shape']
        del node.attribute[:]
        node.attribute.extend(kept)
    onnx.save(model, str(path))


@pytest.mark.parametrize('major', [8, 10, 11])
def test_convolutions_without_the_shape_of_their_kernel_are_named(tmp_path, major):
    """TensorRT's parser takes their kernels for 1x1 where weights come through a DQ."""
    path = ours(tmp_path)
    without_kernel_shape(path)
    (finding,) = check_quantized(path, major)  # and not the ConvTranspose
    assert finding.node == 'conv'
    assert 'no attribute kernel_shape' in finding.problem
    assert '(wc_axis0_DequantizeLinear); set it to [3, 3]' in finding.problem


def test_a_kernel_of_1x1_needs_no_attribute(tmp_path):
    folder = tmp_path / 'detector'
    folder.mkdir()
    path = ours(folder, detector)
    without_kernel_shape(path)
    assert check_quantized(path) == ()


def test_weights_that_are_computed_are_told_without_their_shape(tmp_path):
    nodes = [
        helper.make_node('QuantizeLinear', ['w', 's', 'z'], ['q'], 'weights_q'),
        helper.make_node('DequantizeLinear', ['q', 's', 'z'], ['d'], 'weights_dq'),
        helper.make_node('Conv', ['x', 'd'], ['y'], 'conv'),
    ]
    constants = {'s': np.array(0.1, np.float32), 'z': np.array(0, np.int8)}
    inputs = [tensor('x', (1, 2, 6, 8)), tensor('w', (4, 2, 3, 3))]
    path = save(tmp_path / 'x.onnx', nodes, inputs, [tensor('y', (1, 4, 4, 6))], constants)
    assert "set it to its weights' last dimensions" in told(check_quantized(path))


def test_dynamic_quantization_and_unnamed_nodes_are_told_by_what_they_make(tmp_path):
    node = helper.make_node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z'])
    path = save(tmp_path / 'd.onnx', [node], [tensor('x', (1, 4))], [tensor('q', (1, 4), np.uint8)])
    assert 'the DynamicQuantizeLinear that makes q: Dyn' in told(check_quantized(path))


def test_the_reader_agrees_with_onnx(tmp_path):
    path = by_runtime(tmp_path)
    graph, model = read_graph(path), onnx.load(str(path))
    assert [n.name for n in graph.nodes] == [n.name for n in model.graph.node]
    assert [list(n.inputs) for n in graph.nodes] == [list(n.input) for n in model.graph.node]
    for initializer in model.graph.initializer:
        constant = graph.constants[initializer.name]
        assert constant.kind == initializer.data_type
        values = numpy_helper.to_array(initializer)
        assert np.array_equal(constant.values, values.ravel())
        assert constant.shape == values.shape
    assert [list(n.attributes) for n in graph.nodes] == [
        [attribute.name for attribute in n.attribute] for n in model.graph.node
    ]


def test_numbers_stored_one_by_one_are_read_too(tmp_path):
    zero = helper.make_tensor('z', onnx.TensorProto.INT8, [2], [-3, 5])
    graph = helper.make_graph(
        [helper.make_node('Identity', ['z'], ['y'])],
        'g',
        [],
        [tensor('y', (2,), np.int8)],
        [zero],
    )
    onnx.save(helper.make_model(graph), str(tmp_path / 'm.onnx'))
    assert read_graph(tmp_path / 'm.onnx').constants['z'].values.tolist() == [-3, 5]


def test_what_is_no_onnx_file_is_refused(tmp_path):
    (tmp_path / 'x.onnx').write_bytes(b'\xff\xff\xff')
    with pytest.raises(ModelError, match='no ONNX file'):
        check_quantized(tmp_path / 'x.onnx')
    with pytest.raises(ModelError, match='cannot be read'):
        check_quantized(tmp_path / 'y.onnx')


def test_many_findings_are_cut_and_counted(tmp_path):
    assert ' more' in told(check_quantized(by_runtime(tmp_path)))


def a_model_quantized_elsewhere(folder):
    mapping = card(
        input={'size': [8, 6], 'colour': 'grey'},
        variants=[{'name': 'qat', 'onnx': 'qat.onnx', 'precision': 'int8'}],
    )
    folder.mkdir()
    nodes = [
        helper.make_node('QuantizeLinear', ['images', 's', 'z'], ['q'], 'input_q'),
        helper.make_node('DequantizeLinear', ['q', 's', 'z'], ['y'], 'input_dq'),
    ]
    constants = {'s': np.array(0.1, np.float32), 'z': np.array(3, np.int8)}
    shape = (1, 1, 6, 8)
    save(folder / 'qat.onnx', nodes, [tensor('images', shape)], [tensor('y', shape)], constants)
    return load_model(write_model(folder, mapping))


def test_a_build_is_refused_before_it_begins_with_the_nodes_names(tmp_path):
    model = a_model_quantized_elsewhere(tmp_path / 'model')
    cache = EngineCache(tmp_path / 'cache')
    with pytest.raises(EngineBuildError, match=r'(?s)TensorRT 8\.6\.1 does not take.*input_q: its'):
        plan_build(model, model.variant(), EngineWish(), FoundTarget('8.6.1', None), cache)


def test_a_plan_without_tensorrt_tells_what_the_oldest_one_does_not_take(tmp_path):
    model = a_model_quantized_elsewhere(tmp_path / 'model')
    found, cache = FoundTarget(None, None), EngineCache(tmp_path / 'cache')
    plan = plan_build(model, model.variant(), EngineWish(), found, cache)
    assert any('input_q: its zero point is 3' in note for note in plan.notes)
