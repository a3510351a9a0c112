# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer profile` as a person types it."""

import json

import pytest

import networks
from jetson_infer.cli.main import main

pytest.importorskip('onnxruntime')


@pytest.fixture
def folder(tmp_path):
    return networks.write_model(tmp_path / 'tiny')


def test_text_and_files(folder, tmp_path, capsys):
    out = tmp_path / 'out'
    assert main(['profile', str(folder), '--runs', '2', '--most', '1', '--out', str(out)]) == 0
    text = capsys.readouterr().out
    assert text.startswith('onnxruntime')
    assert 'all layers together' in text
    assert 'more (--most 0 shows all)' in text
    written = json.loads((out / 'profile.json').read_text())
    assert (written['model'], written['variant'], written['runs']) == ('tiny', 'fp32', 2)
    assert json.loads((out / 'trace.json').read_text())['traceEvents']
    assert (out / 'profile.svg').read_text().startswith('<svg')


def test_json_is_all_that_is_printed(folder, capsys):
    assert main(['profile', str(folder), '--engine', 'onnxruntime', '--runs', '1', '--json']) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed['machine']['cores']
    assert printed['layers']


@pytest.mark.parametrize(
    ('arguments', 'named'),
    [
        (['--variant', 'nothing_like_it'], 'nothing_like_it'),
        (['--engine', 'tensorrt'], 'TensorRT cannot run here'),
    ],
)
def test_what_cannot_be_profiled_is_named(folder, arguments, named, capsys):
    assert main(['profile', str(folder), *arguments]) == 1
    captured = capsys.readouterr()
    assert named in captured.err
    assert not captured.out


def test_no_runs_is_used_wrongly(folder, capsys):
    with pytest.raises(SystemExit) as ended:
        main(['profile', str(folder), '--runs', '0'])
    assert ended.value.code == 2
