# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

import networks
from jetson_infer.engines.models import default_search_path, find_model, load_model
from jetson_infer.errors import CardError, ModelError


@pytest.fixture
def folder(tmp_path) -> Path:
    return networks.write_model(tmp_path / 'tiny')


def test_a_folder_or_its_card_loads(folder):
    model = load_model(folder)
    assert model.card.name == 'tiny'
    assert model.files == {'fp32': folder / 'tiny.onnx'}
    assert load_model(folder / 'model.yaml') == model
    assert model.variant('auto') is model.variant('fp32')


def test_an_unknown_variant_is_told_with_those_there_are(folder):
    with pytest.raises(ModelError, match=r"no variant 'fp16'; it has auto, fp32"):
        load_model(folder).variant('fp16')


def test_a_missing_folder(tmp_path):
    with pytest.raises(ModelError, match='does not exist'):
        load_model(tmp_path / 'nowhere')


def test_a_file_instead_of_a_folder(folder):
    with pytest.raises(ModelError, match='is a file'):
        load_model(folder / 'tiny.onnx')


def test_a_folder_without_a_card(folder):
    (folder / 'model.yaml').unlink()
    with pytest.raises(ModelError, match=r'no model\.yaml; it holds tiny\.onnx'):
        load_model(folder)


def test_a_missing_onnx_file_is_told_with_those_there_are(folder):
    (folder / 'tiny.onnx').rename(folder / 'other.onnx')
    with pytest.raises(ModelError, match=r'variants\[0\]\.onnx.*does not exist.*other\.onnx'):
        load_model(folder)


def test_an_empty_onnx_file(folder):
    (folder / 'tiny.onnx').write_bytes(b'')
    with pytest.raises(ModelError, match='is empty'):
        load_model(folder)


def test_a_git_lfs_pointer(folder):
    pointer = b'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n'
    (folder / 'tiny.onnx').write_bytes(pointer)
    with pytest.raises(ModelError, match='git lfs pull'):
        load_model(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason='root reads everything')
def test_files_that_must_not_be_read(folder):
    (folder / 'model.yaml').chmod(0)
    with pytest.raises(ModelError, match='cannot be read'):
        load_model(folder)


@pytest.mark.parametrize(
    ('content', 'says'),
    [
        (b'', 'must be a mapping'),
        (b'labels: [a, b\nname: x\n', 'line 2, column'),
        (b'name: x\n\tformat: 1\n', 'line 2, column 1'),
        (b'name: a\nname: b\n', "line 2, column 1: the key 'name' is written twice"),
        (b'name: \xff\xff', 'not a YAML text'),
        (b'name: \x01', 'not a YAML text'),
        (b'!!python/object/apply:os.system ["false"]', 'line 1'),
        (b'[' * 5000, 'YAML'),
        (b'format: ' + b'1' * 5000, ''),
        (b'format: 2020-99-99', ''),
        (b'? {a: b}\n: c', ''),
    ],
    ids=range(11),
)
def test_a_card_that_is_no_yaml(folder, content, says):
    (folder / 'model.yaml').write_bytes(content)
    with pytest.raises(CardError) as caught:
        load_model(folder)
    assert str(caught.value).startswith(str(folder / 'model.yaml'))
    assert says in str(caught.value)


def test_find_by_name_takes_the_first_of_the_search_path(tmp_path):
    networks.write_model(tmp_path / 'one' / 'tiny')
    networks.write_model(tmp_path / 'two' / 'tiny')
    search_path = (tmp_path / 'none', tmp_path / 'two', tmp_path / 'one')
    assert find_model('tiny', search_path) == tmp_path / 'two' / 'tiny'


@pytest.mark.parametrize('name', ['', '  '])
def test_find_without_a_name(name):
    with pytest.raises(ModelError, match='no model was named'):
        find_model(name)


def test_find_what_is_not_there_tells_where_and_what_is(tmp_path):
    networks.write_model(tmp_path / 'tiny')
    with pytest.raises(ModelError) as caught:
        find_model('tinny', (tmp_path,))
    assert str(tmp_path) in str(caught.value)
    assert 'models found there: tiny' in str(caught.value)
    assert 'JETSON_INFER_MODEL_PATH' in str(caught.value)


def test_find_by_path_leaves_the_check_to_load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_model('./tiny') == tmp_path / 'tiny'
    assert find_model(str(tmp_path / 'x')) == tmp_path / 'x'


def test_search_path_order():
    variables = {'JETSON_INFER_MODEL_PATH': '/a:/b', 'AMENT_PREFIX_PATH': '/ws/install:/opt/ros'}
    assert default_search_path(variables)[:4] == (
        Path('/a'),
        Path('/b'),
        Path('/ws/install/share/jetson_infer/models'),
        Path('/opt/ros/share/jetson_infer/models'),
    )
