# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""rosbag2 recordings: what they hold, and their messages, without ROS.

Reads folders and single files, mcap and sqlite3, plain and compressed.  Whatever is wrong with a
recording is told as a :class:`~jetson_infer.errors.RecordingError` that names the file and the next
step; most of it when the recording is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from jetson_infer.core.closing import Closing
from jetson_infer.dependencies import require
from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.message_definitions import make_typestore
from jetson_infer.toolchain.recording_files import explain_fault, locate_recording

__all__ = ['OfferedQos', 'RawMessage', 'Recording', 'RecordedMessage', 'Topic']


@dataclass(frozen=True)
class OfferedQos:
    """The quality of service under which a topic was published when it was recorded.

    :param reliable: whether any publisher offered reliable delivery.
    :param transient_local: whether any publisher kept messages for late subscribers.
    :param depth: the longest queue offered; 0 where the recorder did not know it.
    :param keep_all: whether any publisher kept all messages.
    """

    reliable: bool = True
    transient_local: bool = False
    depth: int = 0
    keep_all: bool = False


@dataclass(frozen=True)
class Topic:
    """One topic of a recording.

    :param name: its name when it was recorded.
    :param type: its message type, as ``sensor_msgs/msg/CompressedImage``.
    :param count: how many messages the recording promises.
    :param qos: what its publishers offered.
    """

    name: str
    type: str
    count: int
    qos: OfferedQos = field(default_factory=OfferedQos)


class RawMessage(NamedTuple):
    """A message as it was recorded: topic, time of recording in ns, and its CDR bytes."""

    topic: str
    log_ns: int
    cdr: bytes


class RecordedMessage(NamedTuple):
    """A decoded message: topic, time of recording in ns, and an object with the type's fields."""

    topic: str
    log_ns: int
    message: Any


class Recording(Closing):
    """An open recording; close it, or use it as a context manager.

    Make one with :meth:`open`.  Not safe for use from several threads at once.
    """

    def __init__(self, path: Path, reader: Any) -> None:
        self.path = path
        self._reader = reader
        self._open = True
        self.topics: Mapping[str, Topic] = {
            topic.name: topic for topic in map(_read_topic, _by_topic(reader.connections))
        }
        self._typestore: Any = None

    @classmethod
    def open(cls, path: str | Path) -> Recording:
        """Open a recording.

        :param path: a rosbag2 folder, or one mcap or db3 file.
        :raises RecordingError: if it cannot be read; the message names the file and the next step.
        :raises MissingDependencyError: if rosbags is not installed.
        """
        rosbag2 = require('rosbags.rosbag2', 'Reading recordings')
        location = locate_recording(Path(path))
        try:
            reader = rosbag2.Reader(location)
            reader.open()
        except Exception as error:
            raise RecordingError(explain_fault(location, error)) from error
        return cls(location, reader)

    @property
    def start_ns(self) -> int:
        """When the first message was recorded, in ns since the epoch; 0 in an empty recording."""
        return int(self._reader.start_time) if self.message_count else 0

    @property
    def end_ns(self) -> int:
        """When the last message was recorded, in ns since the epoch; 0 in an empty recording."""
        # rosbags' end is exclusive.
        return int(self._reader.end_time) - 1 if self.message_count else 0

    @property
    def duration_ns(self) -> int:
        """The time from the first message to the last."""
        return self.end_ns - self.start_ns

    @property
    def message_count(self) -> int:
        """How many messages the recording promises."""
        return int(self._reader.message_count)

    @property
    def ros_distro(self) -> str | None:
        """The distribution that the recording names, if it names one."""
        return getattr(self._reader, 'ros_distro', None) or None

    @property
    def size_bytes(self) -> int:
        """The size of its files."""
        if self.path.is_file():
            return self.path.stat().st_size
        return sum(file.stat().st_size for file in self.path.iterdir() if file.is_file())

    @property
    def typestore(self) -> Any:
        """The ``rosbags`` store that decodes and encodes the recording's messages.

        :raises RecordingError: if a definition that the recording embeds cannot be parsed.
        """
        if self._typestore is None:
            try:
                self._typestore = make_typestore(self.ros_distro, self._definitions())
            except Exception as error:
                raise RecordingError(
                    f'{self.path}: a message definition that the recording embeds cannot be parsed '
                    f'({type(error).__name__}: {error}); record it again with a current rosbag2'
                ) from error
        return self._typestore

    def require_topics(self, names: Collection[str]) -> list[Topic]:
        """Return the named topics, in the order of the names.

        :raises RecordingError: if one is not in the recording; the message lists those that are.
        """
        for name in names:
            if name not in self.topics:
                there = ''.join(f'\n  {t.name}  ({t.type})' for t in self.topics.values())
                raise RecordingError(
                    f"{self.path}: there is no topic '{name}' in this recording; "
                    f'it holds{there or " no topics at all"}'
                )
        return [self.topics[name] for name in names]

    def topics_of_type(self, *types: str) -> list[Topic]:
        """Return the topics of the given message types that hold messages, most messages first."""
        found = [t for t in self.topics.values() if t.type in types and t.count]
        return sorted(found, key=lambda topic: (-topic.count, topic.name))

    def raw(
        self,
        topics: Collection[str] = (),
        start_ns: int | None = None,
        stop_ns: int | None = None,
    ) -> Iterator[RawMessage]:
        """Iterate over messages as they were recorded, in the order of recording.

        :param topics: the topics to read; none for all.
        :param start_ns: the first time of recording to read; None for the beginning.
        :param stop_ns: the time of recording to stop before; None for the end.
        :raises RecordingError: if a topic is not there, a file turns out to be damaged, or a whole
            pass meets fewer messages than the recording promises.
        """
        wanted = self.require_topics(topics) if topics else list(self.topics.values())
        names = {topic.name for topic in wanted}
        connections = [c for c in self._reader.connections if c.topic in names]
        count = 0
        # No connections would mean all to rosbags.
        source = self._reader.messages(connections, start_ns, stop_ns) if connections else iter(())
        while True:
            try:
                connection, log_ns, cdr = next(source)
            except StopIteration:
                break
            except Exception as error:
                raise RecordingError(explain_fault(self.path, error)) from error
            count += 1
            yield RawMessage(connection.topic, log_ns, cdr)
        promised = sum(topic.count for topic in wanted)
        if start_ns is None and stop_ns is None and count < promised:
            raise RecordingError(
                f'{self.path}: the recording promises {promised} messages and holds {count}; '
                'a file of it is cut or missing: copy it again, or rebuild its metadata with '
                f'`ros2 bag reindex {self.path}`'
            )

    def messages(
        self,
        topics: Collection[str] = (),
        start_ns: int | None = None,
        stop_ns: int | None = None,
    ) -> Iterator[RecordedMessage]:
        """Iterate over decoded messages, in the order of recording; parameters as :meth:`raw`.

        :raises RecordingError: as :meth:`raw`, and if a message's type is unknown or its bytes do
            not fit its type.
        """
        for raw in self.raw(topics, start_ns, stop_ns):
            yield RecordedMessage(raw.topic, raw.log_ns, self.decode(raw))

    def decode(self, raw: RawMessage) -> Any:
        """Decode one message.

        :raises RecordingError: if its type is unknown or its bytes do not fit its type.
        """
        type_name = self.topics[raw.topic].type
        if type_name not in self.typestore.fielddefs:
            raise RecordingError(
                f"{self.path}: the messages of '{raw.topic}' are of the type {type_name}, which is "
                'neither defined in the recording nor known here; record it again as mcap '
                '(`ros2 bag record -s mcap`), which embeds the definitions'
            )
        try:
            return self.typestore.deserialize_cdr(raw.cdr, type_name)
        except Exception as error:
            raise RecordingError(
                f"{self.path}: a message of '{raw.topic}' recorded at {raw.log_ns} ns is not a "
                f'{type_name} ({len(raw.cdr)} bytes: {error}); the recording is damaged, or it was '
                'made with another version of that type'
            ) from error

    def close(self) -> None:
        """Close the files; may be called twice."""
        if self._open:
            self._open = False
            self._reader.close()

    def _definitions(self) -> Iterator[tuple[str, str, bool]]:
        for connection in self._reader.connections:
            form, text = connection.msgdef
            if form.name != 'NONE':
                yield connection.msgtype, text, form.name == 'IDL'


def _by_topic(connections: Collection[Any]) -> list[list[Any]]:
    groups: dict[str, list[Any]] = {}
    for connection in connections:
        groups.setdefault(connection.topic, []).append(connection)
    return [groups[name] for name in sorted(groups)]


def _read_topic(connections: list[Any]) -> Topic:
    profiles = [p for c in connections for p in c.ext.offered_qos_profiles]
    qos = OfferedQos(
        reliable=not profiles or any(p.reliability.name != 'BEST_EFFORT' for p in profiles),
        transient_local=any(p.durability.name == 'TRANSIENT_LOCAL' for p in profiles),
        depth=max((p.depth for p in profiles), default=0),
        keep_all=any(p.history.name == 'KEEP_ALL' for p in profiles),
    )
    first = connections[0]
    return Topic(first.topic, first.msgtype, sum(c.msgcount for c in connections), qos)
