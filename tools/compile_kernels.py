#!/usr/bin/env python3
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Compile every variant of every kernel, for architectures of one's choice.

As a check, that all of them compile; and as a supply for robots without a compiler: what lies in
the folder `--out` afterwards is found where JETSON_INFER_CACHE names that folder.

    python tools/compile_kernels.py --compiler nvcc
    python tools/compile_kernels.py --architectures 8.7 --out /opt/jetson_infer_cache
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jetson_infer.cuda.kernels.backend import Compiler, target_of
from jetson_infer.cuda.kernels.kernel_cache import KernelCache, digest_of
from jetson_infer.cuda.kernels.nvcc import open_nvcc
from jetson_infer.cuda.kernels.nvrtc import open_nvrtc
from jetson_infer.cuda.kernels.preprocess import VARIANTS
from jetson_infer.cuda.kernels.program import options_of, read_source
from jetson_infer.errors import KernelError

COMPILERS = {'nvrtc': open_nvrtc, 'nvcc': open_nvcc}
OLDEST = 72  # Xavier


def main() -> int:
    options = arguments()
    try:
        compiler = COMPILERS[options.compiler]()
    except KernelError as error:
        sys.exit(str(error))
    wanted = options.architectures or [
        (number // 10, number % 10)
        for number in sorted(set(compiler.architectures()))
        if number >= OLDEST
    ]
    failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        cache = KernelCache((options.out or Path(scratch)) / 'kernels')
        with ThreadPoolExecutor(options.jobs) as pool:
            for architecture in wanted:
                failures += build_all(pool, compiler, architecture, cache)
    return 1 if failures else 0


def build_all(
    pool: ThreadPoolExecutor, compiler: Compiler, architecture: tuple[int, int], cache: KernelCache
) -> int:
    """Compile and keep all programs for one architecture; return how many failed."""
    programs = [
        ('candidates.cu', {}),
        ('detections.cu', {}),
        *(('preprocess.cu', variant) for variant in VARIANTS),
    ]
    start = time.monotonic()
    outcomes = list(
        pool.map(lambda program: build(compiler, program, architecture, cache), programs)
    )
    seconds = time.monotonic() - start
    sizes = [outcome for outcome in outcomes if isinstance(outcome, int)]
    print(
        f'{compiler.identity} {architecture[0]}.{architecture[1]}: {len(sizes)} of '
        f'{len(programs)} programs, {sum(sizes) / 1000:.0f} kB, {seconds:.1f} s',
        flush=True,
    )
    for outcome in outcomes:
        if isinstance(outcome, KernelError):
            print(outcome, file=sys.stderr)
    return len(programs) - len(sizes)


def build(
    compiler: Compiler,
    program: tuple[str, dict[str, int]],
    architecture: tuple[int, int],
    cache: KernelCache,
) -> int | KernelError:
    """Compile and keep one program; return its size, or what went wrong."""
    source, definitions = program
    text, options = read_source(source), options_of(definitions)
    try:
        target = target_of(compiler, architecture)
        image = compiler.compile(text, options, target, source)
    except KernelError as error:
        return error
    cache.store(digest_of(text, options, architecture), compiler.identity, image)
    return len(image)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--compiler', choices=COMPILERS, default='nvcc')
    parser.add_argument(
        '--architectures',
        nargs='+',
        type=lambda text: tuple(map(int, text.split('.'))),
        metavar='8.7',
        help='compute capabilities (default: all from 7.2 on that the compiler knows)',
    )
    parser.add_argument('--out', type=Path, help='where to keep what was compiled')
    parser.add_argument('--jobs', type=int, default=2)
    return parser.parse_args()


if __name__ == '__main__':
    sys.exit(main())
