# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from jetson_infer.core.cache_root import cache_root

TABLE = {
    'our own': ({'JETSON_INFER_CACHE': '/ssd/engines', 'XDG_CACHE_HOME': '/x'}, '/ssd/engines'),
    'in the home': ({'JETSON_INFER_CACHE': '~/engines'}, '/home/robot/engines'),
    'of the desktop': ({'XDG_CACHE_HOME': '/var/cache/robot'}, '/var/cache/robot/jetson_infer'),
    'relative, as no specification allows': (
        {'XDG_CACHE_HOME': 'cache'},
        '/home/robot/.cache/jetson_infer',
    ),
    'empty': (
        {'JETSON_INFER_CACHE': '', 'XDG_CACHE_HOME': ''},
        '/home/robot/.cache/jetson_infer',
    ),
    'nothing set': ({}, '/home/robot/.cache/jetson_infer'),
}


@pytest.mark.parametrize('name', TABLE)
def test_the_environment_decides(name, monkeypatch):
    environment, expected = TABLE[name]
    for variable in ('JETSON_INFER_CACHE', 'XDG_CACHE_HOME'):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv('HOME', '/home/robot')
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert cache_root() == Path(expected)


def test_a_relative_folder_of_our_own_is_made_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('JETSON_INFER_CACHE', 'engines')
    assert cache_root() == tmp_path / 'engines'
