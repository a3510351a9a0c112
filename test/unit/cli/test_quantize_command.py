# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The whole of `jetson-infer quantize`, on a detector whose answer is known."""

import errno
import json

import numpy as np
import onnx
import pytest

import networks
from jetson_infer.cli.main import main
from jetson_infer.engines import durable_files
from jetson_infer.engines.engine_order import CALIBRATION_KEY, order_engine
from jetson_infer.engines.models import load_model
from jetson_infer.engines.onnx_file import read_onnx
from jetson_infer.toolchain.quantize import write
from jetson_infer.toolchain.quantize.check import check_quantized
from quantizable import paint, write_detector
from sensor_recordings import SensorMessages, write_messages


@pytest.fixture
def model(tmp_path):
    return write_detector(tmp_path / 'model')


@pytest.fixture
def images(tmp_path):
    return paint(tmp_path / 'images', 40)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob('*') if p.is_file()}


def test_a_copy_gets_the_variants_and_the_source_stays(model, images, tmp_path, capsys):
    before, out = contents(model), tmp_path / 'out'
    assert main(['quantize', str(model), str(images), '--out', str(out), '--frames', '12']) == 0
    assert contents(model) == before
    made = load_model(out)
    names = [variant.name for variant in made.card.variants]
    assert names == ['fp32', 'mixed', 'mixed_trt11', 'int8']
    assert (out / 'model.yaml').read_text().startswith('# a comment that stays\n')
    assert '# the reference\n  - {name: mixed' in (out / 'model.yaml').read_text()
    told = capsys.readouterr().out
    assert 'calibrated with 12 images' in told
    assert 'onnxruntime, all layers' in told
    svg = (out / 'quantization' / 'fp32_sensitivity.svg').read_text()
    assert 'xmlns=' in svg
    assert 'residual' in svg
    table = (out / 'quantization' / 'fp32_sensitivity.csv').read_text().splitlines()
    assert len(table) == 4
    assert table[0].startswith('layer,operator,snr_db')


def test_what_is_written_is_what_tensorrt_takes_and_its_key_holds_the_digest(
    model, images, tmp_path, capsys
):
    out = tmp_path / 'out'
    assert main(['quantize', str(model), str(images), '--out', str(out), '--json']) == 0
    told = json.loads(capsys.readouterr().out)
    made = load_model(out)
    for name in ('int8', 'mixed'):
        path = made.files[name]
        assert check_quantized(path) == ()
        assert read_onnx(path).metadata[CALIBRATION_KEY] == told['calibration']['digest']
        onnx.checker.check_model(str(path), full_check=True)
    assert order_engine(made, made.variant('mixed_trt11')).request.strongly_typed
    assert {one['name'] for one in told['made']} == {'int8', 'mixed', 'mixed_trt11'}
    assert all(one['kept'] >= 0.99 for one in told['made'])
    assert told['calibration']['images'] == 32
    assert told['evaluated_images'] == 8
    assert any('48 calibration images were asked for' in note for note in told['notes'])


def test_in_place_twice_is_once(model, images, capsys):
    arguments = ['quantize', str(model), str(images), '--in-place', '--frames', '10']
    assert main(arguments) == 0
    once = contents(model)
    assert main(arguments) == 0
    assert contents(model) == once
    assert len(load_model(model).card.variants) == 4


def test_a_target_has_to_be_named_and_must_not_hold_anything(model, images, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(['quantize', str(model), str(images)])
    assert main(['quantize', str(model), str(images), '--out', str(images)]) == 1
    assert 'is there already' in capsys.readouterr().err


@pytest.mark.parametrize(('count', 'words'), [(1, '1 of its images'), (15, '15 of its images')])
def test_too_few_images_are_refused(model, tmp_path, capsys, count, words):
    images = paint(tmp_path / 'few', count)
    assert main(['quantize', str(model), str(images), '--in-place']) == 1
    assert words in capsys.readouterr().err


def test_a_bound_that_no_choice_keeps_writes_nothing(model, images, capsys, monkeypatch):
    before = contents(model)
    # Weights a thousand apart in one channel: INT8 holds nothing of the small one.
    network = onnx.load(str(model / 'network.onnx'))
    for initializer in network.graph.initializer:
        if initializer.name == 'w1':
            weights = onnx.numpy_helper.to_array(initializer).copy()
            weights[1, 0] = -1000.0
            initializer.CopyFrom(onnx.numpy_helper.from_array(weights, 'w1'))
    onnx.save(network, str(model / 'network.onnx'))
    monkeypatch.setattr('jetson_infer.toolchain.quantize.job.MOST_RELIEF_DB', -1.0)
    assert main(['quantize', str(model), str(images), '--in-place']) == 1
    assert 'no choice of layers for int8 loses at most' in capsys.readouterr().err
    assert contents(model).keys() == before.keys()


@pytest.mark.parametrize('target', ['--in-place', '--out'])
def test_a_full_disk_leaves_everything_as_it_was(
    model, images, tmp_path, capsys, monkeypatch, target
):
    if target == '--in-place':
        assert main(['quantize', str(model), str(images), target, '--frames', '12']) == 0
    before = contents(tmp_path)
    written = []

    def full(path, content, real=durable_files.write_file):
        written.append(path)
        if len(written) > 2:
            raise OSError(errno.ENOSPC, 'No space left on device')
        real(path, content)

    monkeypatch.setattr(durable_files, 'write_file', full)
    monkeypatch.setattr(write, 'write_file', full)
    where = [target] if target == '--in-place' else [target, str(tmp_path / 'out')]
    assert main(['quantize', str(model), str(images), *where, '--frames', '10']) == 1
    assert 'No space left on device' in capsys.readouterr().err
    assert contents(tmp_path) == before


def test_a_quantized_variant_is_not_quantized_again(model, images, capsys):
    assert main(['quantize', str(model), str(images), '--in-place', '--frames', '10']) == 0
    arguments = ['quantize', str(model), str(images), '--in-place', '--variant', 'int8']
    assert main(arguments) == 1
    assert 'is quantized already' in capsys.readouterr().err


def test_the_same_seed_gives_the_same_files(model, images, tmp_path):
    for name in ('a', 'b'):
        arguments = ['quantize', str(model), str(images), '--seed', '3', '--frames', '10']
        assert main([*arguments, '--out', str(tmp_path / name)]) == 0
    assert contents(tmp_path / 'a') == contents(tmp_path / 'b')


def test_images_without_objects_are_told_and_the_json_is_json(model, images, tmp_path, capsys):
    text = (model / 'model.yaml').read_text()
    (model / 'model.yaml').write_text(text.replace('score_threshold: 0.4', 'score_threshold: 1.0'))
    arguments = ['quantize', str(model), str(images), '--out', str(tmp_path / 'out'), '--json']
    assert main(arguments) == 0

    def refuse(constant):
        raise ValueError(constant)

    told = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert told['reference']['ap50'] is None
    assert any('hold 0 objects' in note for note in told['notes'])


@pytest.mark.parametrize('task', ['depth', 'cloud_detection'])
def test_a_model_of_something_else_is_refused_before_anything_is_read(task, tmp_path, capsys):
    model = networks.write_model(tmp_path / 'model', networks.card(task=task))
    assert main(['quantize', str(model), str(tmp_path / 'no'), '--out', str(tmp_path / 'o')]) == 1
    told = capsys.readouterr().err
    assert f'this is a {task} model, and what prepares its inputs does not exist yet' in told


@pytest.mark.parametrize('verb', ['quantize', 'validate'])
def test_a_topic_of_clouds_is_told_with_what_it_holds_and_where_images_are(
    verb, model, tmp_path, capsys
):
    make = SensorMessages()
    image = make.raw_image(1, 'mono8', np.zeros((4, 4), np.uint8))
    walk = write_messages(
        tmp_path / 'walk', [('/camera', 1, image), ('/lidar', 1, make.cloud(1, [[1, 2, 3, 4]]))]
    )
    out = ['--out', str(tmp_path / 'o')] if verb == 'quantize' else []
    assert main([verb, str(model), str(walk), '--topic', '/lidar', *out]) == 1
    told = ' '.join(capsys.readouterr().err.split())
    assert '/lidar holds 1 point clouds and is of the type sensor_msgs/msg/PointCloud2' in told
    assert 'this recording has them on /camera (1)' in told
