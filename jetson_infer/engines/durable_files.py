# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Files and folders that are there whole or not at all, whenever power or a process ends.

Data is synced before the name points to it, and the folder that holds the name after; without the
first, a file that was renamed in time could be empty after a power cut.
"""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
from pathlib import Path

__all__ = ['keep_file', 'replace_file', 'replace_folder', 'sync_folder', 'write_file']

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # fcntl.h, linux/fs.h
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.EXDEV, errno.ENOTSUP)


def write_file(path: Path, content: bytes) -> None:
    """Write a file that nobody looks at yet, and sync it."""
    with path.open('wb') as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that readers find its old content or its new one, whole.

    :raises OSError: if that fails; the old file is as it was, and nothing else is left.
    """
    draft = path.with_name(f'.{path.name}.{os.getpid()}.{secrets.token_hex(4)}')
    try:
        write_file(draft, content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def keep_file(path: Path, target: Path) -> None:
    """Move a file within a file system; without one to move, what is there is removed."""
    target.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(target)


def sync_folder(folder: Path) -> None:
    """Sync a folder's list of names."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_folder(draft: Path, target: Path) -> None:
    """Give a finished folder its name; what had that name is removed.

    Where the file system can exchange two names in one step, readers find the old folder or the
    new one at any moment.  Where it cannot (NFS), they find none for an instant.

    :param draft: a folder in the same file system whose files are synced.
    :raises OSError: if that fails.
    """
    for entry in draft.rglob('*'):
        if entry.is_dir():
            sync_folder(entry)
    sync_folder(draft)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        draft.rename(target)
    else:
        _exchange(draft, target)
        shutil.rmtree(draft, ignore_errors=True)
    sync_folder(target.parent)


def _exchange(one: Path, other: Path) -> None:
    """Exchange two names; the first gets another one meanwhile where it cannot be one step."""
    try:
        # By the C library's name: os has no renameat2.  glibc has it since 2.28.
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        code = errno.ENOSYS
    else:
        names = os.fsencode(one), os.fsencode(other)
        done = renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
        code = ctypes.get_errno() if done else 0
    if code in _UNSUPPORTED:
        aside = one.with_name(f'{one.name}-old')
        other.rename(aside)
        one.rename(other)
        aside.rename(one)
    elif code:
        raise OSError(code, os.strerror(code), str(other))
