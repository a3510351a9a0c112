# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The package's CUDA sources compiled by the host's C++ compiler, to be run without a GPU."""

from __future__ import annotations

import ctypes
import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.kernels.program import read_source

SHIM = Path(__file__).with_name('cuda_shim.hpp')
COMPILER = shutil.which('g++')
WHY_NOT = 'no g++ on this machine; the kernels are compared as C++ where there is one'
# No contraction: aarch64 would fuse a product and a sum into one rounding.
FLAGS = ['-std=c++17', '-O1', '-ffp-contract=off', '-fPIC', '-shared', '-w']
_NAMED = r'^KERNEL\((\w+),|^extern "C" __global__ .* {prefix}_(\w+)\($'


class HostKernels:
    """One source file with one set of definitions, compiled and loaded.

    :param source: the file's name, such as ``preprocess.cu``; its kernels have its stem for prefix.
    """

    def __init__(self, source: str, **definitions: int) -> None:
        text = read_source(source)
        self._prefix = source.partition('.')[0]
        found = re.findall(_NAMED.format(prefix=self._prefix), text, re.MULTILINE)
        self.names = [by_macro or plain for by_macro, plain in found]
        exports = '\n'.join(f'EXPORT({self._prefix}_{name})' for name in self.names)
        folder = Path(_folder())
        stem = '_'.join([self._prefix, *(str(value) for value in definitions.values())])
        code, library = folder / f'{stem}.cpp', folder / f'{stem}.so'
        code.write_text(f'#include "{SHIM}"\n{text}\n{exports}\n')
        options = [f'-D{name}={value}' for name, value in definitions.items()]
        subprocess.run(
            [COMPILER, *FLAGS, *options, str(code), '-o', str(library)], check=True
        )  # a compiler that fails says so on stderr
        self._library = ctypes.CDLL(str(library))

    def run(
        self, name, grid, block, arguments: KernelArguments, readable: np.ndarray, disorder: int = 0
    ) -> int:
        """Run a kernel to its end.

        :param name: without the prefix.
        :param readable: the memory that it may read through ``__ldg``.
        :param disorder: by which chance warps take turns; 0: in order.
        :return: how many of its reads went astray.
        """
        start = readable.ctypes.data
        self._variable('shim_readable_from', ctypes.c_size_t).value = start
        self._variable('shim_readable_to', ctypes.c_size_t).value = start + readable.nbytes
        self._variable('shim_disorder', ctypes.c_uint64).value = disorder
        stray = self._variable('shim_stray_reads', ctypes.c_long)
        stray.value = 0
        threes = [(ctypes.c_int * 3)(*numbers) for numbers in (grid, block)]
        packed = arguments.packed.ctypes.data_as(ctypes.c_char_p)
        getattr(self._library, f'run_{self._prefix}_{name}')(*threes, packed)
        return stray.value

    def _variable(self, name, kind):
        return kind.in_dll(self._library, name)


@functools.cache
def host_kernels(source: str, **definitions: int) -> HostKernels:
    """Return a program, compiled once a process."""
    return HostKernels(source, **definitions)


@functools.cache
def _folder() -> str:
    folder = tempfile.TemporaryDirectory(prefix='host_kernels_')
    _KEPT.append(folder)  # until the process ends
    return folder.name


_KEPT: list[tempfile.TemporaryDirectory] = []


def aligned_bytes(nbytes: int, alignment: int = 256, offset: int = 0) -> np.ndarray:
    """Return uint8 ``(nbytes,)`` that begins `offset` bytes after a multiple of an alignment."""
    block = np.empty(nbytes + 2 * alignment, np.uint8)
    start = -block.ctypes.data % alignment + offset
    return block[start : start + nbytes]
