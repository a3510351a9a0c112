# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The shared memory that Fast DDS lives in: room for it, and what dead processes left there."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from jetson_infer.toolchain.doctor.findings import OK, PROBLEM, WARNING, Finding

__all__ = ['check_shared_memory', 'dead_segments']

SEGMENT_BYTES = 70_000_000
"""Of one process with the shipped profile: its segment and its ports."""

PROCESSES = 4
"""A camera, a detector, its consumer and something that looks on."""

LOCK_SUFFIX = '_el'
SEGMENTS = ('fastrtps_', 'fastdds_')
LISTED = 4


def check_shared_memory(root: Path = Path('/')) -> Iterator[Finding]:
    """Compare the free shared memory with the need, and look for what dead processes left.

    :param root: the root of the file system to look at.
    """
    folder = root / 'dev/shm'
    if not folder.is_dir():
        yield Finding(
            PROBLEM,
            'transport.shared_memory',
            f'there is no {folder}: Fast DDS uses UDP alone, and large images are lost',
            'sudo mount -t tmpfs -o size=1g tmpfs /dev/shm; in a container: docker run --ipc=host',
        )
        return
    yield _room(folder)
    dead = dead_segments(folder)
    if dead:
        size = sum(segment.stat().st_size for segment in dead if segment.exists())
        names = ' '.join(f'{segment.name}*' for segment in dead[:LISTED])
        more = f' (and {len(dead) - LISTED} more)' if len(dead) > LISTED else ''
        yield Finding(
            WARNING,
            'transport.dead_segments',
            f'{len(dead)} segments of dead Fast DDS processes hold {size / 1e6:.0f} MB of {folder}',
            f'fastdds shm clean   (or: cd {folder} && rm {names}{more})',
        )


def dead_segments(folder: Path) -> list[Path]:
    """Return the segments that no living process holds.

    A living process holds an exclusive lock on the file ``<segment>_el``.  It is asked for shared
    and given back at once; nothing is written.
    """
    return [
        lock.with_name(lock.name[: -len(LOCK_SUFFIX)])
        for prefix in SEGMENTS
        for lock in sorted(folder.glob(f'{prefix}*{LOCK_SUFFIX}'))
        if _is_free(lock)
    ]


def _is_free(lock: Path) -> bool:
    try:
        with lock.open('rb') as held:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False  # held, another user's, or removed by its owner in this very moment
    return True


def _room(folder: Path) -> Finding:
    status = os.statvfs(folder)
    return judge_room(str(folder), status.f_bavail * status.f_frsize)


def judge_room(folder: str, free: int) -> Finding:
    """Compare free bytes with the need of nodes that start from now on."""
    check, needed = 'transport.shared_memory', PROCESSES * SEGMENT_BYTES
    what = f'{folder} has {free / 1e6:.0f} MB free'
    remedy = (
        'in a container: docker run --ipc=host (or --shm-size=1g); else: '
        'sudo mount -o remount,size=1g /dev/shm'
    )
    if free < SEGMENT_BYTES:
        return Finding(
            PROBLEM,
            check,
            f'{what}, and one process with the shared-memory profile needs '
            f'{SEGMENT_BYTES / 1e6:.0f} MB: it uses UDP alone then, and large images are lost',
            remedy,
        )
    if free < needed:
        return Finding(
            WARNING,
            check,
            f'{what}: enough for {free // SEGMENT_BYTES} more processes of '
            f'{SEGMENT_BYTES / 1e6:.0f} MB; a robot runs {PROCESSES} and more',
            remedy,
        )
    return Finding(OK, check, f'{what}: enough for {free // SEGMENT_BYTES} more processes')
