# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Building an engine from an ONNX file, in the process that calls."""

from __future__ import annotations

import logging
from collections.abc import Callable

from jetson_infer.engines.build_request import BuildRequest
from jetson_infer.engines.built_plan import BuildProgress, BuiltPlan
from jetson_infer.engines.engine_layers import PrecisionFound
from jetson_infer.engines.tensorrt.api import trt, version
from jetson_infer.engines.tensorrt.builder_config import check_precision, configure
from jetson_infer.engines.tensorrt.error_recorder import ErrorStack, open_recorder
from jetson_infer.engines.tensorrt.inspector import inspect_plan
from jetson_infer.engines.tensorrt.log import MessageLog, open_logger
from jetson_infer.engines.tensorrt.network import check_profiles, parse_network
from jetson_infer.engines.tensorrt.plugins import register_plugins
from jetson_infer.engines.tensorrt.progress import PhaseTracker, attach_monitor
from jetson_infer.engines.tensorrt.timing_cache import attach_timings, read_timings
from jetson_infer.errors import EngineBuildError

__all__ = ['build_plan']

logger = logging.getLogger(__name__)


def build_plan(
    request: BuildRequest,
    report: Callable[[BuildProgress], None] = lambda progress: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> BuiltPlan:
    """Build an engine; takes from a second to many minutes.

    :param report: is told about progress, from TensorRT's threads too; where the version does not
        tell (8.6), only about the stages ``parse``, ``build`` and ``inspect``.
    :param cancelled: whether to stop; asked between stages and, where the version can be stopped
        (10 and later), after every step.
    :raises MissingDependencyError: if TensorRT is not installed.
    :raises EngineBuildError: if the engine cannot be built, with every reason that TensorRT gave.
    """
    log, errors = MessageLog(), ErrorStack()
    tracker = PhaseTracker(report, cancelled)
    tensorrt_logger = open_logger(log)
    builder = open_builder(tensorrt_logger, log)
    recorder = open_recorder(errors)
    builder.error_recorder = recorder

    _enter(request, tracker, cancelled, 'parse')
    parsed = parse_network(builder, tensorrt_logger, log, request.onnx, request.strongly_typed)
    check_profiles(request.onnx, parsed.inputs, request.profiles)
    check_precision(request, parsed)
    config = configure(request, builder, parsed)
    timings = attach_timings(config, request.timing_cache)
    attach_monitor(config, tracker)

    _enter(request, tracker, cancelled, 'build')
    memory = builder.build_serialized_network(parsed.network, config)
    tracker.check()
    if tracker.stopped:
        raise EngineBuildError(f'{request.onnx}: the build was cancelled')
    if memory is None:
        raise EngineBuildError(_failure(request, log, errors))
    plan = bytes(memoryview(memory))
    timing_bytes = read_timings(config) if timings is not None else None

    _enter(request, tracker, cancelled, 'inspect')
    layers = inspect_plan(plan, tensorrt_logger, request.dla_core)
    found = PrecisionFound.of(request.precision, layers)
    (logger.warning if found.is_missing else logger.info)('%s: %s', request.onnx, found)
    return BuiltPlan(plan, log.text, layers, found, timing_bytes, tracker.seconds, version())


def open_builder(tensorrt_logger: trt.ILogger, log: MessageLog) -> trt.Builder:
    """Return TensorRT's builder.

    :raises EngineBuildError: if there is none to be had: no GPU, or a driver that is too old.
    """
    register_plugins(tensorrt_logger)
    try:
        return trt.Builder(tensorrt_logger)
    except (TypeError, RuntimeError) as error:  # pybind's way to say that there is none
        raise EngineBuildError(
            f'TensorRT {version()} cannot build here, as it finds no usable NVIDIA GPU and driver '
            f'({log.reasons()}); nvidia-smi, or on a Jetson jetson-infer doctor, shows more'
        ) from error


def _enter(
    request: BuildRequest, tracker: PhaseTracker, cancelled: Callable[[], bool], stage: str
) -> None:
    if cancelled():
        raise EngineBuildError(f'{request.onnx}: the build was cancelled')
    tracker.enter(stage)


def _failure(request: BuildRequest, log: MessageLog, errors: ErrorStack) -> str:
    reasons = log.reasons(errors.texts)
    text = f'{request.onnx}: TensorRT {version()} cannot build it as {request.precision}: {reasons}'
    lower = reasons.lower()
    if 'memory' in lower and ('out' in lower or 'alloc' in lower):
        text += '; free GPU memory, or set a smaller workspace_bytes'
    elif request.dla_core is not None and not request.gpu_fallback:
        text += '; allow gpu_fallback, for the layers that the DLA cannot run'
    elif request.precision == 'int8':
        text += (
            '; Q/DQ nodes belong at the inputs of Conv, Gemm, MatMul and Add (symmetric int8): '
            'quantize the file with jetson-infer quantize'
        )
    return text
