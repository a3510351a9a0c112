# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""nvcc, the compiler that is a program of the CUDA toolkit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from jetson_infer.cuda.kernels.backend import Compiler
from jetson_infer.errors import KernelError

__all__ = ['NvccCompiler', 'open_nvcc']

_USUAL_FOLDER = Path('/usr/local/cuda/bin')  # JetPack's, which is not on the PATH there
_PATIENCE_S = 300


class NvccCompiler(Compiler):
    """nvcc.

    :param program: its path.
    :raises KernelError: if it does not answer.
    """

    def __init__(self, program: Path) -> None:
        self._program = program
        answer = self._run('--version')
        version = re.search(r'release [\d.]+, V([\d.]+)', answer)
        if version is None:
            raise KernelError(f'{program} --version answers nothing that has a version: {answer}')
        self._identity = f'nvcc-{version[1]}'

    @property
    def identity(self) -> str:
        """``nvcc-12.6.68``."""
        return self._identity

    def architectures(self) -> Collection[int]:
        """Return the architectures that this nvcc compiles for."""
        return [int(number) for number in re.findall(r'sm_(\d+)\b', self._run('--list-gpu-code'))]

    def compile(self, source: str, options: Sequence[str], target: str, name: str) -> bytes:
        """Compile; see :meth:`Compiler.compile`."""
        with tempfile.TemporaryDirectory(prefix='jetson_infer_kernels_') as folder:
            text, result = Path(folder, name), Path(folder, 'result')
            text.write_text(source, encoding='utf-8')
            kind = '-cubin' if target.startswith('sm_') else '-ptx'
            self._run(kind, f'-arch={target}', '-std=c++17', *options, '-o', str(result), str(text))
            # Drivers read PTX as a string, to its closing zero, which NVRTC writes too.
            return result.read_bytes() + (b'\0' if kind == '-ptx' else b'')

    def _run(self, *arguments: str) -> str:
        command = [str(self._program), *arguments]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise KernelError(f'{self._program} cannot be run: {error}') from error
        if done.returncode:
            log = (done.stderr or done.stdout).strip()
            raise KernelError(f'{" ".join(command)} failed with status {done.returncode}:\n{log}')
        return done.stdout


def open_nvcc() -> NvccCompiler:
    """Return the nvcc of the PATH, of ``$CUDA_HOME`` or ``$CUDA_PATH``, or of its usual folder.

    :raises KernelError: if there is none, or it does not answer.
    """
    folders = [
        os.environ.get('PATH', ''),
        *(str(Path(os.environ[name], 'bin')) for name in ('CUDA_HOME', 'CUDA_PATH')
          if os.environ.get(name)),
        str(_USUAL_FOLDER),
    ]  # fmt: skip
    found = shutil.which('nvcc', path=os.pathsep.join(folders))
    if found is None:
        raise KernelError(f'nvcc is neither on the PATH nor in {_USUAL_FOLDER}')
    return NvccCompiler(Path(found))
