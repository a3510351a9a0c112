# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import errno
import fcntl
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import pytest

from engine_samples import BECOME_NOBODY, run, start
from jetson_infer.engines.file_lock import FileLock, LockHolder
from jetson_infer.errors import EngineError

HOLD = """
import sys, time
from pathlib import Path
from jetson_infer.engines.file_lock import FileLock
lock = FileLock(Path(sys.argv[1]), 'building fp16 of scene_detector')
assert lock.acquire()
print('held', flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = start(HOLD, tmp_path / 'lock')
    assert process.stdout.readline() == 'held\n'
    yield process
    process.kill()
    process.wait()


def test_one_at_a_time_within_a_process(tmp_path):
    first, second = (FileLock(tmp_path / 'a' / 'lock', 'x') for _ in range(2))
    assert first.acquire()
    assert not second.acquire(timeout_s=0)
    assert not second.held
    first.release()
    first.release()
    with second:
        assert second.acquire(timeout_s=0)
        assert second.held
    assert not second.held
    assert first.acquire(timeout_s=0)


def test_who_holds_it_is_told(tmp_path, holder):
    told, stop = [], threading.Event()

    def waiting(found):
        told.append(found)
        stop.set()

    lock = FileLock(tmp_path / 'lock', 'waiting')
    assert not lock.acquire(stop.is_set, waiting)
    assert told[0].pid == holder.pid
    assert abs(told[0].since - time.time()) < 60
    assert f'process {holder.pid}, building fp16 of scene_detector, since ' in str(told[0])


def test_a_holder_on_another_machine_is_told_with_its_name():
    assert 'process 7 on robot, x, since' in str(LockHolder(7, 'robot', time.time(), 'x'))


def test_waiting_ends_when_it_is_cancelled(tmp_path, holder):
    happened = []

    def cancelled():
        happened.append('asked')
        return happened.count('asked') == 3

    lock = FileLock(tmp_path / 'lock', 'x')
    assert not lock.acquire(cancelled, lambda found: happened.append('waiting'))
    assert happened == ['asked', 'waiting', 'asked', 'waiting', 'asked']


def test_a_process_that_is_killed_leaves_no_lock(tmp_path, holder):
    lock = FileLock(tmp_path / 'lock', 'x')
    assert not lock.acquire(timeout_s=0)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert lock.holder().pid == holder.pid  # the file still says so, and it does not matter
    assert lock.acquire(timeout_s=0)
    assert lock.holder().pid == os.getpid()


def test_a_child_of_the_holder_does_not_keep_it(tmp_path):
    """What a holder starts inherits no lock, which would outlive it."""
    code = HOLD.replace(
        "print('held'",
        "import subprocess; child = subprocess.Popen(['sleep', '60']); print('held', child.pid",
    )
    process = start(code, tmp_path / 'lock')
    child = int(process.stdout.readline().removeprefix('held '))
    try:
        process.kill()
        process.wait()
        assert FileLock(tmp_path / 'lock', 'x').acquire(timeout_s=0)
    finally:
        os.kill(child, signal.SIGKILL)  # and so it ran until now


@pytest.mark.parametrize('content', [b'', b'{', b'\xff\xfe', b'[1]', b'{"pid": 1}', b'x' * 10000])
def test_a_note_that_cannot_be_read_is_somebody(tmp_path, content):
    (tmp_path / 'lock').write_bytes(content)
    lock = FileLock(tmp_path / 'lock', 'x')
    assert lock.holder() is None
    assert lock.acquire(timeout_s=0)
    assert lock.holder().purpose == 'x'


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(EngineError, match='no lock can be taken'):
        FileLock(tmp_path / 'file' / 'lock', 'x').acquire()


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, 'No locks available')

    monkeypatch.setattr(fcntl, 'flock', refuse)
    with pytest.raises(EngineError, match=r'has no locks.*\$JETSON_INFER_CACHE'):
        FileLock(tmp_path / 'lock', 'x').acquire()


def test_two_processes_never_hold_it_together(tmp_path):
    """Each appends begin and end under the lock; another's lines must not come between."""
    code = """
import os, sys
from pathlib import Path
from jetson_infer.engines.file_lock import FileLock
folder = Path(sys.argv[1])
for _ in range(40):
    with FileLock(folder / 'lock', 'x') as lock:
        lock.acquire()
        for word in ('begin', 'end'):
            with (folder / 'log').open('a') as log:
                log.write(f'{os.getpid()} {word}\\n')
"""
    processes = [start(code, tmp_path) for _ in range(3)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    lines = (tmp_path / 'log').read_text().splitlines()
    assert len(lines) == 3 * 40 * 2
    for first, second in zip(lines[::2], lines[1::2], strict=True):
        assert first.split() == [second.split()[0], 'begin']


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can run as somebody else')
def test_another_users_lock():
    code = f"""
import sys
from pathlib import Path
from jetson_infer.engines.file_lock import FileLock
from jetson_infer.errors import EngineError
{BECOME_NOBODY}
try:
    FileLock(Path(sys.argv[1]), 'x').acquire(timeout_s=0)
except EngineError as error:
    print(error)
"""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with FileLock(Path(folder) / 'lock', 'x') as lock:
            assert lock.acquire()
            told = run(code, lock.path)
    assert 'belongs to root, and this process runs as nobody' in told
