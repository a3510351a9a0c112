# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters that every inference node has."""

from __future__ import annotations

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.parameters import ParameterSpec
from jetson_infer.engines.models import Model
from jetson_infer.engines.select import ENGINES
from jetson_infer.errors import ModelError, ParameterError
from jetson_infer.ros.qos import INPUT_QOS

__all__ = ['COMMON_PARAMETERS', 'choose_variant']

COMMON_PARAMETERS = (
    ParameterSpec(
        'model',
        'scene_detector',
        'The model: the path of a folder with a model.yaml, or the name of an installed one.',
    ),
    ParameterSpec(
        'variant',
        'auto',
        "One of the model's variants, or auto for the first, which is the best.",
    ),
    ParameterSpec(
        'engine',
        'auto',
        'What runs the network; auto takes the fastest one that works here.',
        choices=ENGINES,
    ),
    ParameterSpec(
        'engine_threads',
        0,
        'How many CPU threads an engine on the CPU may use; 0 leaves it to the engine.',
        minimum=0,
        maximum=256,
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
