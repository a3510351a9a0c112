# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Finding the outputs that a decoder reads, and seeing them in one way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.decoders.candidates import CandidateLayout, Finishing, Objectness
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import DecoderError

__all__ = [
    'as_float32',
    'candidate_layout',
    'channel_axis',
    'columns_of',
    'find',
    'fits',
    'reaching',
    'row_of',
]


def find(
    outputs: Iterable[TensorSpec],
    suits: Callable[[TensorSpec], bool],
    setting: str,
    expected: str,
    name: str | None,
) -> TensorSpec:
    """Return the one output that suits.

    :param suits: tells whether an output could be the one.
    :param setting: the key under ``output.settings`` by which a card can name it.
    :param expected: the layout, for a person.
    :param name: the name that the card gives, or None to choose by layout.
    :raises DecoderError: if none suits, or several do.
    """
    outputs = tuple(outputs)
    if name is not None:
        named = [output for output in outputs if output.name == name]
        if not named:
            raise DecoderError(
                f'there is no output {name!r}, which output.settings.{setting} names'
            )
        if not suits(named[0]):
            raise DecoderError(f'{named[0]} is not {expected}')
        return named[0]
    suitable = [output for output in outputs if suits(output)]
    if not suitable:
        raise DecoderError(f'no output is {expected}')
    if len(suitable) > 1:
        names = ', '.join(output.name for output in suitable)
        raise DecoderError(
            f'several outputs could be {expected}: {names}; '
            f'name the right one as output.settings.{setting}'
        )
    return suitable[0]


def fits(output: TensorSpec, *shape: int | None) -> bool:
    """Tell whether an output may have a shape, in which None stands for any number."""
    return len(output.shape) == len(shape) and all(
        wanted is None or found in (wanted, -1) for found, wanted in zip(output.shape, shape)
    )


def channel_axis(shape: Sequence[int], channels: int) -> int | None:
    """Return which dimension of ``(1, channels, N)`` or ``(1, N, channels)`` holds the channels.

    :return: 1 or 2; 1 where both could; -1 where only running the network can tell; None where
        neither can.
    """
    if len(shape) != 3 or shape[0] not in (1, -1):
        return None
    for axis in (1, 2):
        if shape[axis] == channels:
            return axis
    return -1 if -1 in shape[1:] else None


def columns_of(array: npt.NDArray[Any], channels: int, name: str) -> npt.NDArray[Any]:
    """Return a view ``(channels, N)`` of one frame's output, whichever way round it is stored.

    :raises DecoderError: if an output of dynamic shape turns out not to fit.
    """
    axis = channel_axis(array.shape, channels)
    if axis is None:
        raise misfit(array.shape, channels, name)
    return array[0] if axis == 1 else array[0].T


def candidate_layout(
    output: TensorSpec,
    channels: int,
    classes: int,
    objectness: Objectness,
    logits: bool = False,
    finishing: Finishing | None = None,
) -> CandidateLayout | None:
    """Describe an output for choosing candidates on the device.

    :param output: the output, with the shape it is bound with.
    :param channels: as for :func:`columns_of`.
    :return: None where the shape is not known yet, or the type is none that devices choose from.
    :raises DecoderError: if an output of dynamic shape turns out not to fit.
    """
    if not output.is_static or output.dtype not in (np.float32, np.float16):
        return None
    axis = channel_axis(output.shape, channels)
    if axis is None:
        raise misfit(output.shape, channels, output.name)
    return CandidateLayout(
        output.name,
        axis == 1,
        output.shape[3 - axis],
        channels,
        classes,
        objectness,
        logits,
        output.dtype,
        finishing,
    )


def misfit(shape: Sequence[int], channels: int, name: str) -> DecoderError:
    """Say that an output of dynamic shape turned out not to fit."""
    return DecoderError(
        f'{name} has shape {list(shape)}, not [1, {channels}, N] or [1, N, {channels}]'
    )


def row_of(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Return one frame's part of an output whose first dimension is the batch.

    :raises DecoderError: if the batch is not of one frame.
    """
    if array.shape[0] != 1:
        raise DecoderError(f'{name} has shape {list(array.shape)}, a batch that is not of 1 frame')
    return array[0]


def reaching(scores: npt.NDArray[Any], threshold: float | np.float32) -> npt.NDArray[np.intp]:
    """Return which candidates are not below a threshold; NaN is not, and is counted later.

    Of thousands of candidates a few dozen pass.  One comparison, and no maximum, is the least that
    can be done with the rest: 0.1 ms for 80 x 8400, where the maximum takes 0.2 ms.

    :param scores: ``(N,)``, or ``(classes, N)`` of which the best one counts.
    """
    below = scores < threshold
    return np.flatnonzero(~(below if below.ndim == 1 else below.all(axis=0)))


def as_float32(array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return an array as float32, without a copy where it is already."""
    return array.astype(np.float32, copy=False)
