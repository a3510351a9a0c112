# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The delivered scene detector: its files keep what its card and docs/models.md promise."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from jetson_infer.engines.ladders import read_ladder, void_rungs
from jetson_infer.engines.models import load_model
from jetson_infer.engines.onnx_file import read_onnx
from jetson_infer.toolchain.ladder.picture import draw_front
from jetson_infer.toolchain.ladder.table import rows
from jetson_infer.toolchain.quantize.check import check_quantized

onnx = pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / 'models' / 'scene_detector'
CARD = yaml.safe_load((FOLDER / 'model.yaml').read_text())
LABELS = ['person', 'dog', 'chair', 'table', 'sofa', 'plant', 'box', 'door']
STRIDES = (8, 16, 32)
MEGABYTE = 1_000_000

# What TensorRT 8.6's ONNX parser reads (onnx-tensorrt, release 8.6, operators.md).
TENSORRT_OPERATORS = {
    'Add', 'Concat', 'Conv', 'MaxPool', 'Mul', 'ReduceSum', 'Relu', 'Reshape', 'Resize',
    'Sigmoid', 'Slice', 'Softmax', 'Sub',
}  # fmt: skip


WEIGHTS = 'scene_detector.weights'
FLOATS = [v for v in CARD['variants'] if v['precision'] == 'fp32']
QUANTIZED = [v for v in CARD['variants'] if v['precision'] != 'fp32']


@pytest.fixture(params=CARD['variants'], ids=lambda v: v['name'])
def variant(request):
    return request.param


@pytest.fixture
def session(variant):
    path = str(FOLDER / variant['onnx'])
    return onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])


def test_card_lists_the_labels_and_the_best_variant_first():
    assert CARD['labels'] == LABELS
    names = [v['name'] for v in CARD['variants']]
    kinds = ('fp32', 'mixed', 'int8')
    assert names == [f'{kind}_{size}' for size in ('640x480', '320x256') for kind in kinds]
    assert CARD['input']['size'] == CARD['variants'][0]['size']


def test_folder_holds_the_card_its_files_and_its_ladder_within_nine_megabytes():
    files = {p.name for p in FOLDER.iterdir()}
    beside = {'model.yaml', WEIGHTS, 'ladder.json', 'ladder.svg'}
    assert files == {*beside, *(v['onnx'] for v in CARD['variants'])}
    assert sum((FOLDER / name).stat().st_size for name in files) <= 9 * MEGABYTE


def test_the_ladder_that_comes_along_is_of_these_files():
    model = load_model(FOLDER)
    ladder = read_ladder(model)
    assert void_rungs(model, ladder) == {}
    assert {rung.variant for rung in ladder.rungs} == {v['name'] for v in CARD['variants']}
    assert all(rung.valid for rung in ladder.rungs)
    assert ladder.rungs[0].quality.ap50_ratio >= 1.0
    assert (FOLDER / 'ladder.svg').read_text() == draw_front(ladder)
    page = (ROOT / 'docs/ladder.md').read_text()
    for row in rows(ladder):
        name, *cells = row.cells
        assert ' | '.join([f'| `{name}`', *cells, '']) in page


def test_network_is_valid_and_uses_only_operators_that_tensorrt_8_6_reads(variant):
    network = onnx.load(FOLDER / variant['onnx'])
    onnx.checker.check_model(str(FOLDER / variant['onnx']), full_check=True)
    assert [(o.domain, o.version) for o in network.opset_import] == [('', 17)]
    quantizers = {'QuantizeLinear', 'DequantizeLinear'} if variant in QUANTIZED else set()
    found = {node.op_type for node in network.graph.node}
    assert quantizers <= found <= TENSORRT_OPERATORS | quantizers
    assert check_quantized(FOLDER / variant['onnx']) == ()
    names = [node.name for node in network.graph.node]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r'[\w./]+', name) for name in names)


def test_all_networks_hold_the_same_weights():
    def weights(name):
        graph = onnx.load(FOLDER / name).graph
        return {
            tensor.name: onnx.numpy_helper.to_array(tensor)
            for tensor in graph.initializer
            if tensor.name.endswith(('weight', 'bias'))
        }

    first, *others = (weights(v['onnx']) for v in CARD['variants'])
    assert len(first) > 100
    for other in others:
        assert first.keys() == other.keys()
        assert all(np.array_equal(first[name], other[name]) for name in first)


def test_all_but_the_first_keep_them_in_one_file():
    first, *others = (read_onnx(FOLDER / v['onnx']) for v in CARD['variants'])
    assert first.external == ()  # it can be copied alone
    assert all(each.external == (FOLDER / WEIGHTS,) for each in others)


def test_quantized_networks_find_what_the_network_they_are_made_of_finds():
    images = np.random.default_rng(0).random((1, 3, 480, 640), dtype=np.float32)
    for source in FLOATS:
        width, height = source['size']
        given = {'images': np.ascontiguousarray(images[:, :, :height, :width])}
        expected = run(source, given)
        for made in (v for v in QUANTIZED if v['size'] == source['size']):
            found = run(made, given)
            assert not np.array_equal(found, expected)
            scores = np.abs(found[0, 4:] - expected[0, 4:])
            assert np.sqrt(np.square(scores).mean()) < 0.02


def run(variant, given):
    path = str(FOLDER / variant['onnx'])
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return session.run(None, given)[0]


def test_inputs_and_outputs_have_the_layout_of_yolov8_exports(variant, session):
    width, height = variant['size']
    (images,) = session.get_inputs()
    assert (images.name, images.type, images.shape) == (
        CARD['input']['name'],
        'tensor(float)',
        [1, 3, height, width],
    )
    cells = sum((height // s) * (width // s) for s in STRIDES)
    (output,) = session.get_outputs()
    assert (output.name, output.type, output.shape) == (
        'output0',
        'tensor(float)',
        [1, 4 + len(LABELS), cells],
    )


def test_output_is_boxes_in_pixels_and_scores_and_repeats_exactly(variant, session):
    width, height = variant['size']
    rng = np.random.default_rng(0)
    images = rng.random((1, 3, height, width), dtype=np.float32)
    (out,) = session.run(None, {'images': images})
    (again,) = session.run(None, {'images': images})
    assert np.array_equal(out, again)
    assert np.isfinite(out).all()
    assert (out[0, 2:4] >= 0).all()
    assert ((out[0, 4:] >= 0) & (out[0, 4:] <= 1)).all()

    # Every box lies around its own cell's centre: sides are distances from it, never negative.
    column = 0
    for s in STRIDES:
        y, x = np.meshgrid(np.arange(height // s), np.arange(width // s), indexing='ij')
        centre = (np.stack((x, y)).reshape(2, -1) + 0.5) * s
        n = centre.shape[1]
        boxes = out[0, :4, column : column + n]
        assert (np.abs(boxes[:2] - centre) <= boxes[2:] / 2 + 1e-2).all()
        column += n
    assert column == out.shape[2]
