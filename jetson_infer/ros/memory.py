# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How a process that is there for one node treats its memory."""

from __future__ import annotations

import ctypes
import gc

__all__ = ['keep_freed_memory', 'spare_collector']

# glibc, malloc.h
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

LARGEST_BLOCK = 32 * 1024**2  # glibc takes no more; a 3840x2160 bgr8 image has 24.9 MB
KEPT = 128 * 1024**2
"""Of freed memory, so much stays with the process: some images of the largest kind."""


def keep_freed_memory() -> bool:
    """Let glibc reuse the memory of one image for the next, rather than return and ask anew.

    rclpy makes a new message of every image.  By default glibc maps blocks of that size freshly, or
    gives the heap's end back as soon as two images are free; either way the kernel then hands out
    zeroed pages, one fault a page: 765 faults a 1920x1080 image, which cost more than copying it.

    :return: whether it took effect; False where the C library is another one.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False  # musl and others have no such switch
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGEST_BLOCK) and mallopt(_M_TRIM_THRESHOLD, KEPT))


def spare_collector() -> None:
    """Have Python's garbage collector pass over everything that is there now.

    Modules, message types and services are some 45,000 objects, and live as long as the process.  A
    full collection looks at each while every thread stands still: more than a frame time at 30 Hz
    (docs/benchmarks.md).
    """
    gc.collect()  # what is garbage already would never be freed
    gc.freeze()
