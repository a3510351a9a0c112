# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A program: kernels of one source file, compiled with one set of definitions, and their twins."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import resources

from jetson_infer.cuda.device import Device, Module
from jetson_infer.cuda.host import HostDevice
from jetson_infer.cuda.kernels.compiler import compile_kernels
from jetson_infer.errors import InternalError

__all__ = ['Twin', 'load_program', 'options_of', 'read_source']

Twin = Callable[..., None]
"""``twin(reach, *arguments)``: what a kernel does, in NumPy, on the memory of a host twin."""

_INCLUDE = re.compile(r'^#include "(\w+\.cuh)"$', re.MULTILINE)


def load_program(
    device: Device, source: str, definitions: Mapping[str, int], twins: Mapping[str, Twin]
) -> Module:
    """Compile kernels for a device, or find them compiled, and load them.

    :param device: it has to be current.
    :param source: the file's name in this folder.
    :param definitions: the macros that choose a variant.
    :param twins: the kernels' NumPy counterparts by name, which a host twin runs.
    :raises KernelError: if there is no compiler, or it fails; it says what mends that.
    :raises DeviceError: if the device is lost.
    """
    if not device.runs_twins:
        text = read_source(source)
        options = options_of(definitions)
        return device.load_module(
            compile_kernels(text, options, device.compute_capability, name=source)
        )
    if not isinstance(device, HostDevice):
        raise InternalError(f'{device.name} runs twins, and is not the host twin')
    return device.load_twins(twins)


def options_of(definitions: Mapping[str, int]) -> tuple[str, ...]:
    """Return definitions as compilers take them, and as the cache knows them."""
    return tuple(f'-D{name}={value}' for name, value in sorted(definitions.items()))


def read_source(name: str) -> str:
    """Return a source file of this folder, with what it includes in its place.

    One text without includes is what every compiler takes and what the cache goes by.
    """
    folder = resources.files('jetson_infer.cuda.kernels')

    def text(file: str) -> str:
        return folder.joinpath(file).read_text(encoding='utf-8')

    def included(match: re.Match[str]) -> str:
        # Compilers' messages keep naming the right line.
        after = text(name)[: match.start()].count('\n') + 2
        return f'#line 1 "{match[1]}"\n{text(match[1])}#line {after} "{name}"'

    return f'#line 1 "{name}"\n' + _INCLUDE.sub(included, text(name))
