# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Remove the shared-memory segments that killed Fast DDS processes left in /dev/shm.

With the profile of config/dds a process holds 70 MB there; killed with SIGKILL it leaves them until
the next boot. A living process holds a lock on the file `<segment>_el`, so a segment whose lock can
be had is nobody's. Only this user's files are touched.
"""

import fcntl
import os
from pathlib import Path

LOCK_SUFFIX = '_el'


def remove_dead_segments(folder: Path) -> tuple[int, int]:
    """Remove what no living process holds; return how many segments, and their bytes."""
    count = size = 0
    for lock in folder.glob(f'fastrtps_*{LOCK_SUFFIX}'):
        segment = lock.with_name(lock.name[: -len(LOCK_SUFFIX)])
        try:
            if lock.stat().st_uid != os.geteuid():
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
