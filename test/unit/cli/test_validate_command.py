# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer validate` as a person types it."""

import io
import json
import os
from pathlib import Path

import pytest

from depth_networks import depth_card, write_depth_model
from jetson_infer.cli.main import main
from jetson_infer.cli.validate_view import ProgressView
from quantized_models import write_images, write_quantized_model

WALK = Path(__file__).parents[3] / 'recordings/room_walk'
DEPTH_TOPIC = '/camera/depth/image_raw/compressed'


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


@pytest.fixture
def model(tmp_path):
    return write_quantized_model(tmp_path / 'quantized')


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp('images'))


def validate(*arguments):
    return main(['validate', *map(str, arguments)])


def test_what_passes_exits_with_0_and_tells_the_figures(model, images, cache, capsys):
    assert validate(model, images, '--variant', 'int8') == 0
    told, errors = capsys.readouterr()
    assert f'quantized: 30 images of {images.name}, held against the reference' in told
    assert 'int8: PASSED on onnxruntime' in told
    assert '1.0000 of it; at least 0.99 is wanted' in told
    assert 'mean of classes' in told
    assert [path.name[:17] for path in (cache / 'verdicts/quantized').iterdir()] == [
        'int8-onnxruntime-'
    ]
    assert 'fp32 on onnxruntime: frame 30 of 30' in errors


def test_what_fails_exits_with_1_beside_what_passes(model, images, capsys, tmp_path):
    assert validate(model, images, '--all', '--report', tmp_path / 'report') == 1
    told = capsys.readouterr().out
    assert 'int8: PASSED' in told
    assert 'ruined: FAILED' in told
    assert '  FAILED  AP50, mean of classes, is' in told
    ruined = told[told.index('ruined: FAILED') :]
    assert ruined.index('  FAILED  ') < ruined.index('  ok  ')  # failures first
    assert (tmp_path / 'report/validation.html').stat().st_size > 10_000


def test_as_json(model, images, capsys):
    assert validate(model, images, '--json') == 1
    told, errors = capsys.readouterr()
    found = json.loads(told)
    assert errors == ''
    assert [(each['variant'], each['passed']) for each in found['variants']] == [
        ('int8', True),
        ('ruined', False),
    ]
    assert found['variants'][0]['figures']['variant']['ap50'] == 1.0


def test_the_reference_needs_none(model, images, capsys):
    assert validate(model, images, '--variant', 'fp32') == 0
    assert 'fp32 on ONNX Runtime is the reference; it needs no verdict' in capsys.readouterr().out


def test_a_card_whose_thresholds_no_variant_meets(tmp_path, images, capsys):
    strict = {'safety_classes': {'red': {'min_objects': 1000}}}
    model = write_quantized_model(tmp_path / 'strict', strict)
    assert validate(model, images) == 1
    told = capsys.readouterr().out
    assert 'No variant holds its thresholds: only the reference may run.' in told
    assert 'int8 fails the fewest' in told
    assert 'with fewer nothing is proved; give a recording with more' in told


def test_a_variant_that_cannot_be_run_does_not_keep_the_others_from_it(model, images, capsys):
    (model / 'ruined.onnx').write_bytes((model / 'ruined.onnx').read_bytes()[:200])
    assert validate(model, images) == 1
    told = capsys.readouterr().out
    assert 'int8: PASSED' in told
    assert 'ruined: could not be run: ' in told


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--variant', 'small'], "has no variant 'small'; it has auto, fp32, int8, ruined"),
        (['--engine', 'tensorrt', '--variant', 'int8'], 'TensorRT cannot run here'),
        (['--topic', '/camera'], 'a folder of images has no topics'),
    ],
)
def test_what_cannot_be_exits_with_1_and_says_so(model, images, capsys, arguments, message):
    if os.path.exists('/dev/nvidiactl') and 'tensorrt' in arguments:
        pytest.skip('there is a GPU here')
    assert validate(model, images, *arguments) == 1
    assert message in ''.join(capsys.readouterr())


@pytest.mark.parametrize(
    'arguments',
    [[], ['--frames', '0'], ['--engine', 'abacus'], ['--all', '--variant', 'int8']],
)
def test_used_wrongly_exits_with_2(model, images, capsys, arguments):
    given = [model, images, *arguments] if arguments else [model]
    with pytest.raises(SystemExit) as caught:
        validate(*given)
    assert caught.value.code == 2
    assert 'usage: jetson-infer validate' in capsys.readouterr().err


def test_a_cache_and_a_report_that_cannot_be_written_are_told_before_the_work(
    model, images, tmp_path, monkeypatch, capsys
):
    (tmp_path / 'file').touch()
    assert validate(model, images, '--report', tmp_path / 'file/report') == 1
    assert 'choose another folder with --report' in capsys.readouterr().err
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'file'))
    assert validate(model, images) == 1
    told, errors = capsys.readouterr()
    assert 'no verdict can be stored' in errors
    assert told == ''


def test_an_empty_folder(model, tmp_path, capsys):
    (tmp_path / 'empty').mkdir()
    assert validate(model, tmp_path / 'empty') == 1
    assert 'empty' in capsys.readouterr().err


def test_a_bar_in_a_terminal(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr('sys.stderr', terminal)
    with ProgressView(True) as view:
        for done in range(5):
            view.show('int8 on onnxruntime', done, 4)
    assert 'int8 on onnxruntime' in terminal.getvalue()
    assert '4/4 frames' in terminal.getvalue()


@pytest.fixture
def depth_model(tmp_path):
    limits = {'min_pixels': 1000, 'min_range_pixels': 500}
    return write_depth_model(tmp_path / 'depth', depth_card(validation=limits))


def test_depth_without_a_truth(depth_model, images, capsys, tmp_path):
    assert validate(depth_model, images, '--report', tmp_path / 'report') == 1
    told, errors = capsys.readouterr()
    assert f"30 images of {images.name}, held against the reference's own depth" in told
    assert 'note: a folder of images has no true depth' in told
    assert 'close: PASSED on onnxruntime' in told
    assert 'ruined: FAILED on onnxruntime' in told
    assert 'FAILED  depth is' in told
    assert 'range of the reference' in told
    assert 'fp32, close, ruined: frame 30 of 30' in errors
    assert 'Where it differs most' in (tmp_path / 'report/validation.html').read_text()


def test_depth_with_the_truth_of_some_frames(depth_model, capsys):
    options = ['--variant', 'close', '--frames', '10', '--depth-topic', DEPTH_TOPIC]
    assert validate(depth_model, WALK, *options, '--json') in (0, 1)
    (found,) = json.loads(capsys.readouterr().out)['variants']
    assert found['figures']['frames'] == 10
    assert found['figures']['frames_with_truth'] == 6  # all that there are, of 300 images
    assert validate(depth_model, WALK, *options) in (0, 1)
    told = capsys.readouterr().out
    for word in ('abs-rel', 'delta1', 'RMSE, m', 'coverage', '2 to 5 m', 'bias, m', 'ms a frame'):
        assert word in told


def test_the_reference_of_depth_needs_none(depth_model, images, capsys):
    assert validate(depth_model, images, '--variant', 'fp32') == 0
    assert 'it needs no verdict' in capsys.readouterr().out


def test_a_topic_of_depth_is_for_depth_models(model, depth_model, images, capsys):
    assert validate(model, images, '--depth-topic', '/depth') == 1
    assert '--depth-topic is for depth models: leave it out' in capsys.readouterr().err
    assert validate(depth_model, WALK, '--depth-topic', '/depth') == 1
    assert '/depth' in capsys.readouterr().err
