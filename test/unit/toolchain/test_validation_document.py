# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/validation.md tells people is so, and its program runs."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import networks
from jetson_infer.core.bev import BevDetections
from jetson_infer.core.card_parser import parse_card
from jetson_infer.core.depth_evaluation import RANGES_M
from jetson_infer.core.depth_validation import DepthThresholds
from jetson_infer.core.validation_thresholds import SafetyLimits, ValidationThresholds
from jetson_infer.toolchain.cloud_dataset import open_clouds
from jetson_infer.toolchain.dataset import relabelled
from quantized_models import write_images, write_quantized_model

TEXT = (Path(__file__).parents[3] / 'docs/validation.md').read_text()
SECTIONS = re.findall(r'```yaml\n(.*?)```', TEXT, re.DOTALL)
CLASSES = ('person', 'dog', 'chair')
PROGRAMS = re.findall(r'```python\n(.*?)```', TEXT, re.DOTALL)


def test_the_values_it_tells_are_those_where_the_card_is_silent():
    section, _ = SECTIONS
    card = parse_card(networks.card(**yaml.safe_load(section)), 'docs/validation.md')
    usual = ValidationThresholds({'person': SafetyLimits(), 'dog': SafetyLimits()})
    assert card.variants[0].validation == replace(usual, score_threshold=0.25)
    assert card.output.defaults.score_threshold == 0.25


def test_every_key_is_told():
    keys = {*SafetyLimits.__dataclass_fields__, *ValidationThresholds.__dataclass_fields__}
    told, told_of_depth = (
        set(re.findall(r'^  (\w+): ', section, re.MULTILINE)) for section in SECTIONS
    )
    assert told == keys - {'safety'} | {'safety_classes'}
    assert told_of_depth == {*DepthThresholds.__dataclass_fields__}


def test_the_values_of_depth_are_those_where_its_card_is_silent():
    _, section = SECTIONS
    card = parse_card(networks.card(task='depth', **yaml.safe_load(section)), 'validation.md')
    assert card.variants[0].depth_validation == replace(DepthThresholds(), far_m=10.0)
    limits = ', '.join(f'{item:g}' for item in RANGES_M[1:-1])
    assert f'what is truly 0 to {limits} m away, and farther' in TEXT


def test_its_program_runs(tmp_path, monkeypatch, capsys):
    write_quantized_model(tmp_path / 'my_detector')
    write_images(tmp_path / 'my_recording')
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setenv('JETSON_INFER_MODEL_PATH', str(tmp_path))
    monkeypatch.chdir(tmp_path)
    program, _ = PROGRAMS
    exec(compile(program, 'docs/validation.md', 'exec'), {})
    assert re.search(r'int8 True 1\.0\nruined False ', capsys.readouterr().out)


def test_its_program_for_depth_and_clouds_runs(monkeypatch, capsys):
    root = Path(__file__).parents[3]
    monkeypatch.chdir(root / 'recordings')
    with open_clouds('room_walk', frame='base_link') as dataset:
        labels = dataset.labels_of_truth
        truths = iter([relabelled(s.truth, labels, CLASSES) for s in dataset.clouds()])

    def boxes_of(points):
        assert points.shape[1] == 4
        truth = next(truths)
        scores = np.ones(len(truth.boxes), np.float32)
        found = BevDetections(truth.boxes, scores, truth.class_ids)
        moved = truth.boxes + np.array([0.9, 0, 0, 0, 0])
        return found, BevDetections(moved, scores, truth.class_ids)

    def depths_of(image):
        plane = np.full((480, 640), 3.0)
        return plane, plane * 1.001

    _, program = PROGRAMS
    known = {'boxes_of': boxes_of, 'depths_of': depths_of}
    exec(compile(program, 'docs/validation.md', 'exec'), known)
    assert known['comparing'].result().frames_with_truth == 6
    assert known['found'].result().frames == 150
    assert capsys.readouterr().out.startswith('True False AP50, mean of classes, is ')


@pytest.mark.parametrize('phrase', re.findall(r'^\| `([^`…]+?)[…` ]', TEXT, re.MULTILINE))
def test_the_messages_it_explains_are_told_by_the_code(phrase):
    folder = Path(__file__).parents[3] / 'jetson_infer'
    code = ''.join(path.read_text() for path in folder.rglob('*.py'))
    assert phrase.strip() in re.sub(r"'\s+f?'", '', code)
