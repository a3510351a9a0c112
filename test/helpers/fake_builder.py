# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Builders of engines that need no TensorRT, and fail in every way that a real one can.

Each has the signature of :func:`jetson_infer.engines.tensorrt.builder.build_plan`, which a test
holds.  They run in the build process, which gets their names as ``fake_builder:function``.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from jetson_infer.engines.build_request import BuildRequest
from jetson_infer.engines.built_plan import BuildProgress, BuiltPlan
from jetson_infer.engines.engine_layers import EngineLayer, PrecisionFound
from jetson_infer.errors import EngineBuildError

VERSION = '10.3.0'
LAYERS = (
    EngineLayer('conv', 'CaskConvolution', 'fp16'),
    EngineLayer('softmax', 'SoftMax', 'fp32'),
    EngineLayer('copy', 'Reformat', ''),
)

Report = Callable[[BuildProgress], None]


def plan_of(request: BuildRequest) -> bytes:
    """Return the plan that :func:`build_plan` builds: always the same one for a file."""
    return b'plan of ' + request.onnx.read_bytes()[:1000] + request.precision.encode()


def build_plan(
    request: BuildRequest,
    report: Report = lambda progress: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> BuiltPlan:
    """Build at once, with the timings of earlier builds and one more."""
    count(request)
    known = b''
    if request.timing_cache is not None and request.timing_cache.exists():
        known = request.timing_cache.read_bytes()
    for step in range(3):
        report(BuildProgress(('build', 'Tactic timing'), step, 3, step / 10))
    logging.getLogger('jetson_infer.fake').debug('information of the builder')
    found = PrecisionFound.of(request.precision, LAYERS)
    timings = known + request.precision.encode() + b'\n'
    return BuiltPlan(plan_of(request), '', LAYERS, found, timings, 1.5, VERSION)


def count(request: BuildRequest) -> None:
    """Note beside the ONNX file that a build began, in which process."""
    with request.onnx.with_suffix('.builds').open('a') as stream:
        stream.write(f'{os.getpid()}\n')


def slow(request: BuildRequest, report: Report = lambda progress: None, cancelled=None):
    """Build until the file ``go`` lies beside the ONNX file."""
    report(BuildProgress(('build', 'Slow phase'), 1, 2, 0.0))
    go = request.onnx.with_name('go')
    while not go.exists():
        time.sleep(0.02)
    return build_plan(request, report)


def endless(request: BuildRequest, report: Report = lambda progress: None, cancelled=None):
    """Hang in C code, deaf to everything but what the kernel does."""
    count(request)
    report(BuildProgress(('build', 'Endless phase'), 0, 0, 0.0))
    ctypes.PyDLL(None).sleep(600)  # holds the interpreter: no thread of Python goes on


def stubborn(request: BuildRequest, report: Report = lambda progress: None, cancelled=None):
    """Hang, and ignore SIGTERM besides."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    endless(request, report)


def refuses(request: BuildRequest, report: Report = lambda progress: None, cancelled=None):
    """Fail as the builder does."""
    raise EngineBuildError('node 17 (Einsum "mix") is not supported')


def broken(request: BuildRequest, report: Report = lambda progress: None, cancelled=None):
    """Fail as our own defects do."""
    return {}['nothing']


def crashes(request: BuildRequest, report: Report = lambda progress: None, cancelled=None):
    """Say something and crash as C++ does."""
    os.write(2, b'assertion failed in tactic 0x42\n')
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)


def out_of_memory(request: BuildRequest, report: Report = lambda progress: None, cancelled=None):
    """End as the kernel ends what takes too much."""
    os.write(2, b'requested 3 GB\n')
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def leaves(request: BuildRequest, report: Report = lambda progress: None, cancelled=None):
    """End in the middle of it all, as if nothing were."""
    print('going home')
    sys.stdout.flush()
    os._exit(3)


def noisy(request: BuildRequest, report: Report = lambda progress: None, cancelled=None):
    """Print on standard output, from Python, from C and from a child, and build."""
    print('{"built": "from Python"}')
    sys.stdout.flush()
    os.write(1, b'{"error": "from C"}\n\xff\xfe\n')
    subprocess.run(['echo', 'from a child'], check=True)
    return build_plan(request, report)


def dies_after_all(request: BuildRequest, report: Report = lambda progress: None, cancelled=None):
    """Build, and crash when the interpreter ends, as libraries do."""
    import atexit

    atexit.register(lambda: os.kill(os.getpid(), signal.SIGSEGV))
    return build_plan(request, report)


def full_disk(request: BuildRequest, report: Report = lambda progress: None, cancelled=None):
    """Find no room, as any write may."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def other_version(request: BuildRequest, report: Report = lambda progress: None, cancelled=None):
    """Build with another TensorRT than the parent's."""
    built = build_plan(request, report)
    return BuiltPlan(**{**vars(built), 'tensorrt': '8.6.1'})


def changes_file(request: BuildRequest, report: Report = lambda progress: None, cancelled=None):
    """Build while somebody exports the network again."""
    built = build_plan(request, report)
    with Path(request.onnx).open('ab') as stream:
        stream.write(b'\x72\x00')  # an empty metadata entry
    return built
