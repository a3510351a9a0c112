# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Which ONNX Runtime is installed."""

from __future__ import annotations

from jetson_infer.dependencies import require

__all__ = ['version']


def version() -> str:
    """Return the full version.

    :raises MissingDependencyError: if it is not installed.
    """
    return str(require('onnxruntime', 'Running networks on the CPU').__version__)
