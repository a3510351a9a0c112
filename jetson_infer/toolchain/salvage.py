# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What is whole of a recording that was cut: a recorder killed, a copy broken off, a disk full.

The index of both storage formats stands at the end or is scattered over the file, so that the usual
reader refuses a file without its end.  Here it is read from its beginning until it stops making
sense.  An mcap file is a sequence of records, each with its length before it
(https://mcap.dev/spec); of sqlite3, pages are read in the order of their rows.
"""

from __future__ import annotations

import sqlite3
import struct
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import yaml

from jetson_infer.dependencies import require
from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.recording_files import MCAP_MAGIC, STORAGE_SUFFIXES
from jetson_infer.toolchain.recordings import Recording

__all__ = ['salvage']

_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _DATA_END = 3, 4, 5, 6, 15  # op codes of mcap records
_HEAD = struct.Struct('<BQ')
_CHUNK_HEAD = 40  # bytes before a chunk's records, where they are not compressed
_LARGEST = 1 << 31  # bytes of a record; what claims more is no record


def salvage(path: Path, error: RecordingError) -> tuple[Recording, Mapping[str, int]]:
    """Open what is whole of a recording.

    :param path: the recording, of which the usual reader raised `error`.
    :return: the recording with the messages that are whole; and by topic how many its metadata
        promises, empty where there is none.
    :raises RecordingError: `error`, if nothing can be read.
    """
    try:
        files = [path] if path.is_file() else sorted(path.iterdir())
    except OSError:
        raise error from None
    files = [f for f in files if f.suffix in STORAGE_SUFFIXES and f.is_file()]
    reader = _WholeMessages(files)
    if not reader.message_count:
        raise error
    return Recording(path, reader), _promised(path)


class _Place(NamedTuple):
    """A message: its channel, when it was recorded, and its bytes."""

    channel: Any
    log_ns: int
    cdr: bytes


@dataclass
class _Channel:
    """Stands for a connection of rosbags' reader, as far as :class:`Recording` looks at it."""

    topic: str
    msgtype: str
    msgdef: tuple[Any, str]
    msgcount: int = 0
    ext: Any = None

    def __post_init__(self) -> None:
        self.ext = SimpleNamespace(offered_qos_profiles=[])


class _WholeMessages:
    """Stands for rosbags' reader: counts what is whole when it is made, and reads it again."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self._channels: dict[tuple[str, str], _Channel] = {}
        counts: Counter[str] = Counter()
        times = []
        for place in self._walk():
            counts[place.channel.topic] += 1
            times.append(place.log_ns)
        self.connections = list(self._channels.values())
        for channel in self.connections:
            channel.msgcount = counts[channel.topic]
        self.message_count = len(times)
        self.start_time = min(times, default=0)
        self.end_time = max(times, default=0) + 1

    def messages(
        self, connections: Collection[Any], start: int | None = None, stop: int | None = None
    ) -> Iterator[tuple[Any, int, bytes]]:
        """Iterate over the messages of some channels, in the order of recording."""
        topics = {channel.topic for channel in connections}
        for channel, log_ns, cdr in self._walk():
            within = (start is None or log_ns >= start) and (stop is None or log_ns < stop)
            if channel.topic in topics and within:
                yield channel, log_ns, cdr

    def close(self) -> None:
        """Nothing stays open between passes."""

    def _walk(self) -> Iterator[_Place]:
        for file in self._files:
            yield from (self._mcap(file) if file.suffix == '.mcap' else self._sqlite(file))

    def _channel(self, topic: str, kind: str, form: str, definition: str) -> _Channel:
        key = (topic, kind)
        if key not in self._channels:
            form_name = {'ros2msg': 'MSG', 'ros2idl': 'IDL'}.get(form, 'NONE')
            definition_form = SimpleNamespace(name=form_name)
            self._channels[key] = _Channel(topic, kind, (definition_form, definition))
        return self._channels[key]

    def _mcap(self, file: Path) -> Iterator[_Place]:
        schemas: dict[int, tuple[str, str, str]] = {}
        channels: dict[int, _Channel] = {}
        for code, record in _mcap_records(file):
            if code == _SCHEMA:
                number = struct.unpack_from('<H', record)[0]
                name, form, definition = _texts(record, 2, 3)
                schemas[number] = (name, form, definition)
            elif code == _CHANNEL:
                number, schema = struct.unpack_from('<HH', record)
                topic = _texts(record, 4, 1)[0]
                channels[number] = self._channel(topic, *schemas.get(schema, ('', '', '')))
            elif code == _MESSAGE:
                number, _, log_ns = struct.unpack_from('<HIQ', record)
                if number in channels:
                    yield _Place(channels[number], log_ns, bytes(record[22:]))

    def _sqlite(self, file: Path) -> Iterator[_Place]:
        connection = sqlite3.connect(f'{file.absolute().as_uri()}?mode=ro&immutable=1', uri=True)
        try:
            # Otherwise a file that is shorter than its first page says is refused altogether.
            connection.execute('PRAGMA writable_schema=1')
            topics = {
                number: self._channel(name, kind, '', '')
                for number, name, kind in connection.execute('SELECT id, name, type FROM topics')
            }
            rows = 'SELECT topic_id, timestamp, data FROM messages ORDER BY rowid'
            for number, log_ns, cdr in connection.execute(rows):
                if number in topics:
                    yield _Place(topics[number], log_ns, cdr)
        except sqlite3.DatabaseError:
            return  # as far as it is whole
        finally:
            connection.close()


def _mcap_records(file: Path) -> Iterator[tuple[int, memoryview]]:
    """Yield the op code and the content of the records that are whole, those in chunks too."""
    with file.open('rb') as stream:
        if stream.read(len(MCAP_MAGIC)) != MCAP_MAGIC:
            return
        while len(head := stream.read(_HEAD.size)) == _HEAD.size:
            code, length = _HEAD.unpack(head)
            if length > _LARGEST or code == _DATA_END:
                return
            content = stream.read(length)
            if len(content) < length and code != _CHUNK:
                return
            if code == _CHUNK:
                yield from _records_in(_unpacked(content))
            else:
                yield code, memoryview(content)


def _records_in(data: bytes) -> Iterator[tuple[int, memoryview]]:
    view, at = memoryview(data), 0
    while at + _HEAD.size <= len(view):
        code, length = _HEAD.unpack_from(view, at)
        at += _HEAD.size
        if at + length > len(view):
            return
        yield code, view[at : at + length]
        at += length


def _unpacked(chunk: bytes) -> bytes:
    """Return a chunk's records, as many as are whole; none of a compressed one that was cut."""
    if len(chunk) < _CHUNK_HEAD:
        return b''
    size = struct.unpack_from('<Q', chunk, 16)[0]
    name_length = struct.unpack_from('<I', chunk, 28)[0]
    compression = chunk[32 : 32 + name_length].decode('ascii', 'replace')
    packed = chunk[32 + name_length + 8 :]
    # rosbags' own table: which library knows zstd depends on its version and on Python's.
    storage = require('rosbags.rosbag2.storage_mcap', 'Reading recordings')
    unpack = storage.DECOMPRESSORS.get(compression)
    if unpack is None:
        return b''
    try:
        return bytes(unpack(packed, size))
    except Exception:  # noqa: BLE001 - the libraries below have no common base; a damaged chunk
        return b''


def _texts(record: memoryview, at: int, count: int) -> list[str]:
    found = []
    for _ in range(count):
        length = struct.unpack_from('<I', record, at)[0]
        found.append(bytes(record[at + 4 : at + 4 + length]).decode('utf-8', 'replace'))
        at += 4 + length
    return found


def _promised(path: Path) -> dict[str, int]:
    """Return how many messages a recording's metadata promises by topic; none if it tells none."""
    file = (path if path.is_dir() else path.parent) / 'metadata.yaml'
    try:
        content = yaml.safe_load(file.read_text(encoding='utf-8'))
        topics = content['rosbag2_bagfile_information']['topics_with_message_count']
        return {t['topic_metadata']['name']: int(t['message_count']) for t in topics}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, LookupError, TypeError, ValueError):
        return {}
