# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer build` as a person types it, on a machine with a GPU of our own making."""

import argparse
import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import networks
from engine_samples import ROOT, start
from jetson_infer.cli.build import Builder, add_arguments, run
from jetson_infer.cli.build_text import built_text
from jetson_infer.cli.build_view import LiveView, PlainView
from jetson_infer.cuda.probe import FoundDevice
from jetson_infer.engines.build_target import FoundTarget
from jetson_infer.engines.build_times import ExpectedTime
from jetson_infer.engines.built_plan import BuildProgress
from jetson_infer.engines.engine_cache import EngineCache
from jetson_infer.engines.tensorrt.build_job import BuildStatus
from jetson_infer.errors import EngineBuildError, ModelError

ORIN = FoundDevice(
    index=0, name='Orin', compute_capability=(8, 7), total_bytes=1 << 33, integrated=True,
    can_map_host_memory=True, identity='', driver='12.6', multiprocessors=16,
)  # fmt: skip
HERE = FoundTarget('10.3.0', ORIN)
NOWHERE = FoundTarget(None, None, ('TensorRT: is not installed', 'the GPU: there is none'))
VARIANTS = [
    {'name': 'fp16', 'onnx': 'tiny.onnx', 'precision': 'fp16'},
    {'name': 'fp32', 'onnx': 'tiny.onnx', 'precision': 'fp32'},
]


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(ROOT / 'test/helpers'))
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'cache'))


@pytest.fixture
def model(tmp_path):
    return networks.write_model(tmp_path / 'tiny', networks.card(variants=VARIANTS))


def options(*arguments):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([str(argument) for argument in arguments], argparse.Namespace(debug=0))


def build(*arguments, builder='build_plan', found=HERE) -> int:
    return run(options(*arguments), Builder(lambda: found, f'fake_builder:{builder}'))


def command(*arguments):
    """Run the command itself, on this machine as it is."""
    return subprocess.run(
        [sys.executable, '-m', 'jetson_infer.cli.main', 'build', *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=110,
        cwd=ROOT,
    )


def test_the_best_variant_is_built_and_its_precision_reported(model, capsys):
    assert build(model) == 0
    told, progress = capsys.readouterr()
    (entry,) = EngineCache().entries(digest=True)
    assert entry.engine.variant == 'fp16'
    assert f'engine        {entry.folder} (' in told
    assert f'log           {entry.engine.log}' in told
    assert 'fp16 asked for; found fp16+fp32 (layers: 1 in fp16, 1 in fp32); above fp16' in told
    assert 'fp32        SoftMax: softmax' in told
    assert f'every layer   {entry.engine.layers}' in told
    assert f'jetson-infer validate {model} RECORDING --variant fp16 --engine tensorrt' in told
    assert 'tiny fp16 fp16: ' in progress


def test_all_variants(model, capsys):
    assert build(model, '--variant', 'all') == 0
    assert {entry.engine.variant for entry in EngineCache().entries()} == {'fp16', 'fp32'}
    assert capsys.readouterr().out.count(': built in') == 2


def test_a_second_time_takes_what_is_there(model, capsys):
    build(model)
    capsys.readouterr()
    assert build(model) == 0
    assert 'tiny, variant fp16: was there already' in capsys.readouterr().out
    assert build(model, '--force') == 0
    assert 'tiny, variant fp16: built in 2 s' in capsys.readouterr().out


def test_json_is_all_that_is_printed(model, capsys):
    assert build(model, '--variant', 'all', '--json') == 0
    told = capsys.readouterr()
    engines = json.loads(told.out)['engines']
    assert [engine['variant'] for engine in engines] == ['fp16', 'fp32']
    assert engines[0]['precision_found'] == 'fp16+fp32'
    assert engines[0]['layers'][1]['name'] == 'softmax'
    assert engines[0]['key']['tensorrt'] == '10.3.0'
    assert engines[0]['reused'] is False
    assert told.err == ''


def test_what_fails_is_told(model, capsys):
    assert build(model, '--json', builder='refuses') == 1
    told = capsys.readouterr()
    assert 'Einsum' in json.loads(told.out)['engines'][0]['error']
    assert 'jetson-infer: fp16: ' in told.err


def test_a_variant_that_fails_does_not_keep_the_others_from_being_built(model, capsys):
    bad = {'name': 'bad', 'onnx': 'tiny.onnx', 'precision': 'int8'}
    networks.write_model(model, networks.card(variants=[bad, *VARIANTS]))
    assert build(model, '--variant', 'all', '--dry-run') == 1
    told = capsys.readouterr()
    assert 'no QuantizeLinear' in told.err
    assert 'variant fp32:' in told.out
    assert build(model, '--variant', 'all') == 1
    told = capsys.readouterr()
    assert 'jetson-infer: bad: ' in told.err
    assert {entry.engine.variant for entry in EngineCache().entries()} == {'fp16', 'fp32'}


def test_a_dry_run_tells_all_and_changes_nothing(model, tmp_path, capsys):
    assert build(model, '--dry-run', '--sparse', '--workspace-mb', 64) == 0
    told = capsys.readouterr().out
    for line in (
        'tiny, variant fp16:',
        'inputs        image float32[1x3x64x64]',
        'TensorRT      10.3.0',
        'GPU           Orin, compute capability 8.7, 16 multiprocessors',
        'profiles      none: every input has one shape',
        'flags         sparsity, workspace bytes 67108864',
        'there is      nothing',
        'expected time unknown: minutes, as a rule',
        'which differs in sparsity, workspace bytes: they will not take this engine',
    ):
        assert line in told
    assert re.search(r'engine        .*/cache/engines/tiny/fp16-fp16-[0-9a-f]{12}\n', told)
    assert not (tmp_path / 'cache').exists()


def test_a_dry_run_knows_what_was_built(model, capsys):
    build(model)
    capsys.readouterr()
    build(model, '--dry-run')
    told = capsys.readouterr().out
    assert 'there is      a whole engine, built 20' in told
    assert 'expected time about 2 s, as this engine took before' in told
    (entry,) = EngineCache().entries()
    entry.engine.plan.write_bytes(b'damaged')
    build(model, '--dry-run')
    assert 'an engine that may not be used: ' in capsys.readouterr().out


def test_a_dry_run_without_a_gpu_says_what_is_unknown_and_why(model, capsys):
    assert build(model, '--dry-run', '--variant', 'all', found=NOWHERE) == 0
    told = capsys.readouterr().out
    for line in (
        'unknown       TensorRT: is not installed',
        'unknown       the GPU: there is none',
    ):
        assert told.count(line) == 2
    assert 'key           unknown' in told
    build(model, '--dry-run', '--json', found=NOWHERE)
    (plan,) = json.loads(capsys.readouterr().out)['plans']
    assert (plan['key'], plan['tensorrt'], plan['cached']) == (None, None, False)
    assert plan['precision'] == 'fp16'
    assert len(plan['unknown']) == 2


def test_without_a_gpu_nothing_can_be_built(model):
    with pytest.raises(EngineBuildError, match='is not installed; the GPU: there is none'):
        build(model, found=NOWHERE)


def test_too_little_room_is_told_beforehand(model, tmp_path, monkeypatch, capsys):
    usage = type('usage', (), {'free': 1000})
    monkeypatch.setattr('shutil.disk_usage', lambda place: usage)
    assert build(model, '--dry-run') == 0
    assert f'note          {tmp_path} has 1000 bytes free' in capsys.readouterr().out


def test_an_unknown_variant(model):
    with pytest.raises(ModelError, match='has no variant'):
        build(model, '--variant', 'fp8')


@pytest.mark.parametrize(
    ('arguments', 'code', 'told'),
    [
        ((), 2, 'MODEL'),
        (('x', '--precision', 'fp64'), 2, 'invalid choice'),
        (('x', '--dla-core', 'gpu'), 2, 'whole number'),
        (('x', '--dla-core', '8'), 2, 'from 0 to 7'),
        (('x', '--workspace-mb', '0'), 2, 'from 1'),
        (('x', '--optimization-level', '6'), 2, 'from 0 to 5'),
        (('nothing_like_it',), 1, 'nothing_like_it'),
        (('scene_detector', '--variant', 'none'), 1, "no variant 'none'"),
        (('scene_detector', '--dry-run', '--precision', 'int8'), 1, 'no QuantizeLinear'),
        (('scene_detector', '--dry-run', '--dla-core', '0'), 1, 'a DLA computes in fp16'),
        (('scene_detector', '--dry-run', '--precision', 'fp16', '--dla-core', '0'), 0, ''),
    ],
)
def test_exit_codes(arguments, code, told):
    done = command(*arguments)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert 'Traceback' not in done.stderr


INTERRUPTED = """
import sys
import jetson_infer.cli.build as build
from jetson_infer.cli.main import main
from test_build_command import HERE
usual = build.run
build.run = lambda options: usual(options, build.Builder(lambda: HERE, 'fake_builder:endless'))
sys.exit(main(['build', sys.argv[1]]))
"""


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_ends_with_the_command(model, tmp_path, number):
    code = f'import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})\n{INTERRUPTED}'
    process = start(code, model)
    builds = model / 'tiny.builds'
    deadline = time.monotonic() + 60
    while not (builds.exists() and builds.read_text()):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child = int(builds.read_text())
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert 'the build was cancelled; nothing is left of it' in errors
    assert 'Traceback' not in errors
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert EngineCache().entries() == []


def status(state='building', seconds=5.0, **progress):
    known = BuildProgress(**progress, seconds=seconds) if progress else None
    return BuildStatus(state, seconds, known)


def test_a_line_is_printed_where_something_new_begins(capsys):
    view = PlainView('tiny', ExpectedTime(172.0, 'this engine took before'))
    view.show(status('starting', 0.0))
    for step in range(5):
        view.show(status(phases=('build', 'Timing'), step=step, steps=9))
    view.show(BuildStatus('done', 6.0))
    first, second = capsys.readouterr().err.splitlines()
    assert first == 'tiny: starting (0 s); expected about 2 min 52 s, as this engine took before'
    assert second == 'tiny: building (5 s): Timing, step 0 of 9'


def test_the_live_view_shows_phase_step_and_time():
    console = pytest.importorskip('rich.console')
    out = console.Console(force_terminal=True, width=120, record=True, file=io.StringIO())
    with LiveView('tiny fp16', ExpectedTime(172.0, 'x'), out) as view:
        for seen in (
            status(phases=('build', 'Computing [costs]'), step=3, steps=9),
            BuildStatus('waiting', 1.0, None, 'process 7, building'),
            status(phases=('build',), step=0, steps=0),
        ):
            view.show(seen)
            out.print(view.drawing())
    text = out.export_text()
    bar = '█' * 5 + '░' * 11
    assert f'{bar} Computing [costs] 3/9 (expected: about 2 min 52 s)' in text
    assert 'waiting for process 7, building' in text
    assert re.search(r'tiny fp16 0:00:0\d .*build \(expected', text)


def test_an_engine_that_lacks_the_precision_is_not_praised(model, capsys):
    build(model)
    (entry,) = EngineCache().entries()
    engine = entry.engine
    engine.build['precision'].update(counts={'fp32': 3}, above=['conv'])
    assert 'warning: fp16 was asked for and no layer has it' in built_text(engine, False)
    engine.build['precision'] = None
    assert 'precision     unknown' in built_text(engine, False)
