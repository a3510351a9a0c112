# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Which GPUs there are, or why there is none: without PyCUDA, and without creating a context."""

from __future__ import annotations

from dataclasses import dataclass

from jetson_infer.cuda.driver_library import DriverLibrary
from jetson_infer.dependencies import require
from jetson_infer.errors import DeviceError, MissingDependencyError

__all__ = ['FoundDevice', 'available_devices', 'pycuda_text', 'why_none']


@dataclass(frozen=True)
class FoundDevice:
    """A GPU of this machine.

    :param index: how CUDA counts it, for :func:`~jetson_infer.cuda.opening.open_device`.
    :param name: what its maker calls it.
    :param compute_capability: major and minor.
    :param multiprocessors: how many it has; boards of one family share name and capability.
    :param total_bytes: the size of its memory.
    :param integrated: whether it shares the host's memory.
    :param can_map_host_memory: whether it reads and writes page-locked memory of the host.
    :param identity: its UUID; empty if the driver does not tell.
    :param driver: the newest CUDA that its driver supports.
    """

    index: int
    name: str
    compute_capability: tuple[int, int]
    multiprocessors: int
    total_bytes: int
    integrated: bool
    can_map_host_memory: bool
    identity: str
    driver: str


def available_devices() -> tuple[FoundDevice, ...]:
    """Return the GPUs that the driver finds.

    :raises DeviceError: if there is no driver or no GPU, with what to do.
    """
    library = DriverLibrary()
    library.initialize()
    driver = library.version()
    return tuple(_found(library, index, driver) for index in range(library.device_count()))


def why_none() -> str:
    """Say why no GPU can be used here, as a sentence without its full stop; empty if one can be."""
    try:
        if not available_devices():
            return 'the NVIDIA driver counts no GPU'
        require('pycuda.driver', 'Using the GPU')
    except (DeviceError, MissingDependencyError) as error:
        return str(error)
    return ''


def _found(library: DriverLibrary, index: int, driver: str) -> FoundDevice:
    def attribute(name: str) -> int:
        return library.device_attribute(index, name)

    return FoundDevice(
        index=index,
        name=library.device_name(index),
        compute_capability=(attribute('major'), attribute('minor')),
        multiprocessors=attribute('multiprocessors'),
        total_bytes=library.device_bytes(index),
        integrated=bool(attribute('integrated')),
        can_map_host_memory=bool(attribute('can_map_host_memory')),
        identity=library.device_uuid(index),
        driver=driver,
    )


def pycuda_text() -> str:
    """Return PyCUDA's version and the CUDA it was built with, for a person.

    :raises MissingDependencyError: if it is not installed, or cannot be imported here.
    """
    driver = require('pycuda.driver', 'Using the GPU')
    version = require('pycuda', 'Using the GPU').VERSION_TEXT
    return f'PyCUDA {version}, built with CUDA {".".join(map(str, driver.get_version()[:2]))}'
