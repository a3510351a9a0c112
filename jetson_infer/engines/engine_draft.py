# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""An engine that is being written: a folder that nobody reads, until it gets its name."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from jetson_infer.engines.cached_engine import (
    LAYERS,
    LOG,
    MANIFEST,
    PLAN,
    CachedEngine,
    write_manifest,
)
from jetson_infer.engines.durable_files import replace_folder, write_file
from jetson_infer.engines.engine_key import EngineKey
from jetson_infer.engines.file_failures import explained
from jetson_infer.errors import EngineError

__all__ = ['EngineDraft']

_BLOCK = 1 << 20  # bytes


class EngineDraft:
    """A context manager that leaves a whole engine under its name, or nothing.

    :param folder: an empty folder in the same file system as ``target``.
    :param target: the engine's folder.
    """

    def __init__(
        self, folder: Path, target: Path, model: str, variant: str, key: EngineKey
    ) -> None:
        self.folder = folder
        self._target = target
        self._model = model
        self._variant = variant
        self._key = key

    @property
    def plan(self) -> Path:
        """Where the plan belongs; a builder in another process writes it there."""
        return self.folder / PLAN

    @property
    def log(self) -> Path:
        """Where the log belongs."""
        return self.folder / LOG

    @property
    def layers(self) -> Path:
        """Where the layers that were found belong."""
        return self.folder / LAYERS

    def write_plan(self, content: bytes) -> None:
        """Write a plan that is in memory.

        :raises EngineError: if it cannot be written.
        """
        self._write(self.plan, content)

    def write_log(self, text: str) -> None:
        """Write the whole log.

        :raises EngineError: if it cannot be written.
        """
        self._write(self.log, text.encode())

    def finish(self, build: Mapping[str, Any], written: str = '') -> CachedEngine:
        """Give the engine its name, in the place of the one that has it now.

        :param build: what is known of its build, as JSON has it.
        :param written: the SHA-256 of the plan as its builder wrote it, where that is known.
        :raises EngineError: if that fails, or the plan reads back as another one.
        """
        try:
            size, digest = _synced_digest(self.plan)
            if written not in ('', digest):
                raise EngineError(
                    f'{self._target}: the engine cannot be stored: its builder wrote a plan of '
                    f'SHA-256 {written[:12]}..., and {digest[:12]}... ({size} bytes) is read back; '
                    'check the disk'
                )
            engine = CachedEngine(
                self._target, self._model, self._variant, self._key, size, digest, dict(build)
            )
            for file in (self.log, self.layers):
                if file.exists():
                    _synced_digest(file)
            write_file(self.folder / MANIFEST, write_manifest(engine))
            replace_folder(self.folder, self._target)
        except OSError as error:
            raise self._error(error) from error
        return engine

    def _write(self, path: Path, content: bytes) -> None:
        try:
            write_file(path, content)
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError) -> EngineError:
        return EngineError(explained(error, self._target, 'the engine cannot be stored'))

    def __enter__(self) -> EngineDraft:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _synced_digest(path: Path) -> tuple[int, str]:
    """Sync a file that is written; return its size in bytes and its SHA-256 as read back."""
    digest, size = hashlib.sha256(), 0
    with path.open('rb') as stream:
        os.fsync(stream.fileno())
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()
