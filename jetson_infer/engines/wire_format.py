# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Walking a serialized protocol buffer, without its schema and without copying it.

The wire format: a message is a row of fields; a field is a tag, ``number << 3 | type``, and a
value, whose length the type tells (https://protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

__all__ = ['Data', 'Span', 'WireError', 'fields', 'text']

Data = bytes | mmap.mmap

Span = tuple[int, int]
"""Where a nested message, a text or packed numbers lie: first byte, and the one after the last."""

_VARINT, _FIXED64, _LENGTH, _GROUP_START, _GROUP_END, _FIXED32 = range(6)
_LONGEST_VARINT = 10


class WireError(ValueError):
    """Bytes that are no protocol buffer."""


def fields(data: Data, span: Span) -> Iterator[tuple[int, int | Span]]:
    """Yield the number and the value of every field of a message.

    :param data: the bytes that the message lies in.
    :param span: where it lies.
    :return: an int where the field is one number; else where its bytes lie.
    :raises WireError: if the message ends early or is none, with the byte.
    """
    position, end = span
    while position < end:
        tag, position = _varint(data, position, end)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise WireError(f'there is no field 0, as byte {position - 1} has it')
        value: int | Span
        if kind == _VARINT:
            value, position = _varint(data, position, end)
        elif kind == _LENGTH:
            length, position = _varint(data, position, end)
            value = (position, position + length)
            position += length
        elif kind in (_FIXED64, _FIXED32):
            width = 8 if kind == _FIXED64 else 4
            value = int.from_bytes(data[position : position + width], 'little')
            position += width
        else:
            raise WireError(f'a field of wire type {kind} at byte {position - 1}')
        if position > end:
            raise WireError(
                f'a field that goes on to byte {position}, but its message ends at {end}'
            )
        yield number, value


def text(data: Data, span: Span) -> str:
    """Return a field's bytes as text.

    :raises WireError: if they are not UTF-8.
    """
    try:
        return data[span[0] : span[1]].decode()
    except UnicodeDecodeError as error:
        raise WireError(f'no text at byte {span[0]}: {error.reason}') from error


def _varint(data: Data, position: int, end: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and the position after it."""
    value = shift = 0
    for index in range(position, min(end, position + _LONGEST_VARINT)):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, index + 1
        shift += 7
    raise WireError(f'a number that does not end, at byte {position} of {end}')
