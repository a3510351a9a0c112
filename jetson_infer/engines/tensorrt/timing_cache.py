# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Timings of kernels, kept from one build to the next."""

from __future__ import annotations

import logging
from pathlib import Path

from jetson_infer.engines.tensorrt.api import trt

__all__ = ['attach_timings', 'read_timings']

logger = logging.getLogger(__name__)


def attach_timings(config: trt.IBuilderConfig, path: Path | None) -> trt.ITimingCache | None:
    """Give the builder the timings of a file, or none to begin with.

    Timings of another GPU or version are not used, nor is a broken file: the build then takes its
    own, which replace them.

    :param path: a file that :func:`read_timings` filled; need not exist.
    :returns: the cache, which must live until the engine is built.
    """
    for data in (_read(path), b''):
        cache = _create(config, data)
        if cache is not None and config.set_timing_cache(cache, False):
            return cache
        if data:
            logger.warning('%s: not timings of this GPU and TensorRT; they are taken anew', path)
    logger.warning('this TensorRT takes no timing cache')
    return None


def read_timings(config: trt.IBuilderConfig) -> bytes | None:
    """Return all timings after a build, for the next one."""
    cache = config.get_timing_cache()
    if cache is None:
        return None
    data = cache.serialize()
    return None if data is None else bytes(memoryview(data))


def _create(config: trt.IBuilderConfig, data: bytes) -> trt.ITimingCache | None:
    try:
        return config.create_timing_cache(data)
    except (RuntimeError, TypeError, ValueError) as error:
        logger.debug('TensorRT makes no timing cache of %d bytes: %s', len(data), error)
        return None


def _read(path: Path | None) -> bytes:
    if path is None:
        return b''
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b''
    except OSError as error:
        logger.warning('%s: the timings of earlier builds cannot be read: %s', path, error)
        return b''
