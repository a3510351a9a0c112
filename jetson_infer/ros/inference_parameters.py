# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters that every inference node has."""

from __future__ import annotations

import re

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.parameters import ParameterSpec, Settings
from jetson_infer.engines.models import Model
from jetson_infer.engines.select import BUILDS, ENGINES
from jetson_infer.engines.validation_gate import ValidationGate
from jetson_infer.errors import ModelError, ParameterError
from jetson_infer.pipeline.runner import RunnerSettings
from jetson_infer.ros.qos import INPUT_QOS

__all__ = [
    'COMMON_PARAMETERS',
    'check_against_model',
    'check_common',
    'choose_variant',
    'gate_of',
    'largest_image',
    'runner_settings',
]

_LONGEST_SIDE = 16384

COMMON_PARAMETERS = (
    ParameterSpec(
        'model',
        'scene_detector',
        'The model: the path of a folder with a model.yaml, or the name of an installed one.',
    ),
    ParameterSpec(
        'variant',
        'auto',
        "One of the model's variants, or auto for the first, which is the best. Set while frames "
        'come, it is loaded beside the one in force and takes over from one frame to the next.',
        live=True,
    ),
    ParameterSpec(
        'keep_loaded',
        1,
        'How many variants stay loaded, those used last, so that switching between them costs less '
        'than a frame; more than one are loaded while configuring.',
        minimum=1,
        maximum=16,
    ),
    ParameterSpec(
        'engine',
        'auto',
        'What runs the network; auto takes the fastest one that works here.',
        choices=ENGINES,
    ),
    ParameterSpec(
        'engine_build',
        'never',
        'Whether a TensorRT engine that is missing is built while configuring, which takes '
        'minutes; never leaves it to: jetson-infer build.',
        choices=BUILDS,
    ),
    ParameterSpec(
        'largest_image',
        '1920x1080',
        'Width and height in pixels of the largest image that GPU memory is laid out for; larger '
        'images are prepared on the CPU.',
    ),
    ParameterSpec(
        'allow_unvalidated',
        False,
        'Whether to run a variant on an engine that failed its validation or never had one, with a '
        'warning in every report; false refuses it. See: jetson-infer validate.',
    ),
    ParameterSpec(
        'engine_threads',
        0,
        'How many CPU threads an engine on the CPU may use; 0 leaves it to the engine.',
        minimum=0,
        maximum=256,
    ),
    ParameterSpec(
        'exit_on_fault',
        False,
        'Whether the process ends, with exit code 1, when a fault such as a lost GPU has taken the '
        'node to unconfigured, so that whoever watches over it starts a new one; after many faults '
        'only a new process gets the GPU back.',
        live=True,
    ),
    ParameterSpec(
        'max_rate_hz',
        0.0,
        'Frames above this mean rate are left out, in Hz; 0 processes every frame.',
        minimum=0.0,
        maximum=1000.0,
        live=True,
    ),
    ParameterSpec(
        'floor_rate_hz',
        0.0,
        'max_rate_hz is refused below this, whoever asks, in Hz; 0 sets no floor.',
        minimum=0.0,
        maximum=1000.0,
        live=True,
    ),
    ParameterSpec(
        'floor_variant',
        '',
        'variant is refused below this one in the order of the card; empty sets no floor.',
        live=True,
    ),
    ParameterSpec(
        'stale_after_ms',
        0.0,
        'Images older than this when their turn comes are left out, in milliseconds between the '
        "header's stamp and this node's clock; 0 never. Needs clocks that agree.",
        minimum=0.0,
        maximum=60000.0,
        live=True,
    ),
    ParameterSpec(
        'input_qos',
        'sensor_data',
        'Quality of service of the input: sensor_data is best effort and takes every publisher; '
        'reliable takes reliable publishers only.',
        choices=INPUT_QOS,
    ),
    ParameterSpec(
        'image_transport',
        'raw',
        'raw subscribes to ~/input/image; compressed to ~/input/image/compressed, JPEG or PNG.',
        choices=('raw', 'compressed'),
    ),
)


def choose_variant(model: Model, name: str, parameter: str = 'variant') -> VariantCard:
    """Return a model's variant by name; ``auto`` is the first.

    :param parameter: the parameter that names it, for the message.
    :raises ParameterError: if the model has none of this name.
    """
    try:
        return model.variant(name)
    except ModelError as error:
        raise ParameterError(parameter, str(error)) from error


def gate_of(settings: Settings) -> ValidationGate:
    """Return what decides whether a variant may run."""
    return ValidationGate(settings.flag('allow_unvalidated'))


def largest_image(settings: Settings) -> tuple[int, int]:
    """Return width and height, in pixels, of the largest image to lay memory out for.

    :raises ParameterError: if it is no size.
    """
    text = settings.text('largest_image')
    match = re.fullmatch(r'([0-9]{1,5})x([0-9]{1,5})', text)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= min(size) <= max(size) <= _LONGEST_SIDE:
        raise ParameterError(
            'largest_image',
            f"'{text}' is no image size; give WIDTHxHEIGHT in pixels, each 1 to {_LONGEST_SIDE}: "
            '1920x1080',
        )
    return size


def runner_settings(settings: Settings) -> RunnerSettings:
    """Return what the runner reads with every frame."""
    return RunnerSettings(settings.number('max_rate_hz'), settings.number('stale_after_ms'))


def check_common(settings: Settings) -> None:
    """Check the common parameters against each other and beyond their ranges.

    :raises ParameterError: if they cannot work.
    """
    largest_image(settings)
    limit, floor = settings.number('max_rate_hz'), settings.number('floor_rate_hz')
    if 0.0 < limit < floor:
        raise ParameterError('max_rate_hz', f'{limit:g} Hz is below floor_rate_hz, {floor:g} Hz')


def check_against_model(settings: Settings, model: Model) -> None:
    """Check that the model has the variants that are named, and that the floor is not undercut.

    :raises ParameterError: if they cannot work.
    """
    variant = choose_variant(model, settings.text('variant'))
    if settings.text('floor_variant'):
        floor = choose_variant(model, settings.text('floor_variant'), 'floor_variant')
        order = model.card.variants
        if order.index(variant) > order.index(floor):
            raise ParameterError(
                'variant', f"'{variant.name}' is below floor_variant, '{floor.name}'"
            )
