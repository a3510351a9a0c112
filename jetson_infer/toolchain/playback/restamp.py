# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Moving the header stamps of serialized messages to another time.

A camera image is hundreds of kilobytes of which eight bytes change: where a message begins with its
only header, those are written in place.  Messages with headers further inside (transforms, arrays
of detections) are decoded and encoded again.

CDR, as ROS 2 uses it: a 4-byte encapsulation whose second byte is 1 for little endian, then the
fields; of a leading ``std_msgs/Header`` that is ``int32 sec``, ``uint32 nanosec``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import Enum
from typing import Any

__all__ = ['HeaderPlace', 'Restamper']

_ENCAPSULATION = 4
_NS = 1_000_000_000


class HeaderPlace(Enum):
    """Where a message type has its headers."""

    NONE = 'no header'
    FIRST = 'one header, as the first field'
    INSIDE = 'headers further inside'


class Restamper:
    """Moves the stamps of the ``std_msgs/Header`` fields of serialized messages.

    A stamp of zero means "not set" in ROS and stays zero.  Times outside headers are left alone.

    :param typestore: the ``rosbags`` store that knows the messages' types.
    """

    def __init__(self, typestore: Any) -> None:
        self._typestore = typestore
        self._places: dict[str, HeaderPlace] = {}

    def place(self, type_name: str) -> HeaderPlace:
        """Tell where a type has its headers; NONE for a type that is not known."""
        if type_name not in self._places:
            self._places[type_name] = self._find(type_name)
        return self._places[type_name]

    def __call__(self, cdr: bytes, type_name: str, move: Callable[[int], int]) -> bytes:
        """Return a message with its stamps moved.

        :param cdr: the serialized message.
        :param type_name: its type.
        :param move: from a stamp in ns to the new one in ns.
        """
        place = self.place(type_name)
        if place is HeaderPlace.FIRST:
            return _patch(cdr, move)
        if place is HeaderPlace.INSIDE:
            message = self._typestore.deserialize_cdr(cdr, type_name)
            _move_headers(message, move)
            return bytes(self._typestore.serialize_cdr(message, type_name))
        return cdr

    def _find(self, type_name: str) -> HeaderPlace:
        if type_name not in self._typestore.fielddefs:
            return HeaderPlace.NONE
        fields = [_type_of(field) for _, field in self._typestore.fielddefs[type_name][1]]
        inside = any(self._contains_header(name) for name in fields[1:])
        if fields and fields[0] == 'std_msgs/msg/Header' and not inside:
            return HeaderPlace.FIRST
        return HeaderPlace.INSIDE if self._contains_header(type_name) else HeaderPlace.NONE

    def _contains_header(self, type_name: str | None) -> bool:
        if type_name == 'std_msgs/msg/Header':
            return True
        if type_name not in self._typestore.fielddefs:
            return False
        fields = self._typestore.fielddefs[type_name][1]
        return any(self._contains_header(_type_of(field)) for _, field in fields)


def _type_of(field: Any) -> str | None:
    """Return the message type that a field holds, alone or many times; None for a number."""
    kind, content = field
    if kind.name in ('ARRAY', 'SEQUENCE'):
        kind, content = content[0]
    return content if kind.name == 'NAME' else None


def _patch(cdr: bytes, move: Callable[[int], int]) -> bytes:
    layout = '<iI' if cdr[1] & 1 else '>iI'
    sec, nanosec = struct.unpack_from(layout, cdr, _ENCAPSULATION)
    if sec == 0 and nanosec == 0:
        return cdr
    moved = bytearray(cdr)
    struct.pack_into(layout, moved, _ENCAPSULATION, *divmod(move(sec * _NS + nanosec), _NS))
    return bytes(moved)


def _move_headers(message: Any, move: Callable[[int], int]) -> None:
    if message.__msgtype__ == 'std_msgs/msg/Header':
        stamp = message.stamp
        if stamp.sec or stamp.nanosec:
            stamp.sec, stamp.nanosec = divmod(move(stamp.sec * _NS + stamp.nanosec), _NS)
        return
    for value in vars(message).values():
        if hasattr(value, '__msgtype__'):
            _move_headers(value, move)
        elif isinstance(value, list):
            for item in value:
                if hasattr(item, '__msgtype__'):
                    _move_headers(item, move)
