# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""ROS domains for tests: two test runs on one machine must not hear each other."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FIRST_DOMAIN = 51
LAST_DOMAIN = 101
"""Above it the ports of a domain reach into those that Linux hands out to anyone (from 32768)."""


DISTROS = ('humble', 'jazzy')


def domains_of(distro: str) -> range:
    """Return the domains in which tests of a distribution may run; no other one uses them.

    A process that is killed leaves its ports in shared memory, and processes of another version of
    Fast DDS that find them there may never meet.
    """
    first = DISTROS.index(distro) if distro in DISTROS else 0
    return range(FIRST_DOMAIN + first, LAST_DOMAIN + 1, len(DISTROS))


@contextmanager
def reserve_domain(distro: str) -> Iterator[int]:
    """Hold a ROS_DOMAIN_ID that no other test run on this machine holds.

    The reservation is a lock on a file, so it ends with the process, however that ends. The files
    are never removed: a removed file could be locked by one process and made anew by the next.

    Raises:
        RuntimeError: all are taken, by that many test runs at once.
    """
    folder = Path(tempfile.gettempdir())
    for domain in domains_of(distro):
        descriptor = os.open(
            folder / f'jetson_infer_domain_{domain}.lock', os.O_RDONLY | os.O_CREAT, 0o644
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        try:
            yield domain
        finally:
            os.close(descriptor)
        return
    raise RuntimeError(
        f'all {len(domains_of(distro))} ROS domains for tests of {distro} are taken by running '
        f'tests; see who holds {folder}/jetson_infer_domain_*.lock'
    )
