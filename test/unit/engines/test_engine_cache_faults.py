# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The cache while processes die, disks fill up, and others write at the same time."""

import ctypes
import hashlib
import os
import random
import resource
import tempfile
import threading
import time
from pathlib import Path

import pytest

from engine_samples import BECOME_NOBODY, KEY, MODEL, NOBODY, VARIANT, run, small_disk, start
from jetson_infer.engines.engine_cache import EngineCache, EngineNotCached
from jetson_infer.errors import EngineError

PRELUDE = """
import resource, sys, os
from pathlib import Path
from engine_samples import KEY, MODEL, VARIANT
from jetson_infer.engines.engine_cache import EngineCache
from jetson_infer.errors import EngineError
cache = EngineCache(Path(sys.argv[1]))
def attempt(work):
    try:
        work()
    except EngineError as error:
        print('refused:', error)
    else:
        print('done')
"""
WRITE_FOR_EVER = (
    PRELUDE
    + """
print('ready', flush=True)
number = 0
while True:
    number = (number + 1) % 256
    cache.store(MODEL, VARIANT, KEY, bytes([number]) * 300_000, {'number': number}, 'log ' * 999)
"""
)


def whole(cache: EngineCache) -> bytes:
    """Return the plan, after a look whether all of the entry belongs together."""
    found = cache.find(MODEL, VARIANT, KEY)
    plan = found.read_plan()
    assert hashlib.sha256(plan).hexdigest()
    assert plan == plan[:1] * 300_000
    return plan


def drafts(cache: EngineCache) -> list[Path]:
    return list((cache.engines / '.drafts').glob('*'))


@pytest.mark.parametrize('there_before', [False, True])
def test_a_writer_killed_at_any_moment_leaves_a_whole_engine_or_none(tmp_path, there_before):
    cache, chance = EngineCache(tmp_path), random.Random(7)
    killed_in_the_middle = 0
    if there_before:
        cache.store(MODEL, VARIANT, KEY, bytes(300_000), {})
    for turn in range(60):
        if turn >= 15 and killed_in_the_middle:  # a machine under load may want more turns
            break
        writer = start(WRITE_FOR_EVER, tmp_path)
        assert writer.stdout.readline() == 'ready\n'
        time.sleep(chance.uniform(0, 0.05))
        writer.kill()
        writer.communicate()
        killed_in_the_middle += bool(drafts(cache))
        try:
            whole(cache)
        except EngineNotCached:
            assert not there_before
        else:
            there_before = True
    assert killed_in_the_middle, 'this test killed at harmless moments only'
    cache.store(MODEL, VARIANT, KEY, bytes(300_000), {})
    assert drafts(cache) == []
    assert whole(cache) == bytes(300_000)


@pytest.mark.parametrize('exchange', [True, False], ids=['exchange', 'without'])
def test_readers_never_see_half_an_engine_while_it_is_replaced(tmp_path, monkeypatch, exchange):
    if not exchange:  # as where the C library or the file system lacks it
        monkeypatch.setattr(ctypes, 'CDLL', lambda *_, **__: object())
    cache, stop, seen, failures = EngineCache(tmp_path), threading.Event(), set(), []
    number = 0
    cache.store(MODEL, VARIANT, KEY, bytes(300_000), {})

    def read():
        while not stop.is_set():
            try:
                seen.add(whole(cache)[0])
            except EngineNotCached as error:
                failures.extend([error] if exchange else [])
            except BaseException as error:  # noqa: BLE001 - told below
                failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        # As often as it takes for the readers to get a turn in between.
        until_s = time.monotonic() + 60
        while number < 60 or (len(seen) <= 3 and time.monotonic() < until_s):
            number += 1
            cache.store(MODEL, VARIANT, KEY, bytes([number % 256]) * 300_000, {})
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert failures == []
    assert len(seen) > 3
    assert whole(cache)[0] == number % 256


def test_two_writers_in_two_processes(tmp_path):
    cache = EngineCache(tmp_path)
    code = PRELUDE + (
        'for _ in range(20):\n'
        '    plan = sys.argv[2].encode() * 300_000\n'
        '    cache.store(MODEL, VARIANT, KEY, plan, {"by": sys.argv[2]})\n'
    )
    writers = [start(code, tmp_path, name) for name in 'ab']
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors
    found = cache.find(MODEL, VARIANT, KEY)
    assert found.read_plan()[:1].decode() == found.build['by']
    assert drafts(cache) == []


def test_what_a_dead_builder_left_goes_with_the_next_build_of_anything(tmp_path):
    cache = EngineCache(tmp_path)
    dead, alive = '00' * 32, '11' * 32
    for digest in (dead, alive, KEY.digest()):
        (cache.engines / '.drafts' / f'{digest}-1-x').mkdir(parents=True)
    code = """
import sys, time
from pathlib import Path
from jetson_infer.engines.file_lock import FileLock
FileLock(Path(sys.argv[1]), 'building').acquire()
print('ready', flush=True)
time.sleep(60)
"""
    builder = start(code, cache.engines / '.locks' / f'{alive}.lock')
    assert builder.stdout.readline() == 'ready\n'
    cache.store(MODEL, VARIANT, KEY, b'plan', {})
    assert [draft.name for draft in drafts(cache)] == [f'{alive}-1-x']
    builder.kill()
    builder.communicate()
    cache.store(MODEL, VARIANT, KEY, b'plan', {})
    assert drafts(cache) == []


FULL = (
    PRELUDE
    + """
cache.store(MODEL, VARIANT, KEY, b'old' * 1000, {})
attempt(lambda: cache.store(MODEL, VARIANT, KEY, b'new' * 1_000_000, {}))
print(len(list((cache.engines / '.drafts').iterdir())), 'drafts')
print(cache.find(MODEL, VARIANT, KEY).read_plan() == b'old' * 1000)
path = cache.timing_cache_path('Orin', '8.6.1')
cache.store_timing_cache(path, b'old')
attempt(lambda: cache.store_timing_cache(path, b'new' * 1_000_000))
print(path.read_bytes(), [file.name for file in path.parent.iterdir()])
"""
)


def test_a_full_disk_leaves_what_was_there_and_nothing_else(tmp_path):
    refusal, count, old, timing, timings = run(
        FULL, tmp_path, before=small_disk(tmp_path, 1000)
    ).splitlines()
    assert 'the engine cannot be stored: No space left on device; ' in refusal
    assert ' are free there. Make room, or set $JETSON_INFER_CACHE' in refusal
    assert (count, old) == ('0 drafts', 'True')
    assert 'the timing cache cannot be stored: No space left on device' in timing
    assert timings == "b'old' ['Orin_8.6.1.timing']"


def test_a_limit_in_mid_write_is_no_different(tmp_path):
    """The same where disks cannot be mounted: a write that stops after 2 MB."""
    limit = f'resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, {resource.RLIM_INFINITY}))\n'
    code = PRELUDE + limit + FULL.removeprefix(PRELUDE)
    refusal, count, old, timing, timings = run(code, tmp_path).splitlines()
    assert 'the engine cannot be stored: File too large; ' in refusal
    assert (count, old) == ('0 drafts', 'True')
    assert 'File too large' in timing
    assert timings == "b'old' ['Orin_8.6.1.timing']"


def test_a_read_only_cache_is_read(tmp_path):
    code = PRELUDE + (
        'import subprocess\n'
        "cache.store(MODEL, VARIANT, KEY, b'plan', {})\n"
        "subprocess.run(['mount', '-o', 'remount,ro', sys.argv[1]], check=True)\n"
        'print(cache.find(MODEL, VARIANT, KEY).read_plan())\n'
        "attempt(lambda: cache.store(MODEL, VARIANT, KEY, b'more', {}))\n"
        'attempt(lambda: cache.remove(cache.find(MODEL, VARIANT, KEY).folder))\n'
    )
    plan, stored, removed = run(code, tmp_path, before=small_disk(tmp_path, 1000)).splitlines()
    assert plan == "b'plan'"
    assert 'the file system is read-only. Mount it writable to build engines' in stored
    assert 'cannot be removed: the file system is read-only' in removed


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can act for several users')
@pytest.mark.parametrize('mode', [0o755, 0o700])
def test_a_cache_of_another_user(mode):
    """What root has built may be run, if it may be read, and not be built again."""
    code = (
        PRELUDE
        + BECOME_NOBODY
        + 'attempt(lambda: print(cache.find(MODEL, VARIANT, KEY).read_plan()))\n'
        + "attempt(lambda: cache.store(MODEL, VARIANT, KEY, b'more', {}))\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        cache = EngineCache(Path(folder) / 'cache')
        cache.store(MODEL, VARIANT, KEY, b'plan', {})
        cache.root.chmod(mode)
        *found, stored = run(code, cache.root).splitlines()
    assert 'belongs to root, and this process runs as nobody' in stored
    if mode == 0o755:
        assert found == ["b'plan'", 'done']
    else:
        assert 'cannot be read: Permission denied' in found[0]


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can act for several users')
def test_what_a_user_planted_is_not_run_by_another():
    code = PRELUDE + BECOME_NOBODY + 'attempt(lambda: cache.find(MODEL, VARIANT, KEY))\n'
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        cache = EngineCache(Path(folder))
        engine = cache.store(MODEL, VARIANT, KEY, b'plan', {})
        os.chown(engine.plan, NOBODY - 1, NOBODY - 1)
        told = run(code, folder)
    assert f'engine.plan belongs to user {NOBODY - 1}, and this process runs as nobody' in told


def test_a_cache_that_is_a_file(tmp_path):
    (tmp_path / 'file').touch()
    cache = EngineCache(tmp_path / 'file')
    with pytest.raises(EngineError, match='Not a directory'):
        cache.store(MODEL, VARIANT, KEY, b'plan', {})
    with pytest.raises(EngineError, match='Not a directory'):
        cache.find(MODEL, VARIANT, KEY)
