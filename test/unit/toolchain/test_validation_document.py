# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/validation.md tells people is so, and its program runs."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import networks
from jetson_infer.core.card_parser import parse_card
from jetson_infer.core.validation_thresholds import SafetyLimits, ValidationThresholds
from quantized_models import write_images, write_quantized_model

TEXT = (Path(__file__).parents[3] / 'docs/validation.md').read_text()


def test_the_values_it_tells_are_those_where_the_card_is_silent():
    (section,) = re.findall(r'```yaml\n(.*?)```', TEXT, re.DOTALL)
    card = parse_card(networks.card(**yaml.safe_load(section)), 'docs/validation.md')
    usual = ValidationThresholds({'person': SafetyLimits(), 'dog': SafetyLimits()})
    assert card.variants[0].validation == replace(usual, score_threshold=0.25)
    assert card.output.defaults.score_threshold == 0.25


def test_every_key_is_told():
    keys = {*SafetyLimits.__dataclass_fields__, *ValidationThresholds.__dataclass_fields__}
    told = set(re.findall(r'^  (\w+): ', TEXT, re.MULTILINE))
    assert told == keys - {'safety'} | {'safety_classes'}


def test_its_program_runs(tmp_path, monkeypatch, capsys):
    write_quantized_model(tmp_path / 'my_detector')
    write_images(tmp_path / 'my_recording')
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setenv('JETSON_INFER_MODEL_PATH', str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (program,) = re.findall(r'```python\n(.*?)```', TEXT, re.DOTALL)
    exec(compile(program, 'docs/validation.md', 'exec'), {})
    assert re.search(r'int8 True 1\.0\nruined False ', capsys.readouterr().out)


@pytest.mark.parametrize('phrase', re.findall(r'^\| `([^`…]+?)[…` ]', TEXT, re.MULTILINE))
def test_the_messages_it_explains_are_told_by_the_code(phrase):
    folder = Path(__file__).parents[3] / 'jetson_infer'
    code = ''.join(path.read_text() for path in folder.rglob('*.py'))
    assert phrase.strip() in re.sub(r"'\s+f?'", '', code)
