# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Holding a card's input against the inputs that a loaded network really has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.cards import ModelCard, VariantCard
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import CardError

__all__ = ['NetworkInputs', 'match_inputs']


@dataclass(frozen=True)
class NetworkInputs:
    """What to bind and fill.

    :param image: the name of the input that takes the image.
    :param shapes: the concrete shape of every input, by name; for ``Session.bind``.
    :param constants: the arrays to copy once into the inputs of their names.
    """

    image: str
    shapes: Mapping[str, tuple[int, ...]]
    constants: Mapping[str, npt.NDArray[Any]]


def match_inputs(
    inputs: tuple[TensorSpec, ...], card: ModelCard, variant: VariantCard
) -> NetworkInputs:
    """Check a network's inputs against the card.

    :param inputs: the network's inputs.
    :raises CardError: if name, shape or dtype differ, or an input has no value, naming both sides.
    """
    by_name = {spec.name: spec for spec in inputs}
    for name in card.input.extra:
        if name not in by_name:
            raise _error(card, f'extra.{name}', f'{variant.onnx} has no such input', inputs)
    image = _image_input(inputs, card, variant)
    shape = card.input.shape(variant.size)
    if not image.admits(shape):
        wanted = 'x'.join(str(extent) for extent in shape)
        raise _error(
            card,
            '',
            f'{variant.onnx} takes {image}, but layout {card.input.layout}, colour '
            f'{card.input.colour} and size {variant.size[0]}x{variant.size[1]} make {wanted}',
            inputs,
        )
    if image.dtype != np.dtype(card.input.dtype):
        raise _error(
            card, 'dtype', f'is {card.input.dtype}, but {variant.onnx} takes {image}', inputs
        )
    constants = {
        name: extra.array(variant.size, by_name[name]) for name, extra in card.input.extra.items()
    }
    shapes = {image.name: shape, **{name: array.shape for name, array in constants.items()}}
    return NetworkInputs(image.name, shapes, constants)


def _image_input(
    inputs: tuple[TensorSpec, ...], card: ModelCard, variant: VariantCard
) -> TensorSpec:
    rest = [spec for spec in inputs if spec.name not in card.input.extra]
    if card.input.name is not None:
        for spec in rest:
            if spec.name == card.input.name:
                break
        else:
            raise _error(
                card, 'name', f'{variant.onnx} has no image input {card.input.name!r}', inputs
            )
        rest.remove(spec)
        if rest:
            names = ', '.join(other.name for other in rest)
            raise _error(card, 'extra', f'gives no value for {names} of {variant.onnx}', inputs)
        return spec
    if len(rest) != 1:
        raise _error(
            card,
            'name',
            f'has to say which input of {variant.onnx} takes the image, and input.extra what the '
            'others get',
            inputs,
        )
    return rest[0]


def _error(card: ModelCard, key: str, message: str, inputs: tuple[TensorSpec, ...]) -> CardError:
    found = ', '.join(str(spec) for spec in inputs)
    return CardError(
        card.source, f'input.{key}' if key else 'input', f"{message}; the network's inputs: {found}"
    )
