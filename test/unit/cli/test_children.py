# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A process group is begun and ended whole, whatever its members do about it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jetson_infer.cli import children
from jetson_infer.cli.children import ProcessGroup

# They sleep for longer than a test may take, and not for ever where one fails.
IDLE = 'import time\nprint("ready", flush=True)\ntime.sleep(150)'
STUBBORN = (
    'import signal, time\n'
    'signal.signal(signal.SIGINT, signal.SIG_IGN)\n'
    'signal.signal(signal.SIGTERM, signal.SIG_IGN)\n'
    'print("ready", flush=True)\n'
    'time.sleep(150)'
)


def parent_of(*children, ignore=False):
    """Return a program that starts others, tells their numbers, and waits."""
    return (
        'import signal, subprocess, sys, time\n'
        + ('signal.signal(signal.SIGINT, signal.SIG_IGN)\n' if ignore else '')
        + f'made = [subprocess.Popen([sys.executable, "-c", c]) for c in {list(children)!r}]\n'
        'print(*(p.pid for p in made), flush=True)\n'
        'time.sleep(150)'
    )


def wait_for(condition, timeout_s=60.0):
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return result


def numbers_in(log):
    """Return the numbers of the children that a program tells of."""
    return [int(word) for word in log.read_text().split() if word.isdigit()]


def ignores_interrupts(number):
    """Tell whether a process ignores SIGINT."""
    status = Path(f'/proc/{number}/status').read_text()
    return bool(int(status.partition('SigIgn:')[2].split()[0], 16) >> (signal.SIGINT - 1) & 1)


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
    assert group.wait(60.0) == 7
    assert group.exit_code == 7
    group.end()
    group.end()
    assert set(log.read_text().split()) == {'out', 'err'}


def test_waiting_ends_after_its_time(log):
    with start(IDLE, log) as group:
        assert group.wait(0.05) is None
        assert group.exit_code is None


def patient(monkeypatch, **patience_s):
    """Have as long waited for the end after some signals as a machine under load may want."""
    escalation = tuple((n, patience_s.get(n.name, wait_s)) for n, wait_s in children.ESCALATION)
    monkeypatch.setattr(children, 'ESCALATION', escalation)


def test_the_group_is_given_three_seconds():
    assert sum(wait_s for _, wait_s in children.ESCALATION) <= 3.0


@pytest.mark.parametrize(
    ('code', 'members', 'enough'),
    [
        (parent_of(IDLE, IDLE), 2, 'SIGINT'),
        (parent_of(STUBBORN, IDLE), 2, 'SIGKILL'),
        (parent_of(STUBBORN, STUBBORN, ignore=True), 2, 'SIGKILL'),
    ],
    ids=['willing', 'stubborn child', 'all stubborn'],
)
def test_all_of_the_group_end_and_are_buried(log, monkeypatch, code, members, enough):
    patient(monkeypatch, **{enough: 600.0})  # what ends them, ends them all: no other is waited for
    with start(code, log) as group:
        wait_for(lambda: log.read_text().count('ready') == members)
        begun = wait_for(lambda: numbers_in(log))
        group.end()
    assert len(begun) == members
    for number in begun:
        assert not exists(number)


def test_children_left_by_a_parent_that_died_are_ended(log, monkeypatch):
    patient(monkeypatch, SIGKILL=60.0)
    code = parent_of(IDLE).removesuffix('time.sleep(150)') + 'import os; os._exit(3)'
    with start(code, log) as group:
        assert group.wait(60.0) == 3
        begun = numbers_in(log)
        assert begun
        assert all(exists(number) for number in begun)
    assert not any(exists(number) for number in begun)


def test_a_second_interrupt_leaves_nothing_behind(log, tmp_path):
    """Two quick Ctrl-C: the first ends the group, the second must not end the ending."""
    go = tmp_path / 'go'
    slow = STUBBORN.replace(
        'time.sleep(150)',
        'import os\nend = time.monotonic() + 150\n'
        f'while not os.path.exists({str(go)!r}) and time.monotonic() < end: time.sleep(0.01)',
    )
    outer = (
        'import os, signal, sys\n'
        'from pathlib import Path\n'
        'from jetson_infer.cli import children\n'
        # As long as it takes until the second one is sent.
        'children.ESCALATION = ((signal.SIGINT, 600.0),)\n'
        f'command = [sys.executable, "-c", {slow!r}]\n'
        'try:\n'
        f'    with children.ProcessGroup(command, os.environ, Path({str(log)!r})) as group:\n'
        '        print(group.pid, flush=True)\n'
        '        group.wait()\n'
        'except KeyboardInterrupt:\n'
        '    print("interrupted", flush=True)\n'
    )
    process = subprocess.Popen([sys.executable, '-c', outer], stdout=subprocess.PIPE, text=True)
    child = int(process.stdout.readline())
    wait_for(lambda: 'ready' in log.read_text())
    process.send_signal(signal.SIGINT)
    wait_for(lambda: ignores_interrupts(process.pid))
    process.send_signal(signal.SIGINT)
    go.touch()
    output, _ = process.communicate(timeout=60)
    assert output == 'interrupted\n'
    assert not exists(child)
