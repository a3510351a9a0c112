# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs that some networks want beside the image, and whose values a card gives.

RT-DETR's own exporter asks for the size to which boxes are scaled, PaddleDetection for the shape
and the scale of the image, Hugging Face's for a mask of the pixels that are not padding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.fields import Fields, shown
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import CardError

__all__ = ['ExtraInput', 'parse_extra_inputs']

Literal = float | tuple[Any, ...]
"""A number, or nested tuples of numbers."""

_TOKENS = ('input_size', 'input_size_hw', 'input_mask')
_MAX_DEPTH = 6


@dataclass(frozen=True)
class ExtraInput:
    """A constant input.

    :param name: the input's name in the network.
    :param value: ``input_size`` for ``[[width, height]]`` of the network's input,
        ``input_size_hw`` for ``[[height, width]]``, ``input_mask`` for ones of shape
        ``(1, height, width)``, or a number or nested tuples of numbers.
    :param source: the file the card came from, for messages.
    """

    name: str
    value: str | Literal
    source: str = 'model.yaml'

    def array(self, size: tuple[int, int], spec: TensorSpec) -> npt.NDArray[Any]:
        """Return the input's array.

        :param size: width and height of the network's image input.
        :param spec: the input as the network declares it; gives the dtype.
        :raises CardError: if the value does not fit the network's shape or dtype.
        """
        width, height = size
        if self.value == 'input_size':
            value = np.array([[width, height]])
        elif self.value == 'input_size_hw':
            value = np.array([[height, width]])
        elif self.value == 'input_mask':
            value = np.ones((1, height, width))
        else:
            value = np.array(self.value)
        if not spec.admits(value.shape):
            raise self._error(f'has shape {list(value.shape)}, but the network wants {spec}')
        with np.errstate(over='ignore', invalid='ignore'):
            array = value.astype(spec.dtype)
        if not np.allclose(array, value):
            raise self._error(f'{shown(self.value)} cannot be written as {spec.dtype.name}')
        return array

    def _error(self, message: str) -> CardError:
        return CardError(self.source, f'input.extra.{self.name}', message)


def parse_extra_inputs(parent: Fields, key: str) -> dict[str, ExtraInput]:
    """Read the mapping of extra inputs; empty where the key is not there.

    :raises CardError: if a value is neither a known word nor (lists of) numbers.
    """
    if not parent.has(key):
        return {}
    mapping = parent.raw(key)
    if not isinstance(mapping, Mapping):
        raise parent.error(key, f'must be a mapping of input names to values, not {shown(mapping)}')
    fields = Fields(mapping, parent.source, parent.path(key), _names(parent, key, mapping))
    return {
        name: ExtraInput(name, _value(fields, name, fields.raw(name)), parent.source)
        for name in fields.allowed
    }


def _names(parent: Fields, key: str, mapping: Mapping[object, object]) -> list[str]:
    return [parent.as_text(f'{key}.{shown(name)}', name) for name in mapping]


def _value(fields: Fields, name: str, value: object) -> str | Literal:
    if isinstance(value, str) and value in _TOKENS:
        return value
    literal = _literal(value, _MAX_DEPTH)
    if literal is None or _shape(literal) is None:
        raise fields.error(
            name,
            f'must be {", ".join(_TOKENS)}, a number, or lists of numbers of equal length, '
            f'not {shown(value)}',
        )
    return literal


def _literal(value: object, depth: int) -> Literal | None:
    """Return numbers and tuples of numbers, or None where something else is found."""
    if isinstance(value, bool) or depth < 0:
        return None
    if isinstance(value, (int, float)):
        return value if abs(value) < 2**63 else None  # also leaves NaN and infinity out
    if not isinstance(value, (list, tuple)) or not value:
        return None
    items = [_literal(item, depth - 1) for item in value]
    return None if any(item is None for item in items) else tuple(items)


def _shape(literal: Literal) -> tuple[int, ...] | None:
    """Return the shape of nested tuples, or None where their lengths differ."""
    if not isinstance(literal, tuple):
        return ()
    shapes = {_shape(item) for item in literal}
    inner = shapes.pop()
    return None if shapes or inner is None else (len(literal), *inner)
