# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Reading a mapping that a person wrote: every value checked, every complaint naming file and key.

The values come from YAML 1.1, whose surprises (``no`` is false, ``1e-3`` is text) are explained
where they bite.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from jetson_infer.errors import CardError

__all__ = ['Fields', 'shown']

_SHOWN_LENGTH = 60
_NUMBER = re.compile(r'[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?')


def shown(value: object) -> str:
    """Describe a value for an error message, never longer than a line."""
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if value is None:
        return 'empty'
    if isinstance(value, int) and value.bit_length() > 128:
        return f'an integer of {value.bit_length()} bits'
    if isinstance(value, Mapping):
        return f'a mapping of {len(value)} keys'
    if isinstance(value, (list, tuple)) and len(value) > 8:
        return f'a list of {len(value)}'
    try:
        text = repr(value)
    except ValueError:  # an integer inside it that is too long to be written out
        return f'a {type(value).__name__}'
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 3] + '...'


class Fields:
    """A mapping whose keys are known beforehand.

    :param mapping: what was found.
    :param source: the file, for messages.
    :param prefix: the dotted key of this mapping within the file; empty at the top.
    :param allowed: every key that may occur.
    :raises CardError: if it is not a mapping, or has a key that is not allowed.
    """

    def __init__(self, mapping: object, source: str, prefix: str, allowed: Iterable[str]) -> None:
        self.source = source
        self.prefix = prefix
        self.allowed = tuple(allowed)
        if not isinstance(mapping, Mapping):
            raise CardError(
                source,
                prefix,
                f'must be a mapping with the keys {_listing(self.allowed)}, not {shown(mapping)}',
            )
        self._mapping: Mapping[object, object] = mapping
        for key in mapping:
            if key not in self.allowed:
                raise self.error(self._name(key), self._unknown(key))

    def error(self, key: str, message: str) -> CardError:
        """Return the exception that blames a key (empty: the mapping itself)."""
        return CardError(self.source, self.path(key), message)

    def path(self, key: str) -> str:
        """Return the dotted key within the file."""
        if not key:
            return self.prefix
        return f'{self.prefix}.{key}' if self.prefix else key

    def has(self, key: str) -> bool:
        """Tell whether the key was written, with or without a value."""
        return key in self._mapping

    def raw(self, key: str) -> object:
        """Return the value of a key that must be there and must not be empty."""
        if key not in self._mapping:
            raise self.error(key, 'is missing')
        value = self._mapping[key]
        if value is None:
            raise self.error(key, 'is empty; give it a value, or remove the key if it is optional')
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not blank; ``default`` where the key is not there."""
        if default is not None and not self.has(key):
            return default
        return self.as_text(key, self.raw(key))

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        """Return one of ``choices``."""
        if default is not None and not self.has(key):
            return default
        value = self.raw(key)
        if not isinstance(value, str) or value not in choices:
            hint = _did_you_mean(value, choices)
            raise self.error(key, f'must be one of {_listing(choices)}, not {shown(value)}{hint}')
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return a boolean."""
        if not self.has(key):
            return default
        value = self.raw(key)
        if not isinstance(value, bool):
            raise self.error(key, f'must be true or false, not {shown(value)}')
        return value

    def integer(self, key: str, minimum: int, maximum: int, default: int | None = None) -> int:
        """Return an integer from ``minimum`` to ``maximum``."""
        if default is not None and not self.has(key):
            return default
        return self.as_integer(key, self.raw(key), minimum, maximum)

    def number(
        self, key: str, minimum: float, maximum: float, default: float | None = None
    ) -> float:
        """Return a finite number from ``minimum`` to ``maximum``."""
        if default is not None and not self.has(key):
            return default
        return self.as_number(key, self.raw(key), minimum, maximum)

    def items(
        self, key: str, minimum: int = 1, default: Sequence[object] | None = None
    ) -> list[object]:
        """Return a list of at least ``minimum`` items of any type."""
        if default is not None and not self.has(key):
            return list(default)
        value = self.raw(key)
        if not isinstance(value, (list, tuple)) or len(value) < minimum:
            raise self.error(key, f'must be a list of at least {minimum}, not {shown(value)}')
        return list(value)

    def as_text(self, key: str, value: object) -> str:
        """Check a text that was found under ``key``, which may be an item such as ``labels[2]``."""
        if not isinstance(value, str):
            raise self.error(key, f'must be text, not {shown(value)}{_quoting_hint(value)}')
        if not value.strip():
            raise self.error(key, 'must not be blank')
        return value

    def as_integer(self, key: str, value: object, minimum: int, maximum: int) -> int:
        """Check an integer that was found under ``key``."""
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
            raise self.error(
                key, f'must be an integer from {minimum} to {maximum}, not {shown(value)}'
            )
        return value

    def as_number(self, key: str, value: object, minimum: float, maximum: float) -> float:
        """Check a finite number, also as text: ``1/255``, or ``1e-3``, which YAML 1.1 reads so."""
        number = _to_number(value)
        if number is None or not minimum <= number <= maximum:
            raise self.error(
                key, f'must be a number from {minimum:g} to {maximum:g}, not {shown(value)}'
            )
        return number

    @staticmethod
    def _name(key: object) -> str:
        return key if isinstance(key, str) and len(key) <= _SHOWN_LENGTH else shown(key)

    def _unknown(self, key: object) -> str:
        if not self.allowed:
            return 'is not a known key; none is allowed here'
        hint = _did_you_mean(key, self.allowed)
        return f'is not a known key{hint}; allowed are {_listing(self.allowed)}'


def _to_number(value: object) -> float | None:
    """Return a finite float, or None for what is no finite number."""
    try:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return None
        if isinstance(value, str):
            parts = [part.strip() for part in value.split('/')]
            if len(parts) > 2 or not all(_NUMBER.fullmatch(part) for part in parts):
                return None
            dividend = Fraction(parts[0])
            number = float(dividend / Fraction(parts[1]) if len(parts) == 2 else dividend)
        else:
            number = float(value)
    except (OverflowError, ZeroDivisionError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _quoting_hint(value: object) -> str:
    if isinstance(value, bool):
        return ' (YAML reads a bare yes, no, on, off as true or false: put it in quotes)'
    if value is None:
        return ' (YAML reads a bare null or ~ as nothing: put it in quotes)'
    if isinstance(value, (list, tuple, Mapping)):
        return ''
    return ' (put it in quotes)'


def _did_you_mean(value: object, choices: Iterable[str]) -> str:
    if not isinstance(value, str):
        return ''
    near = difflib.get_close_matches(value.lower(), list(choices), n=1)
    return f' (did you mean {near[0]!r}?)' if near else ''


def _listing(names: Iterable[str]) -> str:
    return ', '.join(names)
