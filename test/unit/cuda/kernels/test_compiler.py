# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Finding a compiler, keeping what it made, and saying what is missing."""

import logging
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jetson_infer.cuda.kernels import nvcc
from jetson_infer.cuda.kernels.backend import Compiler, target_of
from jetson_infer.cuda.kernels.compiler import COMPILERS, compile_kernels
from jetson_infer.cuda.kernels.kernel_cache import KernelCache, digest_of
from jetson_infer.cuda.kernels.nvcc import open_nvcc
from jetson_infer.cuda.kernels.nvrtc import NvrtcCompiler, open_nvrtc
from jetson_infer.cuda.kernels.program import options_of, read_source
from jetson_infer.errors import KernelError

SOURCE = 'extern "C" __global__ void nothing() {}'
ORIN = (8, 7)


class Recorder(Compiler):
    """A compiler that notes what it was asked for; its product names that."""

    def __init__(self, identity='recorder-1', architectures=(72, 87, 90)):
        self._identity = identity
        self._architectures = architectures
        self.asked = []

    @property
    def identity(self):
        return self._identity

    def architectures(self):
        return self._architectures

    def compile(self, source, options, target, name):
        self.asked.append((source, tuple(options), target))
        return f'{self._identity} {target} {len(self.asked)}'.encode()


def absent():
    raise KernelError('it is not installed')


def failing():
    compiler = Recorder('failing-1')
    compiler.compile = lambda *_: (_ for _ in ()).throw(KernelError('line 7: no such thing'))
    return compiler


def made(compiler, cache, source=SOURCE, options=(), architecture=ORIN):
    opener = compiler if callable(compiler) else lambda: compiler
    return compile_kernels(source, options, architecture, 'x.cu', (opener,), cache)


@pytest.fixture
def cache(tmp_path):
    return KernelCache(tmp_path / 'kernels')


def files(tmp_path):
    return list((tmp_path / 'kernels').iterdir())


def test_what_was_compiled_is_found_again(cache):
    compiler = Recorder()
    assert made(compiler, cache) == made(compiler, cache) == b'recorder-1 sm_87 1'
    assert len(compiler.asked) == 1


def test_whatever_makes_a_difference_is_compiled_anew(cache):
    compiler = Recorder()
    made(compiler, cache)
    made(compiler, cache, source=SOURCE + ' ')
    made(compiler, cache, options=('-DTARGET=1',))
    made(compiler, cache, options=('-DTARGET=', '1'))
    made(compiler, cache, architecture=(9, 0))
    newer = Recorder('recorder-2')
    made(newer, cache)
    assert len(compiler.asked) == 5
    assert len(newer.asked) == 1


def test_the_next_compiler_is_asked_where_one_is_not_there(cache):
    compiler = Recorder()
    image = compile_kernels(SOURCE, (), ORIN, 'x.cu', (absent, lambda: compiler), cache)
    assert image == b'recorder-1 sm_87 1'


def test_the_next_compiler_is_asked_where_one_is_too_new_for_the_gpu(cache):
    newer = Recorder('newer-13', architectures=(75, 87))
    older = Recorder('older-12')
    image = compile_kernels(SOURCE, (), (7, 2), 'x.cu', (lambda: newer, lambda: older), cache)
    assert image == b'older-12 sm_72 1'
    assert not newer.asked


def test_without_a_compiler_a_person_is_told_what_to_install(cache):
    with pytest.raises(KernelError) as caught:
        made(absent, cache)
    text = str(caught.value)
    assert 'x.cu for compute capability 8.7 cannot be compiled: it is not installed' in text
    assert 'pip install cuda-bindings nvidia-cuda-nvrtc-cu12' in text
    assert 'apt install cuda-nvcc-12-6' in text


def test_a_compiler_that_fails_is_quoted(cache):
    with pytest.raises(KernelError, match='line 7: no such thing') as caught:
        made(failing, cache)
    assert 'pip install' not in str(caught.value)


def test_what_was_compiled_before_runs_without_a_compiler(cache):
    made(Recorder('older-11'), cache)
    image = made(Recorder('newer-12'), cache)
    folder = cache._folder
    for path in folder.iterdir():
        os.utime(path, (1, 2 if 'newer' in path.name else 1))
    assert made(absent, cache) == image


def test_a_compiler_that_fails_is_not_covered_up_by_the_cache(cache):
    made(Recorder(), cache)
    with pytest.raises(KernelError, match='line 7'):
        made(failing, cache)


def test_a_gpu_newer_than_the_compiler_gets_ptx():
    assert target_of(Recorder(), (8, 7)) == 'sm_87'
    assert target_of(Recorder(), (12, 1)) == 'compute_90'
    assert target_of(Recorder(), (8, 9)) == 'compute_87'
    with pytest.raises(
        KernelError, match=r'compute capability 7\.2 and later, and this GPU has 5\.3'
    ):
        target_of(Recorder(), (5, 3))


DAMAGE = {
    'truncated': lambda content: content[:-1],
    'cut to its head': lambda content: content[: len(content) - len(b'recorder-1 sm_87 1')],
    'empty': lambda content: b'',
    'foreign': lambda content: b'\x7fELF' + content,
    'with a flipped bit': lambda content: content[:-3] + bytes([content[-3] ^ 1]) + content[-2:],
    'longer': lambda content: content + b'\0',
}


@pytest.mark.parametrize('damage', DAMAGE)
def test_a_damaged_entry_is_compiled_again(cache, tmp_path, damage, caplog):
    made(Recorder(), cache)
    (path,) = files(tmp_path)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    compiler = Recorder()
    with caplog.at_level(logging.WARNING):
        assert made(compiler, cache) == b'recorder-1 sm_87 1'
    assert len(compiler.asked) == 1
    assert 'truncated or foreign' in caplog.text
    assert made(compiler, cache) == b'recorder-1 sm_87 1'
    assert len(compiler.asked) == 1


def test_an_entry_under_another_ones_name_is_compiled_again(cache, tmp_path):
    made(Recorder(), cache, options=('-DOTHER=1',))
    (path,) = files(tmp_path)
    path.rename(path.with_name(f'{digest_of(SOURCE, (), ORIN)}.recorder-1.kernels'))
    compiler = Recorder()
    made(compiler, cache)
    assert len(compiler.asked) == 1


def test_a_damaged_entry_is_not_run_without_a_compiler(cache, tmp_path):
    made(Recorder(), cache)
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(KernelError, match='it is not installed'):
        made(absent, cache)


def test_a_folder_that_cannot_be_written_is_not_fatal(tmp_path, caplog):
    blocked = tmp_path / 'kernels'
    blocked.write_text('a file where the folder would be')
    with caplog.at_level(logging.WARNING):
        assert made(Recorder(), KernelCache(blocked)) == b'recorder-1 sm_87 1'
    assert 'compiled again at the next start' in caplog.text
    assert 'JETSON_INFER_CACHE' in caplog.text


def test_an_entry_that_cannot_be_read_is_compiled_again(cache, tmp_path, caplog):
    made(Recorder(), cache)
    (path,) = files(tmp_path)
    path.unlink()
    path.mkdir()
    with caplog.at_level(logging.WARNING):
        assert made(Recorder(), cache) == b'recorder-1 sm_87 1'
    assert 'cannot be read' in caplog.text
    assert [entry.name for entry in files(tmp_path)] == [path.name]  # no half-written file is left


def test_many_at_once_find_whole_entries(cache):
    compiler = Recorder()
    images = []
    threads = [
        threading.Thread(target=lambda: images.extend(made(compiler, cache) for _ in range(30)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(images) == 120
    assert all(image.startswith(b'recorder-1 sm_87') for image in images)


def test_the_environment_says_where_kernels_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path))
    compiler = Recorder()
    compile_kernels(SOURCE, (), ORIN, 'x.cu', (lambda: compiler,))
    assert len(files(tmp_path)) == 1


def test_a_source_is_one_text_that_compilers_can_quote():
    text = read_source('preprocess.cu')
    assert '#include' not in text
    lines = text.splitlines()
    original = (Path(nvcc.__file__).parent / 'preprocess.cu').read_text().splitlines()
    first, *_, last = (i for i, line in enumerate(lines) if line.startswith('#line'))
    assert lines[first] == '#line 1 "preprocess.cu"'
    assert lines[last].endswith(' "preprocess.cu"')
    number = int(lines[last].split()[1])
    assert lines[last + 1 :] == original[number - 1 :]


def test_sources_are_installed_with_the_package(tmp_path):
    pytest.importorskip('setuptools')
    root = Path(__file__).resolve().parents[4]
    subprocess.run(
        [sys.executable, 'setup.py', '--quiet', 'build', f'--build-base={tmp_path / "build"}',
         'build_py', f'--build-lib={tmp_path / "lib"}', 'egg_info', f'--egg-base={tmp_path}'],
        cwd=root, check=True, capture_output=True,
    )  # fmt: skip
    folder = 'jetson_infer/cuda/kernels'
    sources = {path.name for path in (root / folder).glob('*.cu*')}
    assert {'preprocess.cu', 'candidates.cu', 'portable.cuh'} <= sources
    assert {path.name for path in (tmp_path / 'lib' / folder).glob('*.cu*')} == sources


@pytest.mark.parametrize('opener', COMPILERS, ids=lambda opener: opener.__name__)
def test_a_real_compiler_takes_the_kernels_for_its_oldest_and_newest_gpu(opener):
    try:
        compiler = opener()
    except KernelError as error:
        pytest.skip(str(error))
    known = [number for number in compiler.architectures() if number >= 72]
    for source, options in (
        ('candidates.cu', ()),
        ('detections.cu', ()),
        ('preprocess.cu', options_of({'TARGET': 1, 'COLOUR': 0, 'PLANAR': 1})),
    ):
        for target in (f'sm_{min(known)}', f'sm_{max(known)}', f'compute_{max(known)}'):
            image = compiler.compile(read_source(source), options, target, source)
            assert image.startswith(b'\x7fELF' if target.startswith('sm_') else b'//')
            assert target.startswith('sm_') or image.endswith(b'\0')


# --- nvcc: a program that answers as it does ------------------------------------------------------

SCRIPT = """#!/bin/sh
case "$1" in
  --version) echo 'Cuda compilation tools, release 12.6, V12.6.68'; exit 0;;
  --list-gpu-code) printf 'sm_72\\nsm_87\\nsm_90a\\nsm_121\\n'; exit 0;;
esac
{body}
"""
COPIES = """
kept=
while [ "$1" != -o ]; do kept="$kept$1 "; shift; done
printf '%s' "$kept" > "$2"
cat "$3" >> "$2"
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    for name in ('CUDA_HOME', 'CUDA_PATH'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(nvcc, '_USUAL_FOLDER', tmp_path / 'usual')
    monkeypatch.setenv('PATH', '/usr/bin:/bin')

    def write(folder, body=COPIES, script=SCRIPT):
        path = tmp_path / folder / 'nvcc'
        path.parent.mkdir(parents=True)
        path.write_text(script.replace('{body}', body))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path.parent

    return write


def test_nvcc_compiles_for_an_architecture(program):
    program('usual')
    compiler = open_nvcc()
    assert compiler.identity == 'nvcc-12.6.68'
    assert compiler.architectures() == [72, 87, 121]
    result = compiler.compile(SOURCE, ['-DTARGET=1'], 'sm_87', 'x.cu')
    assert result == b'-cubin -arch=sm_87 -std=c++17 -DTARGET=1 ' + SOURCE.encode()
    text = compiler.compile(SOURCE, [], 'compute_90', 'x.cu')
    assert text == b'-ptx -arch=compute_90 -std=c++17 ' + SOURCE.encode() + b'\0'


@pytest.mark.parametrize('variable', ['PATH', 'CUDA_HOME', 'CUDA_PATH'])
def test_nvcc_is_found_where_people_have_it(program, monkeypatch, variable):
    folder = program('cuda/bin')
    value = f'{os.environ["PATH"]}:{folder}' if variable == 'PATH' else str(folder.parent)
    monkeypatch.setenv(variable, value)
    assert open_nvcc().identity == 'nvcc-12.6.68'


def test_a_machine_without_nvcc_says_where_it_looked(program):
    with pytest.raises(KernelError, match=r'nvcc is neither on the PATH nor in .*usual'):
        open_nvcc()


def test_the_log_of_nvcc_is_quoted(program):
    program('usual', 'echo "x.cu(3): error: no" >&2; exit 2')
    with pytest.raises(KernelError, match=r'failed with status 2:\nx\.cu\(3\): error: no'):
        open_nvcc().compile(SOURCE, [], 'sm_87', 'x.cu')


def test_an_nvcc_that_answers_nothing_is_none(program):
    program('usual', script='#!/bin/sh\necho hello\n')
    with pytest.raises(KernelError, match='has a version: hello'):
        open_nvcc()


# --- NVRTC ----------------------------------------------------------------------------------------


def test_without_nvrtc_a_person_is_told(monkeypatch):
    for module in ('cuda', 'cuda.bindings', 'cuda.bindings.nvrtc'):
        monkeypatch.setitem(sys.modules, module, None)  # as Python marks what is not there
    with pytest.raises(KernelError, match='pip install cuda-bindings'):
        open_nvrtc()


def test_bindings_without_their_library_are_no_nvrtc():
    class Api:
        @staticmethod
        def nvrtcVersion():  # noqa: N802 (NVIDIA's name)
            raise RuntimeError('Failed to dlopen libnvrtc.so.12')

    with pytest.raises(KernelError, match='NVRTC library cannot be loaded: Failed to dlopen'):
        NvrtcCompiler(Api)
