# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Kernels compiled on the machine they run on, by whichever CUDA compiler is there, and kept.

NVRTC is a library that JetPack and the `nvidia-cuda-nvrtc` wheels bring; nvcc is the toolkit's
program.  What either makes is kept on disk by source, options, architecture and compiler version.
Where no compiler is, as on a robot with a trimmed image, what was compiled before still runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jetson_infer.core.cache_root import cache_root
from jetson_infer.cuda.kernels.backend import Architecture, Compiler, target_of
from jetson_infer.cuda.kernels.kernel_cache import KernelCache, digest_of
from jetson_infer.cuda.kernels.nvcc import open_nvcc
from jetson_infer.cuda.kernels.nvrtc import open_nvrtc
from jetson_infer.dependencies import pip_install
from jetson_infer.errors import KernelError

__all__ = ['COMPILERS', 'compile_kernels']

Opener = Callable[[], Compiler]

COMPILERS: tuple[Opener, ...] = (open_nvrtc, open_nvcc)
"""In the order in which they are tried; each raises KernelError where it is not there."""

REMEDY = (
    f'Install NVRTC ({pip_install("cuda-bindings nvidia-cuda-nvrtc-cu12")} for CUDA 12, '
    f'{pip_install("cuda-bindings nvidia-cuda-nvrtc")} for CUDA 13) or nvcc '
    '(on a Jetson: sudo apt install cuda-nvcc-12-6, or the version that apt-cache search '
    'cuda-nvcc shows)'
)
ANOTHER = (
    'Another version may: CUDA 12.9 compiles for compute capability 7.2 to 12.1, earlier ones for '
    'less of the newer GPUs, and CUDA 13 for 7.5 and later'
)


def compile_kernels(
    source: str,
    options: Sequence[str],
    architecture: Architecture,
    name: str,
    compilers: Sequence[Opener] = COMPILERS,
    cache: KernelCache | None = None,
) -> bytes:
    """Return compiled kernels, from the cache where they are there.

    :param source: C++17 that includes nothing.
    :param options: definitions, as ``-DNAME=VALUE``.
    :param architecture: the device's compute capability.
    :param name: the source's name, for messages.
    :param compilers: what opens them, in the order in which they are tried.
    :param cache: where compiled kernels are kept; ``kernels/`` of the cache root by default.
    :return: a cubin; or PTX, for a device that is newer than the compiler.
    :raises KernelError: if no compiler is there or none can, with the reason for each and with the
        commands that mend it.
    """
    cache = cache or KernelCache(cache_root() / 'kernels')
    digest = digest_of(source, options, architecture)
    reasons: list[str] = []
    opened = False
    for open_compiler in compilers:
        try:
            compiler = open_compiler()
            opened = True
            image = cache.find(digest, compiler.identity)
            if image is None:
                target = target_of(compiler, architecture)
                image = compiler.compile(source, options, target, name)
                cache.store(digest, compiler.identity, image)
            return image
        except KernelError as error:
            reasons.append(str(error))
    image = None if opened else cache.find_any(digest)
    if image is None:
        remedy = ANOTHER if opened else REMEDY
        raise KernelError(
            f'the kernels of {name} for compute capability {architecture[0]}.{architecture[1]} '
            f'cannot be compiled: {"; ".join(reasons)}. {remedy}'
        )
    return image
