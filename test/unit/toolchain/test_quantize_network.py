# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Quantization's arithmetic, held against NumPy's and against what ONNX Runtime computes."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from jetson_infer.errors import ModelError
from jetson_infer.toolchain.quantize.graph import load_network
from jetson_infer.toolchain.quantize.half import strongly_typed
from jetson_infer.toolchain.quantize.histograms import (
    BINS,
    MagnitudeHistogram,
    collect_histograms,
)
from jetson_infer.toolchain.quantize.insert import quantized, weight_scales
from jetson_infer.toolchain.quantize.measure import noise_to_signal, run_network
from jetson_infer.toolchain.quantize.sensitivity import layer_costs, measure_sensitivity
from jetson_infer.toolchain.quantize.thresholds import METHODS, scales_by, threshold
from networks import save, tensor
from quantizable import detector, operators, stack

TIPPED = 1e-2
"""16 bits tip values over to the next of 255 steps; ONNX Runtime 1.16 more than newer ones."""


def rounded(values: np.ndarray, scale: np.ndarray | float, lowest: int = -128) -> np.ndarray:
    scale = np.asarray(scale, np.float32)
    return np.clip(np.round(values / scale), lowest, 127).astype(np.float32) * scale


@pytest.fixture
def network(tmp_path):
    return load_network(stack(tmp_path / 'stack.onnx'))


@pytest.fixture
def feeds():
    random = np.random.default_rng(4)
    return [{'x': random.normal(0, 1, (1, 2, 6, 8)).astype(np.float32)} for _ in range(6)]


def values_of(model, name):
    return next(numpy_helper.to_array(i) for i in model.graph.initializer if i.name == name)


def test_the_layers_are_those_with_weights(network):
    assert [(one.name, one.axis) for one in network.layers] == [('conv', 0), ('up', 1), ('gemm', 0)]
    assert network.activations == ('x', 'r', 'f')


def test_one_layer_computes_what_rounding_by_hand_gives(network, feeds):
    model = quantized(network, {'f': 0.02}, ['gemm'])
    inner = onnx.ModelProto()
    inner.CopyFrom(network.model)
    inner.graph.output.append(onnx.ValueInfoProto(name='f'))
    flat = run_network(inner, feeds[:1])[0]['f']
    weights, bias = values_of(network.model, 'wg'), values_of(network.model, 'bg')
    scales = np.abs(weights).max(axis=1) / 127
    expected = rounded(flat, 0.02) @ rounded(weights, scales[:, None], -127).T + bias
    actual = run_network(model, feeds[:1])[0]['y']
    assert np.allclose(actual, expected, atol=1e-4)
    assert not np.allclose(actual, run_network(network.model, feeds[:1])[0]['y'], atol=1e-4)


@pytest.mark.parametrize(('name', 'axis'), [('wc', 0), ('wt', 1), ('wg', 0)])
def test_every_output_channel_has_a_scale_of_its_own(network, name, axis):
    scales = dict.fromkeys(network.activations, 0.1)
    model = quantized(network, scales, [one.name for one in network.layers])
    weights = values_of(model, name)
    found = values_of(model, f'{name}_axis{axis}_scale')
    largest = np.abs(np.moveaxis(weights, axis, 0).reshape(len(found), -1)).max(axis=1)
    assert np.allclose(found * 127, largest, rtol=1e-6)
    assert weights.dtype == np.float32
    assert not values_of(model, f'{name}_axis{axis}_zero_point').any()


def test_a_channel_of_zeros_has_a_scale_above_zero():
    assert weight_scales(np.zeros((2, 3, 1, 1), np.float32), 0).tolist() == [1.0, 1.0]


def test_biases_stay_and_relu_follows_its_convolution(network):
    scales = dict.fromkeys(network.activations, 0.1)
    model = quantized(network, scales, [one.name for one in network.layers])
    onnx.checker.check_model(model, full_check=True)
    nodes = {node.name: node for node in model.graph.node}
    assert nodes['conv'].input[2] == 'bc'
    assert nodes['relu'].input[0] == nodes['conv'].output[0]
    assert operators(model).count('QuantizeLinear') == 6
    assert model.opset_import[0].version == 17


def test_the_shortcut_of_a_residual_block_is_quantized_and_the_other_side_not(tmp_path):
    network = load_network(detector(tmp_path / 'd.onnx'))
    assert [one.name for one in network.layers] == ['first', 'second', 'residual']
    model = quantized(network, dict.fromkeys(network.activations, 0.01), ['second', 'residual'])
    nodes = {node.name: node for node in model.graph.node}
    assert list(nodes['residual'].input) == ['x1_dequantized', 'x2']
    assert nodes['second'].input[0] == 'x1_dequantized'  # one pair serves both
    assert operators(model).count('QuantizeLinear') == 2


def test_a_histogram_counts_every_value_whatever_came_first():
    random = np.random.default_rng(0)
    histogram = MagnitudeHistogram()
    parts = [random.normal(0, size, 1000).astype(np.float32) for size in (0.0, 0.1, 5, 40, 1)]
    for part in parts:
        histogram.add(part)
    every = np.abs(np.concatenate(parts)).astype(np.float64)
    assert histogram.counts.sum() == len(every)
    assert histogram.largest == pytest.approx(every.max())
    expected = np.histogram(every, BINS, (0.0, histogram.edge))[0]
    # Values on an edge may fall to either side.
    assert np.abs(np.cumsum(expected) - np.cumsum(histogram.counts)).max() <= 8


def test_values_that_are_not_finite_are_left_out():
    histogram = MagnitudeHistogram()
    histogram.add(np.array([1.0, np.inf, np.nan, -2.0], np.float32))
    assert histogram.counts.sum() == 2
    assert histogram.largest == 2.0


def test_ranges_are_those_of_the_tensors_themselves(network, feeds):
    histograms = collect_histograms(network, feeds)
    inner = onnx.ModelProto()
    inner.CopyFrom(network.model)
    inner.graph.output.extend([onnx.ValueInfoProto(name='r'), onnx.ValueInfoProto(name='f')])
    outputs = run_network(inner, feeds)
    for name in ('r', 'f'):
        assert histograms[name].largest == max(np.abs(one[name]).max() for one in outputs)
    assert histograms['x'].largest == max(np.abs(one['x']).max() for one in feeds)
    assert scales_by('minmax', histograms)['r'] == pytest.approx(histograms['r'].largest / 127)


def long_tailed() -> tuple[np.ndarray, MagnitudeHistogram]:
    random = np.random.default_rng(7)
    values = np.concatenate([random.normal(0, 1, 200_000), [30.0, -28.0]]).astype(np.float32)
    histogram = MagnitudeHistogram()
    histogram.add(values)
    return values, histogram


def test_the_mse_threshold_is_that_of_the_least_error_of_the_values_themselves():
    values, histogram = long_tailed()

    def error(edge: float) -> float:
        return float(np.square(values - rounded(values, edge / 127, -127)).mean())

    best = min(error(edge) for edge in np.geomspace(30 / 16, 30, 200))
    assert error(threshold('mse', histogram)) <= 1.02 * best
    assert error(threshold('minmax', histogram)) > 1.5 * best


def test_the_percentile_threshold_cuts_one_value_in_ten_thousand():
    values, histogram = long_tailed()
    assert threshold('percentile', histogram) == pytest.approx(
        np.percentile(np.abs(values), 99.99), rel=0.01
    )


@pytest.mark.parametrize('method', METHODS)
def test_thresholds_are_within_the_values_and_above_zero(method):
    _, histogram = long_tailed()
    assert 0.0 < threshold(method, histogram) <= histogram.largest
    zeros = MagnitudeHistogram()
    zeros.add(np.zeros(10, np.float32))
    assert threshold(method, zeros) > 0.0


def test_entropy_cuts_lone_outliers():
    _, histogram = long_tailed()
    assert threshold('entropy', histogram) < 10.0


def test_noise_counts_each_channel_by_its_own_variance():
    random = np.random.default_rng(0)
    signal = random.normal(0, 1, (1, 2, 5000)) * np.array([1000.0, 0.1])[:, None] + 50.0
    error = random.normal(0, 0.01, (1, 2, 5000)) * np.array([1000.0, 0.1])[:, None]
    noise = noise_to_signal([{'y': signal}], [{'y': signal + error}])
    assert noise == pytest.approx(1e-4, rel=0.05)
    assert noise_to_signal([{'y': signal}], [{'y': signal}]) == 0.0


def test_the_layer_with_the_coarsest_scale_is_the_most_sensitive(network, feeds):
    histograms = collect_histograms(network, feeds)
    scales = scales_by('minmax', histograms)
    scales['r'] *= 16
    found = measure_sensitivity(network, scales, feeds)
    assert max(found, key=lambda item: item.noise).layer.name == 'up'
    assert sum(item.cost for item in found) == pytest.approx(1.0)


def test_costs_follow_the_multiplications(network):
    # Moved: x 96 + c 192 + w 72; r 192 + t 576 + w 48; f 576 + y 5 + w 2880.
    work = [192 * 2 * 9 + 200 * 360, 192 * 12 + 200 * 816, 5 * 576 + 200 * 3461]
    assert layer_costs(network, {'x': (1, 2, 6, 8)}) == pytest.approx(np.array(work) / sum(work))


def test_the_strongly_typed_twin_computes_the_same_but_for_rounding(network, feeds):
    histograms = collect_histograms(network, feeds)
    model = quantized(
        network, scales_by('mse', histograms), ['conv', 'gemm'], {'jetson_infer.x': 'y'}
    )
    twin = strongly_typed(model, 'stack.onnx')
    onnx.checker.check_model(twin)
    assert twin.opset_import[0].version == 19
    assert {p.key: p.value for p in twin.metadata_props} == {'jetson_infer.x': 'y'}
    kinds = {i.name: i.data_type for i in twin.graph.initializer}
    assert kinds['wt_half'] == kinds['x_scale_half'] == onnx.TensorProto.FLOAT16
    assert 'wt' not in kinds
    expected, actual = (run_network(each, feeds) for each in (model, twin))
    assert actual[0]['y'].dtype == np.float32
    assert noise_to_signal(expected, actual) < TIPPED


def test_what_follows_the_last_weights_stays_in_32_bits(tmp_path):
    network = load_network(detector(tmp_path / 'd.onnx'))
    model = quantized(network, dict.fromkeys(network.activations, 0.01), ['first', 'second'])
    twin = strongly_typed(model, 'd.onnx')
    kinds = {i.name: i.data_type for i in twin.graph.initializer}
    assert kinds['boxes'] == onnx.TensorProto.FLOAT
    assert kinds['w0_half'] == onnx.TensorProto.FLOAT16


def test_weights_beyond_16_bit_floats_are_refused_by_name(tmp_path):
    path = stack(tmp_path / 'stack.onnx')
    model = onnx.load(str(path))
    for initializer in model.graph.initializer:
        if initializer.name == 'bc':
            initializer.CopyFrom(numpy_helper.from_array(np.full(4, 1e5, np.float32), 'bc'))
    onnx.save(model, str(path))
    network = load_network(path)
    with pytest.raises(ModelError, match='bc holds 100000'):
        strongly_typed(quantized(network, {'x': 1.0}, ['conv']), 'stack.onnx')


def test_a_network_that_is_quantized_already_is_refused(network, tmp_path):
    path = tmp_path / 'q.onnx'
    onnx.save(quantized(network, {'x': 1.0}, ['conv']), str(path))
    with pytest.raises(ModelError, match='is quantized already: x_QuantizeLinear'):
        load_network(path)


def test_plug_ins_wrong_opsets_and_networks_without_weights_are_refused(tmp_path):
    nms = onnx.load(str(stack(tmp_path / 'stack.onnx')))
    nms.graph.node.append(helper.make_node('EfficientNMS_TRT', ['y'], ['z'], domain='TRT'))
    onnx.save(nms, str(tmp_path / 'nms.onnx'))
    with pytest.raises(ModelError, match=r'TRT\.EfficientNMS_TRT'):
        load_network(tmp_path / 'nms.onnx')
    new = onnx.load(str(tmp_path / 'stack.onnx'))
    new.opset_import[0].version = 20
    onnx.save(new, str(tmp_path / 'new.onnx'))
    with pytest.raises(ModelError, match='is of opset 20'):
        load_network(tmp_path / 'new.onnx')
    shape = (1, 3)
    bare = save(tmp_path / 'bare.onnx', [helper.make_node('Relu', ['x'], ['y'])],
                [tensor('x', shape)], [tensor('y', shape)])  # fmt: skip
    with pytest.raises(ModelError, match='no layer that INT8 would serve'):
        load_network(bare)
    (tmp_path / 'cut.onnx').write_bytes((tmp_path / 'stack.onnx').read_bytes()[:500])
    with pytest.raises(ModelError, match='cannot be read as ONNX'):
        load_network(tmp_path / 'cut.onnx')


def test_the_scales_of_a_resize_stay_in_32_bits(tmp_path):
    random = np.random.default_rng(2)
    nodes = [
        helper.make_node('Conv', ['x', 'w0'], ['a'], 'first'),
        helper.make_node('Resize', ['a', '', 'twice'], ['b'], 'larger'),
        helper.make_node('Conv', ['b', 'w1'], ['y'], 'second'),
    ]
    constants = {
        'w0': random.normal(0, 1, (3, 2, 1, 1)).astype(np.float32),
        'twice': np.array([1, 1, 2, 2], np.float32),
        'w1': random.normal(0, 1, (1, 3, 1, 1)).astype(np.float32),
    }
    path = save(
        tmp_path / 'resize.onnx',
        nodes,
        [tensor('x', (1, 2, 4, 4))],
        [tensor('y', (1, 1, 8, 8))],
        constants,
    )
    network = load_network(path)
    model = quantized(network, dict.fromkeys(network.activations, 0.05), ['first', 'second'])
    twin = strongly_typed(model, 'resize.onnx')
    kinds = {i.name: i.data_type for i in twin.graph.initializer}
    assert kinds['twice'] == onnx.TensorProto.FLOAT
    feeds = [{'x': random.normal(0, 1, (1, 2, 4, 4)).astype(np.float32)}]
    assert noise_to_signal(run_network(model, feeds), run_network(twin, feeds)) < TIPPED
