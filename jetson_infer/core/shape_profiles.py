# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The shapes that an engine is built for: a smallest, a most usual and a largest one an input."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ['Shape', 'ShapeProfile', 'ShapeRange']

Shape = tuple[int, ...]
"""Dimensions, outermost first."""


@dataclass(frozen=True)
class ShapeRange:
    """The shapes of one input that an engine takes.

    :param minimum: no dimension may be smaller.
    :param optimum: what the engine is tuned for.
    :param maximum: no dimension may be larger; memory is allocated for it.
    :raises ValueError: if the three differ in rank, or a dimension is below 1 or out of order.
    """

    minimum: Shape
    optimum: Shape
    maximum: Shape

    def __post_init__(self) -> None:
        for field in ('minimum', 'optimum', 'maximum'):
            object.__setattr__(self, field, tuple(int(d) for d in getattr(self, field)))
        ranks = {len(self.minimum), len(self.optimum), len(self.maximum)}
        if len(ranks) > 1:
            raise ValueError(f'minimum, optimum and maximum differ in rank: {self}')
        for low, best, high in zip(self.minimum, self.optimum, self.maximum):
            if not 1 <= low <= best <= high:
                raise ValueError(
                    f'not 1 <= minimum <= optimum <= maximum in every dimension: {self}'
                )

    @classmethod
    def fixed(cls, shape: Iterable[int]) -> ShapeRange:
        """Return the range of a single shape."""
        single = tuple(shape)
        return cls(single, single, single)

    def admits(self, shape: Shape) -> bool:
        """Tell whether a concrete shape lies within."""
        return len(shape) == len(self.minimum) and all(
            low <= dimension <= high
            for low, dimension, high in zip(self.minimum, shape, self.maximum)
        )

    def __str__(self) -> str:
        return (
            f'minimum {list(self.minimum)}, optimum {list(self.optimum)}, '
            f'maximum {list(self.maximum)}'
        )


@dataclass(frozen=True)
class ShapeProfile:
    """The shapes of all dynamic inputs that an engine takes together.

    :param inputs: the range of every input with a dynamic dimension, by name; static ones may be
        listed too.
    """

    inputs: Mapping[str, ShapeRange]

    def __post_init__(self) -> None:
        object.__setattr__(self, 'inputs', dict(sorted(self.inputs.items())))

    def __hash__(self) -> int:
        return hash(tuple(self.inputs.items()))

    def admits(self, shapes: Mapping[str, Shape]) -> bool:
        """Tell whether concrete shapes lie within; inputs without a range do not matter."""
        return all(
            name not in self.inputs or self.inputs[name].admits(shape)
            for name, shape in shapes.items()
        )

    def to_json(self) -> dict[str, list[list[int]]]:
        """Return ``{input: [minimum, optimum, maximum]}``, for :mod:`json`."""
        return {
            name: [list(bounds.minimum), list(bounds.optimum), list(bounds.maximum)]
            for name, bounds in self.inputs.items()
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Iterable[Iterable[int]]]) -> ShapeProfile:
        """Read what :meth:`to_json` wrote.

        :raises ValueError: if it is something else.
        """
        ranges = {}
        for name, bounds in value.items():
            shapes = [tuple(shape) for shape in bounds]
            if len(shapes) != 3:
                raise ValueError(f'{name}: not a minimum, an optimum and a maximum: {shapes}')
            ranges[name] = ShapeRange(*shapes)
        return cls(ranges)

    def __str__(self) -> str:
        return '; '.join(f'{name}: {bounds}' for name, bounds in self.inputs.items())
