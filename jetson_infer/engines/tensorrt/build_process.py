# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The process that builds one engine and ends.

A builder works for minutes within one call into TensorRT, takes gigabytes, and may crash.  In a
process of its own it can be stopped at any moment with every version, and takes nobody along.

On standard input comes one line of JSON, :class:`Task`.  On standard output go lines of JSON, each
with one of the keys ``progress``, ``built`` and ``error``.  What anything else prints goes to
standard error, which is the build's log.  The plan and its layers are files in the folder that the
task names.  The process ends with its parent.
"""

from __future__ import annotations

import ctypes
import faulthandler
import hashlib
import importlib
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from jetson_infer.engines.build_request import BuildRequest
from jetson_infer.engines.built_plan import BuildProgress, BuiltPlan
from jetson_infer.engines.cached_engine import LAYERS, PLAN
from jetson_infer.engines.durable_files import write_file
from jetson_infer.engines.file_failures import explained
from jetson_infer.errors import EngineBuildError, JetsonInferError

__all__ = ['BUILDER', 'TIMINGS', 'Task', 'main']

BUILDER = 'jetson_infer.engines.tensorrt.builder:build_plan'
TIMINGS = 'timings'
"""The file in the task's folder with the timing cache after the build."""

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_FIRST_TO_GO = '600'  # of 1000: the kernel out of memory takes this process before a robot's nodes
_TELL_EVERY_S = 0.05

Build = Callable[[BuildRequest, Callable[[BuildProgress], None]], BuiltPlan]


@dataclass(frozen=True)
class Task:
    """What the process is told.

    :param request: the engine to build, as :meth:`BuildRequest.to_json` writes it.
    :param folder: where the plan belongs.
    :param parent: the process that waits.
    :param builder: what builds: ``module:function``, called as :data:`Build`.
    """

    request: str
    folder: str
    parent: int
    builder: str = BUILDER


def main() -> int:
    """Build what standard input says, and return the exit status."""
    faulthandler.enable()
    tell = _Teller(_take_standard_output())
    task = Task(**json.loads(sys.stdin.buffer.readline()))
    _end_with(task.parent)
    _be_first_to_go()
    _log_to_standard_error()
    try:
        tell.message('built', _work(task, tell.progress))
    except JetsonInferError as error:
        logger.error('%s', error)
        tell.message('error', str(error))
        return 1
    except OSError as error:
        logger.exception('the build failed')
        tell.message('error', explained(error, Path(task.folder), 'the build failed'))
        return 1
    except Exception as error:
        logger.exception('the build failed')
        tell.message('error', f'the builder failed: {type(error).__name__}: {error}')
        return 1
    return 0


def _work(task: Task, report: Callable[[BuildProgress], None]) -> dict[str, Any]:
    """Build, write the files, and return what the parent is told."""
    request = BuildRequest.from_json(task.request)
    folder = Path(task.folder)
    built = _builder(task.builder)(request, report)
    write_file(folder / PLAN, built.plan)
    if built.layers:
        layers = [layer.to_json() for layer in built.layers]
        write_file(folder / LAYERS, json.dumps(layers, indent=1).encode())
    if built.timing_cache:
        write_file(folder / TIMINGS, built.timing_cache)
    return {
        'sha256': hashlib.sha256(built.plan).hexdigest(),
        'seconds': round(built.seconds, 3),
        'tensorrt': built.tensorrt,
        'precision': asdict(built.precision),
    }


def _builder(name: str) -> Build:
    module, _, function = name.partition(':')
    try:
        build: Build = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise EngineBuildError(f'there is no builder {name!r}: {error}') from error
    return build


class _Teller:
    """Writes lines of JSON for the parent; from any thread."""

    def __init__(self, channel: TextIO) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._next = 0.0
        self._stage: tuple[str, ...] = ()

    def message(self, kind: str, value: object) -> None:
        with self._lock:
            self._channel.write(json.dumps({kind: value}) + '\n')
            self._channel.flush()

    def progress(self, progress: BuildProgress) -> None:
        """Tell how far the build is, not more often than anybody can see."""
        now = time.monotonic()
        if now >= self._next or progress.phases[:1] != self._stage:
            self._next, self._stage = now + _TELL_EVERY_S, progress.phases[:1]
            self.message('progress', asdict(progress))


def _take_standard_output() -> TextIO:
    """Keep standard output for ourselves; what others print there joins standard error."""
    sys.stdout.flush()
    channel = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    os.dup2(2, 1)
    return channel


def _end_with(parent: int) -> None:
    """See to it that this process ends when its parent does, however that ends."""
    if sys.platform.startswith('linux'):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it has ended already, before it was to be told
        os.kill(os.getpid(), signal.SIGKILL)


def _be_first_to_go() -> None:
    try:
        Path('/proc/self/oom_score_adj').write_text(_FIRST_TO_GO)
    except OSError as error:
        logger.debug('oom_score_adj stays as it is: %s', error)


def _log_to_standard_error() -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format='%(asctime)s %(levelname)s %(message)s'
    )
    # What TensorRT calls information comes as DEBUG, and belongs into a build's log.
    logging.getLogger('jetson_infer').setLevel(logging.DEBUG)


if __name__ == '__main__':
    sys.exit(main())
