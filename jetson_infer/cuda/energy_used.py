# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Energy and the time in which it was used, whoever measured it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ['Energy']


class Energy(NamedTuple):
    """What was used between two looks, all work and idling included.

    :param joules: how much.
    :param seconds: in which time.
    """

    joules: float
    seconds: float

    @property
    def watts(self) -> float:
        """The mean power."""
        return self.joules / self.seconds
