# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""One engine in the cache: a folder with the plan, what is known of it, and its build's log.

A plan is checked by size and SHA-256 before anybody deserializes it: TensorRT crashes on some
damaged plans, and runs code of others.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jetson_infer.engines.engine_key import EngineKey
from jetson_infer.engines.file_failures import explained, megabytes, user_name
from jetson_infer.errors import EngineError

__all__ = [
    'LAYERS',
    'LOG',
    'MANIFEST',
    'PLAN',
    'CachedEngine',
    'EngineNotCached',
    'open_engine',
    'write_manifest',
]

PLAN, MANIFEST, LOG, LAYERS = 'engine.plan', 'engine.json', 'build.log', 'layers.json'
FORMAT = 1
_BLOCK = 1 << 20  # bytes
_ATTEMPTS = 5
"""How often a folder that is replaced while it is read is looked at again."""


class EngineNotCached(EngineError):
    """No engine of this key is in the cache; there may be others of the same variant."""


@dataclass(frozen=True)
class CachedEngine:
    """An engine whose folder was checked.

    :param folder: where it lies.
    :param model: the name of its model.
    :param variant: the name of its variant.
    :param key: what it was built from, for and how.
    :param plan_bytes: the size of its plan.
    :param plan_digest: the plan's SHA-256, in hex.
    :param build: what is known of its build, as JSON has it: ``at``, ``seconds``, ``precision``.
    """

    folder: Path
    model: str
    variant: str
    key: EngineKey
    plan_bytes: int
    plan_digest: str
    build: Mapping[str, Any] = field(default_factory=dict)

    @property
    def plan(self) -> Path:
        """The serialized engine."""
        return self.folder / PLAN

    @property
    def log(self) -> Path:
        """What the builder said."""
        return self.folder / LOG

    @property
    def layers(self) -> Path:
        """The layers found in the engine, as JSON; missing where its inspector told none."""
        return self.folder / LAYERS

    def read_plan(self, repair: str = '') -> bytes:
        """Read the plan and check these very bytes.

        :param repair: the command that makes the engine again, for messages.
        :raises EngineNotCached: if it was removed.
        :raises EngineError: if it is no longer what was stored.
        """
        parts: list[bytes] = []
        try:
            open_engine(self.folder, self.key, repair, parts)
        except FileNotFoundError as error:
            raise EngineNotCached(
                f'{self.folder}: was removed after it was found' + (f'; {repair}' if repair else '')
            ) from error
        return b''.join(parts)


def write_manifest(engine: CachedEngine) -> bytes:
    """Return what :func:`open_engine` reads in an engine's ``engine.json``."""
    values = {
        'format': FORMAT,
        'model': engine.model,
        'variant': engine.variant,
        'key_digest': engine.key.digest(),
        'key': engine.key.to_json(),
        'plan': {'bytes': engine.plan_bytes, 'sha256': engine.plan_digest},
        'build': dict(engine.build),
    }
    return (json.dumps(values, indent=2) + '\n').encode()


def open_engine(
    folder: Path,
    wanted: EngineKey | None = None,
    repair: str = '',
    content: list[bytes] | None = None,
    digest: bool = True,
) -> CachedEngine:
    """Check an engine's folder.

    :param wanted: the key that it must have; None for any.
    :param repair: the command that makes the engine again, for messages.
    :param content: gets the plan's bytes, in parts; those that were checked.
    :param digest: whether to check the plan's SHA-256 besides its size.
    :raises EngineError: if the engine may not be used: unreadable, another user's, of another
        format, built for something else, truncated or changed; naming both sides.
    :raises FileNotFoundError: if there is no such folder.
    """
    check = _Check(folder, repair)
    attempts = 0
    while True:
        attempts += 1
        if content is not None:
            content.clear()
        try:
            with _opened_folder(folder) as handle:
                looked_at = os.fstat(handle).st_ino
                return check.engine(handle, wanted, content, digest)
        except _Missing as error:
            # A file that is gone from a folder that is gone: another build has replaced it.
            if folder.stat().st_ino == looked_at or attempts == _ATTEMPTS:
                raise check.error(str(error)) from error
        except FileNotFoundError:
            raise
        except OSError as error:
            raise check.error(explained(error, folder, 'cannot be read')) from error


class _Missing(Exception):
    """A file that an engine's folder must have is not there."""


class _Check:
    """Reads one engine's folder and complains in its name."""

    def __init__(self, folder: Path, repair: str) -> None:
        self._folder = folder
        self._repair = repair

    def error(self, message: str) -> EngineError:
        """Return the exception that tells what is wrong and how to mend it."""
        told = message if message.startswith(str(self._folder)) else f'{self._folder}: {message}'
        return EngineError(f'{told}. Build it again: {self._repair}' if self._repair else told)

    def engine(
        self, handle: int, wanted: EngineKey | None, content: list[bytes] | None, digest: bool
    ) -> CachedEngine:
        """Check everything, the cheap before the dear, the plan last."""
        found = self._manifest(handle)
        if wanted is not None and found.key != wanted:
            differences = '; '.join(found.key.differences(wanted))
            raise self.error(f'holds another engine than its name says: {differences}')
        with self._file(handle, PLAN) as plan:
            size = os.fstat(plan).st_size
            if size != found.plan_bytes:
                what = 'truncated' if size < found.plan_bytes else 'another file'
                raise self.error(
                    f'{PLAN} has {size} bytes, and had {found.plan_bytes} when it was built: it is '
                    f'{what}'
                )
            if digest or content is not None:
                self._digest(plan, found, content)
        return found

    def _manifest(self, handle: int) -> CachedEngine:
        with self._file(handle, MANIFEST) as file, os.fdopen(os.dup(file), 'rb') as stream:
            text = stream.read()
        try:
            values = json.loads(text)
            if values['format'] != FORMAT:
                raise self.error(
                    f'{MANIFEST} is of format {values["format"]!r}, and this version of '
                    f'jetson_infer reads {FORMAT}'
                )
            engine = CachedEngine(
                self._folder,
                str(values['model']),
                str(values['variant']),
                EngineKey.from_json(values['key']),
                int(values['plan']['bytes']),
                str(values['plan']['sha256']),
                dict(values['build']),
            )
            written = values['key_digest']
        except EngineError as error:
            if str(error).startswith(str(self._folder)):
                raise
            raise self.error(f'{MANIFEST} {error}') from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self.error(
                f'{MANIFEST} is not what a build writes ({megabytes(len(text))}: {error!r})'
            ) from error
        if written != engine.key.digest():
            raise self.error(f'the key in {MANIFEST} was changed: it has another digest')
        return engine

    def _digest(self, plan: int, found: CachedEngine, content: list[bytes] | None) -> None:
        digest = hashlib.sha256()
        while block := os.read(plan, _BLOCK):
            digest.update(block)
            if content is not None:
                content.append(block)
        if digest.hexdigest() != found.plan_digest:
            raise self.error(
                f'{PLAN} has SHA-256 {digest.hexdigest()[:12]}..., and had '
                f'{found.plan_digest[:12]}... when it was built: it is damaged, or another plan'
            )

    @contextmanager
    def _file(self, handle: int, name: str) -> Iterator[int]:
        try:
            # Non-blocking: somebody's named pipe must not stop a node.
            file = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=handle)
        except FileNotFoundError as error:
            raise _Missing(f'has no {name}: it is not a finished engine') from error
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise self.error(f'{name} is not a file')
            self._check_owner(name, status.st_uid)
            yield file
        finally:
            os.close(file)

    def _check_owner(self, name: str, owner: int) -> None:
        """Refuse what another user may change at will: deserializing a plan trusts its author."""
        user = os.geteuid()
        trusted = {user, 0}
        if user == 0:  # root in a container, with a user's cache mounted
            trusted.add(self._folder.parent.parent.stat().st_uid)
        if owner not in trusted:
            raise self.error(
                f'{name} belongs to {user_name(owner)}, and this process runs as '
                f'{user_name(user)}; a plan is trusted like a program. Set $JETSON_INFER_CACHE to '
                'a folder of your own, or give it to yourself with chown'
            )


@contextmanager
def _opened_folder(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)
