# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Run a program and leave nothing of it behind."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

LIMIT_S = 900.0
GRACE_S = 5.0
TIMED_OUT = 124
LEFT_PROCESSES = 125


def run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> int:
    """Run a program in a session of its own, and end whatever it started and left running.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        environment: Variables that it gets besides this process's.

    Returns:
        Its exit status; TIMED_OUT where it ran past LIMIT_S; LEFT_PROCESSES where it ended well but
        left processes running, which is a defect of what it tested.
    """
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **(environment or {})}, start_new_session=True
    )
    name = Path(command[0]).name
    try:
        status = process.wait(LIMIT_S)
    except subprocess.TimeoutExpired:
        print(f'{name}: not done after {LIMIT_S:.0f} s; it is ended', flush=True)
        status = TIMED_OUT
    except KeyboardInterrupt:
        # The session has no terminal, so Ctrl-C has reached this process alone.
        os.killpg(process.pid, signal.SIGINT)
        process.wait(GRACE_S)
        raise
    finally:
        left = end_group(process)
    if left and status == 0:
        print(f'{name}: processes were left running; they are ended', flush=True)
        status = LEFT_PROCESSES
    return status


def end_group(process: 'subprocess.Popen[bytes]') -> bool:
    """End all processes of a group, with SIGINT, then SIGKILL; tell whether there were any."""
    had_any = False
    deadline = time.monotonic() + GRACE_S
    sign = signal.SIGINT
    while True:
        collect(process)
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            return had_any
        had_any = True
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
