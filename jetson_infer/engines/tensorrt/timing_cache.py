# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Timings of kernels, kept from one build to the next.

A file is a line of ours, which says what took the timings and what follows, and TensorRT's own
bytes: 8.6 takes any bytes without a word and begins anew, so that a broken file would go unnoticed
and builds would stay slow.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from jetson_infer.cuda.probe import available_devices
from jetson_infer.engines.tensorrt.api import trt, version
from jetson_infer.errors import DeviceError

__all__ = ['attach_timings', 'read_timings']

logger = logging.getLogger(__name__)

MAGIC = 'jetson_infer timings 1'
LONGEST_LINE = 1000


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
            _say_anew(path, 'TensorRT does not take them')
    logger.warning('this TensorRT takes no timing cache')
    return None


def read_timings(config: trt.IBuilderConfig) -> bytes | None:
    """Return all timings after a build, for the next one, as a file holds them."""
    cache = config.get_timing_cache()
    if cache is None:
        return None
    data = cache.serialize()
    return None if data is None else _first_line(bytes(memoryview(data))) + bytes(memoryview(data))


def _create(config: trt.IBuilderConfig, data: bytes) -> trt.ITimingCache | None:
    try:
        return config.create_timing_cache(data)
    except (RuntimeError, TypeError, ValueError) as error:
        logger.debug('TensorRT makes no timing cache of %d bytes: %s', len(data), error)
        return None


def _first_line(data: bytes) -> bytes:
    """Return the line that stands before TensorRT's bytes."""
    digest = hashlib.sha256(data).hexdigest()
    return f'{MAGIC}, TensorRT {version()}, {_gpu()}, sha256 {digest}\n'.encode()


def _gpu() -> str:
    """Name the kind of GPU; the first one's, as mixed machines keep a file for each kind."""
    try:
        found = available_devices()
    except DeviceError:
        return 'unknown GPU'
    if not found:
        return 'unknown GPU'
    major, minor = found[0].compute_capability
    return f'{found[0].name} sm{major}{minor} {found[0].multiprocessors}'


def _read(path: Path | None) -> bytes:
    """Return TensorRT's bytes of a file; none if it is not there or not as it should be."""
    if path is None:
        return b''
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return b''
    except OSError as error:
        logger.warning('%s: the timings of earlier builds cannot be read: %s', path, error)
        return b''
    line, _, data = content.partition(b'\n')
    expected = _first_line(data)
    if line + b'\n' == expected:
        return data
    told = line[:LONGEST_LINE].decode(errors='replace')
    if not told.startswith(MAGIC):
        _say_anew(path, 'the file was not written by this version of jetson_infer')
    elif told.rpartition(',')[0] == expected.decode().rpartition(',')[0]:
        _say_anew(path, 'the file is damaged')
    else:
        _say_anew(path, f'the file is of {told.rpartition(",")[0].removeprefix(MAGIC + ", ")}')
    return b''


def _say_anew(path: Path | None, why: str) -> None:
    logger.warning(
        '%s: not timings of this GPU and TensorRT (%s); they are taken anew, which makes this '
        'build slower',
        path,
        why,
    )
