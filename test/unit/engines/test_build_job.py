# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Builds in a process of their own, end to end, with builders that need no TensorRT."""

import inspect
import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

import fake_builder
import networks
from engine_samples import ROOT, start
from jetson_infer.engines.build_target import BuildTarget
from jetson_infer.engines.engine_cache import EngineCache, EngineNotCached
from jetson_infer.engines.engine_layers import EngineLayer
from jetson_infer.engines.engine_order import EngineWish, order_engine
from jetson_infer.engines.models import load_model
from jetson_infer.engines.tensorrt import build_child
from jetson_infer.engines.tensorrt.build_child import run_build
from jetson_infer.engines.tensorrt.build_job import BuildCancelled, start_build
from jetson_infer.engines.tensorrt.build_process import Task
from jetson_infer.engines.tensorrt.builder import build_plan
from jetson_infer.errors import EngineBuildError, EngineError

TARGET = BuildTarget('10.3.0', 'Orin', (8, 7), 16)
PATIENCE_S = 100


@pytest.fixture(autouse=True)
def helpers_for_the_child(monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(ROOT / 'test/helpers'))


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / 'cache')


@pytest.fixture
def model(tmp_path):
    return load_model(networks.write_model(tmp_path / 'tiny'))


@pytest.fixture
def order(model):
    return order_engine(model, model.variant(), EngineWish(precision='fp16'))


def build(order, cache, builder='build_plan', **options):
    return start_build(order, TARGET, cache, builder=f'fake_builder:{builder}', **options)


def failure(order, cache, builder) -> str:
    with pytest.raises(EngineBuildError) as caught:
        build(order, cache, builder).result(PATIENCE_S)
    return str(caught.value)


def builds(order) -> list[int]:
    """Return the processes that have built the order's file."""
    file = order.onnx.path.with_suffix('.builds')
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def until(condition) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, 'waited in vain'
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] not in 'ZX'
    except FileNotFoundError:
        return False


def left_in(cache) -> list[Path]:
    return list((cache.engines / '.drafts').glob('*'))


def test_the_fakes_have_the_builders_signature():
    real = inspect.signature(build_plan)
    assert [p.name for p in inspect.signature(fake_builder.build_plan).parameters.values()] == list(
        real.parameters
    )
    functions = [f for _, f in inspect.getmembers(fake_builder, inspect.isfunction)]
    fakes = [f for f in functions if 'report' in inspect.signature(f).parameters]
    assert len(fakes) > 10
    for fake in fakes:
        assert list(inspect.signature(fake).parameters) == list(real.parameters)
    first, *others = real.parameters.values()
    assert first.default is inspect.Parameter.empty
    assert all(p.default is not inspect.Parameter.empty for p in others)
    assert real.return_annotation == 'BuiltPlan'


def test_an_engine_is_built_into_the_cache(order, cache):
    job = build(order, cache)
    engine = job.result(PATIENCE_S)
    assert engine == cache.find('tiny', 'fp32', order.key(TARGET))
    assert engine.key == job.key
    assert engine.read_plan() == fake_builder.plan_of(order.request)
    assert 'information of the builder' in engine.log.read_text()
    layers = [EngineLayer.from_json(value) for value in json.loads(engine.layers.read_text())]
    assert tuple(layers) == fake_builder.LAYERS
    assert engine.build['precision']['counts'] == {'fp16': 1, 'fp32': 1}
    assert engine.build['seconds'] == 1.5
    assert (job.progress().state, job.progress().is_final) == ('done', True)
    assert left_in(cache) == []
    names = {file.name for file in engine.folder.iterdir()}
    assert names == {'engine.plan', 'engine.json', 'build.log', 'layers.json'}
    (pid,) = builds(order)
    assert pid != os.getpid()


def test_what_is_there_is_taken(order, cache):
    first = build(order, cache).result(PATIENCE_S)
    assert build(order, cache).result(PATIENCE_S) == first
    assert len(builds(order)) == 1


def test_what_is_there_is_taken_from_a_cache_that_cannot_be_written(order, cache):
    first = build(order, cache).result(PATIENCE_S)
    shutil.rmtree(cache.engines / '.locks')
    (cache.engines / '.locks').touch()
    assert build(order, cache).result(PATIENCE_S) == first
    with pytest.raises(EngineError, match='no lock can be taken'):
        build(order, cache, force=True).result(PATIENCE_S)


def test_what_is_damaged_is_built_again(order, cache):
    build(order, cache).result(PATIENCE_S).plan.write_bytes(b'damaged')
    assert build(order, cache).result(PATIENCE_S).read_plan()
    assert len(builds(order)) == 2


def test_force_builds_anew(order, cache):
    build(order, cache).result(PATIENCE_S)
    assert build(order, cache, force=True).result(PATIENCE_S).read_plan()
    assert len(builds(order)) == 2


def test_timings_add_up_over_builds(model, cache):
    for precision in ('fp16', 'fp32'):
        order = order_engine(model, model.variant(), EngineWish(precision=precision))
        build(order, cache).result(PATIENCE_S)
    path = cache.timing_cache_path('Orin sm87 16', '10.3.0')
    assert path.read_text() == 'fp16\nfp32\n'


def test_progress_is_told_while_it_is_made(order, cache):
    job = build(order, cache, 'slow')
    until(lambda: job.progress().progress is not None)
    status = job.progress()
    assert status.state == 'building'
    assert status.progress.phases == ('build', 'Slow phase')
    assert str(status).endswith(' s): Slow phase, step 1 of 2')
    with pytest.raises(TimeoutError, match='still building'):
        job.result(0.05)
    assert job.progress().seconds > status.seconds
    order.onnx.path.with_name('go').touch()
    job.result(PATIENCE_S)


def test_the_second_waits_for_the_first_and_takes_its_engine(order, cache):
    first = build(order, cache, 'slow')
    until(lambda: first.progress().state == 'building')
    second = build(order, cache, force=True)
    until(lambda: second.progress().waiting_for)
    told = str(second.progress())
    assert told.startswith(f'waiting for process {os.getpid()}, building fp32 of tiny, since ')
    order.onnx.path.with_name('go').touch()
    assert first.result(PATIENCE_S) == second.result(PATIENCE_S)
    assert len(builds(order)) == 1


def test_the_second_builds_when_the_first_is_given_up(order, cache):
    first = build(order, cache, 'endless')
    until(lambda: first.progress().progress is not None)
    second = build(order, cache)
    until(lambda: second.progress().waiting_for)
    first.cancel()
    assert second.result(PATIENCE_S).read_plan()
    with pytest.raises(BuildCancelled):
        first.result(PATIENCE_S)


def test_waiting_can_be_cancelled(order, cache):
    first = build(order, cache, 'slow')
    until(lambda: first.progress().state == 'building')
    second = build(order, cache)
    until(lambda: second.progress().waiting_for)
    second.cancel()
    with pytest.raises(BuildCancelled, match='waited for another'):
        second.result(PATIENCE_S)
    assert second.progress().state == 'cancelled'
    order.onnx.path.with_name('go').touch()
    assert first.result(PATIENCE_S).read_plan()


def test_one_build_at_a_time_uses_the_gpu(model, order, cache):
    """Two at once would spoil each other's timings, and one of them its timing cache."""
    first = build(order, cache, 'slow')
    until(lambda: first.progress().state == 'building')
    other = order_engine(model, model.variant(), EngineWish(precision='fp32'))
    second = build(other, cache)
    until(lambda: second.progress().waiting_for)
    assert builds(order) == []
    order.onnx.path.with_name('go').touch()
    first.result(PATIENCE_S)
    second.result(PATIENCE_S)
    path = cache.timing_cache_path('Orin sm87 16', '10.3.0')
    assert path.read_text() == 'fp16\nfp32\n'


@pytest.mark.parametrize('builder', ['endless', 'stubborn'])
def test_a_build_is_ended_in_the_middle_of_c_code(order, cache, builder, monkeypatch):
    # Only one who ignores a polite word is given time; the other is gone before that is over.
    monkeypatch.setattr(build_child, 'POLITE_S', 0.5 if builder == 'stubborn' else 600.0)
    monkeypatch.setattr(build_child, 'FORCED_S', 100.0)
    job = build(order, cache, builder)
    until(lambda: job.progress().progress is not None)
    (pid,) = builds(order)
    assert alive(pid)
    job.cancel()
    job.cancel()
    with pytest.raises(BuildCancelled):
        job.result(PATIENCE_S)
    assert not alive(pid)
    assert left_in(cache) == []
    assert build(order, cache).result(PATIENCE_S).read_plan()


def test_what_the_builder_says_is_told(order, cache):
    told = failure(order, cache, 'refuses')
    assert told.startswith(f'{order.onnx.path}: node 17 (Einsum "mix") is not supported')
    log = cache.failed_log('tiny', 'fp32', order.key(TARGET))
    assert told.endswith(f'The whole log: {log}')
    assert 'Einsum' in log.read_text()
    assert left_in(cache) == []
    with pytest.raises(EngineNotCached):
        cache.find('tiny', 'fp32', order.key(TARGET))
    build(order, cache).result(PATIENCE_S)
    assert not log.exists()


FAILURES = {
    'crashes': ('crashed (SIGSEGV)', 'assertion failed in tactic 0x42'),
    'out_of_memory': ('was killed (SIGKILL)', 'memory runs out', '--workspace-mb', '3 GB'),
    'leaves': ('ended with exit code 3 and without an engine', 'going home'),
    'broken': ("the builder failed: KeyError: 'nothing'",),
    'full_disk': ('No space left on device', 'are free there'),
    'other_version': ('TensorRT 8.6.1 built the engine, and this process has 10.3.0',),
    'changes_file': ('the file was changed while it was built',),
    'nowhere': ("there is no builder 'fake_builder:nowhere'",),
}


@pytest.mark.parametrize(('builder', 'told'), FAILURES.items(), ids=FAILURES)
def test_a_build_that_fails_says_why_and_leaves_its_log(order, cache, builder, told):
    message = failure(order, cache, builder)
    for words in told:
        assert words in message
    assert cache.failed_log('tiny', 'fp32', order.key(TARGET)).exists()
    assert left_in(cache) == []
    assert cache.entries() == []


def test_noise_is_logged_and_does_not_matter(order, cache):
    engine = build(order, cache, 'noisy').result(PATIENCE_S)
    assert engine.read_plan() == fake_builder.plan_of(order.request)
    log = engine.log.read_bytes()
    for words in (b'from Python', b'from C', b'from a child', b'\xff\xfe'):
        assert words in log


def test_noise_before_the_process_is_ours(order, cache, tmp_path, monkeypatch):
    """A Python that prints when it starts, with what looks like the protocol and is not."""
    (tmp_path / 'site').mkdir()
    lines = ('hello', '{"progress": 3}', '[]', '{"a": 1, "b": 2}', '{"built": "no"}', '\\xff')
    (tmp_path / 'site/sitecustomize.py').write_text(f'print("\\n".join({lines!r}), flush=True)\n')
    monkeypatch.setenv('PYTHONPATH', f'{tmp_path / "site"}:{ROOT / "test/helpers"}')
    engine = build(order, cache).result(PATIENCE_S)
    for line in lines:
        assert line in engine.log.read_text()


def test_a_crash_after_the_work_is_done_does_not_matter(order, cache):
    assert build(order, cache, 'dies_after_all').result(PATIENCE_S).read_plan()


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_the_build_ends_with_its_parent(tmp_path, model, order, number):
    code = """
import sys, time
from pathlib import Path
from jetson_infer.engines.build_target import BuildTarget
from jetson_infer.engines.engine_cache import EngineCache
from jetson_infer.engines.engine_order import EngineWish, order_engine
from jetson_infer.engines.models import load_model
from jetson_infer.engines.tensorrt.build_child import run_build
from jetson_infer.engines.tensorrt.build_job import start_build
model = load_model(Path(sys.argv[1]))
order = order_engine(model, model.variant(), EngineWish(precision='fp16'))
target = BuildTarget('10.3.0', 'Orin', (8, 7), 16)
job = start_build(order, target, EngineCache(Path(sys.argv[2])), builder='fake_builder:endless')
while job.progress().progress is None:
    time.sleep(0.01)
print('building', flush=True)
time.sleep(60)
"""
    parent = start(code, model.folder, tmp_path / 'cache')
    assert parent.stdout.readline() == 'building\n', parent.stderr.read()
    (pid,) = builds(order)
    assert alive(pid)
    parent.send_signal(number)
    parent.communicate()
    until(lambda: not alive(pid))
    cache = EngineCache(tmp_path / 'cache')
    assert left_in(cache)
    assert build(order, cache).result(PATIENCE_S).read_plan()
    assert left_in(cache) == []


def test_a_build_whose_parent_has_ended_before_it_began_ends_too(order, tmp_path):
    orphan = Task(
        order.request.to_json(), str(tmp_path), parent=1, builder='fake_builder:build_plan'
    )
    with pytest.raises(EngineBuildError, match='SIGKILL'):
        run_build(orphan, tmp_path / 'log', lambda progress: None, lambda: False)
    assert builds(order) == []


def test_a_cache_that_cannot_be_written_is_told_before_the_work(order, tmp_path):
    (tmp_path / 'cache').touch()
    job = build(order, EngineCache(tmp_path / 'cache'))
    with pytest.raises(EngineError, match='no lock can be taken'):
        job.result(PATIENCE_S)
    assert job.progress().state == 'failed'
    assert builds(order) == []
