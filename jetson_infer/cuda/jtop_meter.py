# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How much energy a Jetson has used, by jtop (jetson-stats), where its owner has installed it.

jtop is asked in a process of its own: importing it changes how the whole process starts others, and
it waits for its service.  It tells power, several times a second; energy is the sum over time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

from jetson_infer.cuda.energy_used import Energy
from jetson_infer.errors import DeviceError

__all__ = ['JtopMeter']

WATCH = """
import json, sys, time
def tell(value):
    print(json.dumps(value), flush=True)
try:
    from jtop import jtop
except ImportError as error:
    tell(f'jtop is not installed ({error}); install jetson-stats, of the same version as the '
         'service that runs here')
    sys.exit()
watched = jtop(interval=0.1)
try:
    watched.start()
    while watched.ok():
        total = watched.power.get('tot', {})
        if not total.get('power') or not total.get('name'):
            tell('this machine has no sensor of its whole input power')
            break
        tell([time.monotonic(), total['power'] * 1e-3])
    else:
        tell('the jtop service tells nothing any more')
except Exception as error:
    tell(f'jtop failed: {error}')
finally:
    watched.close()
"""
FIRST_S = 30.0
"""How long the first sample is waited for."""


class JtopMeter:
    """Sums up the power of a whole Jetson module, which the GPU's alone is a part of.

    :param command: what tells it, as a program; for tests.
    :raises DeviceError: if jtop does not work here; it says why.
    """

    source = "jtop, the whole module's input"

    def __init__(self, command: tuple[str, ...] = (sys.executable, '-c', WATCH)) -> None:
        self._changed = threading.Condition()
        self._samples: list[tuple[float, float]] = []
        self._refusal = ''
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, name='jtop', daemon=True)
        self._reader.start()
        try:
            self._wait_beyond(0.0)
        except BaseException:
            self.close()
            raise
        self.start()

    def start(self) -> None:
        """Begin anew."""
        self._began_s = time.monotonic()

    def stop(self) -> Energy:
        """Return what was used since :meth:`start`; waits for the sample that ends it.

        :raises DeviceError: if jtop stopped telling.
        """
        ended_s = time.monotonic()
        self._wait_beyond(ended_s)
        return energy_of(self._samples, self._began_s, ended_s)

    def close(self) -> None:
        """End jtop's process; may be called twice."""
        self._process.terminate()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                told = json.loads(line)
                with self._changed:
                    if isinstance(told, str):
                        self._refusal = told
                    else:
                        self._samples.append((told[0], told[1]))
                    self._changed.notify_all()
        with self._changed:
            self._refusal = self._refusal or 'jtop ended'
            self._changed.notify_all()

    def _wait_beyond(self, moment_s: float) -> None:
        """Wait for a sample from after a moment."""
        with self._changed:
            came = self._changed.wait_for(
                lambda: self._refusal or (self._samples and self._samples[-1][0] >= moment_s),
                FIRST_S,
            )
            if self._refusal or not came:
                raise DeviceError(self._refusal or f'jtop told nothing for {FIRST_S:.0f} s')


def energy_of(samples: list[tuple[float, float]], began_s: float, ended_s: float) -> Energy:
    """Sum up power over a time; every sample holds for the time since the one before it.

    :param samples: when, on the monotonic clock in seconds, and how many watts; the last one is not
        before the end.
    """
    joules, since_s = 0.0, began_s
    for moment_s, watts in samples:
        until_s = min(moment_s, ended_s)
        if until_s > since_s:
            joules += watts * (until_s - since_s)
            since_s = until_s
    return Energy(joules, ended_s - began_s)
