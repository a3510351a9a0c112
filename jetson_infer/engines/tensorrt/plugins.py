# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT's own plugins: EfficientNMS_TRT, RoiAlign and others, which networks name by name."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from jetson_infer.engines.tensorrt.api import trt, version

__all__ = ['register_plugins']

_LOGGER = logging.getLogger(__name__)

_REGISTERED: set[Callable[..., Any]] = set()


def register_plugins(tensorrt_logger: trt.ILogger) -> None:
    """Have TensorRT know its plugins, once in this process; before a plan or a network is read.

    Without it a plan that holds such a layer cannot be deserialized, nor its ONNX file be parsed.

    :param tensorrt_logger: which TensorRT keeps.
    """
    register = trt.init_libnvinfer_plugins
    if register in _REGISTERED:
        return
    _REGISTERED.add(register)
    if not register(tensorrt_logger, ''):
        _LOGGER.warning(
            'TensorRT %s does not register its plugins; a network with EfficientNMS_TRT or another '
            'of them cannot be built or run here',
            version(),
        )
