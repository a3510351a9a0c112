# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a node tells on /diagnostics."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from jetson_infer.core.accounting import FrameCounts
from jetson_infer.core.timing import Percentiles

__all__ = ['diagnostics_message', 'frame_values', 'latency_values']

OK = DiagnosticStatus.OK
WARN = DiagnosticStatus.WARN
ERROR = DiagnosticStatus.ERROR


def frame_values(counts: FrameCounts) -> dict[str, str]:
    """Return every counter, as ``frames/<counter>``."""
    return {f'frames/{name}': str(count) for name, count in counts.as_dict().items()}


def latency_values(percentiles: Mapping[str, Percentiles]) -> dict[str, str]:
    """Return the percentiles of every stage, as ``latency_ms/<stage>/<percentile>``."""
    return {
        f'latency_ms/{stage}/{name}': f'{getattr(values, name):.3f}'
        for stage, values in percentiles.items()
        for name in ('p50', 'p95', 'p99')
    }


def diagnostics_message(
    stamp: Any, name: str, level: bytes, message: str, values: Mapping[str, str]
) -> DiagnosticArray:
    """Return one status as an array, as the aggregator wants it.

    :param stamp: the time of the report.
    :param name: the status's name, such as ``/robot/detector: pipeline``.
    :param level: :data:`OK`, :data:`WARN` or :data:`ERROR`.
    """
    status = DiagnosticStatus(
        level=level,
        name=name,
        message=message,
        hardware_id=socket.gethostname(),
        values=[KeyValue(key=key, value=value) for key, value in values.items()],
    )
    array = DiagnosticArray(status=[status])
    array.header.stamp = stamp
    return array
