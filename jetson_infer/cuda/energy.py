# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How much energy a GPU has used, by NVIDIA's management library (NVML)."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from jetson_infer.dependencies import require
from jetson_infer.errors import DeviceError, MissingDependencyError

__all__ = ['Energy', 'EnergyMeter', 'open_meter']


class Energy(NamedTuple):
    """What a GPU used between two looks, all of its work and its idling included.

    :param joules: how much.
    :param seconds: in which time.
    """

    joules: float
    seconds: float

    @property
    def watts(self) -> float:
        """The mean power."""
        return self.joules / self.seconds


class EnergyMeter:
    """Reads a GPU's own energy counter, which every GPU but those of Jetsons has.

    The counter moves some ten times a second: look at it over seconds.

    :param identity: the GPU's UUID, as :attr:`~jetson_infer.cuda.device.Device.identity` tells it.
    :raises MissingDependencyError: if ``nvidia-ml-py`` is not installed.
    :raises DeviceError: if NVML does not work here, or the GPU has no counter; it says why.
    """

    def __init__(self, identity: str) -> None:
        self._nvml: Any = require('pynvml', "Reading the GPU's power")
        try:
            self._nvml.nvmlInit()
            self._handle = self._nvml.nvmlDeviceGetHandleByUUID(identity.encode())
            self._read_mj()
        except self._nvml.NVMLError as error:
            raise DeviceError(f"NVML tells nothing of this GPU's power: {error}") from error
        self.start()

    def start(self) -> None:
        """Begin anew."""
        self._began_mj, self._began_s = self._read_mj(), time.monotonic()

    def stop(self) -> Energy:
        """Return what was used since :meth:`start`."""
        seconds = time.monotonic() - self._began_s
        return Energy((self._read_mj() - self._began_mj) * 1e-3, seconds)

    def _read_mj(self) -> int:
        return int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle))


def open_meter(identity: str) -> tuple[EnergyMeter | None, str]:
    """Return a meter; or None, and why there is none."""
    try:
        return EnergyMeter(identity), ''
    except (DeviceError, MissingDependencyError) as error:
        return None, str(error)
