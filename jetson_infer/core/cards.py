# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Model cards: what a network expects and what its outputs mean, as values that were checked.

``card_parser`` makes them from ``model.yaml``; docs/model_cards.md explains every key.  What a
machine measured or validated is never in the card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jetson_infer.core.depth_validation import DepthThresholds
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.extra_inputs import ExtraInput
from jetson_infer.core.sizes import Size, SizeRange
from jetson_infer.core.tensorrt_settings import TensorRtSettings
from jetson_infer.core.validation_thresholds import ValidationThresholds

__all__ = [
    'InputCard',
    'ModelCard',
    'OutputCard',
    'Size',
    'SizeRange',
    'VariantCard',
]

CHANNELS = {'rgb': 3, 'bgr': 3, 'grey': 1}


@dataclass(frozen=True)
class InputCard:
    """How an image becomes the network's input: ``(pixel - mean) * scale``, pixels 0 to 255.

    :param name: the input's name in the network; None where the network has only one.
    :param size: the size of a network that has one; the default of a dynamic one; or None.
    :param size_range: the sizes that a dynamic network takes, or None.
    :param layout: ``nchw`` or ``nhwc``.
    :param colour: ``rgb``, ``bgr`` or ``grey``.
    :param resize: ``letterbox``, ``letterbox_top_left`` or ``stretch``.
    :param pad_value: 0 to 255; the colour of the letterbox's bars, the same in all channels.
    :param mean: one number a channel, in pixel units (0 to 255).
    :param scale: one number a channel.
    :param dtype: ``float32``, ``float16`` or ``uint8``.
    :param extra: further inputs with constant values, by name.
    """

    name: str | None
    size: Size | None
    size_range: SizeRange | None
    layout: str
    colour: str
    resize: str
    pad_value: int
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    dtype: str
    extra: Mapping[str, ExtraInput] = field(default_factory=dict)

    @property
    def channels(self) -> int:
        """The number of channels: 3, or 1 for grey."""
        return CHANNELS[self.colour]

    def shape(self, size: Size) -> tuple[int, int, int, int]:
        """Return the input tensor's shape for one image of a size (width, height)."""
        width, height = size
        if self.layout == 'nchw':
            return (1, self.channels, height, width)
        return (1, height, width, self.channels)


@dataclass(frozen=True)
class OutputCard:
    """What the network's outputs mean.

    :param decoder: the decoder's name.
    :param settings: the decoder's own settings; checked by the decoder.
    :param defaults: the limits that hold until a parameter changes them.
    :param source: the file the card came from, for messages.
    """

    decoder: str
    settings: Mapping[str, object] = field(default_factory=dict)
    defaults: DetectionLimits = field(default_factory=DetectionLimits)
    source: str = field(default='model.yaml', compare=False)


@dataclass(frozen=True)
class VariantCard:
    """One ONNX file of a model.

    :param name: unique within the card; never ``auto``.
    :param onnx: the file, relative to the card's folder.
    :param precision: ``fp32``, ``fp16``, ``int8`` or ``mixed``: what the file was made for.
    :param size: the width and height of its input.
    :param tensorrt: how TensorRT is to build its engine.
    :param validation: what it has to hold against the reference before a node runs it.
    :param depth_validation: the same of a model of depth.
    """

    name: str
    onnx: str
    precision: str
    size: Size
    tensorrt: TensorRtSettings = field(default_factory=TensorRtSettings)
    validation: ValidationThresholds = field(default_factory=ValidationThresholds)
    depth_validation: DepthThresholds = field(default_factory=DepthThresholds)


@dataclass(frozen=True)
class ModelCard:
    """A model: its task, its labels, its input and output, and its variants, best quality first.

    :param labels: the class names, by class index; empty for a task without classes.
    :param source: the file the card came from, for messages.
    """

    name: str
    task: str
    description: str
    license: str
    labels: tuple[str, ...]
    input: InputCard
    output: OutputCard
    variants: tuple[VariantCard, ...]
    source: str = field(default='model.yaml', compare=False)
