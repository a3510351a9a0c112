# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Other processes that keep a processor busy while something is measured."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Ends with its standard input, and so with whoever started it, however that ends.
_COPYING = """
import os, threading, numpy as np
def leave():
    os.read(0, 1)
    os._exit(0)
threading.Thread(target=leave).start()
one, other = np.ones((2, 64 << 20), np.uint8)
print('copying', flush=True)
while True:
    np.copyto(other, one)
"""


@contextmanager
def busy_processor(free: int = 1) -> Iterator[int]:
    """Have a process copy memory on every core that this one may use but ``free`` of them.

    Each copies 64 MiB again and again: the last cache and the memory's bandwidth are shared with
    whatever is measured beside them, as with the other processes of a robot.

    :return: a context that gives their number, at least 1; they end with it.
    """
    count = max(1, len(os.sched_getaffinity(0)) - free)
    command = [sys.executable, '-c', _COPYING]
    copying = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(count)
    ]
    try:
        for process in copying:
            process.stdout.readline()
        yield count
    finally:
        for process in copying:
            process.kill()
            process.communicate()
