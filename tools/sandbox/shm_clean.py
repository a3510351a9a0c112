# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Remove the shared-memory segments that killed Fast DDS processes left in /dev/shm.

With the profile of config/dds a process holds 70 MB there; killed with SIGKILL it leaves them until
the next boot. A living process holds a lock on the file `<segment>_el`, so a segment whose lock can
be had is nobody's. Only this user's segments are touched, and not the ports beside them: those are
small, and a living process may still be writing to the port of a dead one.
"""

import fcntl
import os
import re
import time
from pathlib import Path

LOCK_SUFFIX = '_el'
SEGMENT_NAME = re.compile('fastrtps_[0-9a-f]{16}')
SETTLED_S = 5.0
"""A process makes the file before it locks it; younger ones are left alone."""


def remove_dead_segments(folder: Path) -> tuple[int, int]:
    """Remove what no living process holds; return how many segments, and their bytes."""
    count = size = 0
    for lock in folder.glob(f'fastrtps_*{LOCK_SUFFIX}'):
        segment = lock.with_name(lock.name[: -len(LOCK_SUFFIX)])
        if not SEGMENT_NAME.fullmatch(segment.name):
            continue
        try:
            status = lock.stat()
            if status.st_uid != os.geteuid() or time.time() - status.st_mtime < SETTLED_S:
                continue
            with lock.open('rb') as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if segment.exists():
                    size += segment.stat().st_size
                    segment.unlink()
                    count += 1
                lock.unlink()
        except (BlockingIOError, FileNotFoundError):
            continue  # in use, or its owner removed it in this very moment
    return count, size


def report_dead_segments() -> None:
    """Remove them, and say so where there were any."""
    segments, freed = remove_dead_segments(Path('/dev/shm'))
    if segments:
        print(f'  /dev/shm: removed {segments} segments of dead processes, {freed / 1e6:.0f} MB')
