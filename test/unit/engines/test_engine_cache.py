# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The cache's contents: what is stored is found, and what may not be used is refused by name."""

import json
import os
import shutil
from dataclasses import replace

import pytest

from engine_samples import KEY, MODEL, NOBODY, REPAIR, VARIANT
from jetson_infer.engines.cached_engine import open_engine
from jetson_infer.engines.engine_cache import EngineCache, EngineNotCached
from jetson_infer.errors import EngineError, InternalError

PLAN = bytes(range(256)) * 40
BUILD = {'seconds': 172.0, 'precision': {'asked': 'fp16', 'counts': {'fp16': 60}}}


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / 'cache')


@pytest.fixture
def stored(cache):
    return cache.store(MODEL, VARIANT, KEY, PLAN, BUILD, 'a log\n')


def find(cache, key=KEY, **options):
    return cache.find(MODEL, VARIANT, key, REPAIR, **options)


def refused(cache, key=KEY, **options) -> str:
    with pytest.raises(EngineError) as caught:
        find(cache, key, **options)
    return str(caught.value)


def edit(engine, change) -> None:
    manifest = engine.folder / 'engine.json'
    values = json.loads(manifest.read_text())
    change(values)
    manifest.write_text(json.dumps(values))


def test_what_is_stored_is_found(cache, stored):
    found = find(cache)
    assert found == stored
    assert found.read_plan() == PLAN == found.plan.read_bytes()
    assert found.log.read_text() == 'a log\n'
    assert found.build == BUILD
    assert found.key == KEY
    assert find(cache, digest=False) == stored


def test_a_person_finds_it_too(cache, stored):
    assert stored.folder.parent == cache.root / 'engines' / MODEL
    assert stored.folder.name == f'{VARIANT}-fp16-{KEY.digest()[:12]}'
    names = {file.name for file in stored.folder.iterdir()}
    assert names == {'engine.plan', 'engine.json', 'build.log'}
    told = json.loads((stored.folder / 'engine.json').read_text())
    assert told['key']['tensorrt'] == '10.3.0'
    assert told['plan']['bytes'] == len(PLAN)


def test_nothing_is_made_before_it_is_needed(cache):
    assert cache.entries() == []
    with pytest.raises(EngineNotCached):
        find(cache)
    assert not cache.root.exists()


def test_nothing_but_the_engine_is_left(cache, stored):
    assert list((cache.engines / '.drafts').iterdir()) == []


def test_an_empty_cache_says_what_to_do(cache):
    told = refused(cache)
    assert f'there is no engine of {MODEL}, variant {VARIANT}, as fp16 for Orin' in told
    assert told.endswith(f'Build it: {REPAIR}')


@pytest.mark.parametrize(
    ('changes', 'told'),
    [
        ({'tensorrt': '10.13.3.9'}, 'TensorRT: built for 10.3.0, wanted 10.13.3.9'),
        ({'tensorrt': '8.6.1'}, 'TensorRT: built for 10.3.0, wanted 8.6.1'),
        ({'gpu': 'NVIDIA H200'}, 'GPU: built for Orin, wanted NVIDIA H200'),
        ({'multiprocessors': 8}, 'multiprocessors of the GPU: built for 16, wanted 8'),
        ({'onnx_digest': 'cd' * 32}, 'ONNX file: built for SHA-256 abababababab'),
        ({'flags': {'sparsity': True}}, 'sparsity: built with false, wanted true'),
        ({'precision': 'int8'}, 'precision asked for: built for fp16, wanted int8'),
    ],
)
def test_another_key_is_told_from_the_nearest(cache, stored, changes, told):
    cache.store(MODEL, VARIANT, replace(KEY, gpu='Xavier', tensorrt='8.4'), PLAN, {})
    message = refused(cache, replace(KEY, **changes))
    assert f'The nearest, {stored.folder.name}, was built otherwise: ' in message
    assert told in message
    with pytest.raises(EngineNotCached):
        find(cache, replace(KEY, **changes))


def test_another_variants_engine_is_not_near(cache):
    cache.store(MODEL, f'{VARIANT}-fast', KEY, PLAN, {})
    assert 'The nearest' not in refused(cache)


def truncate(engine):
    engine.plan.write_bytes(PLAN[:-1])


def lengthen(engine):
    engine.plan.write_bytes(PLAN + b'x')


def flip(engine):
    engine.plan.write_bytes(PLAN[:777] + bytes([PLAN[777] ^ 1]) + PLAN[778:])


def exchange(engine):
    engine.plan.write_bytes(bytes(len(PLAN)))


def pipe(engine):
    engine.plan.unlink()
    os.mkfifo(engine.plan)


def folder_for_plan(engine):
    engine.plan.unlink()
    engine.plan.mkdir()


def another_engine(engine):
    other = engine.folder.parent / 'other'
    cache = EngineCache(engine.folder.parents[2])
    built = cache.store(MODEL, 'other', replace(KEY, gpu='NVIDIA H200'), PLAN, {})
    built.folder.rename(other)
    shutil.rmtree(engine.folder)
    other.rename(engine.folder)


DAMAGE = {
    'truncated': (truncate, '10239 bytes, and had 10240 when it was built: it is truncated'),
    'longer': (lengthen, '10241 bytes, and had 10240 when it was built: it is another file'),
    'one bit': (flip, 'it is damaged, or another plan'),
    'another plan': (exchange, 'it is damaged, or another plan'),
    'empty': (lambda e: e.plan.write_bytes(b''), 'has 0 bytes'),
    'no plan': (lambda e: e.plan.unlink(), 'has no engine.plan: it is not a finished engine'),
    'a pipe': (pipe, 'engine.plan is not a file'),
    'a folder': (folder_for_plan, 'engine.plan is not a file'),
    'no manifest': (lambda e: (e.folder / 'engine.json').unlink(), 'has no engine.json'),
    'empty manifest': (lambda e: (e.folder / 'engine.json').write_text(''), 'not what a build'),
    'half a manifest': (
        lambda e: (e.folder / 'engine.json').write_bytes(
            (e.folder / 'engine.json').read_bytes()[:200]
        ),
        'not what a build writes (200 bytes',
    ),
    'no JSON': (lambda e: (e.folder / 'engine.json').write_bytes(b'\xff'), 'not what a build'),
    'a list': (lambda e: (e.folder / 'engine.json').write_text('[]'), 'not what a build'),
    'deep': (lambda e: (e.folder / 'engine.json').write_text('[' * 99999), 'not what a build'),
    'a newer format': (
        lambda e: edit(e, lambda v: v.update(format=2)),
        'of format 2, and this version of jetson_infer reads 1',
    ),
    'a changed key': (
        lambda e: edit(e, lambda v: v['key'].update(tensorrt='8.6.1')),
        'the key in engine.json was changed',
    ),
    'no key': (lambda e: edit(e, lambda v: v.update(key=3)), "is not an engine's key"),
    'another engine': (
        another_engine,
        'another engine than its name says: GPU: built for NVIDIA H200, wanted Orin',
    ),
}


@pytest.mark.parametrize(('damage', 'told'), DAMAGE.values(), ids=DAMAGE)
def test_what_may_not_be_used_is_refused(cache, stored, damage, told):
    damage(stored)
    message = refused(cache)
    assert told in message
    assert message.startswith(str(stored.folder))
    assert message.endswith(f'. Build it again: {REPAIR}')
    with pytest.raises(EngineError):
        stored.read_plan()


def test_the_bytes_that_are_read_are_those_that_were_checked(cache, stored):
    found = find(cache)
    flip(stored)
    with pytest.raises(EngineError, match='damaged'):
        found.read_plan()


def test_it_can_be_built_again(cache, stored):
    flip(stored)
    again = cache.store(MODEL, VARIANT, KEY, PLAN[::-1], BUILD)
    assert find(cache) == again
    assert again.read_plan() == PLAN[::-1]
    assert not again.log.read_text()


def test_a_folder_under_a_files_name(cache, stored):
    shutil.rmtree(stored.folder)
    stored.folder.write_text('')
    assert 'cannot be read: Not a directory' in refused(cache)


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can give files away')
@pytest.mark.parametrize('name', ['engine.plan', 'engine.json'])
def test_another_users_plan_is_refused(cache, stored, name):
    os.chown(stored.folder / name, NOBODY, NOBODY)
    message = refused(cache)
    assert f'{name} belongs to nobody, and this process runs as root' in message
    assert '$JETSON_INFER_CACHE' in message


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can give files away')
def test_root_trusts_the_owner_of_a_cache_that_was_mounted(cache, stored):
    for path in (cache.engines, stored.plan, stored.folder / 'engine.json'):
        os.chown(path, NOBODY, NOBODY)
    assert find(cache) == stored


def test_entries_tell_what_is_there_and_what_is_wrong(cache, stored):
    other = cache.store(MODEL, 'int8', replace(KEY, precision='int8'), PLAN, {})
    flip(other)
    (cache.engines / 'stray.txt').touch()
    good, bad = sorted(cache.entries(digest=True), key=lambda entry: bool(entry.problem))
    assert (good.engine, good.problem) == (stored, '')
    assert good.size_bytes > len(PLAN)
    assert (bad.engine, bad.folder) == (None, other.folder)
    assert 'damaged' in bad.problem
    assert all(entry.engine for entry in cache.entries())  # a look that reads no plan


def test_removing(cache, stored):
    cache.remove(stored.folder)
    assert cache.entries() == []
    assert list((cache.engines / '.drafts').iterdir()) == []
    with pytest.raises(EngineNotCached):
        find(cache)
    with pytest.raises(EngineError, match='cannot be removed: No such file'):
        cache.remove(stored.folder)


def test_an_engine_is_begun_under_its_lock(cache):
    with pytest.raises(InternalError):
        cache.draft(MODEL, VARIANT, KEY, cache.lock(KEY, 'x'))


def begin_and_fail(cache, lock):
    with cache.draft(MODEL, VARIANT, KEY, lock) as draft:
        draft.write_plan(b'half')
        raise ZeroDivisionError


def test_a_draft_that_is_given_up_leaves_nothing(cache, stored):
    with cache.lock(KEY, 'x') as lock:
        lock.acquire()
        with pytest.raises(ZeroDivisionError):
            begin_and_fail(cache, lock)
    assert list((cache.engines / '.drafts').iterdir()) == []
    assert find(cache) == stored


def test_an_engine_that_is_removed_after_it_was_found(cache, stored):
    cache.remove(stored.folder)
    with pytest.raises(EngineNotCached, match='was removed after it was found'):
        stored.read_plan()


def test_a_plan_that_reads_back_otherwise_is_not_stored(cache, stored):
    with cache.lock(KEY, 'x') as lock:
        lock.acquire()
        with cache.draft(MODEL, VARIANT, KEY, lock) as draft:
            draft.write_plan(PLAN)
            with pytest.raises(EngineError, match=r'SHA-256 000000000000.* is read back'):
                draft.finish({}, written='0' * 64)
    assert find(cache) == stored


def test_the_names_of_timing_caches(cache):
    path = cache.timing_cache_path('NVIDIA H200 sm90 132', '8.6.1')
    assert path == cache.root / 'timing' / 'NVIDIA_H200_sm90_132_8.6.1.timing'
    assert cache.timing_cache_path('a/../../b', '1').parent == cache.root / 'timing'
    paths = {cache.timing_cache_path(gpu, trt) for gpu in ('a', 'b') for trt in ('8.6', '10.3')}
    assert len(paths) == 4


def test_a_timing_cache_is_replaced(cache):
    path = cache.timing_cache_path('Orin', '8.6.1')
    for content in (b'first', b'second'):
        cache.store_timing_cache(path, content)
        assert path.read_bytes() == content
        assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_folder_that_is_not_there_is_no_engine(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_engine(tmp_path / 'nowhere')


@pytest.mark.parametrize(
    ('environment', 'root'),
    [
        ({'JETSON_INFER_CACHE': '/a/b'}, '/a/b'),
        ({'XDG_CACHE_HOME': '/x', 'HOME': '/h'}, '/x/jetson_infer'),
        ({'HOME': '/h'}, '/h/.cache/jetson_infer'),
    ],
)
def test_where_it_lies(monkeypatch, environment, root):
    for name in ('JETSON_INFER_CACHE', 'XDG_CACHE_HOME', 'HOME'):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert str(EngineCache().root) == root
