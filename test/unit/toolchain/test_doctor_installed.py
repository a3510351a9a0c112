# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor's view of models, recordings and libraries."""

import shutil

import pytest

from brightness_model import write_brightness_model
from jetson_infer.dependencies import OPTIONAL_MODULES, pip_install
from jetson_infer.toolchain.doctor import software
from jetson_infer.toolchain.doctor.findings import NOTE, OK, PROBLEM, WARNING
from jetson_infer.toolchain.doctor.software import USES, check_software, declared_minimums
from jetson_infer.toolchain.doctor.stored_data import check_models, check_recordings
from recording_writer import write_recording


def by_check(findings):
    return {finding.check: finding for finding in findings}


@pytest.fixture
def models(tmp_path):
    write_brightness_model(tmp_path / 'models' / 'brightness')
    return tmp_path / 'models'


def test_a_model_that_runs_is_well(models):
    (finding,) = check_models([models])
    assert finding.level == OK
    assert 'detection, 3 labels, variants best, second; opens in onnxruntime' in finding.what


def test_a_search_path_without_models_is_warned_of(tmp_path):
    (finding,) = check_models([tmp_path / 'nowhere'])
    assert finding.level == WARNING
    assert str(tmp_path / 'nowhere') in finding.what


@pytest.mark.parametrize(
    ('spoil', 'named'),
    [
        (lambda model: (model / 'network.onnx').unlink(), 'does not exist'),
        (lambda model: (model / 'network.onnx').write_bytes(b'not a network'), 'network.onnx'),
        (lambda model: (model / 'model.yaml').write_text('format: 1'), 'model.yaml'),
        (
            lambda model: (model / 'model.yaml').write_text(
                (model / 'model.yaml').read_text().replace('green, blue', 'green, blue, white')
            ),
            '4',
        ),
    ],
    ids=['file missing', 'no network', 'card', 'decoder does not fit'],
)
def test_a_model_that_cannot_run_is_a_problem_and_the_others_are_still_told(models, spoil, named):
    shutil.copytree(models / 'brightness', models / 'spoilt')
    spoil(models / 'spoilt')
    findings = by_check(check_models([models]))
    assert findings['models.brightness'].level == OK
    assert findings['models.spoilt'].level == PROBLEM
    assert named in findings['models.spoilt'].what


def test_a_model_hidden_by_one_of_its_name_is_noted(models, tmp_path):
    write_brightness_model(tmp_path / 'more' / 'brightness')
    levels = [finding.level for finding in check_models([models, tmp_path / 'more'])]
    assert levels == [OK, NOTE]


def test_a_model_found_twice_through_links_is_told_once(models, tmp_path):
    linked = tmp_path / 'linked' / 'brightness'
    linked.mkdir(parents=True)
    for file in (models / 'brightness').iterdir():
        (linked / file.name).symlink_to(file)
    assert len(check_models([models, tmp_path / 'linked'])) == 1


def test_recordings_are_opened(tmp_path):
    write_recording(tmp_path / 'walk', frames=3, rate_hz=10.0)
    (tmp_path / 'cut').mkdir()
    (tmp_path / 'cut' / 'cut.mcap').write_bytes(b'')
    findings = by_check(check_recordings([tmp_path]))
    assert findings['recordings.walk'].level == OK
    assert findings['recordings.cut'].level == PROBLEM


def test_no_recording_is_no_problem(tmp_path):
    assert [finding.level for finding in check_recordings([tmp_path])] == [NOTE]


def test_every_library_has_a_use():
    assert set(USES) == {*OPTIONAL_MODULES, 'numpy', 'yaml'}


def test_libraries_are_well_here():
    findings = by_check(check_software({'numpy': '1.22', 'onnxruntime': '1.16'}))
    of_a_gpu = {f'software.{name}' for name, use in USES.items() if use.gpu}
    levels = {check: finding.level for check, finding in findings.items()}
    assert {level for check, level in levels.items() if check not in of_a_gpu} == {OK}
    assert {levels[check] for check in of_a_gpu} <= {OK, NOTE}
    assert '(at least 1.22)' in findings['software.numpy'].what


def test_an_old_library_is_a_problem_if_nodes_need_it():
    findings = by_check(check_software({'numpy': '99.1', 'rich': '99'}))
    assert findings['software.numpy'].level == PROBLEM
    assert 'older than 99.1' in findings['software.numpy'].what
    assert findings['software.numpy'].remedy == pip_install("'numpy>=99.1'")
    assert findings['software.rich'].level == WARNING


def test_minimums_come_from_the_installed_package(monkeypatch):
    lines = ['setuptools', 'numpy>=1.22', 'jinja2>=3.0.3; extra == "report"', 'pytest<9']
    monkeypatch.setattr(software.metadata, 'requires', lambda name: lines)
    assert declared_minimums() == {'numpy': '1.22', 'jinja2': '3.0.3'}


@pytest.mark.parametrize(
    ('older', 'newer'), [('1.9', '1.10'), ('4.5.4', '4.5.5'), ('1.22', '2'), ('3.0.3rc1', '3.1')]
)
def test_versions_are_compared_by_number(older, newer):
    assert software._numbers(older) < software._numbers(newer)
    assert software._numbers('1.22') == software._numbers('1.22.0')
