# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Engines built by TensorRT in a process of their own, found again, and run."""

import time
from dataclasses import replace

import numpy as np
import pytest
from onnx import helper

import networks
from jetson_infer.engines.build_target import find_target
from jetson_infer.engines.engine_cache import EngineCache, EngineNotCached
from jetson_infer.engines.engine_order import EngineWish, order_engine
from jetson_infer.engines.models import load_model
from jetson_infer.engines.tensorrt.api import is_installed
from jetson_infer.engines.tensorrt.build_job import BuildCancelled, start_build
from jetson_infer.engines.tensorrt.session import TensorRtSession
from jetson_infer.errors import EngineBuildError

if not is_installed():
    pytest.skip('TensorRT is not installed', allow_module_level=True)

PATIENCE_S = 120
QUICK = EngineWish(optimization_level=0)


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / 'cache')


def order(folder, write, wish=QUICK, size=96):
    """Return the order of a model whose network is what ``write`` writes."""
    folder.mkdir(parents=True)
    write(folder / 'tiny.onnx')
    card = networks.card(input={'size': [size, size], 'scale': 1})
    model = load_model(networks.write_model(folder, card))
    return order_engine(model, model.variant(), wish)


def test_an_engine_is_built_found_and_run(tmp_path, cache, device):
    target = find_target().require()
    wanted = order(tmp_path / 'm', networks.convolving)
    job = start_build(wanted, target, cache)
    engine = job.result(PATIENCE_S)
    assert engine == cache.find(wanted.model, wanted.variant, wanted.key(target))
    assert engine.build['precision']['asked'] == 'fp32'
    assert engine.log.read_text()
    timings = list((cache.root / 'timing').glob('*.timing'))
    assert len(timings) == 1
    assert timings[0].stat().st_size > 0
    with TensorRtSession(engine.read_plan(), device, source=str(engine.plan)) as session:
        binding = session.bind({})
        binding.inputs['image'][...] = 0
        assert np.all(binding.run()['features'] == 0)
    again = start_build(wanted, target, cache).result(PATIENCE_S)
    assert again == engine


def test_another_machines_engine_is_told_apart_before_it_is_read(tmp_path, cache):
    target = find_target().require()
    wanted = order(tmp_path / 'm', networks.convolving)
    other = replace(target, gpu='Orin', tensorrt='5.1.2')
    cache.store(wanted.model, wanted.variant, wanted.key(other), b'no plan at all', {})
    with pytest.raises(EngineNotCached, match=r'TensorRT: built for 5\.1\.2, wanted .*Orin'):
        cache.find(wanted.model, wanted.variant, wanted.key(target))


def test_a_build_is_stopped_in_the_middle(tmp_path, cache):
    def write(path):
        networks.convolving(path, size=512, channels=192, layers=24)

    target = find_target().require()
    wanted = order(tmp_path / 'm', write, EngineWish(precision='fp16'), size=512)
    job = start_build(wanted, target, cache)
    deadline = time.monotonic() + PATIENCE_S
    while (job.progress().progress is None) or job.progress().progress.phases[0] != 'build':
        assert time.monotonic() < deadline
        assert not job.progress().is_final
        time.sleep(0.02)
    began = time.monotonic()
    job.cancel()
    with pytest.raises(BuildCancelled):
        job.result(PATIENCE_S)
    assert time.monotonic() - began < 5
    assert list((cache.engines / '.drafts').iterdir()) == []
    assert cache.entries() == []


def test_what_the_parser_refuses_comes_through(tmp_path, cache):
    def write(path):
        node = helper.make_node('NoSuchOperator', ['image'], ['out'], name='odd', domain='nobody')
        graph = helper.make_graph(
            [node], 'g', [networks.tensor('image', (1, 3, 96, 96))], [networks.tensor('out', (1,))]
        )
        opsets = [helper.make_opsetid('', 17), helper.make_opsetid('nobody', 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=networks.IR_VERSION)
        path.write_bytes(model.SerializeToString())

    wanted = order(tmp_path / 'm', write)
    with pytest.raises(EngineBuildError, match='NoSuchOperator'):
        start_build(wanted, find_target().require(), cache).result(PATIENCE_S)
