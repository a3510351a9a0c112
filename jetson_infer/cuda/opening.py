# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Opening a GPU."""

from __future__ import annotations

from jetson_infer.cuda.device import Device
from jetson_infer.cuda.pycuda_device import PycudaDevice

__all__ = ['open_device']


def open_device(index: int = 0) -> Device:
    """Open a CUDA device through PyCUDA, with its primary context, which TensorRT uses too.

    Close it on the same thread.

    :param index: which one, as CUDA counts them.
    :raises MissingDependencyError: if PyCUDA is not installed.
    :raises DeviceError: if there is no such device, or it cannot be used; it says why, and where
        the device was lost in this process before, that a new one is needed.
    """
    return PycudaDevice(index)
