# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The GPU and what drives it: found without making a context on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from jetson_infer.core.cache_root import cache_root
from jetson_infer.cuda.kernels.backend import target_of
from jetson_infer.cuda.kernels.compiler import COMPILERS, REMEDY, Opener
from jetson_infer.cuda.probe import FoundDevice, available_devices, pycuda_text
from jetson_infer.cuda.pycuda_device import driver_bindings
from jetson_infer.dependencies import OPTIONAL_MODULES, pip_install
from jetson_infer.engines.tensorrt.api import version
from jetson_infer.errors import DeviceError, KernelError, MissingDependencyError
from jetson_infer.toolchain.doctor.findings import NOTE, OK, WARNING, Finding, read_text

__all__ = ['GpuProbes', 'check_gpu']

GIB = 1 << 30


@dataclass(frozen=True)
class GpuProbes:
    """What tells about the GPU; tests bring their own.

    :param devices: the GPUs; raises DeviceError where there is none.
    :param pycuda: PyCUDA's version and CUDA; raises MissingDependencyError.
    :param tensorrt: TensorRT's version; raises MissingDependencyError.
    :param bindings: ``cuda.bindings.driver``, or None.
    :param compilers: what opens compilers of kernels.
    """

    devices: Callable[[], Sequence[FoundDevice]] = available_devices
    pycuda: Callable[[], str] = pycuda_text
    tensorrt: Callable[[], str] = version
    bindings: Callable[[], Any] = driver_bindings
    compilers: Sequence[Opener] = COMPILERS


def check_gpu(probes: GpuProbes | None = None, root: Path = Path('/')) -> list[Finding]:
    """Tell which GPU there is, and whether all is there that runs networks on it.

    Without a GPU that is a note: networks run on the processor. On a Jetson it is a warning.

    :param root: the root of the file system to look at.
    """
    probes = probes or GpuProbes()
    try:
        devices = probes.devices()
    except DeviceError as error:
        jetson = re.search('jetson|tegra', read_text(root / 'proc/device-tree/model'), re.I)
        level = WARNING if jetson else NOTE
        return [Finding(level, 'gpu.device', f'no GPU, so networks run on the CPU: {error}')]
    if not devices:
        return [Finding(NOTE, 'gpu.device', 'the driver counts no GPU; networks run on the CPU')]
    return [
        *(Finding(OK, f'gpu.device:{device.index}', _device(device)) for device in devices),
        _tensorrt(probes),
        _pycuda(probes),
        _graphs(probes, devices[0]),
        _kernels(probes, devices[0]),
    ]


def _device(device: FoundDevice) -> str:
    whose = "the host's" if device.integrated else 'its own'
    mapped = ', which kernels read without copies' if device.integrated else ''
    return (
        f'{device.name}: compute capability {_capability(device)}, {device.multiprocessors} '
        f'multiprocessors, {device.total_bytes / GIB:.1f} GiB of memory, {whose}'
        f'{mapped if device.can_map_host_memory else ""}; its driver runs CUDA up to '
        f'{device.driver}'
    )


def _capability(device: FoundDevice) -> str:
    return '.'.join(map(str, device.compute_capability))


def _tensorrt(probes: GpuProbes) -> Finding:
    try:
        found = probes.tensorrt()
    except MissingDependencyError as error:
        return Finding(
            WARNING, 'gpu.tensorrt', f'no TensorRT: networks run on the CPU: {error}', error.remedy
        )
    return Finding(OK, 'gpu.tensorrt', f'TensorRT {found}')


def _pycuda(probes: GpuProbes) -> Finding:
    try:
        return Finding(OK, 'gpu.pycuda', probes.pycuda())
    except MissingDependencyError as error:
        what = f'no PyCUDA, so nothing can use the GPU: {error}'
        return Finding(WARNING, 'gpu.pycuda', what, error.remedy)


def _graphs(probes: GpuProbes, device: FoundDevice) -> Finding:
    """Tell whether networks run as CUDA graphs, for which cuda-bindings are needed."""
    if probes.bindings() is not None:
        what = f'cuda-bindings {_installed("cuda-bindings")}: CUDA graphs and stream priorities'
        return Finding(OK, 'gpu.graphs', what)
    major = device.driver.partition('.')[0]
    return Finding(
        WARNING,
        'gpu.graphs',
        'no CUDA graphs and no stream priorities: kernels are queued one by one, which costs the '
        'processor a call for each; cuda-bindings are missing, or newer than the driver',
        pip_install(f"'{OPTIONAL_MODULES['cuda'].pip}=={major}.*'"),
    )


def _kernels(probes: GpuProbes, device: FoundDevice) -> Finding:
    """Tell what compiles the kernels of pre- and postprocessing, or whether they are compiled."""
    reasons = []
    for open_compiler in probes.compilers:
        try:
            compiler = open_compiler()
            target = target_of(compiler, device.compute_capability)
            what = f'kernels are compiled by {compiler.identity} for {target}'
            return Finding(OK, 'gpu.kernels', what)
        except KernelError as error:
            reasons.append(str(error))
    folder = cache_root() / 'kernels'
    kept = len(list(folder.glob('*.kernels')))
    why = '; '.join(reasons)
    if kept:
        what = f'no compiler ({why}); {kept} compiled kernels lie in {folder}'
        return Finding(NOTE, 'gpu.kernels', what)
    return Finding(
        WARNING,
        'gpu.kernels',
        f'nothing compiles kernels for compute capability {_capability(device)}, and none are '
        f'kept: {why}. {REMEDY}',
        f'on a machine with a compiler: python tools/compile_kernels.py --architectures '
        f'{_capability(device)} --out {cache_root()}, then copy it here',
    )


def _installed(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return 'of unknown version'
