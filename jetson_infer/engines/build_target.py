# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What engines are built for on this machine: the GPU, and the version of TensorRT."""

from __future__ import annotations

from dataclasses import dataclass

from jetson_infer.cuda.probe import FoundDevice, available_devices
from jetson_infer.engines.tensorrt.api import version
from jetson_infer.errors import DeviceError, EngineBuildError, MissingDependencyError

__all__ = ['BuildTarget', 'FoundTarget', 'find_target']


@dataclass(frozen=True)
class BuildTarget:
    """A GPU and a version of TensorRT; an engine serves one such pair.

    :param tensorrt: the full version of TensorRT.
    :param gpu: the GPU's name.
    :param compute_capability: its major and minor compute capability.
    :param multiprocessors: how many it has.
    """

    tensorrt: str
    gpu: str
    compute_capability: tuple[int, int]
    multiprocessors: int


@dataclass(frozen=True)
class FoundTarget:
    """What of the target is known here, without creating a context on the GPU.

    :param tensorrt: TensorRT's full version; None if it is not installed.
    :param device: the GPU; None if there is none.
    :param unknown: what is not known and why, each with what mends it.
    """

    tensorrt: str | None
    device: FoundDevice | None
    unknown: tuple[str, ...] = ()

    @property
    def target(self) -> BuildTarget | None:
        """The target, if all of it is known."""
        if self.tensorrt is None or self.device is None:
            return None
        return BuildTarget(
            self.tensorrt,
            self.device.name,
            self.device.compute_capability,
            self.device.multiprocessors,
        )

    def require(self) -> BuildTarget:
        """Return the target.

        :raises EngineBuildError: if something of it is unknown, with everything that is.
        """
        if self.target is None:
            raise EngineBuildError(f'no engine can be built or run here: {"; ".join(self.unknown)}')
        return self.target


def find_target(index: int = 0) -> FoundTarget:
    """Look for the GPU and for TensorRT.

    :param index: which GPU, as CUDA counts them.
    """
    unknown = []
    tensorrt, device = None, None
    try:
        tensorrt = version()
    except MissingDependencyError as error:
        unknown.append(f"TensorRT's version: {error}")
    try:
        devices = available_devices()
        if index < len(devices):
            device = devices[index]
        else:
            unknown.append(f'the GPU: there is none of index {index}; there are {len(devices)}')
    except (DeviceError, MissingDependencyError) as error:
        unknown.append(f'the GPU: {error}')
    return FoundTarget(tensorrt, device, tuple(unknown))
