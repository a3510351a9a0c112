# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A network alone on a device: one inference after the other, on both clocks."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import NamedTuple

from jetson_infer.cuda.device import Device
from jetson_infer.engines.session import DeviceBinding

__all__ = ['BareNetwork', 'BareRun']


class BareRun(NamedTuple):
    """One inference, in milliseconds.

    :param call: how long the call that queues it takes.
    :param wall: from that call to the end of the inference, as the host sees it.
    :param device: the inference on the device's clock.
    :param cpu: CPU time of the process for it.
    """

    call: float
    wall: float
    device: float
    cpu: float


class BareNetwork:
    """A binding and a stream of its own.

    :param device: current on this thread.
    :param binding: what runs, with its inputs filled; borrowed.
    """

    def __init__(self, device: Device, binding: DeviceBinding) -> None:
        self._binding = binding
        with ExitStack() as stack:
            self._stream = device.stream()
            stack.callback(self._stream.close)
            self._begin, self._end = (device.event(timing=True) for _ in range(2))
            stack.callback(self._begin.close)
            stack.callback(self._end.close)
            self._stack = stack.pop_all()

    @property
    def why_no_graph(self) -> str:
        """Why an inference is not queued in one call; empty where it is."""
        return self._binding.why_no_graph

    def run(self) -> BareRun:
        """Infer once and wait for it."""
        cpu_ns = time.process_time_ns()
        begin_ns = time.perf_counter_ns()
        self._binding.enqueue(self._stream)
        queued_ns = time.perf_counter_ns()
        self._stream.synchronize()
        end_ns = time.perf_counter_ns()
        cpu = (time.process_time_ns() - cpu_ns) * 1e-6
        # On the device's clock in a run of its own, so that the events do not lengthen the first.
        self._stream.record(self._begin)
        self._binding.enqueue(self._stream)
        self._stream.record(self._end)
        self._end.synchronize()
        device = self._end.elapsed_ms(self._begin)
        return BareRun((queued_ns - begin_ns) * 1e-6, (end_ns - begin_ns) * 1e-6, device, cpu)

    def run_back_to_back(self, count: int) -> float:
        """Queue inferences one after the other and wait for the last.

        :return: how long all of them take, in ms.
        """
        begin_ns = time.perf_counter_ns()
        for _ in range(count):
            self._binding.enqueue(self._stream)
        self._stream.synchronize()
        return (time.perf_counter_ns() - begin_ns) * 1e-6

    def close(self) -> None:
        """Release stream and events; may be called twice."""
        self._stack.close()
