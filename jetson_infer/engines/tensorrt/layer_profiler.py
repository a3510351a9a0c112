# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The times of an engine's layers, as TensorRT's profiler tells them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from jetson_infer.engines.layer_times import LayerSample
from jetson_infer.engines.tensorrt.api import trt

__all__ = ['open_profiler']


def open_profiler(report: Callable[[LayerSample], None]) -> trt.IProfiler:
    """Return a profiler for an execution context.

    :param report: told of every layer of a run, in order; must not raise, since nothing can be
        raised through TensorRT.
    """
    return _bridge(trt.IProfiler)(report)


@functools.cache
def _bridge(base: type) -> Any:
    """Derive a class from IProfiler, which exists once the module is imported."""

    class Bridge(trt.IProfiler):
        def __init__(self, report: Callable[[LayerSample], None]) -> None:
            trt.IProfiler.__init__(self)
            self._report = report

        def report_layer_time(self, layer_name: str, ms: float) -> None:
            self._report(LayerSample(layer_name, ms))

    return Bridge
