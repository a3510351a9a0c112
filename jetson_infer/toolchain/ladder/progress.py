# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How far a step is, as one number: quantizing goes through phases of very different lengths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from jetson_infer.toolchain.ladder.plan import Step

__all__ = ['LadderReport', 'QuantizeProgress']

PHASES = {
    'looking at all images': 4.0,
    'measuring ranges': 8.0,
    'running the reference': 2.0,
    'measuring layer by layer': 42.0,
    'measuring': 5.0,
}
"""About how long each takes, in percent of a quantization; by how its name begins."""

RUNS = 7
"""Networks that are measured: four ways of choosing scales, the defaults, and the candidates."""

_MOST = 0.99


class LadderReport(Protocol):
    """Told how far the making of a ladder is."""

    def begin(self, step: Step, number: int, total: int) -> None:
        """A step begins, the ``number``-th of ``total``, from 1."""

    def progress(self, fraction: float, what: str) -> None:
        """So much of the step is done, 0 to 1, and this is being done now."""

    def end(self, outcome: str) -> None:
        """The step has ended; what came of it, as a phrase."""


class QuantizeProgress:
    """Makes one fraction of the phases that quantizing tells.

    :param told: given the fraction, which never falls, and the phase.
    """

    def __init__(self, told: Callable[[float, str], None]) -> None:
        self._told = told
        self._total = sum(PHASES.values()) + PHASES['measuring'] * (RUNS - 1)
        self._phase, self._weight, self._before, self._last = '', 0.0, 0.0, 0
        self._fraction = 0.0

    def show(self, phase: str, done: int, total: int) -> None:
        """Take what :func:`~jetson_infer.toolchain.quantize.job.quantize` reports."""
        if phase != self._phase or done < self._last:
            self._before += self._weight
            self._phase = phase
            self._weight = next((w for name, w in PHASES.items() if phase.startswith(name)), 0.0)
        self._last = done
        now = (self._before + self._weight * done / max(total, 1)) / self._total
        self._fraction = max(self._fraction, min(now, _MOST))
        self._told(self._fraction, phase)
