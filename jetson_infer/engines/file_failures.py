# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What an OSError of the cache's folder means to a person, and what to do about it."""

from __future__ import annotations

import errno
import os
import pwd
import shutil
from pathlib import Path

__all__ = ['explained', 'megabytes', 'owner_of', 'user_name']

ELSEWHERE = 'or set $JETSON_INFER_CACHE to a folder of your own'


def explained(error: OSError, path: Path, what: str) -> str:
    """Return a message: what failed where, why, the numbers, and what to do.

    :param path: the file or folder that was worked on; need not exist.
    :param what: what could not be done, as a sentence: ``'the engine cannot be stored'``.
    """
    place = _nearest(path)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        free = megabytes(shutil.disk_usage(place).free)
        return f'{path}: {what}: {error.strerror}; {free} are free there. Make room, {ELSEWHERE}'
    if error.errno == errno.EROFS:
        return (
            f'{path}: {what}: the file system is read-only. Mount it writable to build engines, '
            f'{ELSEWHERE}'
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f'{path}: {what}: {error.strerror}; {place} belongs to {owner_of(place)}, and this '
            f'process runs as {user_name(os.geteuid())}. Run as that user, {ELSEWHERE}'
        )
    return f'{path}: {what}: {error.strerror or error}'


def megabytes(count: int) -> str:
    """Return a number of bytes for a person: ``'12.3 MB'``; of few, the bytes."""
    return f'{count / 1e6:.1f} MB' if count >= 100_000 else f'{count} bytes'


def owner_of(path: Path) -> str:
    """Return the name of a file's owner."""
    return user_name(path.stat().st_uid)


def user_name(uid: int) -> str:
    """Return a user's name, with the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f'user {uid}'


def _nearest(path: Path) -> Path:
    """Return the path, or the nearest folder above it that can be looked at."""
    for place in (path, *path.parents):
        if os.access(place, os.F_OK):
            return place
    return Path('/')
