# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The verdicts of this machine: which variants held their thresholds, on which engine and data.

::

    <root>/verdicts/<model>/<variant>-<engine>-<digest of the key>.json
    <root>/engines/<model>/<engine's folder>/verdict.json               a copy beside the engine

A verdict is found by its key alone, so that a change of anything in it makes the verdict void.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jetson_infer.core.cache_root import cache_root
from jetson_infer.core.verdict import Verdict
from jetson_infer.engines.cached_engine import CachedEngine
from jetson_infer.engines.durable_files import replace_file
from jetson_infer.engines.file_failures import explained, user_name
from jetson_infer.engines.verdict_key import VerdictKey
from jetson_infer.errors import EngineError

__all__ = ['BESIDE_ENGINE', 'StoredVerdict', 'VerdictStore']

BESIDE_ENGINE = 'verdict.json'
FORMAT = 1
_DIGITS = 12  # of the digest, in a file's name
_LARGEST = 16 << 20  # bytes; a verdict has some kilobytes


@dataclass(frozen=True)
class StoredVerdict:
    """A verdict and what it was found on.

    :param key: what it is about.
    :param verdict: the verdict.
    :param data: the data it was found on: ``name``, ``digest``, ``frames``, ``truth``.
    :param figures: everything that was measured, as JSON has it.
    :param at: when, in UTC, as ISO 8601 has it.
    """

    key: VerdictKey
    verdict: Verdict
    data: Mapping[str, Any]
    figures: Mapping[str, Any]
    at: str

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON has it, with a digest that tells whether it was changed."""
        values = {
            'format': FORMAT,
            'key': self.key.to_json(),
            'verdict': self.verdict.to_json(),
            'data': dict(self.data),
            'figures': dict(self.figures),
            'at': self.at,
        }
        return {**values, 'digest': _digest(values)}

    @classmethod
    def from_json(cls, value: Any) -> StoredVerdict:
        """Read what :meth:`to_json` made.

        :raises ValueError: if it is something else or was changed.
        """
        try:
            values = dict(value)
            written = values.pop('digest')
            if values['format'] != FORMAT:
                raise ValueError(
                    f'is of format {values["format"]!r}, and this version reads {FORMAT}'
                )
            if written != _digest(values):
                raise ValueError('was changed after it was written')
            return cls(
                VerdictKey.from_json(values['key']),
                Verdict.from_json(values['verdict']),
                dict(values['data']),
                dict(values['figures']),
                str(values['at']),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f'is not what a validation writes: {error!r}') from error


class VerdictStore:
    """The folder of verdicts; nothing is made before it is needed.

    :param root: the cache; :func:`jetson_infer.core.cache_root.cache_root` unless given.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = cache_root() if root is None else Path(root)
        self.verdicts = self.root / 'verdicts'

    def path(self, key: VerdictKey) -> Path:
        """Return where the verdict of a key lies or would lie."""
        name = f'{key.variant}-{key.engine.kind}-{key.digest()[:_DIGITS]}.json'
        return self.verdicts / key.model / name

    def find(self, key: VerdictKey) -> StoredVerdict | None:
        """Return the verdict of a key, passed or failed; None if there is none.

        :raises EngineError: if there is one that may not be trusted: cut, changed, another user's,
            about something else; with the reason.
        """
        path = self.path(key)
        try:
            stored = self._read(path)
        except FileNotFoundError:
            return None
        if stored.key != key:
            changed = ', '.join(stored.key.differences(key))
            raise EngineError(f'{path}: is a verdict about something else: {changed} differ')
        return stored

    def void(self, key: VerdictKey) -> str:
        """Say what has changed since the latest verdict on this variant and engine; or nothing.

        Verdicts that cannot be read are passed over.
        """
        folder = self.verdicts / key.model
        nearest: StoredVerdict | None = None
        for path in folder.glob(f'{key.variant}-{key.engine.kind}-*.json'):
            with suppress(EngineError, OSError):
                stored = self._read(path)
                if stored.key.variant == key.variant and stored.key != key:
                    nearest = max(filter(None, (nearest, stored)), key=lambda each: each.at)
        if nearest is None:
            return ''
        what = 'passed' if nearest.verdict.passed else 'failed'
        changed = ', '.join(nearest.key.differences(key))
        return f'it {what} at {nearest.at}, and since then has changed: {changed}'

    def check_writable(self, model: str) -> None:
        """Make the folder of a model's verdicts, before minutes of work are spent on one.

        :raises EngineError: if it cannot be written, with the reason and what to do.
        """
        folder = self.verdicts / model
        try:
            folder.mkdir(parents=True, exist_ok=True)
            replace_file(folder / '.writable', b'')
            (folder / '.writable').unlink()
        except OSError as error:
            raise EngineError(explained(error, folder, 'no verdict can be stored')) from error

    def store(self, stored: StoredVerdict, engine: CachedEngine | None = None) -> Path:
        """Write a verdict, whole or not at all, in the place of an earlier one of the same key.

        :param engine: with TensorRT, the engine beside which a copy is left for people.
        :raises EngineError: if it cannot be written; the earlier one stays.
        """
        path = self.path(stored.key)
        content = (json.dumps(stored.to_json(), indent=2) + '\n').encode()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)
            if engine is not None:
                replace_file(engine.folder / BESIDE_ENGINE, content)
        except OSError as error:
            raise EngineError(explained(error, path, 'the verdict cannot be stored')) from error
        return path

    def _read(self, path: Path) -> StoredVerdict:
        """Read a verdict that may be trusted.

        :raises FileNotFoundError: if there is none.
        :raises EngineError: if it may not be.
        """
        try:
            # Non-blocking: somebody's named pipe must not stop a node.
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(handle, 'rb') as stream:
                status = os.fstat(handle)
                if not stat.S_ISREG(status.st_mode):
                    raise EngineError(f'{path}: is not a file')
                self._check_owner(path, status.st_uid)
                content = stream.read(_LARGEST)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise EngineError(explained(error, path, 'the verdict cannot be read')) from error
        try:
            return StoredVerdict.from_json(json.loads(content))
        except (ValueError, RecursionError) as error:
            raise EngineError(
                f'{path}: the verdict cannot be trusted: it {_told(error)} ({len(content)} bytes)'
            ) from error

    def _check_owner(self, path: Path, owner: int) -> None:
        """Refuse what another user may have written: a verdict lets a network onto the robot."""
        user = os.geteuid()
        trusted = {user, 0}
        if user == 0:  # root in a container, with a user's cache mounted
            trusted.add(self.verdicts.stat().st_uid)
        if owner not in trusted:
            raise EngineError(
                f'{path}: belongs to {user_name(owner)}, and this process runs as '
                f'{user_name(user)}, who trusts own verdicts and those of root alone'
            )


def _told(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f'is cut or no JSON: {error}'
    if isinstance(error, (UnicodeDecodeError, RecursionError)):
        return 'is no JSON that a validation writes'
    return str(error)


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
