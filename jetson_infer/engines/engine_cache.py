# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The engines that were built on this machine, and the timings that builds go faster with.

::

    <root>/engines/<model>/<variant>-<precision>-<digest>/   engine.plan engine.json build.log
    <root>/engines/<model>/<variant>-<precision>-<digest>.failed.log
    <root>/engines/.drafts/                                  engines that are being built
    <root>/engines/.locks/                                   who builds what
    <root>/timing/<gpu>-<TensorRT>.timing                    timing caches

An engine appears in one step when it is whole, and is replaced in one step.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jetson_infer.core.cache_root import cache_root
from jetson_infer.engines.cached_engine import CachedEngine, EngineNotCached, open_engine
from jetson_infer.engines.durable_files import replace_file
from jetson_infer.engines.engine_draft import EngineDraft
from jetson_infer.engines.engine_key import EngineKey
from jetson_infer.engines.file_failures import explained
from jetson_infer.engines.file_lock import FileLock
from jetson_infer.errors import EngineError, InternalError

__all__ = ['CacheEntry', 'EngineCache', 'EngineNotCached']

_DIGITS = 12  # of the digest, in a folder's name


@dataclass(frozen=True)
class CacheEntry:
    """One folder of the cache.

    :param folder: where it lies.
    :param engine: the engine, if it may be used.
    :param problem: why it may not, else empty.
    :param size_bytes: of all its files.
    """

    folder: Path
    engine: CachedEngine | None
    problem: str
    size_bytes: int


class EngineCache:
    """The folder of built engines; nothing is made before it is needed.

    :param root: the folder; :func:`jetson_infer.core.cache_root.cache_root` unless given.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = cache_root() if root is None else Path(root)
        self.engines = self.root / 'engines'

    def folder(self, model: str, variant: str, key: EngineKey) -> Path:
        """Return where an engine lies or would lie.

        :param model: the model's name, as its card says.
        :param variant: the variant's name.
        """
        name = f'{variant}-{key.precision}-{key.digest()[:_DIGITS]}'
        return self.engines / model / name

    def find(
        self, model: str, variant: str, key: EngineKey, repair: str = '', digest: bool = True
    ) -> CachedEngine:
        """Return the engine of a key, checked before anybody deserializes it.

        :param repair: the command that builds the engine, for messages.
        :param digest: whether to read the plan and check its SHA-256; without it, its size alone.
        :raises EngineNotCached: if there is none, with what differs from the nearest one.
        :raises EngineError: if there is one that may not be used, with the reason.
        """
        folder = self.folder(model, variant, key)
        try:
            return open_engine(folder, key, repair, digest=digest)
        except FileNotFoundError:
            raise EngineNotCached(self._none(model, variant, key, repair)) from None

    def failed_log(self, model: str, variant: str, key: EngineKey) -> Path:
        """Return where the log of a build lies that came to nothing."""
        folder = self.folder(model, variant, key)
        return folder.with_name(f'{folder.name}.failed.log')

    def lock(self, key: EngineKey, purpose: str) -> FileLock:
        """Return the lock that whoever builds the engine of a key has to hold.

        :param purpose: what for; those who wait are told.
        """
        return FileLock(self.engines / '.locks' / f'{key.digest()}.lock', purpose)

    def draft(self, model: str, variant: str, key: EngineKey, lock: FileLock) -> EngineDraft:
        """Begin an engine that nobody sees before it is whole.

        Removes what builds that died have left behind.

        :param lock: of :meth:`lock`, held.
        :raises EngineError: if the folder cannot be written.
        """
        if not lock.held:
            raise InternalError('an engine is begun under its lock')
        drafts = self.engines / '.drafts'
        self._remove_abandoned(drafts, key)
        folder = drafts / f'{key.digest()}-{os.getpid()}-{secrets.token_hex(4)}'
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise EngineError(explained(error, folder, 'no engine can be stored')) from error
        return EngineDraft(folder, self.folder(model, variant, key), model, variant, key)

    def store(
        self,
        model: str,
        variant: str,
        key: EngineKey,
        plan: bytes,
        build: Mapping[str, Any],
        log: str = '',
    ) -> CachedEngine:
        """Put a plan that is in memory into the cache, whole or not at all.

        :param build: what is known of its build, as JSON has it.
        :param log: what the builder said.
        :raises EngineError: if it cannot be written.
        """
        with self.lock(key, f'storing {variant} of {model}') as lock:
            lock.acquire()
            with self.draft(model, variant, key, lock) as draft:
                draft.write_plan(plan)
                draft.write_log(log)
                return draft.finish(build)

    def entries(self, digest: bool = False) -> list[CacheEntry]:
        """List the engines in the cache, by model and name.

        :param digest: whether to check the SHA-256 of every plan, which reads all of them.
        """
        return [self._entry(folder, digest) for folder in self._folders('*')]

    def remove(self, folder: Path) -> None:
        """Remove an engine in one step.

        :raises EngineError: if it cannot be removed.
        """
        drafts = self.engines / '.drafts'
        gone = drafts / f'removed-{os.getpid()}-{secrets.token_hex(4)}'
        try:
            drafts.mkdir(exist_ok=True)
            folder.rename(gone)
        except OSError as error:
            raise EngineError(explained(error, folder, 'cannot be removed')) from error
        shutil.rmtree(gone, ignore_errors=True)

    def timing_cache_path(self, gpu: str, tensorrt: str) -> Path:
        """Return the file with the timings of one kind of GPU and version of TensorRT.

        :param gpu: the GPU's name and whatever else tells its kind.
        """
        name = re.sub(r'[^A-Za-z0-9.]+', '_', f'{gpu}-{tensorrt}').strip('_.')
        return self.root / 'timing' / f'{name}.timing'

    def timing_lock(self, gpu: str, tensorrt: str, purpose: str) -> FileLock:
        """Return the lock of a timing cache, held for a whole build.

        A build times kernels on the GPU; two at once would spoil each other's choices. And a build
        that starts with all timings of those before it and stores its own on top merges them.
        """
        return FileLock(self.timing_cache_path(gpu, tensorrt).with_suffix('.lock'), purpose)

    def store_timing_cache(self, path: Path, content: bytes) -> None:
        """Replace a timing cache in one step, under its lock.

        :raises EngineError: if it cannot be written; the old one is as it was.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)
        except OSError as error:
            raise EngineError(
                explained(error, path, 'the timing cache cannot be stored')
            ) from error

    def _entry(self, folder: Path, digest: bool) -> CacheEntry:
        size = sum(file.stat().st_size for file in folder.glob('*') if file.is_file())
        try:
            return CacheEntry(folder, open_engine(folder, digest=digest), '', size)
        except (EngineError, FileNotFoundError) as error:
            return CacheEntry(folder, None, str(error), size)

    def _folders(self, model: str, variant: str = '') -> Iterator[Path]:
        """Yield the folders of engines; those whose names begin with a dot are ours."""
        pattern = f'{variant}-*' if variant else '*'
        for folder in sorted(self.engines.glob(f'{model}/{pattern}')):
            if folder.is_dir() and not folder.parent.name.startswith('.'):
                yield folder

    def _none(self, model: str, variant: str, key: EngineKey, repair: str) -> str:
        """Say that there is no engine, and what the nearest one differs in."""
        told = f'{self.engines}: there is no engine of {model}, variant {variant}, as {key}'
        candidates = []
        for folder in self._folders(model, variant):
            entry = self._entry(folder, digest=False)
            if entry.engine is not None and entry.engine.variant == variant:
                candidates.append((entry.engine.key.differences(key), folder.name))
        if candidates:
            differences, name = min(candidates, key=lambda found: (len(found[0]), found[1]))
            told += f'. The nearest, {name}, was built otherwise: {"; ".join(differences)}'
        return f'{told}. Build it: {repair}' if repair else told

    def _remove_abandoned(self, drafts: Path, key: EngineKey) -> None:
        """Remove drafts whose builder is dead: this key's, and those whose lock is free."""
        for folder in drafts.glob('*'):
            digest = folder.name.partition('-')[0]
            if digest in (key.digest(), 'removed'):
                shutil.rmtree(folder, ignore_errors=True)
                continue
            with FileLock(self.engines / '.locks' / f'{digest}.lock', 'removing a draft') as lock:
                if lock.acquire(timeout_s=0):
                    shutil.rmtree(folder, ignore_errors=True)
