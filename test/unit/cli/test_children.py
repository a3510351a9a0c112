# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A process group is begun and ended whole, whatever its members do about it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from jetson_infer.cli.children import ProcessGroup

IDLE = 'import time\ntime.sleep(60)'
STUBBORN = (
    'import signal, time\n'
    'signal.signal(signal.SIGINT, signal.SIG_IGN)\n'
    'signal.signal(signal.SIGTERM, signal.SIG_IGN)\n'
    'print("ready", flush=True)\n'
    'time.sleep(60)'
)


def parent_of(*children, ignore=False):
    """Return a program that starts others, tells their numbers, and waits."""
    return (
        'import signal, subprocess, sys, time\n'
        + ('signal.signal(signal.SIGINT, signal.SIG_IGN)\n' if ignore else '')
        + f'made = [subprocess.Popen([sys.executable, "-c", c]) for c in {list(children)!r}]\n'
        'print(*(p.pid for p in made), flush=True)\n'
        'time.sleep(60)'
    )


def wait_for(condition, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return result


def exists(number):
    """Tell whether there is such a process, dead and unburied ones included."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def log(tmp_path):
    return tmp_path / 'log.txt'


def start(code, log):
    return ProcessGroup([sys.executable, '-c', code], os.environ, log)


def test_the_output_goes_into_the_log_and_the_code_is_told(log):
    group = start('import sys\nprint("out")\nprint("err", file=sys.stderr)\nsys.exit(7)', log)
    assert group.wait(10.0) == 7
    assert group.exit_code == 7
    group.end()
    group.end()
    assert set(log.read_text().split()) == {'out', 'err'}


def test_waiting_ends_after_its_time(log):
    with start(IDLE, log) as group:
        assert group.wait(0.05) is None
        assert group.exit_code is None


@pytest.mark.parametrize(
    ('code', 'limit_s'),
    [
        (parent_of(IDLE, IDLE), 1.0),
        (parent_of(STUBBORN, IDLE), 3.0),
        (parent_of(STUBBORN, STUBBORN, ignore=True), 3.0),
    ],
    ids=['willing', 'stubborn child', 'all stubborn'],
)
def test_all_of_the_group_end_in_time_and_are_buried(log, code, limit_s):
    with start(code, log) as group:
        children = wait_for(
            lambda: [int(word) for word in log.read_text().split() if word.isdigit()]
        )
        if STUBBORN in code:
            wait_for(lambda: 'ready' in log.read_text())
        begin = time.monotonic()
        group.end()
        assert time.monotonic() - begin < limit_s
    for number in children:
        assert not exists(number)


def test_children_left_by_a_parent_that_died_are_ended(log):
    code = parent_of(IDLE).replace('time.sleep(60)', 'import os; os._exit(3)')
    with start(code, log) as group:
        assert group.wait(10.0) == 3
        children = [int(word) for word in log.read_text().split()]
        assert all(exists(number) for number in children)
    assert not any(exists(number) for number in children)


def test_a_second_interrupt_leaves_nothing_behind(log, tmp_path):
    """Two quick Ctrl-C: the first ends the group, the second must not end the ending."""
    outer = (
        'import os, sys\n'
        'from pathlib import Path\n'
        'from jetson_infer.cli.children import ProcessGroup\n'
        f'command = [sys.executable, "-c", {STUBBORN!r}]\n'
        'try:\n'
        f'    with ProcessGroup(command, os.environ, Path({str(log)!r})) as group:\n'
        '        print(group._process.pid, flush=True)\n'
        '        group.wait()\n'
        'except KeyboardInterrupt:\n'
        '    print("interrupted", flush=True)\n'
    )
    process = subprocess.Popen([sys.executable, '-c', outer], stdout=subprocess.PIPE, text=True)
    child = int(process.stdout.readline())
    wait_for(lambda: 'ready' in log.read_text())
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    output, _ = process.communicate(timeout=10)
    assert output == 'interrupted\n'
    assert not exists(child)
