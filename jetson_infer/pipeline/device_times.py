# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a frame's parts take on the device's own clock, for who measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import NamedTuple

from jetson_infer.cuda.stream import Event

__all__ = ['DEVICE_STAGES', 'DeviceObserver', 'LaneTimes']

DEVICE_STAGES = ('upload, prepare', 'wait', 'infer', 'choose, download', 'total')
"""The parts of a frame on the device: its bytes to the network's input; waiting until the network
is free; inference; candidates, what is made of them, and their way to the host; and from the first
to the last."""

DeviceObserver = Callable[[Mapping[str, float]], None]
"""Told of every frame that ends: its :data:`DEVICE_STAGES`, in milliseconds."""


class LaneTimes(NamedTuple):
    """Events that note the time, at the ends of the parts of a lane's frames."""

    uploading: Event
    prepared: Event
    inferring: Event
    inferred: Event
    done: Event

    def milliseconds(self) -> dict[str, float]:
        """Return the parts of the frame that ended last, by :data:`DEVICE_STAGES`."""
        parts = [after.elapsed_ms(before) for before, after in pairwise(self)]
        return dict(zip(DEVICE_STAGES, [*parts, self.done.elapsed_ms(self.uploading)]))
