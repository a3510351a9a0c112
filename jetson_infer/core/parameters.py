# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a node's parameters are called, mean and allow; one declaration for every use of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, Union

from jetson_infer.errors import InternalError, ParameterError

__all__ = ['ParameterSpec', 'ParameterValue', 'Settings']

T = TypeVar('T')

ParameterValue = Union[bool, int, float, str, 'tuple[str, ...]']

_TYPE_NAMES = {
    bool: 'true or false',
    int: 'an integer',
    float: 'a number',
    str: 'a string',
    tuple: 'a list of strings',
}


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter; its type is that of its default.

    :param name: the parameter's name.
    :param default: the value where none is given; a tuple stands for a list of strings.
    :param description: what it does, in a sentence or two, with the unit.
    :param minimum: the smallest value allowed, of a number.
    :param maximum: the largest value allowed, of a number.
    :param choices: the values allowed, of a string; empty for any.
    :param live: whether it may change while the node is configured.
    """

    name: str
    default: ParameterValue
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False

    @property
    def constraints(self) -> str:
        """The values allowed and when it may change, for a person."""
        parts = [_TYPE_NAMES[type(self.default)]]
        if self.choices:
            parts = ['one of: ' + ', '.join(self.choices)]
        if self.minimum is not None and self.maximum is not None:
            parts.append(f'{self.minimum:g} to {self.maximum:g}')
        when = 'changes live' if self.live else 'changes only while the node is unconfigured'
        return f'{", ".join(parts)}; {when}'

    def check(self, value: Any) -> ParameterValue:
        """Return the value in the parameter's own type, or say why it cannot be.

        An integer is taken where a number is meant, and an empty list of any type where a list of
        strings is meant: the ROS command line cannot tell them apart.

        :raises ParameterError: if the type, the range or the choice does not fit.
        """
        checked = self._typed(value)
        if isinstance(checked, (int, float)) and not isinstance(checked, bool):
            self._check_range(checked)
        if self.choices and checked not in self.choices:
            allowed = ', '.join(self.choices)
            raise ParameterError(self.name, f"'{checked}' is not one of: {allowed}")
        return checked

    def _typed(self, value: Any) -> ParameterValue:
        kind = type(self.default)
        if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        if kind is tuple and isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            if all(isinstance(item, str) for item in value):
                return tuple(value)
        elif type(value) is kind:
            return value
        raise ParameterError(
            self.name,
            f'must be {_TYPE_NAMES[kind]}, not {value!r} (of type {type(value).__name__})',
        )

    def _check_range(self, value: float) -> None:
        if math.isnan(value):
            raise ParameterError(self.name, 'must be a number, not NaN')
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        if not low <= value <= high:
            raise ParameterError(self.name, f'{value:g} lies outside {low:g} to {high:g}')


class Settings:
    """Checked values of parameters, read by type; never changes.

    :param values: a value for every parameter, as :meth:`ParameterSpec.check` returned it.
    """

    def __init__(self, values: Mapping[str, ParameterValue]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> ParameterValue:
        return self._values[name]

    def replaced(self, values: Mapping[str, ParameterValue]) -> Settings:
        """Return these settings with some of them replaced."""
        return Settings({**self._values, **values})

    def flag(self, name: str) -> bool:
        """Return a boolean."""
        return self._as(bool, name)

    def number(self, name: str) -> float:
        """Return a number."""
        return self._as(float, name)

    def integer(self, name: str) -> int:
        """Return an integer."""
        return self._as(int, name)

    def text(self, name: str) -> str:
        """Return a string."""
        return self._as(str, name)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings."""
        return self._as(tuple, name)

    def _as(self, kind: type[T], name: str) -> T:
        value = self._values[name]
        if not isinstance(value, kind):
            raise InternalError(f"parameter '{name}' was read as {kind.__name__}: {value!r}")
        return value
