# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The parent's side of a build process: started, listened to, ended, and its death explained."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jetson_infer
from jetson_infer.engines.built_plan import BuildProgress
from jetson_infer.engines.tensorrt.build_process import Task
from jetson_infer.errors import EngineBuildError

__all__ = ['BuildCancelled', 'run_build', 'tail']

MODULE = 'jetson_infer.engines.tensorrt.build_process'
LOOK_EVERY_S = 0.1
POLITE_S, FORCED_S = 3.0, 10.0
"""How long the process has to end after SIGTERM, and after SIGKILL."""
LONGEST_LINE = 1 << 24  # bytes
TAIL_LINES, TAIL_BYTES = 8, 16384
_CRASH = 'Fatal Python error: '


class BuildCancelled(EngineBuildError):
    """A build that was ended because somebody asked for it."""


def run_build(
    task: Task,
    log: Path,
    progress: Callable[[BuildProgress], None],
    cancelled: Callable[[], bool],
) -> Mapping[str, Any]:
    """Run a build process to its end.

    To be called on a thread that lives as long: the kernel ends the process with the thread that
    started it.

    :param log: the file that gets what the process prints.
    :param progress: is told how far the build is.
    :param cancelled: asked ten times a second; true ends the process.
    :return: what the process says of the plan that it wrote.
    :raises EngineBuildError: if it ended without a plan, with the reason as far as it can be told.
    :raises BuildCancelled: if it was ended by ``cancelled``.
    """
    with log.open('ab', buffering=0) as stream:
        process = subprocess.Popen(
            [sys.executable, '-m', MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            env=_environment(),
            start_new_session=True,  # a terminal's Ctrl-C is for us, who then end the process
        )
        try:
            _hand_over(process, task)
            listener = _Listener(stream.write, progress)
            _listen(process, listener, cancelled)
        finally:
            _end(process)
    if listener.built is not None:
        return listener.built
    if listener.error is not None:
        raise EngineBuildError(listener.error)
    raise EngineBuildError(f'{_death(process.returncode)}{tail(log)}')


def tail(log: Path) -> str:
    """Return a log's last lines for the end of a message; empty if it has none."""
    try:
        text = log.read_bytes()[-TAIL_BYTES:].decode('utf-8', 'replace')
    except OSError:
        return ''
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    # What Python prints of its stacks when it crashes stays in the log; what came before tells why.
    crashes = [number for number, line in enumerate(lines) if line.startswith(_CRASH)]
    lines = lines[: crashes[0] if crashes else None][-TAIL_LINES:]
    return '. The last lines of its log:\n  ' + '\n  '.join(lines) if lines else ''


class _Listener:
    """Takes what the process writes apart: lines of the protocol, and noise for the log."""

    def __init__(
        self, noise: Callable[[bytes], object], progress: Callable[[BuildProgress], None]
    ) -> None:
        self._noise = noise
        self._progress = progress
        self._rest = b''
        self.built: Mapping[str, Any] | None = None
        self.error: str | None = None

    def feed(self, content: bytes) -> None:
        *lines, self._rest = (self._rest + content).split(b'\n')
        for line in lines:
            self._line(line)
        if len(self._rest) > LONGEST_LINE:
            self.end()

    def end(self) -> None:
        """Take what has no end of line as noise."""
        if self._rest:
            self._noise(self._rest + b'\n')
        self._rest = b''

    def _line(self, line: bytes) -> None:
        try:
            ((kind, value),) = json.loads(line).items()
            if kind == 'progress':
                progress = BuildProgress(**{**value, 'phases': tuple(value['phases'])})
                self._progress(progress)
            elif kind == 'built' and isinstance(value, dict):
                self.built = value
            elif kind == 'error' and isinstance(value, str):
                self.error = value
            else:
                self._noise(line + b'\n')
        except (ValueError, TypeError, KeyError, AttributeError):
            self._noise(line + b'\n')


def _environment() -> dict[str, str]:
    """Return our environment, with this package where the process finds it first."""
    package = str(Path(jetson_infer.__file__).parents[1])
    inherited = os.environ.get('PYTHONPATH')
    path = f'{package}{os.pathsep}{inherited}' if inherited else package
    return {**os.environ, 'PYTHONPATH': path, 'PYTHONUNBUFFERED': '1'}


def _hand_over(process: subprocess.Popen[bytes], task: Task) -> None:
    assert process.stdin is not None
    try:
        with process.stdin as stream:
            stream.write(json.dumps(asdict(task)).encode() + b'\n')
    except BrokenPipeError:
        return  # it has died already; what it said of that is read below


def _listen(
    process: subprocess.Popen[bytes], listener: _Listener, cancelled: Callable[[], bool]
) -> None:
    """Listen until the process has closed its output or ended."""
    assert process.stdout is not None
    output = process.stdout.fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            if cancelled():
                raise BuildCancelled('the build was cancelled')
            if selector.select(LOOK_EVERY_S):
                content = os.read(output, 1 << 16)
                listener.feed(content)
                if not content:
                    break
            elif process.poll() is not None:
                break
    listener.end()
    while process.poll() is None:  # it has said all it will say, and takes its engine down
        if cancelled():
            raise BuildCancelled('the build was cancelled')
        time.sleep(LOOK_EVERY_S / 10)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it has started, politely, then by force."""
    for number, patience in ((signal.SIGTERM, POLITE_S), (signal.SIGKILL, FORCED_S)):
        if process.poll() is not None:
            break
        _signal_group(process.pid, number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    if process.stdout is not None:
        process.stdout.close()
    if process.poll() is None:
        raise EngineBuildError(
            f'the build process {process.pid} does not end, though it was killed {FORCED_S:g} s '
            'ago: the driver holds it; nvidia-smi or dmesg may tell more'
        )


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _death(code: int) -> str:
    """Say how the process ended."""
    if code >= 0:
        return f'the build process ended with exit code {code} and without an engine'
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f'signal {-code}'
    if -code == signal.SIGKILL:
        return (
            'the build process was killed (SIGKILL), as the kernel does when memory runs out '
            '(sudo dmesg | grep -i oom tells): close other programs, add swap, or give layers less '
            'with --workspace-mb'
        )
    return f'the build process crashed ({name}), which is a defect of the builder or its libraries'
