# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From a model's card to the engine that serves it: what to build, and the key to find it by.

A node that looks for its engine and the command that builds it come here, so that they mean the
same engine.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace

from jetson_infer.core.cards import InputCard, ModelCard, VariantCard
from jetson_infer.core.shape_profiles import ShapeProfile, ShapeRange
from jetson_infer.core.tensorrt_settings import SizeProfile
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.engines.build_request import BuildRequest
from jetson_infer.engines.build_target import BuildTarget
from jetson_infer.engines.engine_key import EngineKey
from jetson_infer.engines.inputs import match_inputs
from jetson_infer.engines.models import Model, find_model
from jetson_infer.engines.onnx_file import OnnxFile, read_onnx
from jetson_infer.errors import EngineBuildError, ModelError

__all__ = [
    'CALIBRATION_KEY',
    'EngineOrder',
    'EngineWish',
    'build_command',
    'named_by',
    'order_engine',
]

CALIBRATION_KEY = 'jetson_infer.calibration_digest'
"""Under this key of an ONNX file's metadata stands the digest of its calibration data."""

_MIB = 1 << 20


@dataclass(frozen=True)
class EngineWish:
    """What somebody wants otherwise than the card says; None: as the card says."""

    precision: str | None = None
    dla_core: int | None = None
    sparsity: bool | None = None
    workspace_mb: int | None = None
    optimization_level: int | None = None

    def __bool__(self) -> bool:
        return self != EngineWish()


@dataclass(frozen=True)
class EngineOrder:
    """One engine to find or to build.

    :param model: the model's name, as its card says.
    :param variant: the variant's name.
    :param onnx: the network's file.
    :param request: what the builder is asked for.
    :param repair: the command that builds the engine, for messages.
    """

    model: str
    variant: str
    onnx: OnnxFile
    request: BuildRequest
    repair: str

    def key(self, target: BuildTarget) -> EngineKey:
        """Return the key of the engine for a GPU and a version of TensorRT."""
        return EngineKey(
            onnx_digest=self.onnx.digest,
            tensorrt=target.tensorrt,
            gpu=target.gpu,
            compute_capability=target.compute_capability,
            multiprocessors=target.multiprocessors,
            precision=self.request.precision,
            profiles=self.request.profiles,
            flags=self.request.flags(),
            dla_core=self.request.dla_core,
            calibration_digest=self.onnx.metadata.get(CALIBRATION_KEY, ''),
        )


def order_engine(model: Model, variant: VariantCard, wish: EngineWish | None = None) -> EngineOrder:
    """Make a variant's order from its card and its ONNX file; needs neither a GPU nor TensorRT.

    :param wish: what is wanted otherwise than the card says.
    :raises ModelError: if the ONNX file cannot be read.
    :raises CardError: if the file's inputs do not fit the card.
    :raises EngineBuildError: if what is asked for cannot be.
    """
    wish = wish or EngineWish()
    onnx = read_onnx(model.files[variant.name])
    precision = wish.precision or variant.precision
    if precision == 'int8' and 'QuantizeLinear' not in onnx.operators:
        raise EngineBuildError(
            f'{onnx.path}: int8 is asked for, but the file has no QuantizeLinear node that says '
            'where and with which scale: give the variant a quantized file, or ask for fp16'
        )
    settings = variant.tensorrt
    workspace_mb = _first(wish.workspace_mb, settings.workspace_mb)
    request = BuildRequest(
        onnx=onnx.path,
        precision=precision,
        strongly_typed=settings.strongly_typed,
        profiles=_profiles(model.card, variant, onnx.inputs),
        sparsity=settings.sparsity if wish.sparsity is None else wish.sparsity,
        dla_core=_first(wish.dla_core, settings.dla_core),
        workspace_bytes=None if workspace_mb is None else workspace_mb * _MIB,
        optimization_level=_first(wish.optimization_level, settings.optimization_level),
    )
    return EngineOrder(
        model.card.name, variant.name, onnx, request, build_command(model, variant, wish)
    )


def build_command(model: Model, variant: VariantCard, wish: EngineWish | None = None) -> str:
    """Return the command that builds a variant's engine."""
    words = ['jetson-infer', 'build', named_by(model), '--variant', variant.name]
    for option, value in vars(wish or EngineWish()).items():
        if option == 'sparsity':
            words += ['--sparse'] if value else []
        elif value is not None:
            words += [f'--{option.replace("_", "-")}', str(value)]
    return shlex.join(words)


def named_by(model: Model) -> str:
    """Return what a person names the model by: its folder's name, where that is enough."""
    try:
        by_name = find_model(model.folder.name) == model.folder
    except ModelError:
        by_name = False
    return model.folder.name if by_name else str(model.folder)


def _first(wish: int | None, usual: int | None) -> int | None:
    return usual if wish is None else wish


def _profiles(
    card: ModelCard, variant: VariantCard, inputs: tuple[TensorSpec, ...]
) -> tuple[ShapeProfile, ...]:
    """Return the shapes to build for; none for a network whose inputs are all of fixed shapes.

    :raises CardError: if the network does not take a size that the card names.
    """
    image = match_inputs(inputs, card, variant).image
    dynamic = [spec for spec in inputs if not spec.is_static]
    if not dynamic:
        return ()
    profiles = []
    for sizes in _size_profiles(card.input, variant, image in {spec.name for spec in dynamic}):
        shapes = [
            match_inputs(inputs, card, replace(variant, size=size)).shapes
            for size in (sizes.minimum, sizes.optimum, sizes.maximum)
        ]
        ranges = {spec.name: ShapeRange(*(each[spec.name] for each in shapes)) for spec in dynamic}
        profiles.append(ShapeProfile(ranges))
    return tuple(profiles)


def _size_profiles(
    card: InputCard, variant: VariantCard, dynamic_image: bool
) -> tuple[SizeProfile, ...]:
    """Return the sizes that the engine is to take, from the card."""
    if dynamic_image and variant.tensorrt.profiles:
        return variant.tensorrt.profiles
    if dynamic_image and card.size_range is not None:
        return (SizeProfile(card.size_range.minimum, variant.size, card.size_range.maximum),)
    return (SizeProfile(variant.size, variant.size, variant.size),)
