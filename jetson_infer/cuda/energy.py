# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How much energy a GPU has used, by NVIDIA's management library (NVML) or by jtop."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from jetson_infer.cuda.energy_used import Energy
from jetson_infer.cuda.jtop_meter import JtopMeter
from jetson_infer.dependencies import require
from jetson_infer.errors import DeviceError, MissingDependencyError

__all__ = ['Energy', 'EnergyMeter', 'Meter', 'open_meter']

JTOP_SERVICE = Path('/run/jtop.sock')
"""Where jtop's service listens, on a Jetson whose owner has installed it."""


class EnergyMeter:
    """Reads a GPU's own energy counter, which every GPU but those of Jetsons has.

    The counter moves some ten times a second: look at it over seconds.

    :param identity: the GPU's UUID, as :attr:`~jetson_infer.cuda.device.Device.identity` tells it.
    :raises MissingDependencyError: if ``nvidia-ml-py`` is not installed.
    :raises DeviceError: if NVML does not work here, or the GPU has no counter; it says why.
    """

    source = "the GPU's energy counter"
    """What tells, for a person."""

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

    def close(self) -> None:
        """Nothing is held."""

    def _read_mj(self) -> int:
        return int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle))


Meter = EnergyMeter | JtopMeter
"""What measures; its owner closes it."""


def open_meter(identity: str) -> tuple[Meter | None, str]:
    """Return a meter, which the caller closes; or None, and why there is none.

    NVML is asked first, and where it does not tell (on a Jetson), jtop, if its service runs.
    """
    try:
        return EnergyMeter(identity), ''
    except (DeviceError, MissingDependencyError) as error:
        why = str(error)
    if not JTOP_SERVICE.exists():
        return None, why
    try:
        return JtopMeter(), ''
    except DeviceError as error:
        return None, f'{why}; {error}'
