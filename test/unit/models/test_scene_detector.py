# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The delivered scene detector: its files keep what its card and docs/models.md promise."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

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


@pytest.fixture(params=CARD['variants'], ids=lambda v: v['name'])
def variant(request):
    return request.param


@pytest.fixture
def session(variant):
    path = str(FOLDER / variant['onnx'])
    return onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])


def test_card_lists_the_labels_and_the_larger_variant_first():
    assert CARD['labels'] == LABELS
    areas = [v['size'][0] * v['size'][1] for v in CARD['variants']]
    assert areas == sorted(areas, reverse=True)
    assert len(set(areas)) == 2
    assert CARD['input']['size'] == CARD['variants'][0]['size']


def test_folder_holds_the_card_and_its_files_alone_within_eight_megabytes():
    files = {p.name for p in FOLDER.iterdir()}
    assert files == {'model.yaml', *(v['onnx'] for v in CARD['variants'])}
    assert sum((FOLDER / v['onnx']).stat().st_size for v in CARD['variants']) <= 8 * MEGABYTE


def test_network_is_valid_and_uses_only_operators_that_tensorrt_8_6_reads(variant):
    network = onnx.load(FOLDER / variant['onnx'])
    onnx.checker.check_model(network, full_check=True)
    assert [(o.domain, o.version) for o in network.opset_import] == [('', 17)]
    assert {node.op_type for node in network.graph.node} <= TENSORRT_OPERATORS
    names = [node.name for node in network.graph.node]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r'[\w./]+', name) for name in names)


def test_both_networks_hold_the_same_weights():
    def weights(name):
        graph = onnx.load(FOLDER / name).graph
        return {
            tensor.name: onnx.numpy_helper.to_array(tensor)
            for tensor in graph.initializer
            if tensor.name.endswith(('weight', 'bias'))
        }

    first, second = (weights(v['onnx']) for v in CARD['variants'])
    assert len(first) > 100
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


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
