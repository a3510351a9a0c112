# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Every use of TensorRT held against the real binding modules of all supported versions.

The real module is described as a type stub, and mypy checks the package's code against it: every
attribute, enumeration, parameter and type that is used exists in that version, or stands behind a
question for it. That a missing question is seen is shown by taking each one out.
"""

import ast
import enum
import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fake_tensorrt
from fake_tensorrt_builder import add_builder
from jetson_infer.engines.tensorrt import builder_config, types
from tensorrt_contract.bindings import ROOT, VERSIONS, WHERE, NoBindings, open_bindings

pytest.importorskip('mypy')
ROOM = Path('jetson_infer') / 'engines' / 'tensorrt'
SOURCES = sorted((ROOT / ROOM).glob('*.py'))
SETTINGS = """\
[mypy]
python_version = 3.10
check_untyped_defs = True
ignore_missing_imports = True
follow_imports = silent
"""


@pytest.fixture(scope='module')
def bindings(tmp_path_factory):
    """Each version's module by its version; skips where it is not here."""
    opened = {}

    def of(version: str):
        if version not in opened:
            try:
                opened[version] = open_bindings(version, tmp_path_factory.mktemp('libraries'))
            except NoBindings as reason:
                opened[version] = reason
        if isinstance(opened[version], NoBindings):
            pytest.skip(str(opened[version]))
        return opened[version]

    return of


@pytest.fixture(scope='module')
def stubs(bindings, tmp_path_factory):
    """Each version's type stub."""
    written = {}

    def of(version: str) -> Path:
        if version not in written:
            written[version] = bindings(version).write_stub(tmp_path_factory.mktemp('stub'))
        return written[version]

    return of


def errors(stub: Path, package: Path, version: str) -> list[str]:
    """What mypy says of the room, as ``file:line: text``, with the package in a folder."""
    settings = stub.parent / 'mypy.ini'
    settings.write_text(SETTINGS)
    result = subprocess.run(
        [
            sys.executable, '-m', 'mypy', '--config-file', str(settings),
            '--cache-dir', str(WHERE / version / 'mypy'), '--no-error-summary', str(ROOM),
        ],
        cwd=package, capture_output=True, text=True, check=False, timeout=110,
        env={'MYPYPATH': str(stub.parents[1]), 'PATH': '/usr/bin:/bin'},
    )  # fmt: skip
    assert result.returncode in (0, 1), result.stdout + result.stderr
    assert not result.stderr
    assert '[syntax]' not in result.stdout, result.stdout
    lines = [line for line in result.stdout.splitlines() if ': error: ' in line]
    return [line.replace(': error', '') for line in lines if line.startswith(str(ROOM))]


@pytest.mark.parametrize('version', VERSIONS)
def test_everything_used_is_there_or_asked_for(stubs, version):
    assert errors(stubs(version), ROOT, version) == []


def test_the_check_sees_what_is_wrong(stubs, tmp_path):
    copy = copied_package(tmp_path)
    (copy / ROOM / 'wrong.py').write_text(
        'import tensorrt as trt\n'
        'def f(builder: trt.Builder, context: trt.IExecutionContext) -> None:\n'
        '    builder.create_network("0")\n'
        '    context.set_tensor_address("x")\n'
        '    context.execute_async_v2([], 0)\n'
        '    trt.BuilderFlag.FASTER\n'
        '    builder.error_recorder = 1\n'
        '    trt.Networks\n'
    )
    found = errors(stubs('10.3.0'), copy, '10.3.0')
    assert [int(line.split(':')[1]) for line in found] == [3, 4, 5, 6, 7, 8]


def questions() -> list[tuple[Path, ast.Call, str]]:
    """Every ``hasattr`` of the room, with the name that it asks for."""
    found = []
    for path in SOURCES:
        found += [
            (path, node, node.args[1].value)
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'hasattr'
        ]
    return found


def members_asked_for() -> set[str]:
    """The names of members of enumerations that are asked for, in calls and in tables."""
    literal = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, 'id', '') in (
                'member',
                '_set_flag',
            ):
                literal |= {a.value for a in node.args if isinstance(a, ast.Constant)} - {True}
    tables = {name for names in builder_config.FLAGS.values() for name in names}
    return literal | tables | {*builder_config.EXTERNAL_TACTICS} | {*types._DTYPES}


def copied_package(folder: Path) -> Path:
    shutil.copytree(
        ROOT / 'jetson_infer', folder / 'jetson_infer', ignore=shutil.ignore_patterns('__pycache__')
    )
    return folder


def defines(stub: Path, name: str) -> bool:
    """Whether a version's module has a class, an attribute or a member of that name."""
    return bool(re.search(rf'\b(class|def) {name}\b|^\s*{name}\b[:=]', stub.read_text(), re.M))


@pytest.mark.parametrize('name', sorted({name for _, _, name in questions()}))
def test_a_question_can_be_answered_either_way(stubs, name):
    answers = {version: defines(stubs(version), name) for version in VERSIONS}
    assert set(answers.values()) == {True, False}, answers


@pytest.mark.parametrize('name', sorted(members_asked_for()))
def test_a_member_that_is_asked_for_exists_somewhere(stubs, name):
    assert any(defines(stubs(version), name) for version in VERSIONS)


@pytest.mark.parametrize(
    ('path', 'call', 'name'), questions(), ids=lambda value: value if type(value) is str else ''
)
def test_without_a_question_the_check_fails(stubs, tmp_path, path, call, name):
    lacking = [version for version in VERSIONS if not defines(stubs(version), name)]
    copy = copied_package(tmp_path)
    target = copy / path.relative_to(ROOT)
    tree = ast.parse(target.read_text())
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            for place, item in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(item, ast.Call) and ast.dump(item) == ast.dump(call):
                    if isinstance(value, list):
                        value[place] = ast.Constant(True)
                    else:
                        setattr(node, field, ast.Constant(True))
    target.write_text(ast.unparse(ast.fix_missing_locations(tree)))
    found = [error for version in lacking for error in errors(stubs(version), copy, version)]
    assert any(f'"{name}"' in error for error in found), found


BRIDGES = """
import json
from jetson_infer.engines.tensorrt import error_recorder, layer_profiler, log, progress
from jetson_infer.engines.tensorrt.api import trt

messages = log.MessageLog()
logger = log.open_logger(log.MessageLog())
assert log.open_logger(messages) is logger
trt.ILogger.log(logger, trt.ILogger.Severity.ERROR, 'one')
stack = error_recorder.ErrorStack()
recorder = error_recorder.open_recorder(stack)
# Called by the base class, whose methods go through C++, as TensorRT does: a method that we call
# otherwise than TensorRT looks it up is a pure virtual function there.
base = trt.IErrorRecorder
fatal = base.report_error(recorder, trt.ErrorCodeTRT.INVALID_ARGUMENT, 'two')
told = [base.num_errors(recorder), base.get_error_code(recorder, 0).name]
told += [base.get_error_desc(recorder, 0), base.get_error_code(recorder, 1).name]
told += [base.get_error_desc(recorder, 1), base.has_overflowed(recorder), fatal]
base.clear(recorder)
told.append(base.num_errors(recorder))
samples = []
profiler = layer_profiler.open_profiler(samples.append)
assert isinstance(profiler, trt.IProfiler)
trt.IProfiler.report_layer_time(profiler, 'conv', 0.5)
told.append(list(samples[0]))

class Config:
    progress_monitor = None

steps, config = [], Config()
tracker = progress.PhaseTracker(lambda p: steps.append([list(p.phases), p.step, p.steps]),
                                lambda: len(steps) > 4)
attached = progress.attach_monitor(config, tracker)
if attached:
    tracker.enter('build')
    monitor = config.progress_monitor
    assert isinstance(monitor, trt.IProgressMonitor)
    base = trt.IProgressMonitor
    base.phase_start(monitor, 'Tactics', None, 3)
    going = [base.step_complete(monitor, 'Tactics', 0)]
    base.phase_start(monitor, 'Timing', 'Tactics', 2)
    going.append(base.step_complete(monitor, 'Timing', 0))
    base.phase_finish(monitor, 'Timing')
    steps.append(going)
print(json.dumps([list(messages.lines[0]), told, attached, steps]))
"""


@pytest.mark.parametrize('version', VERSIONS)
def test_what_tensorrt_calls_back_works(bindings, version):
    line, errors_told, attached, steps = bindings(version).run_text(BRIDGES)
    assert line == ['ERROR', 'one']
    assert errors_told == [
        1, 'INVALID_ARGUMENT', 'two', 'UNSPECIFIED_ERROR', '', False, False, 0, ['conv', 0.5],
    ]  # fmt: skip
    assert attached is (version != '8.6.1')
    if attached:
        assert steps == [
            [['build'], 0, 0],
            [['build', 'Tactics'], 0, 3],
            [['build', 'Tactics'], 1, 3],
            [['build', 'Tactics', 'Timing'], 0, 2],
            [['build', 'Tactics', 'Timing'], 1, 2],
            [['build', 'Tactics'], 1, 3],
            [True, False],
        ]


PLUGINS = """
import json
from jetson_infer.engines.tensorrt import log, plugins

plugins.register_plugins(log.open_logger(log.MessageLog()))
print(json.dumps('asked'))
"""


@pytest.mark.parametrize('version', VERSIONS)
def test_plugins_are_asked_for_as_each_version_wants_it(bindings, version):
    assert bindings(version).run_text(PLUGINS) == 'asked'


ANSWERS = """
import json
from jetson_infer.engines.tensorrt import strong_typing
from jetson_infer.engines.tensorrt.api import member, member_name, names_of, trt, version
from jetson_infer.errors import EngineBuildError

def flags(strongly_typed):
    try:
        return strong_typing.creation_flags(strongly_typed)
    except EngineBuildError:
        return 'refused'

print(json.dumps({
    'version': version(),
    'weak': flags(False),
    'strong': flags(True),
    'precision flags': [n for n in ('FP16', 'INT8') if member(trt.BuilderFlag, n) is not None],
    'constraints': member(trt.BuilderFlag, 'OBEY_PRECISION_CONSTRAINTS') is not None,
    'external tactics': [n for n in ('CUBLAS', 'CUBLAS_LT', 'CUDNN')
                         if member(trt.TacticSource, n) is not None],
    'profile sharing': member(trt.PreviewFeature, 'PROFILE_SHARING_0806') is not None,
    'layers keep a precision': hasattr(trt.ILayer, 'precision'),
    'errors tell the node': hasattr(trt.ParserError, 'node_name'),
    'scratch by strategy': hasattr(trt, 'ExecutionContextAllocationStrategy'),
    'types': names_of(trt.DataType),
    'a code of the parser': member_name(trt.ErrorCode.UNSUPPORTED_NODE),
    'a severity': member_name(trt.ILogger.Severity.WARNING),
}))
"""
WEAK = {
    'precision flags': ['FP16', 'INT8'],
    'constraints': True,
    'external tactics': [*builder_config.EXTERNAL_TACTICS],
    'profile sharing': True,
    'layers keep a precision': True,
}
SINCE_10 = {'errors tell the node': True, 'scratch by strategy': True}
EXPECTED = {
    '8.6.1': {
        **WEAK, 'weak': [1, False], 'strong': 'refused', 'errors tell the node': False,
        'scratch by strategy': False, 'no numpy type': ['FP8'],
    },
    '10.3.0': {
        **WEAK, **SINCE_10, 'weak': [1, False], 'strong': [3, True],
        'no numpy type': ['BF16', 'FP8', 'INT4'],
    },
    '10.13.3.9': {
        **WEAK, **SINCE_10, 'weak': [1, False], 'strong': [3, True],
        'no numpy type': ['BF16', 'E8M0', 'FP4', 'FP8', 'INT4'],
    },
    '11.4.0.106': {
        **SINCE_10, 'weak': [0, True], 'strong': [0, True], 'precision flags': [],
        'constraints': False, 'external tactics': [], 'profile sharing': False,
        'layers keep a precision': False, 'no numpy type': ['BF16', 'E8M0', 'FP4', 'FP8', 'INT4'],
    },
}  # fmt: skip


@pytest.mark.parametrize('version', VERSIONS)
def test_what_each_version_answers(bindings, version):
    answers = bindings(version).run_text(ANSWERS)
    named = [answers.pop(which) for which in ('a code of the parser', 'a severity')]
    assert named == ['UNSUPPORTED_NODE', 'WARNING']
    answers['no numpy type'] = sorted(set(answers.pop('types')) - set(types._DTYPES))
    assert answers == {'version': version, **EXPECTED[version]}


def described_class(stub: Path, name: str) -> dict[str, list[list[str]]]:
    """The members of a class in a stub, each with the names of its parameters, overload by one."""
    tree = ast.parse(stub.read_text())
    found: dict[str, list[list[str]]] = {}
    for cls in ast.walk(tree):
        if isinstance(cls, ast.ClassDef) and cls.name == name:
            for node in cls.body:
                if isinstance(node, ast.FunctionDef):
                    found.setdefault(node.name, []).append([a.arg for a in node.args.args[1:]])
                elif isinstance(node, ast.AnnAssign):
                    found.setdefault(node.target.id, [])
                elif isinstance(node, ast.ClassDef):
                    found.setdefault(node.name, [])
    return found


@pytest.mark.parametrize('version', VERSIONS)
def test_the_stand_in_has_nothing_that_the_real_module_lacks(stubs, version, monkeypatch):
    fake = add_builder(fake_tensorrt.fake_module(version, monkeypatch), monkeypatch)
    for name, cls in vars(fake).items():
        if not isinstance(cls, type):
            continue
        real = described_class(stubs(version), name)
        assert real, f'TensorRT {version} has no class {name}'
        own = cls.__members__ if issubclass(cls, enum.Enum) else vars(cls)
        for member, value in own.items():
            if member.startswith('_'):
                continue
            assert member in real, f'TensorRT {version} has no {name}.{member}'
            if inspect.isfunction(value):
                parameters = list(inspect.signature(value).parameters)[1:]
                assert any(parameters == given[: len(parameters)] for given in real[member]), (
                    f'TensorRT {version} knows {name}.{member} with {real[member]}'
                )
