# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Compiled kernels on disk: found whole, or not found."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from jetson_infer.cuda.kernels.backend import Architecture

__all__ = ['KernelCache', 'digest_of']

_LOG = logging.getLogger(__name__)
_MAGIC = b'jetson_infer kernels 1\n'
_DIGEST_BYTES = hashlib.sha256().digest_size


def digest_of(source: str, options: Sequence[str], architecture: Architecture) -> str:
    """Return what a compilation is known by, whoever compiles: 64 hexadecimal digits."""
    fields = (source, *options, f'{architecture[0]}.{architecture[1]}')
    return hashlib.sha256('\0'.join(fields).encode()).hexdigest()


class KernelCache:
    """A folder of compiled kernels, one file for each compilation and compiler.

    A file holds the digest of what it was made from and that of its content, so that one that was
    cut, changed or renamed is found out and made again.  A folder that cannot be written costs the
    time of compiling again, and a warning.

    :param folder: where it lies; made on the first store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, digest: str, compiler: str) -> bytes | None:
        """Return what a compiler of this identity made, or None.

        :param digest: see :func:`digest_of`.
        :param compiler: its identity.
        """
        return self._read(self._path(digest, compiler), digest)

    def find_any(self, digest: str) -> bytes | None:
        """Return what any compiler made, the one written last, or None."""
        try:
            paths = sorted(self._folder.glob(f'{digest}.*.kernels'), key=os.path.getmtime)
        except OSError as error:
            _LOG.warning('compiled kernels in %s cannot be listed: %s', self._folder, error)
            return None
        found = (self._read(path, digest) for path in reversed(paths))
        return next((image for image in found if image is not None), None)

    def store(self, digest: str, compiler: str, image: bytes) -> None:
        """Keep what was compiled; a reader sees the whole file or none."""
        path = self._path(digest, compiler)
        content = _MAGIC + bytes.fromhex(digest) + hashlib.sha256(image).digest() + image
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._folder, prefix='.new-')
            try:
                with os.fdopen(descriptor, 'wb') as file:
                    file.write(content)
                os.replace(name, path)
            except BaseException:
                os.unlink(name)
                raise
        except OSError as error:
            _LOG.warning(
                'compiled kernels cannot be kept, and are compiled again at the next start: %s; '
                'make %s writable or set JETSON_INFER_CACHE to a folder that is',
                error,
                self._folder,
            )

    def _path(self, digest: str, compiler: str) -> Path:
        return self._folder / f'{digest}.{compiler}.kernels'

    def _read(self, path: Path, digest: str) -> bytes | None:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            _LOG.warning('%s cannot be read and is compiled again: %s', path, error)
            return None
        head = _MAGIC + bytes.fromhex(digest)
        start = len(head) + _DIGEST_BYTES
        image = content[start:]
        sound = hashlib.sha256(image).digest() == content[len(head) : start]
        if image and content.startswith(head) and sound:
            return image
        _LOG.warning('%s is truncated or foreign; it is compiled again', path)
        return None
