# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Run a program and leave nothing of it behind."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

LIMIT_S = 900.0
GRACE_S = 5.0
LEAVING_S = 3.0
"""What ends by itself so soon after the program that started it was not left running."""

POLL_S = 0.2
TIMED_OUT = 124
LEFT_PROCESSES = 125

INTERRUPTED = threading.Event()
"""Set it to end what runs on other threads than the main one, which alone hears of Ctrl-C."""


def run(
    command: list[str],
    folder: Path,
    environment: dict[str, str] | None = None,
    output: IO[bytes] | None = None,
) -> int:
    """Run a program in a session of its own, and end whatever it started and left running.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        environment: Variables that it gets besides this process's.
        output: What gets all that it prints; None for where this process prints.

    Returns:
        Its exit status; TIMED_OUT where it ran past LIMIT_S; LEFT_PROCESSES where it ended well but
        left processes running, which is a defect of what it tested.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=True,
    )
    name = Path(command[0]).name
    try:
        status = wait(process, LIMIT_S)
        if status == TIMED_OUT:
            print(f'{name}: not done after {LIMIT_S:.0f} s; it is ended', flush=True)
    except KeyboardInterrupt:
        # The session has no terminal, so Ctrl-C has reached this process alone.
        os.killpg(process.pid, signal.SIGINT)
        process.wait(GRACE_S)
        raise
    finally:
        left = left_running(process)
        end_group(process)
    if left and status == 0:
        print(f'{name}: left running, and ended now: {"; ".join(left)}', flush=True)
        status = LEFT_PROCESSES
    return status


def wait(process: 'subprocess.Popen[bytes]', limit_s: float) -> int:
    """Wait for the end of a process and return its exit status; TIMED_OUT where it takes longer.

    Raises:
        KeyboardInterrupt: INTERRUPTED was set, or Ctrl-C was pressed.
    """
    deadline = time.monotonic() + limit_s
    while True:
        try:
            return process.wait(min(POLL_S, limit_s))
        except subprocess.TimeoutExpired:
            if INTERRUPTED.is_set():
                raise KeyboardInterrupt from None
            if time.monotonic() > deadline:
                return TIMED_OUT


def left_running(process: 'subprocess.Popen[bytes]') -> list[str]:
    """Return the command lines of a group's processes that do not end by themselves soon."""
    deadline = time.monotonic() + LEAVING_S
    while True:
        collect(process)
        left = [command for command in map(command_of, members(process.pid)) if command]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def members(group: int) -> list[int]:
    """Return the processes of a group that have not ended."""
    found = []
    for folder in Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):
            # After the name, which may hold anything: state, parent, group.
            state, _, its_group = (folder / 'stat').read_text().rpartition(')')[2].split()[:3]
            if int(its_group) == group and state not in 'ZX':
                found.append(int(folder.name))
    return found


def command_of(pid: int) -> str:
    """Return a process's command line; empty if it has ended."""
    try:
        return Path(f'/proc/{pid}/cmdline').read_bytes().replace(b'\0', b' ').decode().strip()
    except OSError:
        return ''


def end_group(process: 'subprocess.Popen[bytes]') -> None:
    """End all processes of a group, with SIGINT, then SIGKILL."""
    deadline = time.monotonic() + GRACE_S
    sign = signal.SIGINT
    while True:
        collect(process)
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            return
        if time.monotonic() > deadline:
            sign = signal.SIGKILL
        time.sleep(0.2)


def collect(process: 'subprocess.Popen[bytes]') -> None:
    """Bury who has ended, or they would count as members of the group for ever.

    Grandchildren come to this process where it has declared itself their reaper.
    """
    if process.poll() is None:
        return
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-process.pid, os.WNOHANG)[0]:
            pass
