# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Asking a built engine about its layers."""

from __future__ import annotations

import logging

from jetson_infer.engines.engine_layers import EngineLayer
from jetson_infer.engines.tensorrt.api import trt
from jetson_infer.engines.tensorrt.inspector_text import DYNAMIC, parse_layer, parse_layers
from jetson_infer.engines.tensorrt.types import shape_of

__all__ = ['inspect_engine', 'inspect_plan']

logger = logging.getLogger(__name__)


def inspect_plan(
    plan: bytes, tensorrt_logger: trt.ILogger, dla_core: int | None = None
) -> tuple[EngineLayer, ...]:
    """Return the layers of a serialized engine; none, with a warning, if it does not tell."""
    runtime = trt.Runtime(tensorrt_logger)
    if dla_core is not None:
        runtime.DLA_core = dla_core
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        logger.warning('the engine that was built cannot be read back to inspect it')
        return ()
    return inspect_engine(engine)


def inspect_engine(engine: trt.ICudaEngine) -> tuple[EngineLayer, ...]:
    """Return the layers of an engine; none, with a warning, if it does not tell.

    Where shapes are dynamic, layouts and types are those at the optimum of the first profile.
    """
    inspector = engine.create_engine_inspector()
    layers = _ask(inspector, engine.num_layers)
    if any(DYNAMIC in tensor.layout for layer in layers for tensor in layer.inputs):
        context = _at_optimum(engine)
        if context is not None:
            inspector.execution_context = context
            layers = _ask(inspector, engine.num_layers) or layers
    return layers


def _ask(inspector: trt.EngineInspector, count: int) -> tuple[EngineLayer, ...]:
    """Read the whole engine, or one layer after the other if that is not understood."""
    text = ''
    try:
        text = inspector.get_engine_information(trt.LayerInformationFormat.JSON)
        return parse_layers(text)
    except ValueError as error:  # also of a text that is no UTF-8
        reason = str(error)
    logger.debug('the inspector told: %s', text)
    layers = [_ask_one(inspector, index) for index in range(count)]
    found = tuple(layer for layer in layers if layer is not None)
    if len(found) < count or not count:
        logger.warning(
            'the inspector of TensorRT %s is not understood for %d of %d layers: %s; what it told '
            "is logged at level DEBUG, as in a build's log, which helps if you report this",
            trt.__version__,
            count - len(found),
            count,
            reason,
        )
    return found


def _ask_one(inspector: trt.EngineInspector, index: int) -> EngineLayer | None:
    text = ''
    try:
        text = inspector.get_layer_information(index, trt.LayerInformationFormat.JSON)
        return parse_layer(text)
    except ValueError as error:
        logger.debug('layer %d is not understood: %s: %s', index, error, text)
        return None


def _at_optimum(engine: trt.ICudaEngine) -> trt.IExecutionContext | None:
    """Return a context at the optimum of the first profile; None if there is none to be had."""
    context = engine.create_execution_context()
    if context is None or context.active_optimization_profile != 0:
        return None
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        if engine.get_tensor_mode(name) != trt.TensorIOMode.INPUT:
            continue
        if min(shape_of(engine.get_tensor_shape(name)) or (), default=0) < 0:
            _, optimum, _ = engine.get_tensor_profile_shape(name, 0)
            if not context.set_input_shape(name, trt.Dims(tuple(optimum))):
                return None
    context.infer_shapes()  # until then the inspector of 8.6 tells of no layout
    return context
