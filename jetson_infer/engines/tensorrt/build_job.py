# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Building an engine into the cache while the caller goes on; for commands and nodes alike."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from jetson_infer.engines.build_target import BuildTarget
from jetson_infer.engines.built_plan import BuildProgress
from jetson_infer.engines.cached_engine import CachedEngine
from jetson_infer.engines.durable_files import keep_file
from jetson_infer.engines.engine_cache import EngineCache
from jetson_infer.engines.engine_draft import EngineDraft
from jetson_infer.engines.engine_key import EngineKey
from jetson_infer.engines.engine_order import EngineOrder
from jetson_infer.engines.file_lock import FileLock, LockHolder
from jetson_infer.engines.onnx_file import read_onnx
from jetson_infer.engines.tensorrt.build_child import BuildCancelled, run_build
from jetson_infer.engines.tensorrt.build_process import BUILDER, TIMINGS, Task
from jetson_infer.errors import EngineBuildError, EngineError

__all__ = ['BuildCancelled', 'BuildJob', 'BuildStatus', 'start_build']


@dataclass(frozen=True)
class BuildStatus:
    """How far a job is.

    :param state: ``starting``, ``waiting`` (for others), ``building``, ``storing``, or one that is
        final: ``done``, ``failed``, ``cancelled``.
    :param seconds: since the job was started.
    :param progress: the builder's last word; None before its first.
    :param waiting_for: who holds what is waited for; empty otherwise.
    """

    state: str
    seconds: float
    progress: BuildProgress | None = None
    waiting_for: str = ''

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self.state in ('done', 'failed', 'cancelled')

    def __str__(self) -> str:
        if self.waiting_for:
            return f'waiting for {self.waiting_for}'
        if self.state != 'building' or self.progress is None or not self.progress.phases:
            return f'{self.state} ({self.seconds:.0f} s)'
        steps = f', step {self.progress.step} of {self.progress.steps}'
        where = self.progress.phases[-1] + (steps if self.progress.steps else '')
        return f'building ({self.seconds:.0f} s): {where}'


class BuildJob:
    """One engine on its way into the cache; made by :func:`start_build`.

    Ends with the process that started it, and its build with it.
    """

    def __init__(
        self,
        order: EngineOrder,
        target: BuildTarget,
        cache: EngineCache,
        force: bool,
        builder: str,
    ) -> None:
        self._order = order
        self._target = target
        self._key = order.key(target)
        self._cache = cache
        self._force = force
        self._builder = builder
        self._began = time.monotonic()
        self._cancelled = threading.Event()
        self._ended = threading.Event()
        self._status = BuildStatus('starting', 0.0)
        self._engine: CachedEngine | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name='build-job', daemon=True)
        self._thread.start()

    @property
    def key(self) -> EngineKey:
        """The key of the engine."""
        return self._key

    def progress(self) -> BuildStatus:
        """Return how far the job is; at once."""
        status = self._status
        if status.is_final:
            return status
        seconds = time.monotonic() - self._began
        return BuildStatus(status.state, seconds, status.progress, status.waiting_for)

    def cancel(self) -> None:
        """Have the job end as soon as it can; returns at once and may be called twice."""
        self._cancelled.set()

    def result(self, timeout_s: float | None = None) -> CachedEngine:
        """Wait for the end of the job and return the engine.

        :param timeout_s: how long to wait; None for ever.
        :raises TimeoutError: if the job has not ended by then; it goes on.
        :raises BuildCancelled: if it was cancelled.
        :raises EngineBuildError: if the engine could not be built.
        :raises EngineError: if it could not be stored.
        """
        if not self._ended.wait(timeout_s):
            raise TimeoutError(f'still {self.progress()}')
        if self._failure is not None:
            raise self._failure
        assert self._engine is not None
        return self._engine

    def _run(self) -> None:
        try:
            self._engine = self._find_or_build()
            state = 'done'
        except BuildCancelled as failure:
            self._failure, state = failure, 'cancelled'
        except BaseException as failure:  # noqa: BLE001 - raised by result()
            self._failure, state = failure, 'failed'
        self._status = BuildStatus(state, time.monotonic() - self._began, self._status.progress)
        self._ended.set()

    def _find_or_build(self) -> CachedEngine:
        order, key, target = self._order, self._key, self._target
        found = None if self._force else self._find()
        if found is not None:  # also in a cache that cannot be written, and so not be locked
            return found
        purpose = f'building {order.variant} of {order.model}'
        gpu = f'{target.gpu} sm{"".join(map(str, target.compute_capability))}'
        gpu += f' {target.multiprocessors}'
        with self._cache.lock(key, purpose) as lock:
            others_built = self._take(lock)
            if others_built or not self._force:
                found = self._find()
                if found is not None:
                    return found
            with self._cache.timing_lock(gpu, target.tensorrt, purpose) as timing_lock:
                self._take(timing_lock)
                timings = self._cache.timing_cache_path(gpu, target.tensorrt)
                with self._cache.draft(order.model, order.variant, key, lock) as draft:
                    return self._build(draft, timings)

    def _find(self) -> CachedEngine | None:
        try:
            return self._cache.find(self._order.model, self._order.variant, self._key)
        except EngineError:
            return None  # none, or one that may not be used: it is built anew

    def _take(self, lock: FileLock) -> bool:
        """Take a lock; return whether another one had it meanwhile."""
        waited = False

        def waiting(holder: LockHolder | None) -> None:
            nonlocal waited
            waited = True
            self._show('waiting', waiting_for=str(holder or 'another process'))

        if not lock.acquire(self._cancelled.is_set, waiting):
            raise BuildCancelled('the build was cancelled while it waited for another one')
        return waited

    def _build(self, draft: EngineDraft, timings: Path) -> CachedEngine:
        order = self._order
        request = replace(order.request, timing_cache=timings)
        task = Task(request.to_json(), str(draft.folder), os.getpid(), self._builder)
        self._show('building')
        try:
            built = run_build(task, draft.log, self._told, self._cancelled.is_set)
            self._check(built)
        except BuildCancelled:
            raise
        except EngineBuildError as error:
            kept = self._cache.failed_log(order.model, order.variant, self._key)
            keep_file(draft.log, kept)
            raise EngineBuildError(f'{order.onnx.path}: {error}\nThe whole log: {kept}') from error
        self._show('storing')
        self._store_timings(draft.folder / TIMINGS, timings)
        engine = draft.finish(self._facts(built), str(built['sha256']))
        self._cache.failed_log(order.model, order.variant, self._key).unlink(missing_ok=True)
        return engine

    def _check(self, built: Mapping[str, Any]) -> None:
        """See that what was built is what the key says."""
        if built['tensorrt'] != self._key.tensorrt:
            raise EngineBuildError(
                f'TensorRT {built["tensorrt"]} built the engine, and this process has '
                f'{self._key.tensorrt}: one Python finds another TensorRT than the other; see '
                'PYTHONPATH'
            )
        if read_onnx(self._order.onnx.path).digest != self._order.onnx.digest:
            raise EngineBuildError('the file was changed while it was built; build it again')

    def _store_timings(self, found: Path, timings: Path) -> None:
        if found.exists():
            self._cache.store_timing_cache(timings, found.read_bytes())
            found.unlink()

    def _facts(self, built: Mapping[str, Any]) -> dict[str, Any]:
        return {
            'at': datetime.now(timezone.utc).isoformat(timespec='seconds'),
            'seconds': built['seconds'],
            'precision': built['precision'],
            'onnx': str(self._order.onnx.path),
        }

    def _told(self, progress: BuildProgress) -> None:
        self._show('building', progress)

    def _show(
        self, state: str, progress: BuildProgress | None = None, waiting_for: str = ''
    ) -> None:
        self._status = BuildStatus(state, 0.0, progress or self._status.progress, waiting_for)


def start_build(
    order: EngineOrder,
    target: BuildTarget,
    cache: EngineCache,
    force: bool = False,
    builder: str = BUILDER,
) -> BuildJob:
    """Begin to build an engine into the cache, in a process of its own.

    An engine that is there already is taken.  One that another process is building is waited for
    and taken.  One build at a time uses a kind of GPU, as builds time kernels on it.

    :param force: build anew what is there; but take what another process builds just now.
    :param builder: what builds, as ``module:function`` with the signature of
        :func:`jetson_infer.engines.tensorrt.builder.build_plan`; tests name another one.
    :return: the job, which goes on by itself.
    """
    return BuildJob(order, target, cache, force, builder)
