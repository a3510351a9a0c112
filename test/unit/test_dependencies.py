# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import ast
import sys
from pathlib import Path

import pytest

import jetson_infer
from jetson_infer import dependencies
from jetson_infer.dependencies import (
    OPTIONAL_MODULES,
    OptionalModule,
    externally_managed,
    pip_install,
    require,
)
from jetson_infer.errors import InternalError, MissingDependencyError


@pytest.fixture
def lone_path(tmp_path, monkeypatch):
    """An import path on which only what the test writes and the standard library are found."""
    for name in [name for name in sys.modules if name.partition('.')[0] == 'rosbags']:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, 'path', [str(tmp_path)])
    yield tmp_path
    for name in [name for name in sys.modules if name.partition('.')[0] == 'rosbags']:
        del sys.modules[name]


def test_an_installed_module_and_its_submodules_are_returned(lone_path):
    (lone_path / 'rosbags').mkdir()
    (lone_path / 'rosbags' / '__init__.py').write_text('')
    (lone_path / 'rosbags' / 'highlevel.py').write_text('ANSWER = 42')
    assert require('rosbags', 'Reading recordings').__name__ == 'rosbags'
    assert require('rosbags.highlevel', 'Reading recordings').ANSWER == 42


def test_a_missing_module_names_the_purpose_and_the_remedy(lone_path):
    with pytest.raises(MissingDependencyError) as caught:
        require('rosbags.highlevel', 'Reading recordings')
    assert caught.value.module == 'rosbags.highlevel'
    assert str(caught.value) == (
        "Reading recordings needs the Python module 'rosbags.highlevel'; "
        f'install it: {pip_install("rosbags")}'
    )


def test_a_namespace_that_others_share_is_not_the_module(lone_path):
    (lone_path / 'rosbags').mkdir()  # without an __init__.py, as cuda/ is
    with pytest.raises(MissingDependencyError) as caught:
        require('rosbags.highlevel', 'Reading recordings')
    assert str(caught.value).endswith(f'install it: {pip_install("rosbags")}')
    (lone_path / 'rosbags' / 'highlevel.py').write_text('import a_module_that_nobody_has')
    with pytest.raises(MissingDependencyError, match=r'cannot be imported: .*nobody_has'):
        require('rosbags.highlevel', 'Reading recordings')


def test_a_folder_of_that_name_is_not_the_module(lone_path, monkeypatch):
    for name in ('tensorrt', 'rosbags'):
        (lone_path / name).mkdir()
    monkeypatch.delitem(sys.modules, 'tensorrt', raising=False)
    with pytest.raises(MissingDependencyError, match='folder without code') as caught:
        require('tensorrt', 'Building engines')
    assert str(lone_path / 'tensorrt') in str(caught.value)
    del sys.modules['tensorrt']
    assert require('rosbags', 'Reading recordings')  # has code only in the folders below it


def test_a_part_that_an_installed_module_lacks_is_named(lone_path):
    (lone_path / 'rosbags').mkdir()
    (lone_path / 'rosbags' / '__init__.py').write_text('')
    with pytest.raises(MissingDependencyError, match=r"cannot be imported: .*'rosbags\.highlevel'"):
        require('rosbags.highlevel', 'Reading recordings')


@pytest.mark.parametrize(
    'source',
    ['import a_module_that_nobody_has', 'raise ImportError("libGL.so.1: cannot open")'],
)
def test_a_module_that_breaks_on_import_says_so(lone_path, source):
    (lone_path / 'rosbags.py').write_text(source)
    with pytest.raises(MissingDependencyError, match=r'cannot be imported: .*(libGL|nobody_has)'):
        require('rosbags', 'Reading recordings')


def test_a_defect_inside_a_module_is_not_disguised(lone_path):
    (lone_path / 'rosbags.py').write_text('1 / 0')
    with pytest.raises(ZeroDivisionError):
        require('rosbags', 'Reading recordings')


def test_a_module_nobody_declared_is_our_defect():
    with pytest.raises(InternalError, match='tkinter'):
        require('tkinter', 'Windows')


def test_apt_comes_first_where_ubuntu_has_a_package():
    assert OptionalModule('a', 'python3-a').remedy == (
        f'sudo apt install python3-a (or: {pip_install("a")})'
    )


def written_start(argument):
    """What a string in the source begins with, plain or formatted; nothing for a variable."""
    if isinstance(argument, ast.JoinedStr):
        argument = argument.values[0]
    return argument.value if isinstance(argument, ast.Constant) else ''


def test_every_module_that_the_package_requires_is_declared():
    asked = set()
    for path in Path(jetson_infer.__file__).parent.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'require':
                asked.add(written_start(node.args[0]).partition('.')[0])
    assert 'cv2' in asked
    asked.discard('')  # the doctor asks for every one of them by a variable
    assert asked <= OPTIONAL_MODULES.keys()


def test_an_externally_managed_python_is_told_from_others(tmp_path):
    assert not externally_managed(str(tmp_path), sys.base_prefix)
    (tmp_path / 'EXTERNALLY-MANAGED').write_text('[externally-managed]\n')
    assert externally_managed(str(tmp_path), sys.base_prefix)
    assert not externally_managed(str(tmp_path), '/a/virtual/environment')


@pytest.mark.parametrize(
    ('managed', 'command'),
    [(False, 'pip install rosbags'), (True, 'pip install --break-system-packages rosbags')],
)
def test_remedies_fit_the_python_they_are_for(monkeypatch, managed, command):
    monkeypatch.setattr(dependencies, 'externally_managed', lambda: managed)
    assert OptionalModule('rosbags').remedy == command
    assert OptionalModule('rosbags', 'python3-rosbags').remedy.endswith(f'(or: {command})')
