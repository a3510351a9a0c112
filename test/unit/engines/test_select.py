# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Which engine runs a variant: by what there is, what is asked for, and what may be built."""

import threading

import pytest

import fake_builder
import networks
from engine_samples import ROOT
from jetson_infer.engines.build_target import BuildTarget
from jetson_infer.engines.models import load_model
from jetson_infer.engines.select import BuildPolicy, choose_engine, open_session
from jetson_infer.engines.tensorrt.build_job import BuildCancelled
from jetson_infer.errors import EngineBuildError, EngineError, ParameterError, SessionError

TARGET = BuildTarget(fake_builder.VERSION, 'Orin', (8, 7), 16)
ALLOWED = BuildPolicy('allowed', builder='fake_builder:build_plan')


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(ROOT / 'test/helpers'))
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'cache'))


@pytest.fixture
def model(tmp_path):
    return load_model(networks.write_model(tmp_path / 'tiny'))


def choose(model, engine='auto', policy=None, target=TARGET):
    return choose_engine(model, model.variant(), engine, policy, target)


def test_without_a_gpu_auto_is_onnxruntime_and_says_why(model):
    choice = choose(model, target=None)
    assert choice.engine == 'onnxruntime'
    assert choice.why.startswith('TensorRT cannot run here: ')
    with open_session(model, model.variant()).session as session:
        assert session.engine.startswith('onnxruntime')


def test_without_a_gpu_tensorrt_is_refused_with_the_reason(model):
    with pytest.raises(EngineBuildError, match='TensorRT cannot run here: '):
        choose(model, 'tensorrt', target=None)


def test_without_an_engine_auto_is_onnxruntime_and_names_the_command(model):
    choice = choose(model)
    assert choice.engine == 'onnxruntime'
    assert f'jetson-infer build {model.folder} --variant fp32' in choice.why


def test_without_an_engine_tensorrt_is_refused_with_the_command(model):
    with pytest.raises(EngineError, match='jetson-infer build'):
        choose(model, 'tensorrt')


@pytest.mark.parametrize('engine', ['auto', 'tensorrt'])
def test_an_engine_that_may_be_built_is_built_once_and_then_found(model, engine):
    told = []
    policy = BuildPolicy('allowed', told.append, builder=ALLOWED.builder)
    built = choose(model, engine, policy)
    assert built.engine == 'tensorrt'
    assert built.cached.read_plan() == fake_builder.plan_of(built.order.request)
    assert any('building' in text or 'starting' in text for text in told)
    found = choose(model, engine)
    assert found.cached.plan_digest == built.cached.plan_digest
    assert found.why == ('it was asked for' if engine == 'tensorrt' else found.why)


def test_onnxruntime_is_taken_where_it_is_asked_for(model):
    choose(model, 'auto', ALLOWED)
    assert choose(model, 'onnxruntime').engine == 'onnxruntime'


def test_an_engine_of_another_gpu_is_not_taken(model):
    choose(model, 'auto', ALLOWED)
    other = BuildTarget(TARGET.tensorrt, 'Xavier', (7, 2), 8)
    choice = choose(model, target=other)
    assert choice.engine == 'onnxruntime'
    assert 'Orin' in choice.why
    assert 'Xavier' in choice.why


def test_a_damaged_engine_is_not_taken_and_built_anew_where_that_is_allowed(model):
    plan = choose(model, 'auto', ALLOWED).cached.plan
    plan.write_bytes(plan.read_bytes()[:-1])
    with pytest.raises(EngineError, match='jetson-infer build'):
        choose(model, 'tensorrt')
    assert choose(model, 'tensorrt', ALLOWED).cached.read_plan()


def test_a_build_that_fails_leaves_auto_on_onnxruntime_with_the_reason(model):
    policy = BuildPolicy('allowed', builder='fake_builder:no_such_builder')
    assert choose(model, 'auto', policy).engine == 'onnxruntime'
    with pytest.raises(EngineBuildError):
        choose(model, 'tensorrt', policy)


@pytest.mark.parametrize('engine', ['auto', 'tensorrt'])
def test_a_build_can_be_called_off(model, engine):
    building, off = threading.Event(), threading.Event()

    def report(text):
        if text.startswith('building'):
            building.set()
            off.set()

    policy = BuildPolicy('allowed', report, off.is_set, 'fake_builder:endless')
    with pytest.raises(BuildCancelled):
        choose(model, engine, policy)
    assert building.is_set()


def test_words_that_are_none_are_refused(model):
    with pytest.raises(SessionError, match="no engine 'tensort'; there are auto, tensorrt, onnx"):
        choose(model, 'tensort')
    with pytest.raises(ParameterError, match='engine_build'):
        choose(model, 'auto', BuildPolicy('sometimes'))
