# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Finding the outputs that a decoder reads among those that a network has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import DecoderError

__all__ = ['by_name', 'only_match', 'rows_of']


def by_name(outputs: Iterable[TensorSpec], name: str) -> TensorSpec:
    """Return the output of a name.

    :raises DecoderError: if there is none.
    """
    for output in outputs:
        if output.name == name:
            return output
    raise DecoderError(f'there is no output {name!r}, which output.settings names')


def only_match(
    outputs: Iterable[TensorSpec],
    fits: Callable[[TensorSpec], bool],
    setting: str,
    expected: str,
    name: str | None,
) -> TensorSpec:
    """Return the one output that fits.

    :param fits: tells whether an output could be the one.
    :param setting: the key under ``output.settings`` by which a card can name it.
    :param expected: the layout, for a person.
    :param name: the name that the card gives, or None to choose by layout.
    :raises DecoderError: if none fits, or several do.
    """
    if name is not None:
        output = by_name(outputs, name)
        if not fits(output):
            raise DecoderError(f'{output} is not {expected}')
        return output
    matching = [output for output in outputs if fits(output)]
    if not matching:
        raise DecoderError(f'no output is {expected}')
    if len(matching) > 1:
        names = ', '.join(output.name for output in matching)
        raise DecoderError(
            f'several outputs could be {expected}: {names}; '
            f'name the right one as output.settings.{setting}'
        )
    return matching[0]


def rows_of(array: npt.NDArray[Any], what: str) -> npt.NDArray[Any]:
    """Return one frame's part of an output whose batch dimension is 1.

    :raises DecoderError: if the batch turns out to be of another size.
    """
    if array.shape[0] != 1:
        raise DecoderError(f'{what} holds a batch of {array.shape[0]}, not of 1: {array.shape}')
    return array[0]


def as_float32(array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return an array as float32, without a copy where it is already."""
    return array.astype(np.float32, copy=False)
