# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor's view of a GPU, its libraries and the engines built for it, on invented machines."""

from dataclasses import replace

import pytest

import networks
from jetson_infer.cuda.kernels.nvcc import NvccCompiler
from jetson_infer.cuda.probe import FoundDevice
from jetson_infer.engines.build_target import FoundTarget
from jetson_infer.engines.engine_cache import EngineCache
from jetson_infer.engines.engine_order import order_engine
from jetson_infer.engines.models import load_model
from jetson_infer.errors import DeviceError, KernelError, MissingDependencyError
from jetson_infer.toolchain.doctor.built_engines import check_engines
from jetson_infer.toolchain.doctor.findings import NOTE, OK, WARNING
from jetson_infer.toolchain.doctor.gpu import GpuProbes, check_gpu

ORIN = FoundDevice(0, 'Orin', (8, 7), 16, 30 << 30, True, True, 'GPU-1', '12.6')
H200 = FoundDevice(0, 'NVIDIA H200', (9, 0), 132, 139 << 30, False, True, 'GPU-2', '12.8')
TARGET = FoundTarget('10.3.0', ORIN)


def raising(error):
    def probe():
        raise error

    return probe


def missing(module):
    return raising(MissingDependencyError(module, 'It', f'pip install {module}'))


ALL_THERE = GpuProbes(
    devices=lambda: (ORIN,),
    pycuda=lambda: 'PyCUDA 2026.1, built with CUDA 12.6',
    tensorrt=lambda: '10.3.0',
    bindings=lambda: object(),
    compilers=(),
)
NO_GPU = replace(ALL_THERE, devices=raising(DeviceError('no NVIDIA driver; install JetPack')))


def by_check(findings):
    return {finding.check: finding for finding in findings}


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


@pytest.fixture
def nvcc(tmp_path):
    """A compiler that answers as nvcc 12.6 does, as far as it is asked."""
    program = tmp_path / 'nvcc'
    program.write_text(
        '#!/bin/sh\ncase $1 in\n--version) echo "release 12.6, V12.6.68";;\n'
        '*) printf "sm_72\\nsm_87\\nsm_90\\n";;\nesac\n'
    )
    program.chmod(0o755)
    return lambda: NvccCompiler(program)


def test_a_machine_without_a_gpu_gets_a_note(tmp_path):
    (finding,) = check_gpu(NO_GPU, tmp_path)
    assert (finding.level, finding.check) == (NOTE, 'gpu.device')
    assert finding.what == ('no GPU, so networks run on the CPU: no NVIDIA driver; install JetPack')


def test_a_jetson_without_its_gpu_is_warned_of(tmp_path):
    (tmp_path / 'proc/device-tree').mkdir(parents=True)
    (tmp_path / 'proc/device-tree/model').write_text('NVIDIA Jetson Orin Nano\0')
    (finding,) = check_gpu(NO_GPU, tmp_path)
    assert finding.level == WARNING


def test_a_driver_that_counts_none(tmp_path):
    (finding,) = check_gpu(replace(ALL_THERE, devices=lambda: ()), tmp_path)
    assert finding.level == NOTE


def test_a_machine_that_has_all_of_it(nvcc):
    findings = by_check(check_gpu(replace(ALL_THERE, compilers=(nvcc,))))
    assert {finding.level for finding in findings.values()} == {OK}
    device = findings['gpu.device:0'].what
    assert device.startswith('Orin: compute capability 8.7, 16 multiprocessors, 30.0 GiB')
    assert 'which kernels read without copies' in device
    assert findings['gpu.tensorrt'].what == 'TensorRT 10.3.0'
    assert findings['gpu.kernels'].what == 'kernels are compiled by nvcc-12.6.68 for sm_87'
    (own,) = (f.what for f in check_gpu(replace(ALL_THERE, devices=lambda: (H200,)))[:1])
    assert 'its own; its driver runs CUDA up to 12.8' in own


@pytest.mark.parametrize(
    ('changes', 'check', 'told', 'remedy'),
    [
        ({'tensorrt': missing('tensorrt')}, 'gpu.tensorrt', 'run on the CPU', 'install tensorrt'),
        ({'pycuda': missing('pycuda')}, 'gpu.pycuda', 'nothing can use the GPU', 'pycuda'),
        ({'bindings': lambda: None}, 'gpu.graphs', 'no CUDA graphs', "'cuda-bindings==12.*'"),
        ({}, 'gpu.kernels', 'none are kept', '--architectures 8.7'),
    ],
)
def test_what_is_missing_comes_with_what_mends_it(nvcc, changes, check, told, remedy):
    compilers = () if check == 'gpu.kernels' else (nvcc,)
    findings = by_check(check_gpu(replace(ALL_THERE, **{'compilers': compilers, **changes})))
    finding = findings.pop(check)
    assert finding.level == WARNING
    assert told in finding.what
    assert remedy in finding.remedy
    assert {other.level for other in findings.values()} == {OK}


def test_compiled_kernels_do_where_there_is_no_compiler(root):
    (root / 'kernels').mkdir(parents=True)
    (root / 'kernels' / ('ab.nvcc-13.kernels')).write_bytes(b'x')
    compilers = (raising(KernelError('nvcc is not there')),)
    finding = by_check(check_gpu(replace(ALL_THERE, compilers=compilers)))['gpu.kernels']
    assert finding.level == NOTE
    assert 'nvcc is not there' in finding.what
    assert '1 compiled kernels lie in' in finding.what


@pytest.fixture
def models(tmp_path):
    networks.write_model(tmp_path / 'models' / 'tiny')
    return tmp_path / 'models'


def stored(models, cache, found=TARGET, **changes):
    model = load_model(models / 'tiny')
    order = order_engine(model, model.variant())
    key = order.key(replace(found.target, **changes))
    return cache.store(
        order.model, order.variant, key, b'a plan', {'at': '2026-11-20', 'seconds': 1}
    )


def test_an_engine_that_runs_here_is_well(models, root):
    cache = EngineCache(root)
    engine = stored(models, cache)
    findings = by_check(check_engines(TARGET, cache, [models]))
    assert [finding.level for finding in findings.values()] == [OK, OK]
    assert '1 engines' in findings['engines.cache'].what
    told = findings[f'engines.tiny/{engine.folder.name}'].what
    assert told.startswith('tiny, variant fp32, fp32, ')
    assert told.endswith('built 2026-11-20; runs here')


def test_engines_of_others_say_why_and_the_one_that_is_missing_how_to_build_it(models, root):
    cache = EngineCache(root)
    engine = stored(models, cache, tensorrt='8.6.1', gpu='NVIDIA H200')
    findings = by_check(check_engines(TARGET, cache, [models]))
    other = findings[f'engines.tiny/{engine.folder.name}']
    assert other.level == NOTE
    assert 'TensorRT: built for 8.6.1, wanted 10.3.0' in other.what
    assert 'NVIDIA H200' in other.what
    assert findings['engines.tiny'].level == NOTE
    assert findings['engines.tiny'].remedy.startswith('jetson-infer build')


def test_a_damaged_engine_is_warned_of(models, root):
    cache = EngineCache(root)
    engine = stored(models, cache)
    engine.plan.write_bytes(b'a plam')
    findings = by_check(check_engines(TARGET, cache, [models]))
    finding = findings[f'engines.tiny/{engine.folder.name}']
    assert finding.level == WARNING
    assert str(engine.folder) in finding.remedy


def test_where_nothing_runs_engines_they_are_listed_and_none_is_missed(models, root):
    cache = EngineCache(root)
    stored(models, cache)
    findings = check_engines(FoundTarget(None, None), cache, [models])
    assert [finding.level for finding in findings] == [OK, NOTE]
    assert 'for Orin and TensorRT 10.3.0; nothing here runs engines' in findings[1].what


def test_an_empty_cache_is_a_note_and_is_not_made(root):
    (finding,) = check_engines(FoundTarget(None, None), EngineCache(root))
    assert finding.level == NOTE
    assert not root.exists()
