# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From a request to the builder's settings, in the words of the version at hand."""

from __future__ import annotations

import logging
from fnmatch import fnmatchcase

from jetson_infer.core.shape_profiles import ShapeProfile
from jetson_infer.engines.build_request import BuildRequest
from jetson_infer.engines.tensorrt.api import member, trt
from jetson_infer.engines.tensorrt.network import ParsedNetwork
from jetson_infer.errors import EngineBuildError

__all__ = ['check_precision', 'configure']

logger = logging.getLogger(__name__)

FLAGS = {'fp32': (), 'fp16': ('FP16',), 'int8': ('INT8', 'FP16'), 'mixed': ('FP16',)}
EXTERNAL_TACTICS = ('CUBLAS', 'CUBLAS_LT', 'CUDNN')
HALF = ('HALF', 'BF16')


def check_precision(request: BuildRequest, parsed: ParsedNetwork) -> None:
    """Hold the precision that is asked for against what the ONNX file holds.

    :raises EngineBuildError: if the one cannot come of the other, with what to do.
    """
    where = f'{request.onnx}: {request.precision} was asked for'
    if request.precision == 'int8' and not parsed.is_quantized:
        raise EngineBuildError(
            f'{where}, and the file has no QuantizeLinear nodes; quantize it first '
            '(jetson-infer quantize), or ask for fp16'
        )
    if not parsed.strongly_typed:
        return
    if request.float32_layers:
        raise EngineBuildError(
            f'{where} with float32_layers, and TensorRT {trt.__version__} takes every precision '
            'from the file; keep these layers in float32 by Cast nodes there'
        )
    types = parsed.types()
    half = types.intersection(HALF)
    if request.precision in ('fp16', 'mixed') and not half and not parsed.is_quantized:
        raise EngineBuildError(
            f'{where}, and the file computes in {", ".join(sorted(types)).lower()}: a strongly '
            f'typed network (TensorRT {trt.__version__}) is built as its file says. Convert the '
            'file to float16 (onnxconverter_common.float16.convert_float_to_float16 with '
            'keep_io_types=True), or ask for fp32'
        )
    if request.precision == 'fp32' and (half or parsed.is_quantized):
        raise EngineBuildError(
            f'{where}, and the file holds {", ".join(sorted(types)).lower()}: a strongly typed '
            'network is built as its file says; ask for mixed, or give the float32 file'
        )


def configure(
    request: BuildRequest, builder: trt.Builder, parsed: ParsedNetwork
) -> trt.IBuilderConfig:
    """Return the builder's settings for a request.

    :raises EngineBuildError: if this machine or this version cannot do what is asked for.
    """
    config = builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # the inspector tells precisions
    _set_precision(request, parsed, config)
    _set_flag(config, 'SPARSE_WEIGHTS', request.sparsity)
    _set_flag(config, 'TF32', request.tf32)
    _set_tactics(request, config)
    _set_dla(request, builder, config)
    _share_profiles(config)
    if request.workspace_bytes is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, request.workspace_bytes)
    if request.optimization_level is not None:
        config.builder_optimization_level = request.optimization_level
    for number, profile in enumerate(request.profiles):
        if config.add_optimization_profile(_profile(builder, profile)) < 0:
            raise EngineBuildError(
                f'{request.onnx}: TensorRT refuses shape profile {number} ({profile})'
            )
    return config


def _set_flag(config: trt.IBuilderConfig, name: str, wanted: bool) -> None:
    flag = member(trt.BuilderFlag, name)
    if flag is None:
        if wanted:
            raise EngineBuildError(f'TensorRT {trt.__version__} has no builder flag {name}')
    elif wanted:
        config.set_flag(flag)
    else:
        config.clear_flag(flag)


def _set_precision(
    request: BuildRequest, parsed: ParsedNetwork, config: trt.IBuilderConfig
) -> None:
    if parsed.strongly_typed:
        return  # from the file
    for name in FLAGS[request.precision]:
        _set_flag(config, name, True)
    if request.precision == 'mixed' and parsed.is_quantized:
        _set_flag(config, 'INT8', True)
    if request.float32_layers:
        _set_flag(config, 'OBEY_PRECISION_CONSTRAINTS', True)
        _keep_float32(request, parsed)


def _keep_float32(request: BuildRequest, parsed: ParsedNetwork) -> None:
    """Hold layers in float32, by the name of their ONNX node or a pattern of it.

    :raises EngineBuildError: if a name fits no layer that computes in floating point.
    """
    missing = set(request.float32_layers)
    for layer in parsed.layers():
        fitting = {name for name in request.float32_layers if fnmatchcase(layer.name, name)}
        if not fitting or not hasattr(layer, 'precision') or not hasattr(layer, 'set_output_type'):
            continue
        floating = [
            index
            for index in range(layer.num_outputs)
            if layer.get_output(index).dtype in (trt.DataType.FLOAT, trt.DataType.HALF)
        ]
        if not floating or layer.type == trt.LayerType.CONSTANT:
            continue
        missing -= fitting
        layer.precision = trt.DataType.FLOAT
        for index in floating:
            layer.set_output_type(index, trt.DataType.FLOAT)
    if missing:
        raise EngineBuildError(
            f'{request.onnx}: float32_layers names {", ".join(sorted(missing))}, and no layer of '
            'the network is called so; the names are those of the ONNX nodes'
        )


def _set_tactics(request: BuildRequest, config: trt.IBuilderConfig) -> None:
    """Keep the builder from cuBLAS and cuDNN unless they are asked for.

    They cost memory and loading time, and the engine would need them wherever it runs.
    """
    if request.external_tactics:
        return
    sources = config.get_tactic_sources()
    for name in EXTERNAL_TACTICS:
        source = member(trt.TacticSource, name)
        if source is not None:
            sources &= ~(1 << int(source))
    if not config.set_tactic_sources(sources):
        logger.warning('TensorRT keeps its own choice of tactic sources')


def _set_dla(request: BuildRequest, builder: trt.Builder, config: trt.IBuilderConfig) -> None:
    if request.dla_core is None:
        return
    cores = builder.num_DLA_cores
    if request.dla_core >= cores:
        raise EngineBuildError(
            f'{request.onnx}: DLA core {request.dla_core} was asked for, and this machine has '
            f'{cores or "none"}; build for the GPU'
        )
    config.default_device_type = trt.DeviceType.DLA
    config.DLA_core = request.dla_core
    _set_flag(config, 'GPU_FALLBACK', request.gpu_fallback)


def _share_profiles(config: trt.IBuilderConfig) -> None:
    """Let several execution contexts use one shape profile at once: a preview feature of 8.6."""
    feature = member(trt.PreviewFeature, 'PROFILE_SHARING_0806')
    if feature is not None:
        config.set_preview_feature(feature, True)


def _profile(builder: trt.Builder, profile: ShapeProfile) -> trt.IOptimizationProfile:
    optimization = builder.create_optimization_profile()
    for name, bounds in profile.inputs.items():
        try:
            optimization.set_shape(
                name,
                trt.Dims(bounds.minimum),
                trt.Dims(bounds.optimum),
                trt.Dims(bounds.maximum),
            )
        except RuntimeError as error:  # how all versions refuse
            raise EngineBuildError(
                f'TensorRT {trt.__version__} refuses the shapes of {name} in shape profile '
                f'({profile}): {error}'
            ) from error
    return optimization
