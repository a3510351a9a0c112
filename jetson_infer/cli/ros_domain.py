# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""One demo in a ROS domain: two of them would take each other's messages for their own."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jetson_infer.errors import JetsonInferError

__all__ = ['DomainTaken', 'hold_domain']

VARIABLE = 'ROS_DOMAIN_ID'
CANDIDATES = range(60, 100)
"""Domains for whoever has chosen none; above 101 their ports are ones that Linux hands out."""


class DomainTaken(JetsonInferError):
    """Another demo runs in the ROS domain."""


@contextmanager
def hold_domain(environment: Mapping[str, str], folder: Path | None = None) -> Iterator[str]:
    """Hold a ROS domain against other demos of this user: the chosen one, or a free one.

    :param environment: where ``ROS_DOMAIN_ID`` may be set.
    :param folder: where the locks lie; the system's temporary folder unless given.  A lock ends
        with its process, however that ends.
    :raises DomainTaken: if another demo holds it.
    """
    folder = Path(tempfile.gettempdir()) if folder is None else folder
    chosen = environment.get(VARIABLE)
    for domain in [chosen] if chosen else map(str, CANDIDATES):
        path = folder / f'jetson_infer_demo_{os.getuid()}_{domain}.lock'
        # Never removed: a removed file could be locked by one and made anew by the next.
        with path.open('w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield domain
            return
    raise DomainTaken(
        f'another demo runs in the ROS domain {chosen}; wait for its end, or take another '
        f'domain: {VARIABLE}={_other(chosen)} jetson-infer demo'
        if chosen
        else f'a demo runs in each of the ROS domains {CANDIDATES[0]} to {CANDIDATES[-1]}'
    )


def _other(domain: str) -> int:
    return (int(domain) + 1) % 100 if domain.isdigit() else CANDIDATES[0]
