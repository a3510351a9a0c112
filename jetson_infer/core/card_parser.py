# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Parsing a model card: from the mapping in ``model.yaml`` to values that were checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from jetson_infer.core.cards import (
    CHANNELS,
    InputCard,
    ModelCard,
    OutputCard,
    Size,
    SizeRange,
    VariantCard,
)
from jetson_infer.core.decoders import make_decoder
from jetson_infer.core.depth_decoding import make_depth_decoder
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.extra_inputs import parse_extra_inputs
from jetson_infer.core.fields import Fields, shown
from jetson_infer.core.tensorrt_parser import parse_tensorrt_settings
from jetson_infer.core.validation_parser import parse_depth_validation, parse_validation

__all__ = ['parse_card']

TASKS = ('detection', 'depth', 'cloud_detection', 'policy')
PRECISIONS = ('fp32', 'fp16', 'int8', 'mixed')
MAX_EXTENT = 16384  # pixels a side; far beyond any camera, and small enough to never overflow
_INPUT_KEYS = (
    *('name', 'size', 'range', 'layout', 'colour', 'resize', 'pad_value', 'mean', 'scale'),
    *('dtype', 'extra'),
)
_VARIANT_KEYS = ('name', 'onnx', 'precision', 'size', 'tensorrt', 'validation')
_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.-]*')


def parse_card(mapping: object, source: str) -> ModelCard:
    """Check a card and return it as values.

    :param mapping: what YAML made of the file.
    :param source: the file's path, for messages.
    :raises CardError: naming the file, the dotted key, and what is allowed.
    """
    keys = ('format', 'name', 'task', 'description', 'license', 'labels', 'input', 'output')
    fields = Fields(mapping, source, '', (*keys, 'tensorrt', 'validation', 'variants'))
    version = fields.raw('format')
    if version != 1 or isinstance(version, bool):
        raise fields.error('format', f'must be 1, the format read here, not {shown(version)}')
    task = fields.choice('task', TASKS)
    labels = _labels(fields, required=task in ('detection', 'cloud_detection'))
    input_card = _input(fields)
    output_card = _output(fields, task)
    card = ModelCard(
        name=_name(fields, 'name'),
        task=task,
        description=fields.text('description', default=''),
        license=fields.text('license', default=''),
        labels=labels,
        input=input_card,
        output=output_card,
        variants=_variants(fields, input_card, labels, task),
        source=source,
    )
    if task == 'detection':
        make_decoder(output_card, labels)  # for its complaints: a wrong setting fails here
    elif task == 'depth':
        make_depth_decoder(output_card)  # likewise
    return card


def _labels(fields: Fields, required: bool) -> tuple[str, ...]:
    if not required and not fields.has('labels'):
        return ()
    labels = [
        fields.as_text(f'labels[{index}]', value)
        for index, value in enumerate(fields.items('labels', minimum=1 if required else 0))
    ]
    for index, label in enumerate(labels):
        if label != label.strip() or not label.isprintable():
            raise fields.error(
                f'labels[{index}]', f'{shown(label)} has spaces around it or control characters'
            )
        if labels.index(label) < index:
            raise fields.error(
                f'labels[{index}]',
                f'{shown(label)} is the label of class {labels.index(label)} too',
            )
    return tuple(labels)


def _input(parent: Fields) -> InputCard:
    fields = Fields(parent.raw('input'), parent.source, 'input', _INPUT_KEYS)
    colour = fields.choice('colour', tuple(CHANNELS), default='rgb')
    dtype = fields.choice('dtype', ('float32', 'float16', 'uint8'), default='float32')
    channels = CHANNELS[colour]
    size_range = _size_range(fields) if fields.has('range') else None
    size = _size(fields, 'size', fields.raw('size')) if fields.has('size') else None
    if size and size_range and not size_range.admits(size):
        raise fields.error('size', f'{size[0]}x{size[1]} is not within input.range ({size_range})')
    raw_pixels = dtype == 'uint8'
    card = InputCard(
        name=fields.text('name') if fields.has('name') else None,
        size=size,
        size_range=size_range,
        layout=fields.choice('layout', ('nchw', 'nhwc'), default='nchw'),
        colour=colour,
        resize=fields.choice(
            'resize', ('letterbox', 'letterbox_top_left', 'stretch'), default='letterbox'
        ),
        pad_value=fields.integer('pad_value', 0, 255, default=114),
        mean=_per_channel(fields, 'mean', channels, 0.0, (0.0, 255.0)),
        scale=_per_channel(fields, 'scale', channels, 1.0 if raw_pixels else 1 / 255, (-1e6, 1e6)),
        dtype=dtype,
        extra=parse_extra_inputs(fields, 'extra'),
    )
    _check_normalization(fields, card)
    return card


def _check_normalization(fields: Fields, card: InputCard) -> None:
    """Refuse the two mistakes that make a network silently blind."""
    if any(value == 0.0 for value in card.scale):
        raise fields.error('scale', 'must not be 0, which would turn every image into zeros')
    if any(0.0 < value < 1.0 for value in card.mean):
        raise fields.error(
            'mean',
            f'{list(card.mean)} looks like fractions of 1; means are in pixel units, 0 to 255: '
            f'multiply them by 255, {[round(value * 255, 3) for value in card.mean]}',
        )
    if card.dtype == 'uint8' and (set(card.mean) != {0.0} or set(card.scale) != {1.0}):
        raise fields.error(
            'dtype', 'uint8 means that the network takes the pixels as they are: mean 0, scale 1'
        )


def _per_channel(
    fields: Fields, key: str, channels: int, default: float, limits: tuple[float, float]
) -> tuple[float, ...]:
    """Return one number a channel from a number or from a list of as many."""
    if not fields.has(key):
        return (default,) * channels
    value = fields.raw(key)
    if not isinstance(value, (list, tuple)):
        return (fields.as_number(key, value, *limits),) * channels
    if len(value) != channels:
        raise fields.error(
            key, f'must be one number or a list of {channels}, one a channel, not {shown(value)}'
        )
    return tuple(
        fields.as_number(f'{key}[{index}]', item, *limits) for index, item in enumerate(value)
    )


def _size(fields: Fields, key: str, value: object) -> Size:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise fields.error(key, f'must be [width, height] in pixels, not {shown(value)}')
    width, height = (
        fields.as_integer(f'{key}[{index}]', item, 1, MAX_EXTENT)
        for index, item in enumerate(value)
    )
    return width, height


def _size_range(parent: Fields) -> SizeRange:
    prefix = parent.path('range')
    fields = Fields(parent.raw('range'), parent.source, prefix, ('min', 'max', 'multiple_of'))
    size_range = SizeRange(
        _size(fields, 'min', fields.raw('min')),
        _size(fields, 'max', fields.raw('max')),
        fields.integer('multiple_of', 1, MAX_EXTENT, default=1),
    )
    for key, size in (('min', size_range.minimum), ('max', size_range.maximum)):
        if not size_range.admits(size):
            raise fields.error(
                key,
                f'{size[0]}x{size[1]} contradicts the range; min must not exceed max, and both '
                f'must be multiples of {size_range.multiple_of}',
            )
    return size_range


def _output(parent: Fields, task: str) -> OutputCard:
    keys = ('decoder', 'settings') if task == 'depth' else ('decoder', 'settings', 'defaults')
    fields = Fields(parent.raw('output'), parent.source, 'output', keys)
    settings = fields.raw('settings') if fields.has('settings') else {}
    if not isinstance(settings, Mapping):
        raise fields.error('settings', f'must be a mapping, not {shown(settings)}')
    return OutputCard(
        decoder=fields.text('decoder'),
        settings=dict(settings),
        defaults=_defaults(fields),
        source=parent.source,
    )


def _defaults(parent: Fields) -> DetectionLimits:
    fields = Fields(
        parent.raw('defaults') if parent.has('defaults') else {},
        parent.source,
        parent.path('defaults'),
        ('score_threshold', 'iou_threshold', 'max_detections'),
    )
    usual = DetectionLimits()
    return DetectionLimits(
        score_threshold=fields.number('score_threshold', 0, 1, default=usual.score_threshold),
        iou_threshold=fields.number('iou_threshold', 0, 1, default=usual.iou_threshold),
        max_detections=fields.integer('max_detections', 1, 100_000, default=usual.max_detections),
    )


def _variants(
    parent: Fields, input_card: InputCard, labels: tuple[str, ...], task: str
) -> tuple[VariantCard, ...]:
    variants: list[VariantCard] = []
    usual = parse_tensorrt_settings(parent, input_card)
    judged_by = _thresholds_parser(parent, labels, task)
    for index, item in enumerate(parent.items('variants')):
        fields = Fields(item, parent.source, f'variants[{index}]', _VARIANT_KEYS)
        name = _name(fields, 'name')
        if name == 'auto':
            raise fields.error('name', "'auto' is what chooses a variant; give it another name")
        if name in (other.name for other in variants):
            raise fields.error('name', f'{shown(name)} is already a variant; names are unique')
        size = _variant_size(fields, input_card)
        variants.append(
            VariantCard(
                name=name,
                onnx=_onnx_file(fields),
                precision=fields.choice('precision', PRECISIONS, default='fp32'),
                size=size,
                tensorrt=parse_tensorrt_settings(fields, input_card, size, usual),
                **judged_by(fields),
            )
        )
    return tuple(variants)


def _thresholds_parser(
    parent: Fields, labels: tuple[str, ...], task: str
) -> Callable[[Fields], dict[str, Any]]:
    """Read the card's section ``validation``; return what reads a variant's, by its task."""
    if task == 'depth':
        depth = parse_depth_validation(parent)
        return lambda fields: {'depth_validation': parse_depth_validation(fields, depth)}
    boxes = parse_validation(parent, labels)
    return lambda fields: {'validation': parse_validation(fields, labels, boxes)}


def _variant_size(fields: Fields, input_card: InputCard) -> Size:
    if not fields.has('size'):
        if input_card.size is None:
            raise fields.error('size', 'is missing, and there is no input.size to take instead')
        return input_card.size
    size = _size(fields, 'size', fields.raw('size'))
    if input_card.size_range and not input_card.size_range.admits(size):
        raise fields.error(
            'size', f'{size[0]}x{size[1]} is not within input.range ({input_card.size_range})'
        )
    return size


def _onnx_file(fields: Fields) -> str:
    text = fields.text('onnx')
    path = PurePosixPath(text)
    if path.is_absolute() or '..' in path.parts or path.suffix.lower() != '.onnx' or '\0' in text:
        raise fields.error(
            'onnx', f"must be a .onnx file inside the model's folder, not {shown(text)}"
        )
    return str(path)


def _name(fields: Fields, key: str) -> str:
    name = fields.text(key)
    if not _NAME.fullmatch(name):
        raise fields.error(
            key,
            f"must begin with a letter or digit and go on with letters, digits, '_', '.' or '-', "
            f'not {shown(name)}',
        )
    return name
